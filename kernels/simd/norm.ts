/** Normalisation: assembly/norm.ts. */
import type { Normalization } from '../kernels.js'
import type { SimdKernel } from './kernel.js'

/** Without gamma all numbers are one piece, for which there is none. */
const sizes = (p: Normalization): number[] => {
  const { outer, groups, inner, affineSize, affineInner, eps } = p
  return [outer, groups, inner, ...(p.affine ? [affineSize, affineInner] : [1, outer * groups * inner]), eps]
}

export const moments: SimdKernel<'moments'> = {
  run(assembly, { outer, groups, inner }, [x], [mean, variance]) {
    assembly.moments(x, mean, variance, outer, groups, inner)
  },
}

export const normalize: SimdKernel<'normalize'> = {
  run(assembly, p, [x, mean, variance, gamma = 0, beta = 0], [y]) {
    assembly.normalize(x, mean, variance, gamma, beta, y, ...sizes(p))
  },
}

export const normalizeGradient: SimdKernel<'normalizeGradient'> = {
  run(assembly, p, [dy, x, mean, variance, gamma = 0], [dx]) {
    assembly.normalizeGradient(dy, x, mean, variance, gamma, dx, ...sizes(p), Number(p.fixed))
  },
}

export const normalizeScaleGradient: SimdKernel<'normalizeScaleGradient'> = {
  run(assembly, p, [dy, x, mean, variance], [dgamma]) {
    const { outer, groups, inner, affineSize, affineInner, eps, accumulate } = p
    const view = [outer, groups, inner, affineSize, affineInner, eps]
    assembly.normalizeScaleGradient(dy, x, mean, variance, dgamma, ...view, Number(accumulate))
  },
}
