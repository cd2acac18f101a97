/**
 * Normalisation: batch, layer and group norm are one kernel with different views (see `Normalization`).
 *
 * Below, h = (x - mean) / sqrt(variance + eps) is the normalised x. Not here: the moments (reduce.ts), running
 * statistics, and the gradient of beta, which is a `reduce` of dy.
 */
import type { Kernels, Normalization } from '../kernels.js'

const inverseDeviation = (variance: number, eps: number) => 1 / Math.sqrt(variance + eps)

/** The index of the gamma and beta that element i of the flat tensor uses. */
const affineIndex = (p: Normalization, i: number) => Math.floor(i / p.affineInner) % p.affineSize

/**
 * mean, variance, newMean, newVariance [size] -> mean, variance: the moments of values of which the new ones are a `share`
 * (Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979).
 */
export const mergeMoments: Kernels['mergeMoments'] = (
  { size, share },
  [mean, variance, newMean, newVariance],
  [meanOut, varianceOut],
) => {
  for (let i = 0; i < size; i++) {
    const first = share === 1
    const step = first ? 0 : newMean[i] - mean[i]
    const kept = first ? 0 : (1 - share) * variance[i]
    varianceOut[i] = kept + share * newVariance[i] + share * (1 - share) * step * step
    meanOut[i] = first ? newMean[i] : mean[i] + share * step
  }
}

/** x [outer, groups, inner], mean, variance [groups], gamma?, beta? [affineSize] -> y = h gamma + beta */
export const normalize: Kernels['normalize'] = (p, [x, mean, variance, gamma, beta], [y]) => {
  const { outer, groups, inner, eps, affine } = p
  for (let o = 0; o < outer; o++) {
    for (let g = 0; g < groups; g++) {
      const scale = inverseDeviation(variance[g], eps)
      const start = (o * groups + g) * inner
      for (let i = start; i < start + inner; i++) {
        const h = (x[i] - mean[g]) * scale
        const at = affineIndex(p, i)
        y[i] = affine ? h * gamma[at] + beta[at] : h
      }
    }
  }
}

/**
 * dy, x [outer, groups, inner], mean, variance [groups], gamma? [affineSize] -> dx
 *
 * With dh = dy gamma, and averages over the group: dx = (dh - average(dh) - h average(dh h)) / sqrt(variance + eps).
 * The averages are the paths through the mean and the variance. If those are `fixed`, there are no averages, and x is
 * not read.
 */
export const normalizeGradient: Kernels['normalizeGradient'] = (p, [dy, x, mean, variance, gamma], [dx]) => {
  const { outer, groups, inner, eps, affine, fixed } = p
  const count = outer * inner
  for (let g = 0; g < groups; g++) {
    const scale = inverseDeviation(variance[g], eps)
    let sum = 0
    let sumH = 0
    for (let o = 0; o < outer && !fixed; o++) {
      const start = (o * groups + g) * inner
      for (let i = start; i < start + inner; i++) {
        const dh = affine ? dy[i] * gamma[affineIndex(p, i)] : dy[i]
        sum += dh
        sumH += dh * ((x[i] - mean[g]) * scale)
      }
    }
    for (let o = 0; o < outer; o++) {
      const start = (o * groups + g) * inner
      for (let i = start; i < start + inner; i++) {
        const dh = affine ? dy[i] * gamma[affineIndex(p, i)] : dy[i]
        if (fixed) {
          dx[i] = scale * dh
          continue
        }
        const h = (x[i] - mean[g]) * scale
        dx[i] = scale * (dh - sum / count - (h * sumH) / count)
      }
    }
  }
}

/**
 * dy, x [outer, groups, inner], mean, variance, sum, lean [groups], gamma? [groups] -> dx: the gradient above for a part of
 * a group, whose sums of dy and of dy h over all `count` values are given.
 */
export const normalizePartGradient: Kernels['normalizePartGradient'] = (
  p,
  [dy, x, mean, variance, sum, lean, gamma],
  [dx],
) => {
  const { outer, groups, inner, eps, affine, count } = p
  for (let o = 0; o < outer; o++) {
    for (let g = 0; g < groups; g++) {
      const scale = inverseDeviation(variance[g], eps)
      const start = (o * groups + g) * inner
      for (let i = start; i < start + inner; i++) {
        const h = (x[i] - mean[g]) * scale
        dx[i] = scale * (affine ? gamma[g] : 1) * (dy[i] - sum[g] / count - (h * lean[g]) / count)
      }
    }
  }
}

/** dy, x [outer, groups, inner], mean, variance [groups] -> dgamma [affineSize] = sum of dy h */
export const normalizeScaleGradient: Kernels['normalizeScaleGradient'] = (p, [dy, x, mean, variance], [dgamma]) => {
  const { outer, groups, inner, affineSize, affineInner, eps, accumulate } = p
  const runs = (outer * groups * inner) / (affineSize * affineInner)
  for (let at = 0; at < affineSize; at++) {
    let total = 0
    for (let run = 0; run < runs; run++) {
      const start = (run * affineSize + at) * affineInner
      for (let i = start; i < start + affineInner; i++) {
        const g = Math.floor(i / inner) % groups
        total += dy[i] * ((x[i] - mean[g]) * inverseDeviation(variance[g], eps))
      }
    }
    dgamma[at] = (accumulate ? dgamma[at] : 0) + total
  }
}
