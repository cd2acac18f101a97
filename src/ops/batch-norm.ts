/**
 * Batch normalisation: the norm of normalize.ts with one mean and variance for each channel of [N, C, H, W]. A micro-batch
 * sees a part of the samples only, so there are three forms, which differ in the statistics that they take:
 *
 *   batchNorm2d         those of x; it can move running statistics, and add those of x to merged ones
 *   frozenBatchNorm2d   given ones, without a gradient
 *   whole-batch-norm.ts those of a mini-batch that x is a part of
 */
import { type Known, NUMBER, options } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import { TENSOR } from '../tensor/kinds.js'
import { showShape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import {
  channels,
  checkMerged,
  checkRunning,
  type MergedStatistics,
  merging,
  type RunningStatistics,
  runningUpdates,
  type Statistics,
} from './batch-statistics.js'
import {
  AFFINE,
  affine,
  check,
  EPS,
  EPS_ONLY,
  type Epsilon,
  epsilonOf,
  gradients,
  type NormOptions,
  ownStatistics,
  type Rules,
} from './normalize.js'
import { apply, define, type Op } from './op.js'
import { distinct, grid, positive, sample } from './sample.js'

interface BatchNorm extends Epsilon {
  running?: RunningStatistics
  merged?: MergedStatistics
}

const batchRules: Rules<BatchNorm> = {
  ...channels('batchNorm2d'),
  view: (x, options) => {
    const view = channels('batchNorm2d').view(x, options)
    if (view.outer * view.inner > 1) return view
    throw new ShapeError(`batchNorm2d: the input ${showShape(x)} has one value for each channel, which has no variance`)
  },
}

const batchNormOp = ownStatistics<BatchNorm>(
  batchRules,
  [
    sample({ eps: EPS }, [[3, 2, 2, 2], distinct], [[2], grid], [[2], grid]),
    sample({ eps: EPS }, [[2, 3, 1, 2], distinct]),
  ],
  ({ device, options: { running, merged }, shapes: [x], extras }) => {
    if (running) device.commit(runningUpdates(running, sizeOf(x) / x[1], extras))
    if (merged) device.update(merging(merged, extras))
  },
)

const frozenRules = channels('frozenBatchNorm2d')

const frozenGradients = gradients<Epsilon>(frozenRules, 3, (call) => [call.input(1), call.input(2)], [1, 2])

const frozenOp: Op<Epsilon> = {
  name: frozenRules.name,
  shape: (shapes, options) => check(frozenRules, shapes, options),
  settings: epsilonOf(frozenRules),
  forward: ({ device, shapes: [x, ...rest], options, inputs, output }) =>
    device.run('normalize', { affine: rest.length > 2, ...frozenRules.view(x, options), ...options }, inputs, [output]),
  gradients: [frozenGradients[0], null, null, frozenGradients[1], frozenGradients[2]],
  linear: [0, 3, 4],
  samples: [
    sample({ eps: EPS }, [[3, 2, 2, 2], distinct], [[2], grid], [[2], positive], [[2], grid], [[2], grid]),
    sample({ eps: EPS }, [[1, 3, 1, 1], distinct], [[3], grid], [[3], positive]),
  ],
}
/**
 * y = (x - mean) / sqrt(variance + eps) gamma + beta with given statistics, like batch norm in evaluation.
 * @param x               [N, C, H, W]
 * @param mean, variance  [C]; they have no gradient
 * @param gamma, beta     [C]; both or neither
 * @throws ShapeError     shapes that do not match
 * @throws ArgumentError  one of gamma and beta without the other
 * Saves x, gamma if x needs a gradient, and the statistics.
 */
export const frozenBatchNorm2d = define(
  frozenOp,
  { x: TENSOR, mean: TENSOR, variance: TENSOR, ...AFFINE, options: EPS_ONLY },
  (
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    gamma?: Tensor | null,
    beta?: Tensor | null,
    { eps = EPS }: NormOptions = {},
  ) => apply(frozenOp, [x, mean, variance, ...affine('frozenBatchNorm2d', gamma, beta)], { eps }),
)

export interface BatchNormOptions extends NormOptions {
  /** updated in place by this call, with the mean and unbiased variance of the batch */
  running?: RunningStatistics
  /** used instead of the statistics of the batch, as in frozenBatchNorm2d */
  frozen?: Statistics
  /** updated in place by this call: moments of a larger batch, to which those of x are added */
  merged?: MergedStatistics
}

const STATISTICS = { mean: TENSOR, variance: TENSOR }
const RUNNING: Known<RunningStatistics> = { ...STATISTICS, momentum: NUMBER }
const MERGED: Known<MergedStatistics> = { ...STATISTICS, share: NUMBER }
const OPTIONS = options<BatchNormOptions>({
  eps: NUMBER,
  running: options(RUNNING, ['mean', 'variance', 'momentum']),
  // running statistics may be given as frozen ones
  frozen: options(RUNNING, ['mean', 'variance']),
  merged: options(MERGED, ['mean', 'variance', 'share']),
})

/**
 * Like layerNorm, but with the mean and biased variance of each channel over the samples and pixels of x. A micro-batch
 * is normalised by its own statistics (policy `micro`).
 * @param x            [N, C, H, W]
 * @param gamma, beta  [C]; both or neither
 * @throws ShapeError     shapes that do not match; one value for each channel
 * @throws ArgumentError  one of gamma and beta without the other; momentum outside [0, 1]; running and frozen at once
 * Saves x, gamma if x needs a gradient, and two numbers for each channel.
 */
export const batchNorm2d = define(
  batchNormOp,
  { x: TENSOR, ...AFFINE, options: OPTIONS },
  (x: Tensor, gamma?: Tensor | null, beta?: Tensor | null, options: BatchNormOptions = {}) => {
    const { eps = EPS, running, frozen, merged } = options
    if (frozen && (running || merged)) {
      throw new ArgumentError('batchNorm2d: give frozen statistics, or running and merged ones, not both')
    }
    if (frozen) return frozenBatchNorm2d(x, frozen.mean, frozen.variance, gamma, beta, { eps })
    if (running) checkRunning(x, running)
    if (merged) checkMerged(x, merged)
    return apply(batchNormOp, [x, ...affine('batchNorm2d', gamma, beta)], { eps, running, merged })
  },
)
