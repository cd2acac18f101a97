/**
 * A data set: samples on the host that can be fetched by index. Axis 0 of every array is the sample.
 * Not here: streams of unknown length and the cutting of mini-batches (source.ts), file formats (idx.ts).
 */
import seedrandom from 'seedrandom'
import { checkSeed } from '../device/seed.js'
import { showValue } from '../memory/errors.js'
import type { HostArray, HostData } from '../tensor/host.js'
import { frozen, showShape } from '../tensor/shape.js'
import { DataError } from './errors.js'

/** N samples: inputs [N, ...], targets [N, ...], and optionally the weight of each sample. */
export interface Batch {
  readonly inputs: HostArray
  readonly targets: HostArray
  /** sample weights, shape [N]; all 1 when absent */
  readonly weights?: HostArray
}

/** What a plan needs to know of a data set. */
export interface DatasetShape {
  readonly name: string
  /** number of samples */
  readonly length: number
  /** shape of one sample */
  readonly inputShape: readonly number[]
  /** shape of one target; [] for a class index */
  readonly targetShape: readonly number[]
  /** number of classes, where targets are class indices */
  readonly classes?: number
}

export interface Dataset extends DatasetShape {
  /**
   * Copies of the samples at `indices`, in that order; a sample may be asked for twice.
   * @throws DataError  no index, or one that is not an integer in [0, length)
   */
  gather(indices: ArrayLike<number>): Batch
}

/**
 * A data set over arrays in memory. `data` is neither copied nor converted: images stay uint8, with their scale, and
 * values that are written later are used. Shapes and scales are copied.
 * @param inputs   [N, ...]
 * @param targets  [N, ...], or [N] class indices
 * @param weights  [N], finite, >= 0
 * @throws DataError  shapes and data disagree, or `classes` is not a positive integer
 */
export function fromArrays(options: Batch & { readonly name?: string; readonly classes?: number }): Dataset {
  const { name = 'arrays', classes } = options
  checkBatch(options)
  const arrays = mapArrays(options, ({ data, shape, scale }) => ({ data, shape: frozen(shape), scale }))
  if (classes !== undefined && !isPositive(classes))
    throw new DataError(`classes: ${classes} is not a positive integer`)
  const { inputs, targets } = arrays
  const length = inputs.shape[0]
  return {
    name,
    length,
    inputShape: inputs.shape.slice(1),
    targetShape: targets.shape.slice(1),
    classes,
    gather(indices) {
      checkIndices(name, length, indices)
      return mapArrays(arrays, (array) => gatherRows(array, indices))
    },
  }
}

/**
 * The samples of `dataset` at `indices`, as a data set of its own. Only the indices are copied.
 * @throws DataError  no index, or one that is not an integer in [0, dataset.length)
 */
export function subset(dataset: Dataset, indices: ArrayLike<number>, name: string = dataset.name): Dataset {
  checkIndices(dataset.name, dataset.length, indices)
  const chosen = Uint32Array.from(indices)
  return {
    name,
    length: chosen.length,
    inputShape: dataset.inputShape,
    targetShape: dataset.targetShape,
    classes: dataset.classes,
    gather(wanted) {
      checkIndices(name, chosen.length, wanted)
      return dataset.gather(Uint32Array.from(wanted, (index) => chosen[index]))
    },
  }
}

/**
 * Two disjoint data sets that together hold every sample once, drawn by `permutation(length, seed, 0)`.
 * @param testFraction  share of the samples that are for testing, rounded to whole samples; default 0.2
 * @param seed          from 0 to 2^32 - 1
 * @throws DataError      one of the two would be empty
 * @throws ArgumentError  seed is not a whole number from 0 to 2^32 - 1
 */
export function split(
  dataset: Dataset,
  { testFraction = 0.2, seed }: { readonly testFraction?: number; readonly seed: number },
): { train: Dataset; test: Dataset } {
  checkSeed('split', seed)
  const testSamples = Math.round(dataset.length * testFraction)
  if (!(testSamples >= 1 && testSamples < dataset.length)) {
    throw new DataError(
      `split: testFraction ${testFraction} of ${dataset.length} samples leaves ` +
        `${dataset.length - testSamples} to train and ${testSamples} to test; both need at least one`,
    )
  }
  const order = permutation(dataset.length, seed, 0)
  return {
    train: subset(dataset, order.subarray(testSamples), `${dataset.name}/train`),
    test: subset(dataset, order.subarray(0, testSamples), `${dataset.name}/test`),
  }
}

/**
 * The numbers 0 .. length - 1 in an order that depends on (seed, epoch) alone: Fisher-Yates.
 * @throws DataError      length is not an integer in [0, 2^32)
 * @throws ArgumentError  seed is not a whole number from 0 to 2^32 - 1
 */
export function permutation(length: number, seed: number, epoch: number): Uint32Array {
  if (!Number.isInteger(length) || length < 0 || length >= 2 ** 32) {
    throw new DataError(`permutation: length ${length} is not an integer in [0, 2^32)`)
  }
  checkSeed('permutation', seed)
  const random = seedrandom(`${seed}/${epoch}`)
  const order = Uint32Array.from({ length }, (_, index) => index)
  for (let last = length - 1; last > 0; last--) {
    const pick = Math.floor(random() * (last + 1))
    const held = order[last]
    order[last] = order[pick]
    order[pick] = held
  }
  return order
}

/**
 * Samples start .. start + count - 1 of a batch, as views: nothing is copied.
 * @throws DataError  the batch has no such samples, or count < 1
 */
