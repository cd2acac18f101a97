/** Cross-entropy: the loss of a classifier, from logits. */

import type { ClassRows } from '../../kernels/kernels.js'
import { checkArgument, LIST, options } from '../memory/arguments.js'
import { ShapeError } from '../tensor/errors.js'
import { TENSOR } from '../tensor/kinds.js'
import { checkIndices } from '../tensor/range.js'
import { type Shape, sameShape, showShape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { mul } from './binary.js'
import {
  byClassOf,
  CLASSES,
  type Classes,
  type CrossEntropyOptions,
  classes,
  classHost,
  OPTIONS,
  sharesOf,
} from './class-options.js'
import { checkConstant, checkWeights, type Loss, type LossOptions, lossFunction, weightedMean } from './loss.js'
import { permute, reshape } from './movement.js'
import { apply, define, type Op } from './op.js'
import { grid, index, positive, sample } from './sample.js'

/** The shape of logits without their class axis. */
const withoutClasses = (logits: Shape): Shape => [...logits.slice(0, 1), ...logits.slice(2)]

const classRows = ([logits]: readonly Shape[], options: Classes, weighted: boolean): ClassRows => ({
  weighted,
  outer: logits[0],
  classes: logits[1],
  inner: sizeOf(logits.slice(2)),
  ...options,
})

const crossEntropyOp: Op<Classes> = {
  name: 'crossEntropy',
  settings: ({ labelSmoothing }) => ({ labelSmoothing }),
  shape: ([logits, targets, weights]) => {
    if (logits.length < 2 || !sameShape(targets, withoutClasses(logits))) {
      const shapes = `logits ${showShape(logits)} and targets ${showShape(targets)}`
      throw new ShapeError(`crossEntropy: ${shapes} must be [N, C, ...] and [N, ...]`)
    }
    checkWeights('crossEntropy', weights, logits[0])
    return []
  },
  extras: () => [1],
  forward: (call) => {
    const { device, shapes, options, inputs, workspace } = call
    const losses = workspace(sizeOf(shapes[1]))
    const weights = workspace(sizeOf(shapes[1]))
    device.run('crossEntropyRows', classRows(shapes, options, inputs.length === 3), inputs, [losses, weights])
    weightedMean(call, losses, weights)
  },
  gradients: [
    {
      // dlogits = dy w / total (softmax - target distribution)
      saves: [0, 1, 2, 'extras'],
      send: ({ shapes, options, dy, input, extra }, target) => {
        const weighted = shapes.length === 3
        const inputs = [dy, extra(0), input(0), input(1), ...(weighted ? [input(2)] : [])]
        target.run('crossEntropyGradient', classRows(shapes, options, weighted), inputs)
      },
    },
    null,
  ],
  samples: [
    sample(CLASSES, [[4, 3], grid], [[4], index(3)]),
    sample({ ignoreIndex: 1, labelSmoothing: 0.25 }, [[2, 3, 2], grid], [[2, 2], index(3)], [[2], positive]),
    sample({ ignoreIndex: 0, labelSmoothing: 0 }, [[3, 2], grid], [[3], index(1)]),
  ],
}

/** The host half for logits. */
const hostOf = (own: Classes, shares?: readonly number[]) =>
  classHost('crossEntropy', own, shares, (logits) => logits[1], withoutClasses)

/**
 * The mean over all targets that are not `ignoreIndex` (Note [Weighted mean] in loss.ts) of l = -log softmax(logits)[target],
 * or with smoothing of l = -sum over c of q[c] log softmax(logits)[c], where q is the target distribution. 0 if every
 * target is ignored.
 * @param logits   [N, C] or [N, C, d...], the input of the softmax
 * @param targets  [N] or [N, d...]: whole numbers in [0, C). A streamer checks them on the host, and those that `tensor` made are
 *                 checked here; any other number gives NaN
 * @returns        a scalar
 * @throws ShapeError     shapes that do not match
 * @throws ArgumentError  a target out of range, where it is known; targets or weights that require a gradient; labelSmoothing outside [0, 1], an ignoreIndex that is not a whole number
 * Saves logits, targets and weights, not the probabilities. Targets and weights have no gradient.
 */
export const crossEntropy = lossFunction(
  define(
    crossEntropyOp,
    {
      logits: TENSOR,
      targets: TENSOR,
      options: options<CrossEntropyOptions & LossOptions>({ ...OPTIONS, weights: TENSOR }),
    },
    (logits: Tensor, targets: Tensor, options: CrossEntropyOptions & LossOptions = {}) => {
      const { weights } = options
      const own = classes('crossEntropy', options)
      checkConstant('crossEntropy', { targets, weights })
      checkIndices('crossEntropy', 'targets', targets, logits.shape[1], own.ignoreIndex)
      return apply(crossEntropyOp, weights ? [logits, targets, weights] : [logits, targets], own)
    },
  ),
  hostOf(CLASSES),
)

/** Every target becomes a sample, whose weight is that of its class. */
function byClass(
  logits: Tensor,
  targets: Tensor,
  shares: readonly number[],
  own: Classes,
  weights: Tensor | undefined,
): Tensor {
  const { shape } = logits
  if (shape.length < 2 || shape[1] !== shares.length || !sameShape(targets.shape, withoutClasses(shape))) {
    const shapes = `logits ${showShape(shape)} and targets ${showShape(targets.shape)}`
    throw new ShapeError(
      `crossEntropy: ${shapes} must be [N, ${shares.length}, ...] and [N, ...], for these classWeights`,
    )
  }
  checkIndices('crossEntropy', 'targets', targets, shape[1], own.ignoreIndex)
  checkWeights('crossEntropy', weights?.shape, shape[0])
  const rows = reshape(targets, [-1])
  const ofClass = reshape(byClassOf(rows, shares, own), targets.shape)
  const each = weights ? mul(ofClass, reshape(weights, [shape[0], ...targets.shape.slice(1).map(() => 1)])) : ofClass
  const last = shape.length === 2 ? logits : permute(logits, [0, ...shape.slice(2).map((_, i) => i + 2), 1])
  return crossEntropy(reshape(last, [rows.size, shares.length]), rows, { ...own, weights: reshape(each, [rows.size]) })
}

export interface CrossEntropyLossOptions extends CrossEntropyOptions {
  /** the weight of each class, [C]: a target counts what its class does, in the mean too; default 1. Not with labelSmoothing */
  classWeights?: readonly number[]
}

const CREATE = options<CrossEntropyLossOptions>({ ...OPTIONS, classWeights: LIST })

/** crossEntropy with these options, as a loss to train with. @throws ArgumentError  as crossEntropy */
export function crossEntropyLoss(options: CrossEntropyLossOptions): Loss {
  checkArgument('crossEntropyLoss', 'options', options, CREATE)
  const own = classes('crossEntropyLoss', options)
  const shares = sharesOf('crossEntropyLoss', options.classWeights, own)
  const call = (logits: Tensor, targets: Tensor, { weights }: LossOptions = {}): Tensor =>
    shares ? byClass(logits, targets, shares, own, weights) : crossEntropy(logits, targets, { ...own, weights })
  Object.defineProperty(call, 'name', { value: 'crossEntropy' })
  return Object.assign(call, hostOf(own, shares))
}
