/** Data sets and what `fit` consumes. */
export { type AugmentOptions, augment, centerCrop, type ImageSize } from './augment.js'
export { type AnyBatch, type Batch, checkBatch, sliceBatch } from './batch.js'
export { cifarFolder, parseCifar } from './cifar.js'
export {
  type AnyDataset,
  type Dataset,
  type DatasetShape,
  fromArrays,
  type LazyDataset,
  permutation,
  type SplitOptions,
  split,
  subset,
} from './dataset.js'
export { digits, digitsShape } from './digits.js'
export { DataError, IdxError, NotResumableError, NpyError } from './errors.js'
export { idxFolder } from './folder.js'
export { gunzip } from './gunzip.js'
export { idxDataset, parseIdx } from './idx.js'
export { type Moments, moments, normalize } from './normalize.js'
export { parseNpy } from './npy.js'
export { parseNpz } from './npz.js'
export { arraySets } from './npz-sets.js'
export { type ShapesOptions, shapes } from './shapes.js'
export { type AnySource, type DataSource, type MiniBatchOptions, miniBatches } from './source.js'
export { type SequenceOptions, sequences, type Tokens, tokenize } from './tokens.js'
