/** Normalisation: assembly/norm.ts, in parts by groups, or by gammas. */
import type { Normalization } from '../kernels.js'
import { CHEAP_GRAIN } from './layout.js'
import type { SimdKernel } from './machine/kernel.js'
import type { Cut } from './machine/parts.js'

/** The first of them and how many: so many numbers go into each, and at least so many are taken at a time. */
const cut = (numbers: number, least = 1): Cut => ({
  count: 1,
  steps: [1],
  grain: Math.max(least, Math.ceil(CHEAP_GRAIN / numbers)),
})

/** Gammas that lie side by side: rows are cut no narrower than into four cache lines. */
const WIDTH = 64

/** Without gamma all numbers are one piece, for which there is none. */
const sizes = (p: Normalization): number[] => {
  const { outer, groups, inner, affineSize, affineInner, eps } = p
  return [outer, groups, inner, ...(p.affine ? [affineSize, affineInner] : [1, outer * groups * inner]), eps]
}

export const moments: SimdKernel<'moments'> = {
  run(assembly, { outer, groups, inner }, [x], [mean, variance]) {
    assembly.inParts('moments', [0, groups, x, mean, variance, outer, groups, inner], cut(outer * inner))
  },
}

export const normalize: SimdKernel<'normalize'> = {
  run(assembly, p, [x, mean, variance, gamma = 0, beta = 0], [y]) {
    const args = [0, p.groups, x, mean, variance, gamma, beta, y, ...sizes(p)]
    assembly.inParts('normalize', args, cut(p.outer * p.inner))
  },
}

export const normalizeGradient: SimdKernel<'normalizeGradient'> = {
  run(assembly, p, [dy, x, mean, variance, gamma = 0], [dx]) {
    const args = [0, p.groups, dy, x, mean, variance, gamma, dx, ...sizes(p), Number(p.fixed)]
    assembly.inParts('normalizeGradient', args, cut(p.outer * p.inner))
  },
}

export const normalizeScaleGradient: SimdKernel<'normalizeScaleGradient'> = {
  run(assembly, p, [dy, x, mean, variance], [dgamma]) {
    const { outer, groups, inner, affineSize, affineInner, eps, accumulate } = p
    const view = [outer, groups, inner, affineSize, affineInner, eps]
    const args = [0, affineSize, dy, x, mean, variance, dgamma, ...view, Number(accumulate)]
    const numbers = (outer * groups * inner) / affineSize
    assembly.inParts('normalizeScaleGradient', args, cut(numbers, affineInner === 1 ? WIDTH : 1))
  },
}
