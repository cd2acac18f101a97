/** Where the elements of a strided tensor lie: what all general kernels share. */
import { mergeAxes } from '../reference/strides.js'
import type { Four, Helper } from './program.js'

declare function quotient(i: number, n: number): number
declare function inner(i: number, shape: Four, strides: Four): number

/** floor(i / n) of whole numbers. A GPU divides integers: its division of floats may come out just below a whole. */
const QUOTIENT: Helper = {
  source: function quotient(i: number, n: number): number {
    return Math.floor(i / n)
  },
  glsl: 'float quotient(float i, float n) { return float(int(i) / int(n)); }',
}

/** Element i of a tensor of four axes, the last running fastest. */
const FOUR_AXES: Helper = {
  fours: [1, 2],
  source: function inner(i: number, shape: Four, strides: Four): number {
    const rows = quotient(i, shape[3])
    const planes = quotient(rows, shape[2])
    const blocks = quotient(planes, shape[1])
    return (
      (i - rows * shape[3]) * strides[3] +
      (rows - planes * shape[2]) * strides[2] +
      (planes - blocks * shape[1]) * strides[1] +
      blocks * strides[0]
    )
  },
}

/** `offset(i, shape, strides, outerShape, outerStrides)`: where element i lies, by up to four axes, or by up to eight. */
const OFFSET: Helper = {
  fours: [1, 2, 3, 4],
  source: function offset(i: number, shape: Four, strides: Four, _outerShape: Four, _outerStrides: Four): number {
    return inner(i, shape, strides)
  },
}
const WIDE_OFFSET: Helper = {
  fours: [1, 2, 3, 4],
  source: function offset(i: number, shape: Four, strides: Four, outerShape: Four, outerStrides: Four): number {
    const size = shape[0] * shape[1] * shape[2] * shape[3]
    const outer = quotient(i, size)
    return inner(i - outer * size, shape, strides) + inner(outer, outerShape, outerStrides)
  },
}

/** Helpers of a program that calls `quotient` or `offset`; `wide` for more than four axes. */
export const INDEXING = {
  narrow: { quotient: QUOTIENT, inner: FOUR_AXES, offset: OFFSET },
  wide: { quotient: QUOTIENT, inner: FOUR_AXES, offset: WIDE_OFFSET },
} as const

export type Width = keyof typeof INDEXING

/** A walk over a tensor in row-major order, as arguments of `offset`. */
export interface Walk {
  readonly width: Width
  readonly shape: Four
  readonly outerShape: Four
  /** strides and outer strides, for each operand */
  readonly strides: readonly (readonly [Four, Four])[]
}

/** @throws RangeError  more than eight axes that cannot be merged */
export function walk(shape: readonly number[], strides: readonly (readonly number[])[]): Walk {
  const axes = mergeAxes(shape, strides)
  const rank = axes.shape.length
  if (rank > 8) throw new RangeError(`a GPU kernel walks at most 8 axes, and these are ${rank}: [${axes.shape}]`)
  const last = (values: readonly number[], fill: number): Four => four(values.slice(-4), fill)
  const before = (values: readonly number[], fill: number): Four => four(values.slice(0, -4), fill)
  return {
    width: rank > 4 ? 'wide' : 'narrow',
    shape: last(axes.shape, 1),
    outerShape: before(axes.shape, 1),
    strides: axes.strides.map((own) => [last(own, 0), before(own, 0)]),
  }
}

function four(values: readonly number[], fill: number): Four {
  const [a = fill, b = fill, c = fill, d = fill] = [...Array.from({ length: 4 - values.length }, () => fill), ...values]
  return [a, b, c, d]
}