export function sliceBatch(batch: Batch, start: number, count: number): Batch {
  const samples = batch.inputs.shape[0]
  if (!Number.isInteger(start) || start < 0 || !isPositive(count) || start + count > samples) {
    throw new DataError(`sliceBatch: samples ${start} to ${start + count} (excluded) of a batch of ${samples}`)
  }
  return mapArrays(batch, ({ data, shape, scale }) => {
    const size = rowSize(shape)
    const view = data.subarray(start * size, (start + count) * size)
    return { data: view, shape: [count, ...shape.slice(1)], scale }
  })
}

/**
 * Refuses a batch that does not describe N >= 1 samples.
 * @throws DataError  naming the array: data that is not a typed array or does not fill the shape, a shape that is not of
 *                    positive integers, a bad scale, another N, a weight that is negative or not finite
 */
export function checkBatch(batch: Batch): void {
  if (typeof batch !== 'object' || batch === null) {
    throw new DataError(`${showValue(batch)} is not a batch: a batch is { inputs, targets, weights? }`)
  }
  const { inputs, targets, weights } = batch
  checkArray('inputs', inputs)
  checkArray('targets', targets)
  const samples = inputs.shape[0]
  if (targets.shape[0] !== samples) {
    throw new DataError(
      `inputs ${showShape(inputs.shape)} and targets ${showShape(targets.shape)} differ in samples (axis 0)`,
    )
  }
  if (weights === undefined) return
  checkArray('weights', weights)
  if (weights.shape.length !== 1 || weights.shape[0] !== samples) {
    throw new DataError(`weights ${showShape(weights.shape)}: expected one per sample, [${samples}]`)
  }
  const { data, scale = 1 } = weights
  const bad = data.findIndex((weight) => !(Number.isFinite(weight) && weight * scale >= 0))
  if (bad >= 0) throw new DataError(`weights: sample ${bad} has ${data[bad] * scale}; a weight is finite and >= 0`)
}

/** @throws DataError  not a data set, or one without samples */
export function checkDataset(what: string, dataset: Dataset): void {
  if (typeof dataset !== 'object' || dataset === null || typeof dataset.gather !== 'function') {
    throw new DataError(
      `${what}: ${showValue(dataset)} is not a data set: make one with data.fromArrays({ inputs, targets })`,
    )
  }
  if (!isPositive(dataset.length)) throw new DataError(`${what}: a data set of ${showValue(dataset.length)} samples`)
}

/** The batch with `change` applied to each of its arrays. */
export function mapArrays(batch: Batch, change: (array: HostArray, field: keyof Batch) => HostArray): Batch {
  const inputs = change(batch.inputs, 'inputs')
  const targets = change(batch.targets, 'targets')
  return batch.weights ? { inputs, targets, weights: change(batch.weights, 'weights') } : { inputs, targets }
}

const CLASSES: readonly (new (length: number) => HostData)[] = [
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
]
const CLASS_NAMES = CLASSES.map((Class) => Class.name).join(', ')

/** The class of the data of a host array; a Buffer of Node is a Uint8Array. */
export const dataClass = (data: HostData) => CLASSES.find((Class) => data instanceof Class)

/** `length` zeros in an array of the same class as `data`. */
export function zerosLike(data: HostData, length: number): HostData {
  const Class = dataClass(data)
  if (!Class) throw new DataError(`data must be one of ${CLASS_NAMES}`)
  return new Class(length)
}

/** Is it a whole number, 1 or more? */
export const isPositive = (value: number): boolean => Number.isSafeInteger(value) && value >= 1

/**
 * Refuses an array that does not hold N >= 1 samples.
 * @throws DataError  data or shape are bad, as for `checkBatch`
 */
export function checkArray(field: keyof Batch, array: HostArray): void {
  if (typeof array !== 'object' || array === null || !Array.isArray(array.shape)) {
    throw new DataError(`${field}: ${showValue(array)} is not an array of samples: give { data, shape }`)
  }
  const { data, shape, scale = 1 } = array
  if (shape.length === 0) throw new DataError(`${field}: shape [] has no axis for the samples; one sample is [1]`)
  if (shape[0] === 0) throw new DataError(`${field} ${showShape(shape)}: no sample`)
  if (!shape.every(isPositive)) throw new DataError(`${field}: shape ${showShape(shape)} must be of positive integers`)
  if (!dataClass(data)) throw new DataError(`${field}: data must be one of ${CLASS_NAMES}`)
  const size = shape.reduce((product, dim) => product * dim, 1)
  if (data.length !== size) {
    throw new DataError(`${field}: shape ${showShape(shape)} has ${size} elements, its data ${data.length}`)
  }
  if (!Number.isFinite(scale)) throw new DataError(`${field}: scale ${showValue(scale)} must be finite`)
}

function checkIndices(name: string, length: number, indices: ArrayLike<number>): void {
  if (indices.length === 0) throw new DataError(`${name}: no index given, and a batch has at least one sample`)
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]
    if (!Number.isInteger(index) || index < 0 || index >= length) {
      throw new DataError(`${name}: index ${index} at ${i} is not one of its ${length} samples`)
    }
  }
}

const rowSize = (shape: readonly number[]): number => shape.slice(1).reduce((product, dim) => product * dim, 1)

function gatherRows({ data, shape, scale }: HostArray, indices: ArrayLike<number>): HostArray {
  const size = rowSize(shape)
  const rows = zerosLike(data, indices.length * size)
  for (let i = 0; i < indices.length; i++) {
    rows.set(data.subarray(indices[i] * size, (indices[i] + 1) * size), i * size)
  }
  return { data: rows, shape: [indices.length, ...shape.slice(1)], scale }
}
