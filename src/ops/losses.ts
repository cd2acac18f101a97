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
import { checkConstant, checkWeights, type Loss, type LossOptions } from './loss.js'
import { reshape } from './movement.js'
import { mean, sum } from './reduce.js'
import { checkTargets, sumOf } from './targets.js'
import { abs, clamp, log, neg, softplus, square } from './unary.js'
import { oneHot } from './views.js'
import { where } from './where.js'

interface Made {
  /** one loss for each sample, [N] */
  rows(prediction: Tensor, target: Tensor): Tensor
  /** @throws ShapeError */
  shapes?(prediction: Shape, target: Shape): boolean
  allowed?: string
  good?(value: number, outputShape: Shape): boolean
}

/** The loss of rows, with its door and its host half. */
function lossOf(
  name: string,
  { rows, shapes = sameShape, allowed = 'a finite number', good = Number.isFinite }: Made,
): Loss & Required<Pick<Loss, 'weight' | 'check'>> {
  const check = door(name, { prediction: TENSOR, target: TENSOR, options: optionsOf<LossOptions>({ weights: TENSOR }) })
  const call = (prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor => {
    check([prediction, target, options])
    const { weights } = options
    if (!shapes(prediction.shape, target.shape)) {
      throw new ShapeError(
        `${name}: ${showShape(prediction.shape)} and ${showShape(target.shape)} do not belong together`,
      )
    }
    const samples = prediction.shape[0] ?? 1
    checkWeights(name, weights?.shape, samples)
    checkConstant(name, { weights })
    if (!weights) return mean(rows(prediction, target))
    const counted = (x: Tensor) => where(reshape(weights, [samples, ...x.shape.slice(1).map(() => 1)]), x, 0)
    const total = sum(weights)
    return div(sum(mul(where(weights, rows(counted(prediction), counted(target)), 0), weights)), where(total, total, 1))
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

/** [N, ...] -> [N, the rest]; a scalar is one sample. */
const asRows = (x: Tensor): Tensor => reshape(x, [x.shape[0] ?? 1, -1])
const meanOfSample = (x: Tensor): Tensor => mean(asRows(x), 1)
const sumOfSample = (x: Tensor): Tensor => sum(asRows(x), 1)

/**
 * The mean of |prediction - target| over the elements of a sample, then over the samples; slope 0 where they are equal.
 * @throws ShapeError     shapes that differ
 * @throws ArgumentError  weights that require a gradient
 */
export const l1 = lossOf('l1', { rows: (p, t) => meanOfSample(abs(sub(p, t))) })

const POSITIVE: Kind = {
  told: 'a number above 0',
  fits: (value) => typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY,
}

const HUBER = optionsOf<{ delta?: number }>({ delta: POSITIVE })
/**
 * With d = |prediction - target|: d^2 / 2 up to delta, and delta (d - delta / 2) beyond; means and errors are those of `l1`.
 * @param options.delta  above 0; default 1
 */
export function huberLoss(options: { delta?: number } = {}): Loss {
  checkArgument('huberLoss', 'options', options, HUBER)
  const { delta = 1 } = options
  return lossOf('huber', {
    rows: (p, t) => {
      const distance = abs(sub(p, t))
      const near = clamp(distance, 0, delta)
      return meanOfSample(sub(mul(near, distance), mul(square(near), 0.5)))
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
export function bceWithLogitsLoss(options: { posWeight?: number | readonly number[] } = {}): Loss {
  checkArgument('bceWithLogitsLoss', 'options', options, POS_WEIGHT)
  const { posWeight = 1 } = options
  const more = typeof posWeight === 'number' ? posWeight - 1 : posWeight.map((weight) => weight - 1)
  return lossOf('bceWithLogits', {
    rows: (x, t) => {
      const factor = add(mul(t, typeof more === 'number' ? more : tensor(x.device, more)), 1)
      return meanOfSample(add(mul(sub(1, t), x), mul(factor, softplus(neg(x)))))
    },
  })
}

/**
 * The Kullback-Leibler divergence of probabilities from logarithms of probabilities: the sum of t (ln t - x) over the elements of a
 * sample, where a t of 0 counts 0, then the mean over samples. PyTorch calls this mean 'batchmean'.
 * @param prediction  x, such as logSoftmax(logits)
 */
export const klDivergence = lossOf('klDivergence', {
  rows: (x, t) => sumOfSample(where(t, mul(t, sub(log(where(t, t, 1)), x)), 0)),
  allowed: 'a probability, at least 0',
  good: (value) => value >= 0 && Number.isFinite(value),
})

/**
 * The mean of -x[target]. For logits, crossEntropy is made in one op.
 * @param prediction  x [N, C], logarithms of probabilities
 * @param target      [N], whole numbers in [0, C)
 */
export const nll = lossOf('nll', {
  shapes: (x, target) => x.length === 2 && sameShape(target, [x[0]]),
  rows: (x, target) => {
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
export function diceLoss(options: { smooth?: number } = {}): Loss {
  checkArgument('diceLoss', 'options', options, DICE)
  const { smooth = 1 } = options
  if (!(smooth >= 0)) throw new ArgumentError(`diceLoss: smooth ${smooth} is not at least 0`)
  return lossOf('dice', {
    rows: (p, t) => {
      const [both, all] = [sumOfSample(mul(p, t)), sumOfSample(add(p, t))]
      return sub(1, div(add(mul(both, 2), smooth), add(all, smooth)))
    },
  })
}
