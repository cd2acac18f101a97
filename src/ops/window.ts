/** Windows that slide over images, for convolution and pooling. */
import { ANYTHING, BOOLEAN, type Known } from '../memory/arguments.js'
import { ArgumentError, showValue } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import { type Shape, showShape } from '../tensor/shape.js'

/** One number for both directions, or [y, x]. */
export type Sides = number | readonly [number, number]

/** A copy of `value` as a pair. @throws ArgumentError  not whole numbers of at least `least` */
export function sides(op: string, option: string, value: Sides, least: 0 | 1): readonly [number, number] {
  const both = typeof value === 'number' ? [value, value] : value
  if (Array.isArray(both) && both.length === 2 && both.every((side) => Number.isInteger(side) && side >= least)) {
    return [both[0], both[1]]
  }
  const shown = Array.isArray(value) ? showShape(value) : showValue(value)
  throw new ArgumentError(`${op}: ${option} ${shown} is not a whole number of at least ${least}, nor a pair of them`)
}

export interface PoolOptions {
  /** size of the window */
  kernel: Sides
  /** default the kernel: windows side by side */
  stride?: Sides
  /** on each side, at most half the kernel; default 0 */
  padding?: Sides
  /** add a last window that the far edge cuts off, if the whole windows leave something out; default false */
  ceilMode?: boolean
}

export interface MaxPoolOptions extends PoolOptions {
  /** distance of the numbers in a window; default 1 */
  dilation?: Sides
}

/** Their kinds; `sides` says what is wrong with a value. */
export const POOL: Known<PoolOptions> = { kernel: ANYTHING, stride: ANYTHING, padding: ANYTHING, ceilMode: BOOLEAN }

/** A checked copy of the options: the gradient reads them later, when the caller may have changed the original. */
export const poolSides = (
  op: string,
  { kernel, stride = kernel, padding = 0, ceilMode = false }: PoolOptions,
): Required<PoolOptions> => ({
  kernel: sides(op, 'kernel', kernel, 1),
  stride: sides(op, 'stride', stride, 1),
  padding: sides(op, 'padding', padding, 0),
  ceilMode,
})

/** The same for the maximum. */
export const maxPoolSides = (op: string, options: MaxPoolOptions): Required<MaxPoolOptions> => ({
  ...poolSides(op, options),
  dilation: sides(op, 'dilation', options.dilation ?? 1, 1),
})

export interface ConvolutionOptions {
  /** default 1 */
  stride?: Sides
  /** zeros on each side; default 0 */
  padding?: Sides
  /** distance of the kernel's taps; default 1 */
  dilation?: Sides
  /** the number of groups of channels; an output channel sees the input channels of its own group; default 1 */
  groups?: number
}

/** Their kinds; `sides` says what is wrong with a value. */
export const CONVOLUTION: Known<ConvolutionOptions> = {
  stride: ANYTHING,
  padding: ANYTHING,
  dilation: ANYTHING,
  groups: ANYTHING,
}

/** The same for a convolution. */
export function convolutionSides(op: string, options: ConvolutionOptions): Required<ConvolutionOptions> {
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options
  return {
    stride: sides(op, 'stride', stride, 1),
    padding: sides(op, 'padding', padding, 0),
    dilation: sides(op, 'dilation', dilation, 1),
    groups,
  }
}

/** @throws ShapeError  x is not [N, C, H, W] */
export function checkImages(op: string, x: Shape): void {
  if (x.length !== 4) throw new ShapeError(`${op}: the input ${showShape(x)} must be [N, C, H, W]`)
}

/**
 * How many windows fit along one direction: floor((size + 2 pad - extent) / stride) + 1, where a kernel of
 * size k and dilation d has the extent d (k - 1) + 1.
 * With `ceil` one more, if something is left over and that window begins on the image or in the padding before it.
 * @throws ShapeError  no window fits
 */
export function countWindows(
  op: string,
  x: Shape,
  axis: 2 | 3,
  extent: number,
  stride: number,
  pad: number,
  ceil = false,
): number {
  const padded = x[axis] + 2 * pad
  if (extent <= padded) {
    const count = Math.floor((padded - extent) / stride) + 1
    const isOver = (count - 1) * stride + extent < padded && count * stride < x[axis] + pad
    return ceil && isOver ? count + 1 : count
  }
  throw new ShapeError(
    `${op}: the window covers ${extent} along axis ${axis}, where the input ${showShape(x)} has ${padded} with padding`,
  )
}
