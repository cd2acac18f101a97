/** Sums and maxima over any axes, the gradient of a maximum, and the position of the maximum along an axis. */

import type { Rows } from '../kernels.js'
import { product } from '../strides.js'
import { at, exceeds, isNotANumber, notANumber, quotient } from './machine/builtins.js'
import { elements, PLAIN, partialSizes, partsOf, reduction } from './machine/groups.js'
import type { GpuKernel } from './machine/kernel.js'
import { eachValue, type Helpers, type Named, packed, type Texels } from './machine/program.js'

export const reduce: GpuKernel<'reduce'> = {
  programs: [...PLAIN.sum.programs, ...PLAIN.max.programs],
  workspaces: partialSizes,
  run(gpu, p, [x], [y], [partial]) {
    PLAIN[p.function].run(gpu, p, [x], y, partial, p.scale)
  },
}

function tieOf(j: number, group: number, x: Texels, max: Texels): number {
  return at(x, j) === at(max, group) ? 1 : 0
}

/** Every value that equals the maximum gets an equal share of dy. */
function shareOf(i: number, group: number, dy: Texels, x: Texels, max: Texels, ties: Texels): number {
  const largest = at(max, group)
  if (isNotANumber(largest) > 0) {
    return notANumber()
  }
  return at(x, i) === largest ? at(dy, group) / at(ties, group) : 0
}

const TIES = reduction('maxGradient, ties', 'sum', tieOf, ['texels', 'texels'])
const SHARES = elements('maxGradient', shareOf, ['texels', 'texels', 'texels', 'texels'])

export const maxGradient: GpuKernel<'maxGradient'> = {
  programs: [...TIES.programs, ...SHARES.programs],
  workspaces: (p) => [product(p.shape.filter((_, axis) => !p.reduced[axis])), ...partialSizes(p)],
  run(gpu, p, [dy, x, y], [dx], [ties, partial]) {
    TIES.run(gpu, p, [x, y], ties, partial)
    SHARES.run(gpu, p, [dy, x, y, ties], dx)
  },
}

/** groups: outer times inner */
const AXIS = ['size', 'inner', 'groups'] as const
type Axis = Named<typeof AXIS>

/** The position in x at which the values of a group begin. */
function startOf(group: number, axis: Axis): number {
  const outer = quotient(group, axis.inner)
  return outer * axis.size * axis.inner + group - outer * axis.inner
}

/** Value i of [parts, outer, inner]: the position along the axis of the first maximum of a part of `run` values. */
function largestOfPart(i: number, x: Texels, axis: Axis, run: number): number {
  const part = quotient(i, axis.groups)
  const start = startOf(i - part * axis.groups, axis)
  let best = part * run
  let largest = at(x, start + best * axis.inner)
  const end = Math.min(best + run, axis.size)
  for (let c = best + 1; c < end; c++) {
    const value = at(x, start + c * axis.inner)
    if (exceeds(value, largest) > 0) {
      best = c
      largest = value
    }
  }
  return best
}

/** The position along the axis of the first maximum of all parts; `places` has the position for each part. */
function largestOfAll(i: number, x: Texels, places: Texels, axis: Axis, parts: number): number {
  // `places` has no values past the last group.
  const group = Math.min(i, axis.groups - 1)
  const start = startOf(group, axis)
  let best = at(places, group)
  let largest = at(x, start + best * axis.inner)
  for (let part = 1; part < parts; part++) {
    const c = at(places, part * axis.groups + group)
    const value = at(x, start + c * axis.inner)
    if (exceeds(value, largest) > 0) {
      best = c
      largest = value
    }
  }
  return best
}

const START: Helpers = { startOf: { source: startOf, kinds: ['number', AXIS] } }
const LARGEST_OF_PART = eachValue('argmax, parts', largestOfPart, ['texels', AXIS, 'number'], START)
const LARGEST_OF_ALL = eachValue('argmax', largestOfAll, ['texels', 'texels', AXIS, 'number'], START)

/** Parts of equal runs, the last of which may be shorter. */
function runsOf({ outer, size, inner }: Rows): { groups: number; run: number; parts: number } {
  const groups = outer * inner
  const run = Math.ceil(size / partsOf({ outputs: groups, count: size }))
  return { groups, run, parts: Math.ceil(size / run) }
}

export const argmax: GpuKernel<'argmax'> = {
  programs: [LARGEST_OF_PART, LARGEST_OF_ALL],
  workspaces(p) {
    const { groups, parts } = runsOf(p)
    return parts > 1 ? [parts * groups] : []
  },
  run(gpu, p, [x], [y], [places = y]) {
    const { groups, run, parts } = runsOf(p)
    const axis = packed(AXIS, { ...p, groups })
    gpu.run(LARGEST_OF_PART, [x, axis, run], places)
    if (parts > 1) gpu.run(LARGEST_OF_ALL, [x, places, axis, parts], y)
  },
}
