/**
 * Normalisation: h = (x - mean) / sqrt(variance + eps), then y = h gamma + beta.
 *
 * Batch, layer and group norm differ only in how they view x: as [outer, groups, inner] with one mean and variance for
 * each group, and as [runs, affineSize, affineInner] for gamma and beta. The gradient needs x, and one mean and variance for
 * each group; h is never stored.
 */
import type { Update } from '../device/instruction.js'
import type { Storage } from '../device/storage.js'
import { ArgumentError } from '../memory/errors.js'
import { DeviceMismatchError, ShapeError } from '../tensor/errors.js'
import { type Shape, sameShape, showShape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import {
  affine,
  check,
  EPS,
  type Epsilon,
  epsilonOf,
  gradients,
  type NormOptions,
  ownStatistics,
  type Rules,
} from './normalize.js'
import { apply, define, type Op } from './op.js'
import { distinct, grid, positive, sample } from './sample.js'
import { checkImages } from './window.js'

export type { NormOptions } from './normalize.js'

interface LayerNorm extends Epsilon {
  /** how many of the last axes share a mean and variance */
  axes: number
}

const layerNormOp = ownStatistics<LayerNorm>(
  {
    name: 'layerNorm',
    view: (x, { axes }) => {
      if (!(axes >= 1 && axes <= x.length)) {
        throw new ShapeError(`layerNorm: the input ${showShape(x)} has fewer than the ${axes} axes to normalise`)
      }
      const inner = sizeOf(x.slice(-axes))
      return { outer: 1, groups: sizeOf(x) / inner, inner, affineSize: inner, affineInner: 1 }
    },
    parameterShape: (x, { axes }) => x.slice(-axes),
  },
  [
    sample({ axes: 1, eps: EPS }, [[3, 4], distinct], [[4], grid], [[4], grid]),
    sample({ axes: 2, eps: EPS }, [[2, 3, 4], distinct], [[3, 4], grid], [[3, 4], grid]),
    sample({ axes: 1, eps: 0.5 }, [[2, 5], distinct]),
  ],
)
/**
 * y = (x - mean) / sqrt(variance + eps) gamma + beta, with the mean and biased variance over the last axes.
 * @param gamma, beta              the shape of those axes; both or neither
 * @param options.normalizedShape  the shape of those axes; default that of gamma, else the last axis
 * @throws ShapeError     shapes that do not match the last axes of x
 * @throws ArgumentError  one of gamma and beta without the other
 * Saves x, gamma if x needs a gradient, and two numbers for each group.
 */
export const layerNorm = define(
  layerNormOp,
  (x: Tensor, gamma?: Tensor | null, beta?: Tensor | null, options: NormOptions & { normalizedShape?: Shape } = {}) => {
    const normalized = options.normalizedShape ?? gamma?.shape ?? x.shape.slice(-1)
    if (normalized.length === 0 || !sameShape(x.shape.slice(-normalized.length), normalized)) {
      throw new ShapeError(`layerNorm: the input ${showShape(x.shape)} does not end in ${showShape(normalized)}`)
    }
    const settings = { axes: normalized.length, eps: options.eps ?? EPS }
    return apply(layerNormOp, [x, ...affine('layerNorm', gamma, beta)], settings)
  },
)

interface GroupNorm extends Epsilon {
  groups: number
}

const groupNormOp = ownStatistics<GroupNorm>(
  {
    name: 'groupNorm',
    view: (x, { groups }) => {
      const [samples, channels = 0] = x
      if (x.length < 2 || !(Number.isInteger(groups) && groups > 0) || channels % groups !== 0) {
        throw new ShapeError(`groupNorm: the channels of the input ${showShape(x)} do not divide into ${groups} groups`)
      }
      const pixels = sizeOf(x.slice(2))
      const inner = (channels / groups) * pixels
      return { outer: 1, groups: samples * groups, inner, affineSize: channels, affineInner: pixels }
    },
    parameterShape: (x) => [x[1]],
  },
  [
    sample({ groups: 2, eps: EPS }, [[2, 4, 2, 3], distinct], [[4], grid], [[4], grid]),
    sample({ groups: 3, eps: EPS }, [[3, 6], distinct]),
  ],
)
/**
 * Like layerNorm, but with a mean and variance for each sample and each of `groups` groups of channels.
 * @param x            [N, C, ...]
 * @param groups       divides C
 * @param gamma, beta  [C]; both or neither
 * @throws ShapeError     C does not divide into groups; gamma or beta is not [C]
 * @throws ArgumentError  one of gamma and beta without the other
 * Saves what layerNorm saves.
 */
export const groupNorm = define(
  groupNormOp,
  (x: Tensor, groups: number, gamma?: Tensor | null, beta?: Tensor | null, { eps = EPS }: NormOptions = {}) =>
    apply(groupNormOp, [x, ...affine('groupNorm', gamma, beta)], { groups, eps }),
)

/** The statistics of a batch norm, [C] each. */
export interface Statistics {
  mean: Tensor
  variance: Tensor
}

/** Standing statistics, updated by every call: r = (1 - momentum) r + momentum s. */
export interface RunningStatistics extends Statistics {
  momentum: number
}

interface BatchNorm extends Epsilon {
  running?: RunningStatistics
}

/** One mean and variance for each channel of [N, C, H, W]. */
const channels = (name: string): Rules<unknown> => ({
  name,
  view: (x) => {
    checkImages(name, x)
    const [outer, groups] = x
    const inner = x[2] * x[3]
    return { outer, groups, inner, affineSize: groups, affineInner: inner }
  },
  parameterShape: (x) => [x[1]],
})

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
  ({ device, options: { running }, shapes: [x], extras }) => {
    if (running) device.commit(runningUpdates(running, sizeOf(x) / x[1], extras))
  },
)

