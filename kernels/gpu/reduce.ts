/** Sums and maxima over any axes, the gradient of a maximum, and where along an axis the maximum is. */

import { product } from '../reference/strides.js'
import { elements, PLAIN, partialSizes, reduction } from './groups.js'
import type { GpuKernel } from './kernel.js'
import { eachValue, type Four, type Texels } from './program.js'

declare function quotient(i: number, n: number): number
declare function at(x: Texels, i: number): number
declare function notANumber(): number
declare function isNotANumber(x: number): number

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

/** sizes: size, inner. The first maximum wins, and NaN is the largest. */
function largestAt(i: number, x: Texels, sizes: Four): number {
  const outer = quotient(i, sizes[1])
  const start = outer * sizes[0] * sizes[1] + i - outer * sizes[1]
  let best = 0.0
  let largest = at(x, start)
  for (let c = 1; c < sizes[0]; c++) {
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

const LARGEST = eachValue('argmax', largestAt, ['texels', 'four'])

export const argmax: GpuKernel<'argmax'> = {
  programs: [LARGEST],
  run(gpu, { size, inner }, [x], [y]) {
    gpu.run(LARGEST, [x, [size, inner, 0, 0]], y)
  },
}
