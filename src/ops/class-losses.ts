/**
 * Cross-entropy made of other ops, with one number for each target: for targets that are probabilities, and for results
 * other than the mean that the op in cross-entropy.ts gives.
 */
import { tensor } from '../tensor/create.js'
import { checkIndices } from '../tensor/range.js'
import type { Tensor } from '../tensor/tensor.js'
import { gather } from './along.js'
import { add, equal, mul } from './binary.js'
import { byClassOf, type Classes } from './class-options.js'
import { along, counted, type Reduced, reduced } from './loss-reduction.js'
import { reshape } from './movement.js'
import { sum } from './reduce.js'
import { logSoftmax } from './softmax.js'
import { neg } from './unary.js'
import { squeeze, unsqueeze } from './views.js'
import { where } from './where.js'

export interface Wanted extends Reduced {
  /** [C]: the weight of each class */
  shares?: readonly number[]
}

const sharesAlong = ({ device, rank }: Tensor, shares: readonly number[]): Tensor =>
  along(tensor(device, shares), 1, rank)

/**
 * Targets that are probabilities: l = -sum over c of q[c] share[c] log softmax(logits)[c], q = (1 - s) target + s / C. A
 * mean divides by the number of targets; the weights of classes do not change that.
 * @param logits, targets  [N, C, d...]
 */
export function lossOfProbabilities(
  logits: Tensor,
  targets: Tensor,
  { labelSmoothing: s }: Classes,
  wanted: Wanted,
): Tensor {
  const { shares } = wanted
  const smooth = s > 0 ? add(mul(targets, 1 - s), s / logits.shape[1]) : targets
  const q = shares ? mul(smooth, sharesAlong(logits, shares)) : smooth
  return reduced(neg(sum(mul(q, logSoftmax(counted(logits, wanted.weights), 1)), 1)), wanted)
}

/**
 * Targets that are classes: the same, with the target as a one-hot distribution. In the mean a target has the weight of its
 * class.
 * @param logits   [N, C, d...]
 * @param targets  [N, d...]
 */
export function lossOfClasses(logits: Tensor, targets: Tensor, own: Classes, wanted: Wanted): Tensor {
  const { labelSmoothing: s, ignoreIndex } = own
  const { shares, weights } = wanted
  const count = logits.shape[1]
  checkIndices('crossEntropy', 'targets', targets, count, ignoreIndex)
  const ignored = equal(targets, ignoreIndex)
  const known = where(ignored, 0, targets)
  const y = logSoftmax(where(unsqueeze(ignored, 1), 0, counted(logits, weights)), 1)
  const ofClass = shares && reshape(byClassOf(reshape(known, [-1]), shares, own), targets.shape)
  const sharp = neg(squeeze(gather(y, 1, unsqueeze(known, 1)), 1))
  const chosen = ofClass ? mul(sharp, ofClass) : sharp
  const all = s > 0 ? neg(sum(shares ? mul(y, sharesAlong(y, shares)) : y, 1)) : null
  const losses = all ? add(mul(chosen, 1 - s), mul(all, s / count)) : chosen
  return reduced(where(ignored, 0, losses), wanted, where(ignored, 0, ofClass ?? 1))
}
