/**
 * The gradient noise scale: the number of samples from which on a larger mini-batch gives a gradient that is hardly better.
 * McCandlish et al., An Empirical Model of Large-Batch Training, arXiv:1812.06162, appendix A.1.
 *
 * Note [Noise scale]
 *   A gradient g that is the mean over n samples, drawn at random, has E |g|^2 = |G|^2 + tr(S) / n, where G is the gradient
 *   over all data and S the covariance of the gradient of one sample. So the gradient after the first micro-batch (n = b)
 *   and the one of the whole mini-batch (n = N) give two equations for the two unknowns:
 *       |G|^2 = (N |g_N|^2 - b |g_b|^2) / (N - b)
 *       tr(S) = (|g_b|^2 - |g_N|^2) / (1 / b - 1 / N)
 *   Both are without bias. The noise scale is their ratio tr(S) / |G|^2. A ratio of noisy numbers has a bias, so both
 *   estimates are averaged over steps before they are divided; the weight of a step in the averages is N - b.
 */
import type { AnyBatch } from '../data/index.js'
import { ArgumentError } from '../memory/errors.js'
import { sumOf, valueAt } from '../ops/targets.js'
import type { HostArray } from '../tensor/host.js'

/** What one step tells of the gradient: estimates without bias, which may be negative. */
export interface GradientNoise {
  /** of |G|^2, the squared norm of the gradient over all data */
  readonly squaredNorm: number
  /** of tr(S), the variance of the gradient of one sample, summed over its elements */
  readonly variance: number
  /** the weight of this step in averages: the samples of the mini-batch without its first micro-batch */
  readonly weight: number
}

/** A gradient that is the mean over `samples`. */
export interface MeanGradient {
  readonly samples: number
  readonly norm: number
}

/**
 * Note [Noise scale].
 * @param part   the gradient of the first micro-batch
 * @param whole  the gradient of the mini-batch
 * @returns null if they do not differ in samples, or a norm is not finite
 */
export function noiseOf(part: MeanGradient, whole: MeanGradient): GradientNoise | null {
  const [b, n] = [part.samples, whole.samples]
  const [small, large] = [part.norm ** 2, whole.norm ** 2]
  if (!(b > 0 && b < n && Number.isFinite(small) && Number.isFinite(large))) return null
  const weight = n - b
  return { squaredNorm: (n * large - b * small) / weight, variance: (small - large) / (1 / b - 1 / n), weight }
}

/** The same for a first micro-batch that was measured, with its share of the mini-batch; null: it was not. */
export function noiseOfPart(
  part: { readonly samples: number; readonly share: number } | null,
  norm: number | null,
  whole: MeanGradient,
): GradientNoise | null {
  return part && norm !== null ? noiseOf({ samples: part.samples, norm: norm / part.share }, whole) : null
}

/** Weighted sums of the estimates of some steps. Plain numbers, fit for JSON. */
export type NoiseSum = GradientNoise

export const NO_NOISE: NoiseSum = Object.freeze({ squaredNorm: 0, variance: 0, weight: 0 })

/** A checked copy of the sums in a checkpoint. @throws ArgumentError  they are not numbers */
export function noiseFrom(given: NoiseSum = NO_NOISE): NoiseSum {
  const { squaredNorm, variance, weight } = given
  if ([squaredNorm, variance, weight].every(Number.isFinite)) return { squaredNorm, variance, weight }
  throw new ArgumentError('restore: noise must be the noise of a checkpoint, numbers { squaredNorm, variance, weight }')
}

/** @param remembered  the factor by which earlier steps count less; 1: a plain mean */
export function withNoise(sum: NoiseSum, { squaredNorm, variance, weight }: GradientNoise, remembered = 1): NoiseSum {
  return {
    squaredNorm: remembered * sum.squaredNorm + weight * squaredNorm,
    variance: remembered * sum.variance + weight * variance,
    weight: remembered * sum.weight + weight,
  }
}

/** The factor by which each new step reduces the weight of the steps before it: about the last 40 steps count. */
export const REMEMBERED = 0.975

/**
 * The noise scale, in samples.
 * @returns null without any step; 0 if no noise was found, Infinity if nothing but noise was found
 */
export function scaleOf({ squaredNorm, variance, weight }: NoiseSum): number | null {
  if (weight === 0) return null
  if (variance <= 0) return 0
  return squaredNorm > 0 ? variance / squaredNorm : Infinity
}

/**
 * The number of samples that a micro-batch counts for. Without weights it is its share of the mini-batch, so that samples
 * whose targets are ignored count in proportion. A mean with weights w varies like the plain mean of (sum w)^2 / sum w^2
 * samples (Kish); here this number is scaled so that the mini-batch counts for all its samples.
 */
export function countedSamples(piece: AnyBatch, batch: AnyBatch, samples: number, share: number): number {
  if (!piece.weights || !batch.weights) return samples * share
  return (samples * effective(piece.weights)) / effective(batch.weights)
}

function effective(weights: HostArray): number {
  let squares = 0
  for (let i = 0; i < weights.data.length; i++) squares += valueAt(weights, i) ** 2
  return squares > 0 ? sumOf(weights) ** 2 / squares : 0
}
