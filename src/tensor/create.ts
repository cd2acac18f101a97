/** Making tensors from host values. Nothing here is recorded for gradients. */
import type { Device } from '../device/device.js'
import type { Storage } from '../device/storage.js'
import type { Category } from '../memory/allocator.js'
import { ArgumentError } from '../memory/errors.js'
import { ShapeError } from './errors.js'
import type { HostArray, HostData } from './host.js'
import { adopt, standing } from './scope.js'
import { checkShape, type Shape, showShape, sizeOf } from './shape.js'
import { type NestedArray, Tensor } from './tensor.js'

/** Integers are exact in float32 up to here. */
const LARGEST_EXACT = 2 ** 24

export interface CreateOptions {
  /** what the bytes count as; default 'activation', freed with the scope */
  category?: Category
  /** default false */
  requiresGrad?: boolean
}

/**
 * A tensor from numbers: nested arrays (the shape is theirs), or a flat array and a shape.
 * @throws ShapeError           ragged arrays, or values that do not fill the shape
 * @throws BudgetExceededError  it does not fit
 */
export function tensor(device: Device, values: NestedArray | HostData, shape?: Shape, options?: CreateOptions): Tensor {
  const own = typeof values === 'number' || Array.isArray(values) ? nestedShape(values) : [values.length]
  const data = typeof values === 'number' ? [values] : Array.isArray(values) ? flatten(values, own) : values
  return fromData(device, data, shape ?? own, 1, options)
}

/** A host array on the device; integers become floats, times its scale. */
export function fromHost(device: Device, host: HostArray, options?: CreateOptions): Tensor {
  return fromData(device, host.data, host.shape, host.scale ?? 1, options)
}

/** Every element `value`. */
export function full(device: Device, shape: Shape, value: number, options?: CreateOptions): Tensor {
  const result = empty('full', device, shape, options)
  const size = sizeOf(shape)
  device.run('fill', { size, value }, [], [result.storage('full')])
  return result
}

export const zeros = (device: Device, shape: Shape, options?: CreateOptions): Tensor => full(device, shape, 0, options)

export const ones = (device: Device, shape: Shape, options?: CreateOptions): Tensor => full(device, shape, 1, options)

/**
 * A tensor that no scope frees: a parameter, its gradient, optimizer state, a buffer.
 * @param values  null leaves zeros; a function is called only where values exist (not when planning)
 * @throws ShapeError           not a shape, or values that do not fill it
 * @throws BudgetExceededError  it does not fit
 */
export function standingTensor(device: Device, shape: Shape, category: Category, values: Values = null): Tensor {
  return standing(new Tensor(device, standingStorage(device, shape, category, values), shape))
}

/** Values to begin with: drawn only where values exist. null: zeros. */
export type Values = (() => ArrayLike<number>) | null

/** The memory of a standing tensor, filled; for subclasses of Tensor. */
export function standingStorage(device: Device, shape: Shape, category: Category, values: Values): Storage {
  checkShape(category, shape)
  const size = sizeOf(shape)
  const data = values !== null && device.live ? values() : null
  if (data !== null && data.length !== size) {
    throw new ShapeError(`${category}: ${data.length} values do not fill ${showShape(shape)}, which has ${size}`)
  }
  device.op = category
  const storage = device.alloc(size, category)
  if (data === null) device.run('fill', { size, value: 0 }, [], [storage])
  else device.upload(storage, data)
  return storage
}

/** Make `tensor` a leaf that collects a gradient, as a parameter does. */
export function requireGrad(tensor: Tensor): Tensor {
  if (tensor.recorded) throw new ArgumentError('requireGrad: this tensor is the result of a recorded op, not a leaf')
  tensor.requiresGrad = true
  return tensor
}

/** The leaf's gradient buffer, made (as zeros) when it has none. */
export function gradientOf(leaf: Tensor): Tensor {
  if (!leaf.grad?.usable) leaf.grad = standingTensor(leaf.device, leaf.shape, 'gradient')
  return leaf.grad
}

function fromData(
  device: Device,
  data: ArrayLike<number>,
  shape: Shape,
  scale: number,
  options?: CreateOptions,
): Tensor {
  checkShape('tensor', shape)
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(`tensor: ${data.length} values do not fill ${showShape(shape)}, which has ${sizeOf(shape)}`)
  }
  if (device.elementBytes === 4 && (data instanceof Int32Array || data instanceof Uint32Array)) checkExact(data)
  const result = empty('tensor', device, shape, options)
  device.upload(result.storage('tensor'), data, scale)
  return result
}

/** A tensor whose values are yet to be written. */
export function empty(op: string, device: Device, shape: Shape, options: CreateOptions = {}): Tensor {
  checkShape(op, shape)
  device.op = op
  const storage = device.alloc(sizeOf(shape), options.category ?? 'activation')
  const result = adopt(new Tensor(device, storage, shape))
  return options.requiresGrad ? requireGrad(result) : result
}

function checkExact(data: Int32Array | Uint32Array): void {
  const index = data.findIndex((value: number) => Math.abs(value) > LARGEST_EXACT)
  if (index < 0) return
  throw new ArgumentError(`tensor: ${data[index]} at ${index} is not exact in float32, which holds integers to 2^24`)
}

function nestedShape(values: NestedArray): number[] {
  return typeof values === 'number' ? [] : [values.length, ...(values.length > 0 ? nestedShape(values[0]) : [])]
}

function flatten(values: NestedArray[], shape: Shape): number[] {
  const flat: number[] = []
  const walk = (value: NestedArray, depth: number): void => {
    if (typeof value === 'number' && depth === shape.length) flat.push(value)
    else if (Array.isArray(value) && value.length === shape[depth]) for (const item of value) walk(item, depth + 1)
    else throw new ShapeError(`tensor: the nested arrays are ragged: they began as ${showShape(shape)}`)
  }
  walk(values, 0)
  return flat
}
