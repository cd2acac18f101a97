/** A tensor placed within a larger one. */
import { at, quotient } from './machine/builtins.js'
import type { GpuKernel } from './machine/kernel.js'
import { eachValue, type Four, type Helpers, type Named, type Texels } from './machine/program.js'

/** Four axes, from the outermost. */
const AXES = ['blocks', 'planes', 'rows', 'columns'] as const
type Axes = Named<typeof AXES>

/** The element of x at element i of y, for four axes; -1 in the padding. */
function within(i: number, outShape: Axes, before: Axes, shape: Axes): number {
  const row = quotient(i, outShape.columns)
  const plane = quotient(row, outShape.rows)
  const block = quotient(plane, outShape.planes)
  const d = i - row * outShape.columns - before.columns
  const c = row - plane * outShape.rows - before.rows
  const b = plane - block * outShape.planes - before.planes
  const a = block - before.blocks
  if (a < 0 || a >= shape.blocks || b < 0 || b >= shape.planes) {
    return -1
  }
  if (c < 0 || c >= shape.rows || d < 0 || d >= shape.columns) {
    return -1
  }
  return ((a * shape.planes + b) * shape.rows + c) * shape.columns + d
}

function narrow(i: number, x: Texels, value: number, outShape: Axes, before: Axes, shape: Axes): number {
  const element = within(i, outShape, before, shape)
  return element < 0 ? value : at(x, element)
}

/** The same for up to eight axes: the innermost four, then the outer four. */
function wide(
  i: number,
  x: Texels,
  value: number,
  outShape: Axes,
  before: Axes,
  shape: Axes,
  outerOut: Axes,
  outerBefore: Axes,
  outerShape: Axes,
): number {
  const size = outShape.blocks * outShape.planes * outShape.rows * outShape.columns
  const outer = quotient(i, size)
  const element = within(i - outer * size, outShape, before, shape)
  const block = within(outer, outerOut, outerBefore, outerShape)
  if (element < 0 || block < 0) {
    return value
  }
  return at(x, block * shape.blocks * shape.planes * shape.rows * shape.columns + element)
}

const FOUR_AXES = ['texels', 'number', AXES, AXES, AXES] as const
const HELPERS: Helpers = { within: { source: within, kinds: ['number', AXES, AXES, AXES] } }
const NARROW = eachValue('pad, narrow', narrow, FOUR_AXES, HELPERS)
const WIDE = eachValue('pad, wide', wide, [...FOUR_AXES, AXES, AXES, AXES], HELPERS)

interface Axis {
  readonly out: number
  readonly before: number
  readonly size: number
}

/** The axes, with each unpadded axis merged into the one before it. */
function mergedAxes(shape: readonly number[], before: readonly number[], outShape: readonly number[]): Axis[] {
  const axes: Axis[] = []
  shape.forEach((size, i) => {
    const last = axes.at(-1)
    const axis = { out: outShape[i], before: before[i], size }
    if (!last || size !== axis.out) axes.push(axis)
    else axes[axes.length - 1] = { out: last.out * size, before: last.before * size, size: last.size * size }
  })
  if (axes.length > 8) throw new RangeError(`a GPU kernel pads at most 8 axes, and these are ${axes.length}`)
  return axes
}

/** The innermost four axes as arguments of `within`. */
function fours(axes: readonly Axis[]): [outShape: Four, before: Four, shape: Four] {
  const none: Axis = { out: 1, before: 0, size: 1 }
  const [a, b, c, d] = [none, none, none, none, ...axes].slice(-4)
  return [
    [a.out, b.out, c.out, d.out],
    [a.before, b.before, c.before, d.before],
    [a.size, b.size, c.size, d.size],
  ]
}

export const pad: GpuKernel<'pad'> = {
  programs: [NARROW, WIDE],
  run(gpu, { shape, before, outShape, value }, [x], [y]) {
    const axes = mergedAxes(shape, before, outShape)
    if (axes.length > 4) gpu.run(WIDE, [x, value, ...fours(axes), ...fours(axes.slice(0, -4))], y)
    else gpu.run(NARROW, [x, value, ...fours(axes)], y)
  },
}
