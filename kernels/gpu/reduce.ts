/** Sums and maxima over any axes, the gradient of a maximum, and where along an axis the maximum is. */

import type { Rows } from '../kernels.js'
import { product } from '../strides.js'
import { at, isNotANumber, notANumber, quotient } from './machine/builtins.js'
import { elements, PLAIN, partialSizes, partsOf, reduction } from './machine/groups.js'
import type { GpuKernel } from './machine/kernel.js'
import { eachValue, type Four, type Texels } from './machine/program.js'

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

/** Every value that is the maximum has an equal share of dy. */
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

/**
 * Value i of [parts, outer, inner]: where along the axis the maximum of a part is. The first wins, and NaN is the largest.
 * @param sizes  size, inner, groups (outer times inner), values of a part
 */
function largestOfPart(i: number, x: Texels, sizes: Four): number {
  const part = quotient(i, sizes[2])
  const group = i - part * sizes[2]
  const outer = quotient(group, sizes[1])
  const start = outer * sizes[0] * sizes[1] + group - outer * sizes[1]
  let best = part * sizes[3]
  let largest = at(x, start + best * sizes[1])
  const end = Math.min(best + sizes[3], sizes[0])
  for (let c = best + 1; c < end; c++) {
    const value = at(x, start + c * sizes[1])
    if (isNotANumber(largest) < 1) {
      if (isNotANumber(value) > 0 || value > largest) {
        best = c
        largest = value
      }
    }
  }
  return best
}

/** Of the maxima of all parts. @param sizes  size, inner, groups, parts */
function largestOfAll(i: number, x: Texels, places: Texels, sizes: Four): number {
  // past the last group there are no places to look at
  const group = Math.min(i, sizes[2] - 1)
  const outer = quotient(group, sizes[1])
  const start = outer * sizes[0] * sizes[1] + group - outer * sizes[1]
  let best = at(places, group)
  let largest = at(x, start + best * sizes[1])
  for (let part = 1; part < sizes[3]; part++) {
    const c = at(places, part * sizes[2] + group)
    const value = at(x, start + c * sizes[1])
    if (isNotANumber(largest) < 1) {
      if (isNotANumber(value) > 0 || value > largest) {
        best = c
        largest = value
      }
    }
  }
  return best
}

const LARGEST_OF_PART = eachValue('argmax, parts', largestOfPart, ['texels', 'four'])
const LARGEST_OF_ALL = eachValue('argmax', largestOfAll, ['texels', 'texels', 'four'])

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
    gpu.run(LARGEST_OF_PART, [x, [p.size, p.inner, groups, run]], places)
    if (parts > 1) gpu.run(LARGEST_OF_ALL, [x, places, [p.size, p.inner, groups, parts]], y)
  },
}
