/**
 * Shape arithmetic. A shape lists positive integers; [] is a scalar. No data here.
 */

import { contiguous, type MadeOffsets } from '../../kernels/strides.js'
import { showValue } from '../memory/errors.js'
import { ShapeError } from './errors.js'

export type Shape = readonly number[]

/** Number of elements: the product of the dims. */
export function sizeOf(shape: Shape): number {
  if (!Array.isArray(shape)) throw new ShapeError(`sizeOf: ${showValue(shape)} is not a shape, such as [2, 3]`)
  // a loop, because V8 is slow to call back over frozen lists, and every op calls this
  let size = 1
  for (let axis = 0; axis < shape.length; axis++) size *= shape[axis]
  return size
}

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((dim, i) => dim === b[i])

/** The largest number of axes that are shown; further axes are left out. */
const SHOWN_AXES = 16

/** [2, 3] -> '[2, 3]' */
export function showShape(shape: Shape): string {
  const shown = shape.slice(0, SHOWN_AXES).map(showValue).join(', ')
  return shape.length > SHOWN_AXES ? `[${shown}, ... ${shape.length} axes]` : `[${shown}]`
}

/**
 * A frozen copy of a caller's list. Kernels trust the shapes of tensors: if a shape grew they would read and write outside
 * their blocks.
 */
export const frozen = (shape: Shape): Shape => (Object.isFrozen(shape) ? shape : Object.freeze([...shape]))

/** A checked and frozen copy of a caller's shape. @throws ShapeError  as `checkShape` */
export function ownShape(op: string, shape: Shape): Shape {
  checkShape(op, shape)
  return frozen(shape)
}

/** @throws ShapeError  not a list, a dim that is not a positive integer, or more elements than can be counted */
export function checkShape(op: string, shape: Shape): void {
  if (!Array.isArray(shape))
    throw new ShapeError(`${op}: ${showValue(shape)} is not a shape: give a list, such as [2, 3]`)
  if (!shape.every((dim) => Number.isSafeInteger(dim) && dim > 0)) {
    throw new ShapeError(`${op}: ${showShape(shape)} is not a shape: every dim must be a positive integer`)
  }
  if (!Number.isSafeInteger(sizeOf(shape))) throw new ShapeError(`${op}: ${showShape(shape)} has too many elements`)
}

/** Elements to step over for one step along each axis of a contiguous tensor: [2, 3, 4] -> [12, 4, 1]. */
export const stridesOf = (shape: Shape): number[] => contiguous(shape)

/** The common shape of two that broadcast: align right, each pair of dims equal or one of them 1. */
export function broadcastShapes(op: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length)
  const shape = new Array<number>(rank)
  for (let axis = 0; axis < rank; axis++) {
    const dimA = a[axis - rank + a.length] ?? 1
    const dimB = b[axis - rank + b.length] ?? 1
    if (dimA !== dimB && dimA !== 1 && dimB !== 1) {
      throw new ShapeError(`${op}: ${showShape(a)} and ${showShape(b)} do not broadcast: ${dimA} against ${dimB}`)
    }
    shape[axis] = Math.max(dimA, dimB)
  }
  return shape
}

/** Strides to read a contiguous tensor of `shape` as if it had the shape `target`: 0 where it is repeated. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const own = stridesOf(shape)
  const lead = target.length - shape.length
  return target.map((_, axis) => (axis < lead || shape[axis - lead] === 1 ? 0 : own[axis - lead]))
}

/** For every index of `shape` in order, its dot product with `strides`. */
export const offsetsOf = (shape: Shape, strides: readonly number[]): MadeOffsets => ({
  largest: shape.reduce((sum, dim, axis) => sum + (dim - 1) * strides[axis], 0),
  list: () =>
    shape.reduce<number[]>(
      (list, dim, axis) => list.flatMap((base) => Array.from({ length: dim }, (_, i) => base + i * strides[axis])),
      [0],
    ),
})

/** The axes of `target` along which a tensor of `shape` is repeated. */
export function broadcastAxes(shape: Shape, target: Shape): boolean[] {
  const lead = target.length - shape.length
  return target.map((dim, axis) => axis < lead || (shape[axis - lead] === 1 && dim !== 1))
}

/** Axis from the front: -1 is the last. @throws ShapeError  outside [-rank, rank) */
export function resolveAxis(op: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    if (rank === 0) throw new ShapeError(`${op}: a scalar has no axes, and axis ${axis} was given`)
    throw new ShapeError(`${op}: axis ${axis} is outside [-${rank}, ${rank}) of a tensor of rank ${rank}`)
  }
  return axis < 0 ? axis + rank : axis
}

/** Marks the given axes; undefined means all. @throws ShapeError  outside the rank, or named twice */
export function resolveAxes(op: string, axes: number | readonly number[] | undefined, rank: number): boolean[] {
  const marked = new Array<boolean>(rank).fill(axes === undefined)
  for (const axis of typeof axes === 'number' ? [axes] : (axes ?? [])) {
    const resolved = resolveAxis(op, axis, rank)
    if (marked[resolved]) throw new ShapeError(`${op}: axis ${axis} is named twice`)
    marked[resolved] = true
  }
  return marked
}

/** A shape seen as [outer, size, inner] around one axis. */
export function splitAt(shape: Shape, axis: number): { outer: number; size: number; inner: number } {
  return { outer: sizeOf(shape.slice(0, axis)), size: shape[axis], inner: sizeOf(shape.slice(axis + 1)) }
}
