/** The statistics of a batch norm: how they are seen, moved and merged. The forms of the norm itself: batch-norm.ts. */
import type { Update } from '../device/instruction.js'
import type { Storage } from '../device/storage.js'
import { ArgumentError } from '../memory/errors.js'
import { DeviceMismatchError, ShapeError } from '../tensor/errors.js'
import { sameShape, showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Rules } from './normalize.js'
import { checkImages } from './window.js'

/** The statistics of a batch norm, [C] each. */
export interface Statistics {
  mean: Tensor
  variance: Tensor
}

/** Standing statistics, updated by every call: r = (1 - momentum) r + momentum s. */
export interface RunningStatistics extends Statistics {
  momentum: number
}

/**
 * The mean and biased variance of values that come in parts. A call adds the values of its input; `share`, in (0, 1], is
 * their share of all values then. With a share of 1 the former moments are not read.
 */
export interface MergedStatistics extends Statistics {
  share: number
}

/** One mean and variance for each channel of [N, C, H, W]. */
export const channels = (name: string): Rules<unknown> => ({
  name,
  view: (x) => {
    checkImages(name, x)
    const [outer, groups] = x
    const inner = x[2] * x[3]
    return { outer, groups, inner, affineSize: groups, affineInner: inner }
  },
  parameterShape: (x) => [x[1]],
})

/**
 * The update of the running statistics, for `count` values in each channel. The running variance takes the unbiased
 * estimate.
 */
export function runningUpdates(
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

/** @throws ShapeError, DeviceMismatchError  they are no statistics for the channels of x */
export function checkStatistics(x: Tensor, { mean, variance }: Statistics): void {
  for (const statistic of [mean, variance]) {
    statistic.storage('batchNorm2d')
    if (statistic.device !== x.device) {
      throw new DeviceMismatchError('batchNorm2d: the statistics are on another device than the input')
    }
    if (!sameShape(statistic.shape, x.shape.slice(1, 2))) {
      const shapes = `input ${showShape(x.shape)} and statistics ${showShape(statistic.shape)}`
      throw new ShapeError(`batchNorm2d: ${shapes}: they must be [${x.shape[1]}]`)
    }
  }
}

export function checkRunning(x: Tensor, running: RunningStatistics): void {
  checkStatistics(x, running)
  const { momentum } = running
  if (!(momentum >= 0 && momentum <= 1)) throw new ArgumentError(`batchNorm2d: momentum ${momentum} is outside [0, 1]`)
}

export function checkMerged(x: Tensor, merged: MergedStatistics): void {
  checkStatistics(x, merged)
  const { share } = merged
  if (!(share > 0 && share <= 1)) throw new ArgumentError(`batchNorm2d: share ${share} is outside (0, 1]`)
}

/** The update that adds the moments of new values to merged ones. */
export function merging({ mean, variance, share }: MergedStatistics, added: readonly Storage[]): Update {
  return {
    kernel: 'mergeMoments',
    parameters: { size: mean.size, share },
    targets: [mean.storage('batchNorm2d'), variance.storage('batchNorm2d')],
    inputs: added,
  }
}
