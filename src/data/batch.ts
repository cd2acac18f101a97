/** A batch: samples on the host. Axis 0 of every array is the sample. */
import { showValue } from '../memory/errors.js'
import { foreignName } from '../memory/foreign.js'
import type { HostArray, HostData } from '../tensor/host.js'
import { showShape } from '../tensor/shape.js'
import {
  type Arrays,
  firstOf,
  isArray,
  type Key,
  mapMembers,
  membersOf,
  pathOf,
  type Shapes,
} from '../tensor/structure.js'
import { DataError } from './errors.js'

/**
 * N samples: inputs [N, ...], targets [N, ...], and optionally the weight of each sample. Samples with several inputs or
 * targets have a list or a record of arrays there, all with N rows.
 */
export interface Batch<Inputs extends Arrays = HostArray, Targets extends Arrays = HostArray> {
  readonly inputs: Inputs
  readonly targets: Targets
  /** sample weights, shape [N]; all 1 when absent */
  readonly weights?: HostArray
}

/** A batch with any number of inputs and targets. */
export type AnyBatch = Batch<Arrays, Arrays>

/**
 * Samples start .. start + count - 1 of a batch, as views: nothing is copied.
 * @throws DataError  the batch has no such samples, or count < 1
 */
export function sliceBatch<Inputs extends Arrays, Targets extends Arrays>(
  batch: Batch<Inputs, Targets>,
  start: number,
  count: number,
): Batch<Inputs, Targets> {
  checkIsBatch(batch)
  for (const field of ['inputs', 'targets'] as const) arraysIn(field, batch[field])
  const samples = samplesIn(batch)
  if (!Number.isInteger(start) || start < 0 || !isPositive(count) || start + count > samples) {
    throw new DataError(`sliceBatch: samples ${start} to ${start + count} (excluded) of a batch of ${samples}`)
  }
  return mapArrays(batch, ({ data, shape, scale }) => {
    const size = rowSize(shape)
    const view = data.subarray(start * size, (start + count) * size)
    return { data: view, shape: [count, ...shape.slice(1)], scale }
  })
}

function checkIsBatch(batch: AnyBatch): void {
  if (typeof batch === 'object' && batch !== null) return
  throw new DataError(`${showValue(batch)} is not a batch: a batch is { inputs, targets, weights? }`)
}

const FIELDS = ['inputs', 'targets', 'weights']

/**
 * Refuses a batch that does not describe N >= 1 samples.
 * @throws DataError  naming the array: data that is not a typed array or does not fill the shape, a shape that is not of
 *                    positive integers, a bad scale, another N, a weight that is negative or not finite
 */
export function checkBatch(batch: AnyBatch): void {
  checkIsBatch(batch)
  const unknown = Object.keys(batch).find((name) => !FIELDS.includes(name))
  if (unknown !== undefined) {
    const meant = foreignName(unknown, FIELDS)
    const hint = meant === null ? '' : ` (do you mean ${meant}?)`
    throw new DataError(`a batch has no ${showValue(unknown)}${hint}: it is { inputs, targets, weights? }`)
  }
  const { weights } = batch
  const [[first, { shape }], ...others] = [...arraysIn('inputs', batch.inputs), ...arraysIn('targets', batch.targets)]
  const [samples] = shape
  for (const [path, other] of others) {
    if (other.shape[0] === samples) continue
    const both = `${first} ${showShape(shape)} and ${path} ${showShape(other.shape)}`
    throw new DataError(`${both} differ in samples (axis 0)`)
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

/** The batch with `change` applied to each of its arrays. */
export function mapArrays<Inputs extends Arrays, Targets extends Arrays>(
  batch: Batch<Inputs, Targets>,
  change: (array: HostArray, field: keyof Batch, key: Key) => HostArray,
): Batch<Inputs, Targets>
export function mapArrays(
  batch: AnyBatch,
  change: (array: HostArray, field: keyof Batch, key: Key) => HostArray,
): AnyBatch {
  const inputs = mapMembers(batch.inputs, isArray, (array, key) => change(array, 'inputs', key))
  const targets = mapMembers(batch.targets, isArray, (array, key) => change(array, 'targets', key))
  return batch.weights ? { inputs, targets, weights: change(batch.weights, 'weights', null) } : { inputs, targets }
}

/** The number of samples of a checked batch. */
export const samplesIn = ({ inputs }: AnyBatch): number => firstOf(inputs, isArray).shape[0]

/** The shape of one sample, or the shapes of its arrays. */
export const sampleShapes = (arrays: Arrays): Shapes => mapMembers(arrays, isArray, ({ shape }) => shape.slice(1))

/** The arrays of a structure by their paths, each checked. @throws DataError  there is none, or as `checkArray` */
function arraysIn(field: keyof Batch, arrays: Arrays): [path: string, array: HostArray][] {
  const members = membersOf(arrays, isArray).map(([key, array]): [string, HostArray] => [pathOf(field, key), array])
  for (const [path, array] of members) checkArray(path, array)
  if (members.length > 0) return members
  throw new DataError(`${field}: there is no array in it: give { data, shape }, or several in a list or a record`)
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
export function checkArray(field: string, array: HostArray): void {
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

const rowSize = (shape: readonly number[]): number => shape.slice(1).reduce((product, dim) => product * dim, 1)

/**
 * One array with copies of the rows of all arrays, even if there is only one. The arrays must have the same sample shape,
 * element type and scale.
 */
export function joinRows(arrays: readonly HostArray[]): HostArray {
  const [first] = arrays
  const data = zerosLike(
    first.data,
    arrays.reduce((sum, array) => sum + array.data.length, 0),
  )
  let at = 0
  for (const array of arrays) {
    data.set(array.data, at)
    at += array.data.length
  }
  const samples = arrays.reduce((sum, array) => sum + array.shape[0], 0)
  return { ...first, data, shape: [samples, ...first.shape.slice(1)] }
}

/** Copies of the rows at `indices`. */
export function gatherRows({ data, shape, scale }: HostArray, indices: ArrayLike<number>): HostArray {
  const size = rowSize(shape)
  const rows = zerosLike(data, indices.length * size)
  for (let i = 0; i < indices.length; i++) {
    rows.set(data.subarray(indices[i] * size, (indices[i] + 1) * size), i * size)
  }
  return { data: rows, shape: [indices.length, ...shape.slice(1)], scale }
}
