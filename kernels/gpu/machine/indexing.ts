/** Where the elements of a strided tensor lie: what all general kernels share. */
import { mergeAxes } from '../../strides.js'
import type { Four, Helper, Helpers } from './program.js'

declare function quotient(i: number, n: number): number
declare function inner(i: number, shape: Four, strides: Four): number

/** Element i of a tensor of four axes, the last running fastest. */
const FOUR_AXES: Helper = {
  kinds: ['number', 'four', 'four'],
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

/** `offset(i, shape, strides, outerShape, outerStrides)`: where element i lies. Of up to four axes. */
const OFFSET: Helper = {
  kinds: ['number', 'four', 'four', 'four', 'four'],
  source: function offset(i: number, shape: Four, strides: Four, _outerShape: Four, _outerStrides: Four): number {
    return inner(i, shape, strides)
  },
}
/** Of up to eight. */
const WIDE_OFFSET: Helper = {
  kinds: ['number', 'four', 'four', 'four', 'four'],
  source: function offset(i: number, shape: Four, strides: Four, outerShape: Four, outerStrides: Four): number {
    const size = shape[0] * shape[1] * shape[2] * shape[3]
    const outer = quotient(i, size)
    return inner(i - outer * size, shape, strides) + inner(outer, outerShape, outerStrides)
  },
}

/** Of two. */
const PLANE_OFFSET: Helper = {
  kinds: ['number', 'four', 'four', 'four', 'four'],
  source: function offset(i: number, shape: Four, strides: Four, _outerShape: Four, _outerStrides: Four): number {
    const row = quotient(i, shape[3])
    return (i - row * shape[3]) * strides[3] + row * strides[2]
  },
}

/** Of a single axis. */
const LINE_OFFSET: Helper = {
  kinds: ['number', 'four', 'four', 'four', 'four'],
  source: function offset(i: number, _shape: Four, strides: Four, _outerShape: Four, _outerStrides: Four): number {
    return i * strides[3]
  },
}

/** By how many axes there are: dividing an index by each is what a walk costs. */
export type Width = 'line' | 'plane' | 'narrow' | 'wide'

/** `offset`, under any name. */
export const OFFSETS: { readonly [W in Width]: Helper } = {
  line: LINE_OFFSET,
  plane: PLANE_OFFSET,
  narrow: OFFSET,
  wide: WIDE_OFFSET,
}

/** What `offset` calls. */
export const AXES: Helpers = { inner: FOUR_AXES }

/** Helpers of a program that calls `offset`. */
export const INDEXING: { readonly [W in Width]: Helpers } = {
  line: { ...AXES, offset: LINE_OFFSET },
  plane: { ...AXES, offset: PLANE_OFFSET },
  narrow: { ...AXES, offset: OFFSET },
  wide: { ...AXES, offset: WIDE_OFFSET },
}

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
    width: rank > 4 ? 'wide' : rank > 2 ? 'narrow' : rank > 1 ? 'plane' : 'line',
    shape: last(axes.shape, 1),
    outerShape: before(axes.shape, 1),
    strides: axes.strides.map((own) => [last(own, 0), before(own, 0)]),
  }
}

function four(values: readonly number[], fill: number): Four {
  const [a = fill, b = fill, c = fill, d = fill] = [...Array.from({ length: 4 - values.length }, () => fill), ...values]
  return [a, b, c, d]
}

/**
 * A list of offsets as the strides it was made of (`first` + `inner` gives it back): the batch of a product, broadcast.
 * @throws RangeError  no strides of up to four axes make this list
 */
export function offsetsWalk(offsets: readonly number[]): { first: number; shape: Four; strides: Four } {
  const shape: number[] = []
  const strides: number[] = []
  let list = offsets
  while (list.length > 1) {
    const size = runLength(list)
    shape.unshift(size)
    strides.unshift(list[1] - list[0])
    list = list.filter((_, i) => i % size === 0)
  }
  if (shape.length > 4) throw new RangeError(`a GPU kernel batches along at most 4 axes, not as [${offsets}]`)
  return { first: offsets[0], shape: four(shape, 1), strides: four(strides, 0) }
}

/** The size of the fastest axis: the longest runs of equal steps that the whole list is made of. */
function runLength(list: readonly number[]): number {
  const step = list[1] - list[0]
  for (let size = list.length; size > 1; size--) {
    if (list.length % size === 0 && list.every((offset, i) => offset === list[i - (i % size)] + (i % size) * step)) {
      return size
    }
  }
  throw new RangeError(`[${list}] is no list of strided offsets`)
}
