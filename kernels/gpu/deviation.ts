/** Sums of squared deviations from a mean, their gradient, and mean and variance together. */
import { at } from './machine/builtins.js'
import { elements, normGroups, PLAIN, partialSizes, reduction } from './machine/groups.js'
import type { GpuKernel } from './machine/kernel.js'
import type { Texels } from './machine/program.js'

function squareOf(j: number, group: number, x: Texels, mean: Texels): number {
  const deviation = at(x, j) - at(mean, group)
  return deviation * deviation
}

function slopeOf(i: number, group: number, dy: Texels, x: Texels, mean: Texels, scale: number): number {
  return scale * at(dy, group) * (at(x, i) - at(mean, group))
}

const SQUARES = reduction('squaredDeviation', 'sum', squareOf, ['texels', 'texels'])
const SLOPES = elements('squaredDeviationGradient', slopeOf, ['texels', 'texels', 'texels', 'number'])

export const squaredDeviation: GpuKernel<'squaredDeviation'> = {
  programs: SQUARES.programs,
  workspaces: partialSizes,
  run(gpu, p, [x, mean], [y], [partial]) {
    SQUARES.run(gpu, p, [x, mean], y, partial, p.scale)
  },
}

export const squaredDeviationGradient: GpuKernel<'squaredDeviationGradient'> = {
  programs: SLOPES.programs,
  run(gpu, p, [dy, x, mean], [dx]) {
    SLOPES.run(gpu, p, [dy, x, mean, p.scale], dx)
  },
}

/** The mean first and then the variance, in two passes, so that no digits cancel. */
export const moments: GpuKernel<'moments'> = {
  programs: [...PLAIN.sum.programs, ...SQUARES.programs],
  workspaces: (p) => partialSizes(normGroups(p)),
  run(gpu, p, [x], [mean, variance], [partial]) {
    const share = 1 / (p.outer * p.inner)
    PLAIN.sum.run(gpu, normGroups(p), [x], mean, partial, share)
    SQUARES.run(gpu, normGroups(p), [x, mean], variance, partial, share)
  },
}
