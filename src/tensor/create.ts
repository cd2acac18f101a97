/** Making tensors from host values. Nothing here is recorded for gradients. */
import type { Device } from '../device/device.js'
import type { Storage } from '../device/storage.js'
import { CATEGORIES, type Category } from '../memory/allocator.js'
import {
  BOOLEAN,
  checkArgument,
  FUNCTION,
  NUMBER,
  OBJECT,
  oneOf,
  options as optionsOf,
  orNothing,
} from '../memory/arguments.js'
import { ArgumentError, showValue } from '../memory/errors.js'
import { ShapeError } from './errors.js'
import { checkNumbers, checkScale, type HostArray, isList, isRow } from './host.js'
import { DEVICE, TENSOR } from './kinds.js'
import { Range } from './range.js'
import { adopt, ifAllFails, standing } from './scope.js'
import { checkSetting } from './setting.js'
import { checkShape, ownShape, type Shape, showShape, sizeOf } from './shape.js'
import { type NestedNumbers, Tensor } from './tensor.js'

/** Integers are exact in float32 up to this number. */
const LARGEST_EXACT = 2 ** 24
/** The largest number of axes of nested arrays: an array that contains itself would have no end. */
const DEEPEST = 64

export interface CreateOptions {
  /** the category that the bytes count as; default 'activation' */
  category?: Category
  /** default false */
  requiresGrad?: boolean
}

const CREATE = optionsOf<CreateOptions>({ category: oneOf(...CATEGORIES), requiresGrad: BOOLEAN })

function checkDoor(op: string, device: unknown, options: unknown): void {
  checkArgument(op, 'device', device, DEVICE)
  checkArgument(op, 'options', options, CREATE)
}

/**
 * A tensor from numbers: nested arrays, which give the shape, or a flat array and a shape.
 * @throws ShapeError           ragged arrays, or values that do not fill the shape
 * @throws ArgumentError        a value that is not a number, an integer that float32 does not hold exactly
 * @throws BudgetExceededError  it does not fit
 */
export function tensor(device: Device, values: NestedNumbers, shape?: Shape, options?: CreateOptions): Tensor {
  checkDoor('tensor', device, options)
  const range = new Range()
  if (typeof values !== 'number' && !isList(values)) {
    checkNumbers('tensor', values)
    const made = fromData(device, values, shape ?? [values.length], 1, options)
    for (let i = 0; i < values.length; i++) range.add(values[i])
    return range.of(made)
  }
  const own = nestedShape(values)
  const wanted = shape ?? own
  checkFills(wanted, sizeOf(own))
  const made = make('tensor', device, wanted, options, (storage) => uploadNested(device, storage, values, own, range))
  return range.of(made)
}

/**
 * A host array on the device: element i is data[i] scale.
 * @throws  the errors of `tensor`, and ArgumentError for a scale that is not finite
 */
export function fromHost(device: Device, host: HostArray, options?: CreateOptions): Tensor {
  checkDoor('fromHost', device, options)
  checkArgument('fromHost', 'host', host, OBJECT)
  const { data, shape, scale = 1 } = host
  checkNumbers('tensor', data)
  checkScale('tensor', scale)
  return fromData(device, data, shape, scale, options)
}

/** A tensor with every element equal to `value`. @throws  the errors of `tensor` */
export const full = (device: Device, shape: Shape, value: number, options?: CreateOptions): Tensor =>
  filledWith('full', device, shape, value, options)

/** A tensor of zeros. @throws  the errors of `tensor` */
export const zeros = (device: Device, shape: Shape, options?: CreateOptions): Tensor =>
  filledWith('zeros', device, shape, 0, options)

/** A tensor of ones. @throws  the errors of `tensor` */
export const ones = (device: Device, shape: Shape, options?: CreateOptions): Tensor =>
  filledWith('ones', device, shape, 1, options)

function filledWith(op: string, device: Device, shape: Shape, value: number, options?: CreateOptions): Tensor {
  checkDoor(op, device, options)
  checkArgument(op, 'value', value, NUMBER)
  checkSetting(device, op, 'value', value)
  return make(op, device, shape, options, (storage) => device.run('fill', { size: storage.size, value }, [], [storage]))
}

/**
 * A tensor that no scope frees: a parameter, its gradient, optimizer state, a buffer.
 * @param values  null: zeros; a function is called only on a device with values (not when planning)
 * @throws ShapeError           not a shape, or values that do not fill it
 * @throws BudgetExceededError  it does not fit
 */
export function standingTensor(device: Device, shape: Shape, category: Category, values: Values = null): Tensor {
  // `values` is the caller's code, and could change the caller's shape
  const own = ownShape(category, shape)
  return standing(new Tensor(device, standingStorage(device, own, category, values), own))
}

/** Initial values. The function is called only on a device with values. null: zeros. */
export type Values = (() => ArrayLike<number>) | null

/** The filled storage of a standing tensor, for subclasses of Tensor. @param shape  from ownShape */
export function standingStorage(device: Device, shape: Shape, category: Category, values: Values): Storage {
  checkArgument(category, 'device', device, DEVICE)
  checkArgument(category, 'values', values, VALUES)
  const size = sizeOf(shape)
  const data = device.live ? drawn(category, values, shape) : null
  device.op = category
  return filled(device, size, category, (storage) => {
    if (data === null) device.run('fill', { size, value: 0 }, [], [storage])
    else device.upload(storage, data)
  })
}

