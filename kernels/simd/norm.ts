/** Normalization, in parts by groups or by gammas: assembly/norm.ts and norm-scale.ts. */
import type { Normalization } from '../kernels.js'
import { CHEAP_GRAIN } from './layout.js'
import type { SimdKernel } from './machine/kernel.js'
import type { Cut } from './machine/parts.js'

/** Parts by group (or gamma): `numbers` values in each group, at least `least` groups in each part. */
const byGroup = (numbers: number, least = 1): Cut => ({
  count: 1,
  steps: [1],
  grain: Math.max(least, Math.ceil(CHEAP_GRAIN / numbers)),
})

/** Neighbouring gammas in a part, at least: four cache lines of each row. */
const WIDTH = 64

/** Without gamma all numbers form one piece. */
const sizes = ({ outer, groups, inner, affine, affineSize, affineInner, eps }: Normalization): number[] =>
  affine ? [outer, groups, inner, affineSize, affineInner, eps] : [outer, groups, inner, 1, outer * groups * inner, eps]

export const moments: SimdKernel<'moments'> = {
  run(assembly, { outer, groups, inner }, [x], [mean, variance]) {
    assembly.inParts('moments', [0, groups, x, mean, variance, outer, groups, inner], byGroup(outer * inner))
  },
}

export const normalize: SimdKernel<'normalize'> = {
  run(assembly, p, [x, mean, variance, gamma = 0, beta = 0], [y]) {
    const args = [0, p.groups, x, mean, variance, gamma, beta, y, ...sizes(p)]
    assembly.inParts('normalize', args, byGroup(p.outer * p.inner))
  },
}

export const normalizeGradient: SimdKernel<'normalizeGradient'> = {
  run(assembly, p, [dy, x, mean, variance, gamma = 0], [dx]) {
    const args = [0, p.groups, dy, x, mean, variance, gamma, dx, ...sizes(p), Number(p.fixed)]
    assembly.inParts('normalizeGradient', args, byGroup(p.outer * p.inner))
  },
}

export const normalizePartGradient: SimdKernel<'normalizePartGradient'> = {
  run(assembly, p, [dy, x, mean, variance, sum, lean, gamma = 0], [dx]) {
    const { outer, groups, inner, eps, count } = p
    const args = [0, groups, dy, x, mean, variance, sum, lean, gamma, dx, outer, groups, inner, eps, count]
    assembly.inParts('normalizePartGradient', args, byGroup(outer * inner))
  },
}

export const normalizeScaleGradient: SimdKernel<'normalizeScaleGradient'> = {
  run(assembly, p, [dy, x, mean, variance], [dgamma]) {
    const { outer, groups, inner, affineSize, affineInner, eps, accumulate } = p
    const view = [outer, groups, inner, affineSize, affineInner, eps]
    const args = [0, affineSize, dy, x, mean, variance, dgamma, ...view, Number(accumulate)]
    const numbers = (outer * groups * inner) / affineSize
    assembly.inParts('normalizeScaleGradient', args, byGroup(numbers, affineInner === 1 ? WIDTH : 1))
  },
}
