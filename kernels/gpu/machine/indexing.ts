/** Positions of the elements of a strided tensor. */
import { mergeAxes } from '../../strides.js'
import { quotient } from './builtins.js'
import type { Four, Helper, Helpers, Source } from './program.js'

/** The position of element i of a tensor of four axes; the last axis runs fastest. */
export function inner(i: number, shape: Four, strides: Four): number {
  const rows = quotient(i, shape[3])
  const planes = quotient(rows, shape[2])
  const blocks = quotient(planes, shape[1])
  return (
    (i - rows * shape[3]) * strides[3] +
    (rows - planes * shape[2]) * strides[2] +
    (planes - blocks * shape[1]) * strides[1] +
    blocks * strides[0]
  )
}

function offsetOnLine(i: number, _shape: Four, strides: Four, _outerShape: Four, _outerStrides: Four): number {
  return i * strides[3]
}

function offsetInPlane(i: number, shape: Four, strides: Four, _outerShape: Four, _outerStrides: Four): number {
  const row = quotient(i, shape[3])
  return (i - row * shape[3]) * strides[3] + row * strides[2]
}

function narrowOffset(i: number, shape: Four, strides: Four, _outerShape: Four, _outerStrides: Four): number {
  return inner(i, shape, strides)
}

function wideOffset(i: number, shape: Four, strides: Four, outerShape: Four, outerStrides: Four): number {
  const size = shape[0] * shape[1] * shape[2] * shape[3]
  const outer = quotient(i, size)
  return inner(i - outer * size, shape, strides) + inner(outer, outerShape, outerStrides)
}

/**
 * The number of axes that a program walks: one, two, up to four or up to eight. Fewer axes take fewer divisions of an
 * index.
 */
export type Width = 'line' | 'plane' | 'narrow' | 'wide'

const offsetOf = (source: Source): Helper => ({ source, kinds: ['number', 'four', 'four', 'four', 'four'] })

/**
 * `offset(i, shape, strides, outerShape, outerStrides)`, the position of element i. A program can call it by another
 * name.
 */
export const OFFSETS: { readonly [W in Width]: Helper } = {
  line: offsetOf(offsetOnLine),
  plane: offsetOf(offsetInPlane),
  narrow: offsetOf(narrowOffset),
  wide: offsetOf(wideOffset),
}

/** The helper that the functions of OFFSETS call. */
export const AXES: Helpers = { inner: { source: inner, kinds: ['number', 'four', 'four'] } }

/** Helpers of a program that calls `offset`. */
export const INDEXING: { readonly [W in Width]: Helpers } = {
  line: { ...AXES, offset: OFFSETS.line },
  plane: { ...AXES, offset: OFFSETS.plane },
  narrow: { ...AXES, offset: OFFSETS.narrow },
  wide: { ...AXES, offset: OFFSETS.wide },
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
 * Finds the strides that make a list of offsets, such as those of the broadcast batch of a product: offset i of the
 * list is first + inner(i, shape, strides).
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

/** The size of the fastest axis: the greatest length for which the whole list consists of runs with equal steps. */
function runLength(list: readonly number[]): number {
  const step = list[1] - list[0]
  for (let size = list.length; size > 1; size--) {
    if (list.length % size === 0 && list.every((offset, i) => offset === list[i - (i % size)] + (i % size) * step)) {
      return size
    }
  }
  throw new RangeError(`[${list}] is not a list of strided offsets`)
}
