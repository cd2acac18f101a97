/**
 * Losses that are made of other ops: their memory is that of the ops. Each is a weighted mean of one number for each sample (Note
 * [Weighted mean] in loss.ts), so that a mini-batch can be split. A sample of weight 0 counts nothing, even if it holds NaN.
 */
import { checkArgument, door, either, type Kind, LIST, NUMBER, options as optionsOf } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { tensor } from '../tensor/create.js'
import { ShapeError } from '../tensor/errors.js'
import type { HostArray } from '../tensor/host.js'
import { TENSOR } from '../tensor/kinds.js'
import { checkIndices } from '../tensor/range.js'
import { type Shape, sameShape, showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { add, div, mul, sub } from './binary.js'
import { checkConstant, checkWeights, type Loss } from './loss.js'
import { counted, REDUCTION, type ReducingLossOptions, reduced } from './loss-reduction.js'
import { reshape } from './movement.js'
import { mean, sum } from './reduce.js'
import { checkTargets, sumOf } from './targets.js'
import { abs, clamp, log, neg, softplus, square } from './unary.js'
import { oneHot } from './views.js'
import { where } from './where.js'

/** [N, ...] -> [N, the rest]; a scalar is one sample. */
const asRows = (x: Tensor): Tensor => reshape(x, [x.shape[0] ?? 1, -1])
const meanOfSample = (x: Tensor): Tensor => (x.rank === 1 ? x : mean(asRows(x), 1))
const sumOfSample = (x: Tensor): Tensor => sum(asRows(x), 1)

interface Made {
  /** the numbers of which the loss is made: [N], or one for each element */
  each(prediction: Tensor, target: Tensor): Tensor
  /** reduces the numbers of a sample; default their mean */
  ofSample?: (each: Tensor) => Tensor
  /** @throws ShapeError */
  shapes?(prediction: Shape, target: Shape): boolean
  allowed?: string
  good?(value: number, outputShape: Shape): boolean
}

/** A loss with options for a loop by hand. */
export type ReducingLoss = Loss &
  Required<Pick<Loss, 'weight' | 'check'>> &
  ((output: Tensor, target: Tensor, options?: ReducingLossOptions) => Tensor)

const OPTIONS = optionsOf<ReducingLossOptions>({ weights: TENSOR, reduction: REDUCTION })

/** The loss that is made of these numbers, with its door and its host half. */
function lossOf(
  name: string,
  { each, ofSample = meanOfSample, shapes = sameShape, allowed = 'a finite number', good = Number.isFinite }: Made,
): ReducingLoss {
  const check = door(name, { prediction: TENSOR, target: TENSOR, options: OPTIONS })
  const call = (prediction: Tensor, target: Tensor, options: ReducingLossOptions = {}): Tensor => {
    check([prediction, target, options])
    const { weights, reduction = 'mean' } = options
    if (!shapes(prediction.shape, target.shape)) {
      throw new ShapeError(
        `${name}: ${showShape(prediction.shape)} and ${showShape(target.shape)} do not belong together`,
      )
    }
    checkWeights(name, weights?.shape, prediction.shape[0] ?? 1)
    checkConstant(name, { weights })
    const losses = each(counted(prediction, weights), counted(target, weights))
    return reduced(reduction === 'mean' ? ofSample(losses) : losses, { weights, reduction })
  }
  Object.defineProperty(call, 'name', { value: name })
  return Object.assign(call, {
    weight: (targets: HostArray, weights?: HostArray): number => (weights ? sumOf(weights) : (targets.shape[0] ?? 1)),
    check: (targets: HostArray, outputShape: Shape): void => {
      const shape = shapes === sameShape ? outputShape : outputShape.slice(0, 1)
      checkTargets(name, targets, shape, allowed, (value) => good(value, outputShape))
    },
  })
}

/**
 * The mean of |prediction - target| over the elements of a sample, then over the samples; slope 0 where they are equal.
 * @throws ShapeError     shapes that differ
 * @throws ArgumentError  weights that require a gradient
 */
export const l1 = lossOf('l1', { each: (p, t) => abs(sub(p, t)) })

const POSITIVE: Kind = {
  told: 'a number above 0',
  fits: (value) => typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY,
}

const HUBER = optionsOf<{ delta?: number }>({ delta: POSITIVE })
/**
 * With d = |prediction - target|: d^2 / 2 up to delta, and delta (d - delta / 2) beyond; means and errors are those of `l1`.
 * @param options.delta  above 0; default 1
 */
export function huberLoss(options: { delta?: number } = {}): ReducingLoss {
  checkArgument('huberLoss', 'options', options, HUBER)
  const { delta = 1 } = options
  return lossOf('huber', {
    each: (p, t) => {
      const distance = abs(sub(p, t))
      const near = clamp(distance, 0, delta)
      return sub(mul(near, distance), mul(square(near), 0.5))
    },
  })
}

const WEIGHTS: Kind = either(NUMBER, { ...LIST, told: 'a list of numbers, one for each element of a sample' })
const POS_WEIGHT = optionsOf<{ posWeight?: number | readonly number[] }>({ posWeight: WEIGHTS })
/**
 * bceWithLogits with positive targets that count `posWeight` times: the mean of (1 - t) x + (1 + (posWeight - 1) t) ln(1 + e^-x)
 * for a logit x, as PyTorch's pos_weight.
 * @param options.posWeight  one number, or one for each element of the last axis; default 1
 */
export function bceWithLogitsLoss(options: { posWeight?: number | readonly number[] } = {}): ReducingLoss {
  checkArgument('bceWithLogitsLoss', 'options', options, POS_WEIGHT)
  const { posWeight = 1 } = options
  const more = typeof posWeight === 'number' ? posWeight - 1 : posWeight.map((weight) => weight - 1)
  return lossOf('bceWithLogits', {
    each: (x, t) => {
      const factor = add(mul(t, typeof more === 'number' ? more : tensor(x.device, more)), 1)
      return add(mul(sub(1, t), x), mul(factor, softplus(neg(x))))
    },
  })
}

/**
 * The Kullback-Leibler divergence of probabilities from logarithms of probabilities: the sum of t (ln t - x) over the elements of a
 * sample, where a t of 0 counts 0, then the mean over samples. PyTorch calls this mean 'batchmean'.
 * @param prediction  x, such as logSoftmax(logits)
 */
export const klDivergence = lossOf('klDivergence', {
  each: (x, t) => where(t, mul(t, sub(log(where(t, t, 1)), x)), 0),
  ofSample: sumOfSample,
  allowed: 'a probability, at least 0',
  good: (value) => value >= 0 && Number.isFinite(value),
})

/**
 * The mean of -x[target]. For logits use crossEntropy, which is one op.
 * @param prediction  x [N, C], logarithms of probabilities
 * @param target      [N], whole numbers in [0, C)
 */
export const nll = lossOf('nll', {
  shapes: (x, target) => x.length === 2 && sameShape(target, [x[0]]),
  each: (x, target) => {
    checkIndices('nll', 'targets', target, x.shape[1])
    return neg(sum(where(oneHot(target, x.shape[1]), x, 0), 1))
  },
  allowed: 'a class',
  good: (value, [, count]) => Number.isInteger(value) && value >= 0 && value < count,
})

const DICE = optionsOf<{ smooth?: number }>({ smooth: NUMBER })
/**
 * 1 - (2 sum p t + smooth) / (sum p + sum t + smooth) over the elements of a sample, then the mean over samples: for the overlap of
 * masks. F. Milletari et al., arXiv:1606.04797, without the squares.
 * @param options.smooth  at least 0; default 1. With 0 a sample whose masks are empty gives NaN
 */
export function diceLoss(options: { smooth?: number } = {}): ReducingLoss {
  checkArgument('diceLoss', 'options', options, DICE)
  const { smooth = 1 } = options
  if (!(smooth >= 0)) throw new ArgumentError(`diceLoss: smooth ${smooth} is not at least 0`)
  return lossOf('dice', {
    each: (p, t) => {
      const [both, all] = [sumOfSample(mul(p, t)), sumOfSample(add(p, t))]
      return sub(1, div(add(mul(both, 2), smooth), add(all, smooth)))
    },
  })
}
