/** The reductions of a loss with many numbers: their weighted mean (Note [Weighted mean] in loss.ts), their sum, or none. */
import { type Kind, oneOf } from '../memory/arguments.js'
import type { Tensor } from '../tensor/tensor.js'
import { div, mul } from './binary.js'
import type { LossOptions } from './loss.js'
import { reshape } from './movement.js'
import { mean, sum } from './reduce.js'
import { where } from './where.js'

/** 'mean' and 'sum': one number; 'none': all numbers that the loss is made of. Only a mean can be streamed */
export type Reduction = 'mean' | 'sum' | 'none'

/** The options of a loss in a loop by hand. */
export interface ReducingLossOptions extends LossOptions {
  /** default 'mean', the only one that a Streamer can split */
  reduction?: Reduction
}

export const REDUCTION: Kind = oneOf('mean', 'sum', 'none')

export interface Reduced {
  /** [N]: the weight of each sample */
  weights?: Tensor
  reduction: Reduction
}

/** [N] or [C] in a shape that broadcasts along the axis of a tensor of this rank. */
export const along = (x: Tensor, axis: 0 | 1, rank: number): Tensor =>
  reshape(
    x,
    Array.from({ length: rank }, (_, i) => (i === axis ? x.size : 1)),
  )

/** Samples of weight 0 do not count, even if they hold NaN. */
export const counted = (x: Tensor, weights?: Tensor): Tensor => (weights ? where(along(weights, 0, x.rank), x, 0) : x)

/** The losses, weighted by sample and reduced. `counts` has the weight of each loss in the mean; default all 1. */
export function reduced(losses: Tensor, { weights, reduction }: Reduced, counts?: Tensor): Tensor {
  const each = weights && along(weights, 0, losses.rank)
  const weighted = each ? mul(where(each, losses, 0), each) : losses
  if (reduction === 'none') return weighted
  if (reduction === 'sum') return sum(weighted)
  if (!weights && !counts) return mean(weighted)
  if (counts) return share(sum(weighted), sum(each ? mul(counts, each) : counts))
  const total = sum(weights as Tensor)
  const perSample = losses.size / (losses.shape[0] ?? 1)
  return share(sum(weighted), perSample === 1 ? total : mul(total, perSample))
}

/** sum / total; 0 where the total is 0. */
const share = (sum: Tensor, total: Tensor): Tensor => div(sum, where(total, total, 1))