const VALUES = orNothing({ ...FUNCTION, told: 'a function that gives the values, such as () => [1, 2]' })

function drawn(category: Category, values: Values, shape: Shape): ArrayLike<number> | null {
  if (values === null) return null
  const data = values()
  checkNumbers(category, data)
  if (data.length === sizeOf(shape)) return data
  throw new ShapeError(`${category}: ${data.length} values do not fill ${showShape(shape)}, which has ${sizeOf(shape)}`)
}

/** Make `tensor` a leaf that collects a gradient, as a parameter does. */
export function requireGrad(tensor: Tensor): Tensor {
  checkArgument('requireGrad', 'tensor', tensor, TENSOR)
  if (tensor.recorded) throw new ArgumentError('requireGrad: this tensor is the result of a recorded op, not a leaf')
  tensor.requiresGrad = true
  return tensor
}

/** The gradient buffer of the leaf. If the leaf has none, a buffer of zeros is made. */
export function gradientOf(leaf: Tensor): Tensor {
  const had = leaf.grad
  if (had?.usable) return had
  const made = standingTensor(leaf.device, leaf.shape, 'gradient')
  leaf.grad = made
  const undo = (): void => {
    leaf.grad = had
  }
  ifAllFails(leaf.device, undo)
  leaf.device.unlessDone(undo)
  return made
}

function fromData(
  device: Device,
  data: ArrayLike<number>,
  shape: Shape,
  scale: number,
  options?: CreateOptions,
): Tensor {
  checkFills(shape, data.length)
  if (device.elementBytes === 4 && (data instanceof Int32Array || data instanceof Uint32Array)) checkExact(data)
  return make('tensor', device, shape, options, (storage) => device.upload(storage, data, scale))
}

/** A tensor whose values `fill` writes. If it throws, the tensor is freed. */
export const filledBy = (op: string, device: Device, shape: Shape, fill: (storage: Storage) => void): Tensor =>
  make(op, device, shape, {}, fill)

/** A tensor whose values are still to be written. */
export const empty = (op: string, device: Device, shape: Shape, options?: CreateOptions): Tensor =>
  make(op, device, shape, options, () => {})

function make(
  op: string,
  device: Device,
  shape: Shape,
  options: CreateOptions = {},
  fill: (storage: Storage) => void,
): Tensor {
  checkShape(op, shape)
  device.op = op
  const storage = filled(device, sizeOf(shape), options.category ?? 'activation', fill)
  const result = adopt(new Tensor(device, storage, shape))
  return options.requiresGrad ? requireGrad(result) : result
}

/** New storage with values in it. If `fill` throws, the storage is freed. */
function filled(device: Device, size: number, category: Category, fill: (storage: Storage) => void): Storage {
  const storage = device.alloc(size, category)
  try {
    fill(storage)
  } catch (error) {
    device.release(storage)
    throw error
  }
  return storage
}

function checkFills(shape: Shape, count: number): void {
  checkShape('tensor', shape)
  if (count === sizeOf(shape)) return
  throw new ShapeError(`tensor: ${count} values do not fill ${showShape(shape)}, which has ${sizeOf(shape)}`)
}

function checkExact(data: Int32Array | Uint32Array): void {
  const index = data.findIndex((value: number) => Math.abs(value) > LARGEST_EXACT)
  if (index < 0) return
  throw new ArgumentError(`tensor: ${data[index]} at ${index} is not exact in float32, which holds integers to 2^24`)
}

/** The shape, as read from the first element at each depth. `walk` checks that the others agree. */
function nestedShape(values: NestedNumbers): number[] {
  const shape: number[] = []
  for (let value = values; isRow(value); value = value[0]) {
    shape.push(value.length)
    if (shape.length > DEEPEST) throw new ShapeError(`tensor: arrays in arrays, more than ${DEEPEST} deep`)
  }
  return shape
}

/** Upload nested arrays; on a device without values, only check them. */
function uploadNested(device: Device, storage: Storage, values: NestedNumbers, shape: Shape, range: Range): void {
  if (!device.live) {
    walk(values, shape, (value) => range.add(value))
    device.upload(storage, [])
    return
  }
  const flat = device.elementBytes === 4 ? new Float32Array(storage.size) : new Float64Array(storage.size)
  let at = 0
  walk(values, shape, (value) => {
    flat[at++] = value
    range.add(value)
  })
  device.upload(storage, flat)
}

/** Give every number to `take`, in order. @throws ShapeError, ArgumentError  at the first value that is wrong */
function walk(value: unknown, shape: Shape, take: (value: number) => void, depth = 0): void {
  if (depth === shape.length && typeof value === 'number') {
    take(value)
  } else if (depth < shape.length && isRow(value) && value.length === shape[depth]) {
    for (const item of value) {
      if (typeof item === 'number' && depth + 1 === shape.length) take(item)
      else walk(item, shape, take, depth + 1)
    }
  } else if (typeof value === 'number' || isRow(value)) {
    throw new ShapeError(`tensor: the nested arrays are ragged: they began as ${showShape(shape)}`)
  } else {
    throw new ArgumentError(`tensor: ${showValue(value)} is among the values; each must be a number`)
  }
}
