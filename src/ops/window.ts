/** Windows that slide over images: what convolution and pooling share. */
import { ArgumentError } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import { type Shape, showShape } from '../tensor/shape.js'

/** One number for both directions, or [y, x]. */
export type Sides = number | readonly [number, number]

/** @throws ArgumentError  not whole numbers of at least `least` */
export function sides(op: string, option: string, value: Sides, least: 0 | 1): readonly [number, number] {
  const both = typeof value === 'number' ? ([value, value] as const) : value
  if (both.length === 2 && both.every((side) => Number.isInteger(side) && side >= least)) return both
  throw new ArgumentError(
    `${op}: ${option} ${JSON.stringify(value)} is not a whole number of at least ${least}, nor two`,
  )
}

/** @throws ShapeError  x is not [N, C, H, W] */
export function checkImages(op: string, x: Shape): void {
  if (x.length !== 4) throw new ShapeError(`${op}: the input ${showShape(x)} must be [N, C, H, W]`)
}

/**
 * How many windows fit along one direction: floor((size + 2 pad - extent) / stride) + 1, where a kernel of
 * size k and dilation d has the extent d (k - 1) + 1.
 * @throws ShapeError  none fits
 */
export function countWindows(op: string, x: Shape, axis: 2 | 3, extent: number, stride: number, pad: number): number {
  const padded = x[axis] + 2 * pad
  if (extent <= padded) return Math.floor((padded - extent) / stride) + 1
  throw new ShapeError(
    `${op}: the window covers ${extent} along axis ${axis}, where the input ${showShape(x)} has ${padded} with padding`,
  )
}
