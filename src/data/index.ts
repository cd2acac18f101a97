/** Data sets and what `fit` consumes. */
export {
  type Batch,
  checkBatch,
  type Dataset,
  type DatasetShape,
  fromArrays,
  permutation,
  sliceBatch,
  split,
  subset,
} from './dataset.js'
export { digits, digitsShape } from './digits.js'
export { DataError, IdxError, NotResumableError, NpyError } from './errors.js'
export { idxFolder } from './folder.js'
export { gunzip } from './gunzip.js'
export { idxDataset, parseIdx } from './idx.js'
export { parseNpy } from './npy.js'
export { parseNpz } from './npz.js'
export { type DataSource, type MiniBatchOptions, miniBatches } from './source.js'
