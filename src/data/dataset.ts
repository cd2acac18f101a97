/**
 * A data set: samples on the host that can be fetched by index.
 * Not here: streams of unknown length and the cutting of mini-batches (source.ts), file formats (idx.ts).
 */
import seedrandom from 'seedrandom'
import { checkSeed } from '../device/seed.js'
import { ANYTHING, checkArgument, type Kind, NUMBER, options as optionsOf, TEXT } from '../memory/arguments.js'
import { showValue } from '../memory/errors.js'
import type { HostArray } from '../tensor/host.js'
import { frozen, type Shape } from '../tensor/shape.js'
import type { Arrays, Like } from '../tensor/structure.js'
import {
  type AnyBatch,
  type Batch,
  checkBatch,
  gatherRows,
  isPositive,
  mapArrays,
  sampleShapes,
  samplesIn,
} from './batch.js'
import { DataError } from './errors.js'

/** What a plan needs to know of a data set. */
export interface DatasetShape<Inputs extends Arrays = HostArray, Targets extends Arrays = HostArray> {
  readonly name: string
  /** number of samples */
  readonly length: number
  /** shape of one sample; a list or a record of shapes where it has several inputs */
  readonly inputShape: Like<Inputs, HostArray, Shape>
  /** shape of one target, likewise; [] for a class index */
  readonly targetShape: Like<Targets, HostArray, Shape>
  /** number of classes, where targets are class indices */
  readonly classes?: number
}

export interface Dataset<Inputs extends Arrays = HostArray, Targets extends Arrays = HostArray>
  extends DatasetShape<Inputs, Targets> {
  /**
   * Copies of the samples at `indices`, in that order; a sample may be asked for twice.
   * @param epoch  from 0; only a data set that augments its samples looks at it
   * @throws DataError  no index, or one that is not an integer in [0, length)
   */
  gather(indices: ArrayLike<number>, epoch?: number): Batch<Inputs, Targets>
}

/** A data set whose samples must be waited for, such as those of files. */
export interface LazyDataset<Inputs extends Arrays = HostArray, Targets extends Arrays = HostArray>
  extends DatasetShape<Inputs, Targets> {
  /** As `gather` of a Dataset. The promise is rejected where that one throws. */
  gather(indices: ArrayLike<number>, epoch?: number): Promise<Batch<Inputs, Targets>>
}

/** A data set of either kind, with any number of inputs and targets. */
export interface AnyDataset extends DatasetShape<Arrays, Arrays> {
  gather(indices: ArrayLike<number>, epoch?: number): AnyBatch | Promise<AnyBatch>
}

const FROM_ARRAYS = optionsOf<AnyBatch & { name?: string; classes?: number }>(
  {
    inputs: ANYTHING,
    targets: ANYTHING,
    weights: ANYTHING,
    name: TEXT,
    classes: NUMBER,
  },
  ['inputs', 'targets'],
)

const INDICES: Kind = {
  told: 'a list of indices, such as [0, 1]',
  fits: (value) => Array.isArray(value) || ArrayBuffer.isView(value),
}

/** The structure S with a host array for each member. */
type Held<S> = Like<S, HostArray, HostArray>

/**
 * A data set over arrays in memory. `data` is neither copied nor converted: images stay uint8, with their scale, and
 * values that are written later are used. Shapes and scales are copied.
 * @param inputs   [N, ...], or a list or a record of such arrays
 * @param targets  [N, ...], or [N] class indices, or a list or a record of such arrays
 * @param weights  [N], finite, >= 0
 * @throws DataError  shapes and data disagree, or `classes` is not a positive integer
 */
