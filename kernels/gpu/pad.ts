/** A tensor placed within a larger one. */
import { at, quotient } from './machine/builtins.js'
import type { GpuKernel } from './machine/kernel.js'
import { eachValue, type Four, type Helper, type Texels } from './machine/program.js'

declare function inside(
  i: number,
  outShape: Four,
  before: Four,
  shape: Four,
  outerOut: Four,
  outerBefore: Four,
  outerShape: Four,
): number

/** Which element of x, of `shape`, lies at element i of `outShape`; -1 where none does. Of four axes. */
function within(i: number, outShape: Four, before: Four, shape: Four): number {
  const rows = quotient(i, outShape[3])
  const planes = quotient(rows, outShape[2])
  const blocks = quotient(planes, outShape[1])
  const d = i - rows * outShape[3] - before[3]
  const c = rows - planes * outShape[2] - before[2]
  const b = planes - blocks * outShape[1] - before[1]
  const a = blocks - before[0]
  if (a < 0 || a >= shape[0] || b < 0 || b >= shape[1] || c < 0 || c >= shape[2] || d < 0 || d >= shape[3]) {
    return -1
  }
  return ((a * shape[1] + b) * shape[2] + c) * shape[3] + d
}

function narrow(
  i: number,
  outShape: Four,
  before: Four,
  shape: Four,
  _outerOut: Four,
  _outerBefore: Four,
  _outerShape: Four,
): number {
  return within(i, outShape, before, shape)
}

/** The same for up to eight axes. */
function wide(
  i: number,
  outShape: Four,
  before: Four,
  shape: Four,
  outerOut: Four,
  outerBefore: Four,
  outerShape: Four,
): number {
  const size = outShape[0] * outShape[1] * outShape[2] * outShape[3]
  const outer = quotient(i, size)
  const element = within(i - outer * size, outShape, before, shape)
  const block = within(outer, outerOut, outerBefore, outerShape)
  if (element < 0 || block < 0) {
    return -1
  }
  return block * shape[0] * shape[1] * shape[2] * shape[3] + element
}

function padded(
  i: number,
  x: Texels,
  value: number,
  outShape: Four,
  before: Four,
  shape: Four,
  outerOut: Four,
  outerBefore: Four,
  outerShape: Four,
): number {
  const element = inside(i, outShape, before, shape, outerOut, outerBefore, outerShape)
  return element < 0 ? value : at(x, element)
}

const FOURS = ['four', 'four', 'four', 'four', 'four', 'four'] as const
const WITHIN: Helper = { source: within, kinds: ['number', 'four', 'four', 'four'] }
const programOf = (name: string, source: typeof wide) =>
  eachValue(`pad, ${name}`, padded, ['texels', 'number', ...FOURS], {
    within: WITHIN,
    inside: { source, kinds: ['number', ...FOURS] },
  })
const NARROW = programOf('narrow', narrow)
const WIDE = programOf('wide', wide)

interface Axis {
  readonly out: number
  readonly before: number
  readonly size: number
}

/** Axes that are not padded go with the one before them. */
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
    const args = [x, value, ...fours(axes), ...fours(axes.slice(0, -4))]
    gpu.run(axes.length > 4 ? WIDE : NARROW, args, y)
  },
}