/**
 * With `count` values in each channel. The update of the running statistics; the variance takes the unbiased estimate.
 */
function runningUpdates(
  { mean, variance, momentum }: RunningStatistics,
  count: number,
  batch: readonly Storage[],
): Update[] {
  const move = (target: Tensor, statistic: Storage, share: number): Update => ({
    kernel: 'blend',
    parameters: { size: statistic.size, a: 1 - momentum, b: share },
    targets: [target.storage('batchNorm2d')],
    inputs: [statistic],
  })
  return [move(mean, batch[0], momentum), move(variance, batch[1], (momentum * count) / (count - 1))]
}

function checkRunning(x: Tensor, { mean, variance, momentum }: RunningStatistics): void {
  for (const statistic of [mean, variance]) {
    statistic.storage('batchNorm2d')
    if (statistic.device !== x.device) {
      throw new DeviceMismatchError('batchNorm2d: the running statistics are on another device than the input')
    }
    if (!sameShape(statistic.shape, x.shape.slice(1, 2))) {
      const shapes = `input ${showShape(x.shape)} and running statistics ${showShape(statistic.shape)}`
      throw new ShapeError(`batchNorm2d: ${shapes}: they must be [${x.shape[1]}]`)
    }
  }
  if (!(momentum >= 0 && momentum <= 1)) throw new ArgumentError(`batchNorm2d: momentum ${momentum} is outside [0, 1]`)
}

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
}

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
  (x: Tensor, gamma?: Tensor | null, beta?: Tensor | null, options: BatchNormOptions = {}) => {
    const { eps = EPS, running, frozen } = options
    if (running && frozen) throw new ArgumentError('batchNorm2d: give either frozen or running statistics, not both')
    if (frozen) return frozenBatchNorm2d(x, frozen.mean, frozen.variance, gamma, beta, { eps })
    if (running) checkRunning(x, running)
    return apply(batchNormOp, [x, ...affine('batchNorm2d', gamma, beta)], { eps, running })
  },
)