export function fromArrays<Inputs extends Arrays | [], Targets extends Arrays | []>(
  options: Batch<Inputs, Targets> & { readonly name?: string; readonly classes?: number },
): Dataset<Held<Inputs>, Held<Targets>>
export function fromArrays(
  options: AnyBatch & { readonly name?: string; readonly classes?: number },
): Dataset<Arrays, Arrays> {
  checkArgument('fromArrays', 'options', options, FROM_ARRAYS)
  const { name = 'arrays', classes, ...batch } = options
  checkBatch(batch)
  const arrays = mapArrays(batch, ({ data, shape, scale }) => ({ data, shape: frozen(shape), scale }))
  if (classes !== undefined && !isPositive(classes))
    throw new DataError(`classes: ${classes} is not a positive integer`)
  const { inputs, targets } = arrays
  const length = samplesIn(arrays)
  return {
    name,
    length,
    inputShape: sampleShapes(inputs),
    targetShape: sampleShapes(targets),
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
export function subset<Inputs extends Arrays, Targets extends Arrays>(
  dataset: Dataset<Inputs, Targets>,
  indices: ArrayLike<number>,
  name?: string,
): Dataset<Inputs, Targets>
export function subset<Inputs extends Arrays, Targets extends Arrays>(
  dataset: LazyDataset<Inputs, Targets>,
  indices: ArrayLike<number>,
  name?: string,
): LazyDataset<Inputs, Targets>
export function subset(dataset: AnyDataset, indices: ArrayLike<number>, name: string = dataset?.name): AnyDataset {
  checkDataset('subset', dataset)
  checkArgument('subset', 'indices', indices, INDICES)
  checkIndices(dataset.name, dataset.length, indices)
  return part(dataset, indices, name)
}

function part(dataset: AnyDataset, indices: ArrayLike<number>, name: string): AnyDataset {
  const chosen = Uint32Array.from(indices)
  const { inputShape, targetShape, classes } = dataset
  return {
    name,
    length: chosen.length,
    inputShape,
    targetShape,
    classes,
    gather(wanted, epoch) {
      checkIndices(name, chosen.length, wanted)
      const inWhole = Uint32Array.from(wanted, (index) => chosen[index])
      return dataset.gather(inWhole, epoch)
    },
  }
}

export interface SplitOptions {
  /** share of the samples that are for testing, rounded to whole samples; default 0.2 */
  readonly testFraction?: number
  /** from 0 to 2^32 - 1 */
  readonly seed: number
}

const SPLIT = optionsOf<SplitOptions>({ testFraction: NUMBER, seed: ANYTHING }, ['seed'])

/**
 * Two disjoint data sets that together hold every sample once, drawn by `permutation(length, seed, 0)`.
 * @throws DataError      one of the two would be empty
 * @throws ArgumentError  seed is not a whole number from 0 to 2^32 - 1
 */
export function split<Inputs extends Arrays, Targets extends Arrays>(
  dataset: Dataset<Inputs, Targets>,
  options: SplitOptions,
): { train: Dataset<Inputs, Targets>; test: Dataset<Inputs, Targets> }
export function split<Inputs extends Arrays, Targets extends Arrays>(
  dataset: LazyDataset<Inputs, Targets>,
  options: SplitOptions,
): { train: LazyDataset<Inputs, Targets>; test: LazyDataset<Inputs, Targets> }
export function split(dataset: AnyDataset, options: SplitOptions): { train: AnyDataset; test: AnyDataset } {
  checkDataset('split', dataset)
  checkArgument('split', 'options', options, SPLIT)
  const { testFraction = 0.2, seed } = options
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
    train: part(dataset, order.subarray(testSamples), `${dataset.name}/train`),
    test: part(dataset, order.subarray(0, testSamples), `${dataset.name}/test`),
  }
}

/**
 * The numbers 0 .. length - 1 in an order that depends on (seed, epoch) alone: Fisher-Yates.
 * @throws DataError      length is not an integer in [0, 2^32)
 * @throws ArgumentError  seed is not a whole number from 0 to 2^32 - 1
 */
export function permutation(length: number, seed: number, epoch: number): Uint32Array {
  if (!Number.isInteger(length) || length < 0 || length >= 2 ** 32) {
    throw new DataError(`permutation: length ${showValue(length)} is not an integer in [0, 2^32)`)
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

/** @throws DataError  not a data set, or one without samples */
export function checkDataset(what: string, dataset: AnyDataset): void {
  if (typeof dataset !== 'object' || dataset === null || typeof dataset.gather !== 'function') {
    throw new DataError(
      `${what}: ${showValue(dataset)} is not a data set: make one with data.fromArrays({ inputs, targets })`,
    )
  }
  if (!isPositive(dataset.length)) throw new DataError(`${what}: a data set of ${showValue(dataset.length)} samples`)
}

export function checkIndices(name: string, length: number, indices: ArrayLike<number>): void {
  if (indices.length === 0) throw new DataError(`${name}: no index given, and a batch has at least one sample`)
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]
    if (!Number.isInteger(index) || index < 0 || index >= length) {
      throw new DataError(`${name}: index ${index} at ${i} is not one of its ${length} samples`)
    }
  }
}
