/** Cross-entropy: the loss of a classifier, from logits. */

import type { ClassRows } from '../../kernels/kernels.js'
import { checkArgument, LIST, options } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import type { HostArray } from '../tensor/host.js'
import { TENSOR } from '../tensor/kinds.js'
import { checkIndices } from '../tensor/range.js'
import { type Shape, sameShape, showShape, sizeOf } from '../tensor/shape.js'
import { isArray } from '../tensor/structure.js'
import type { Tensor } from '../tensor/tensor.js'
import { mul } from './binary.js'
import { lossOfClasses, lossOfProbabilities, type Wanted } from './class-losses.js'
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
import { REDUCTION, type ReducingLossOptions } from './loss-reduction.js'
import { permute, reshape } from './movement.js'
import { apply, define, type Op } from './op.js'
import { grid, index, positive, sample } from './sample.js'
import { checkTargets, sumOf } from './targets.js'

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
      throw new ShapeError(`crossEntropy: ${shapes} must be [N, C, ...] and [N, ...], or alike`)
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

/** Makes each target a sample of its own, with the weight of its class. */
function byClass(
  logits: Tensor,
  targets: Tensor,
  shares: readonly number[],
  own: Classes,
  weights: Tensor | undefined,
): Tensor {
  const { shape } = logits
  checkIndices('crossEntropy', 'targets', targets, shape[1], own.ignoreIndex)
  const rows = reshape(targets, [-1])
  const ofClass = reshape(byClassOf(rows, shares, own), targets.shape)
  const each = weights ? mul(ofClass, reshape(weights, [shape[0], ...targets.shape.slice(1).map(() => 1)])) : ofClass
  const last = shape.length === 2 ? logits : permute(logits, [0, ...shape.slice(2).map((_, i) => i + 2), 1])
  return apply(crossEntropyOp, [reshape(last, [rows.size, shares.length]), rows, reshape(each, [rows.size])], own)
}

/** Are the targets probabilities, [N, C, ...] as the logits are? */
const areProbabilities = (logits: Shape | undefined, targets: Shape): boolean =>
  logits !== undefined && logits.length > 1 && sameShape(logits, targets)

/** The host half for logits. */
function hostOf(own: Classes, shares?: readonly number[]) {
  const { ignores, weight, check } = classHost('crossEntropy', own, shares, (logits) => logits[1], withoutClasses)
  return {
    ignores,
    weight: (targets: HostArray, weights?: HostArray, outputShape?: Shape): number => {
      if (!areProbabilities(outputShape, targets.shape)) return weight(targets, weights)
      return (weights ? sumOf(weights) : targets.shape[0]) * sizeOf(targets.shape.slice(2))
    },
    check: (targets: HostArray, outputShape: Shape): void => {
      if (!isArray(targets) || !areProbabilities(outputShape, targets.shape)) {
        check(targets, outputShape)
        return
      }
      checkIgnore(own)
      const fits = (value: number) => value >= 0 && value < Number.POSITIVE_INFINITY
      checkTargets('crossEntropy', targets, outputShape, 'a probability, a number of at least 0', fits)
    },
  }
}

/** @throws ArgumentError  ignoreIndex is a class, and targets are probabilities */
function checkIgnore({ ignoreIndex }: Classes): void {
  if (ignoreIndex < 0) return
  throw new ArgumentError(
    `crossEntropy: ignoreIndex ${ignoreIndex} is for targets that are classes, and these are probabilities: give samples weights of 0`,
  )
}

/** Runs the op, or the other ops that the loss is made of. */
function run(logits: Tensor, targets: Tensor, own: Classes, wanted: Wanted): Tensor {
  const { shape } = logits
  const { weights, shares, reduction } = wanted
  const soft = areProbabilities(shape, targets.shape)
  checkConstant('crossEntropy', soft ? { weights } : { targets, weights })
  if (soft) checkIgnore(own)
  const fits = soft || (shape.length > 1 && sameShape(targets.shape, withoutClasses(shape)))
  if (!fits || (shares && shape[1] !== shares.length)) {
    const shapes = `logits ${showShape(shape)} and targets ${showShape(targets.shape)}`
    const [classes, why] = shares ? [shares.length, ', for these classWeights'] : ['C', '']
    throw new ShapeError(`crossEntropy: ${shapes} must be [N, ${classes}, ...] and [N, ...], or alike${why}`)
  }
  checkWeights('crossEntropy', weights?.shape, shape[0])
  if (soft) return lossOfProbabilities(logits, targets, own, wanted)
  if (reduction !== 'mean' || (shares && own.labelSmoothing > 0)) return lossOfClasses(logits, targets, own, wanted)
  if (shares) return byClass(logits, targets, shares, own, weights)
  checkIndices('crossEntropy', 'targets', targets, shape[1], own.ignoreIndex)
  return apply(crossEntropyOp, weights ? [logits, targets, weights] : [logits, targets], own)
}

export interface CrossEntropyFunctionOptions extends CrossEntropyOptions, ReducingLossOptions {}

/**
 * The mean over all targets that are not `ignoreIndex` (Note [Weighted mean] in loss.ts) of l = -log softmax(logits)[target],
 * or with smoothing of l = -sum over c of q[c] log softmax(logits)[c], where q is the target distribution. 0 if every
 * target is ignored.
 * @param logits   [N, C] or [N, C, d...], the input of the softmax
 * @param targets  [N] or [N, d...]: whole numbers in [0, C). A streamer checks them on the host, and those that `tensor` made are
 *                 checked here; any other number gives NaN. Or probabilities in the shape of the logits: q is these
 *                 probabilities, smoothed, and no target is ignored; the result is made of `logSoftmax`, `mul` and `sum`,
 *                 which save y and targets
 * @returns        a scalar; with reduction 'sum' the sum of w l; with 'none' each w l, in the shape of the targets without classes
 * @throws ShapeError     shapes that do not match
 * @throws ArgumentError  a target out of range, where it is known; classes or weights that require a gradient; an ignoreIndex of at least 0 for probabilities; labelSmoothing outside [0, 1], an ignoreIndex that is not a whole number
 * Saves logits, targets and weights, not the probabilities. Classes and weights have no gradient; probabilities have one.
 */
export const crossEntropy = lossFunction(
  define(
    crossEntropyOp,
    {
      logits: TENSOR,
      targets: TENSOR,
      options: options<CrossEntropyFunctionOptions>({
        ...OPTIONS,
        weights: TENSOR,
        reduction: REDUCTION,
      }),
    },
    (logits: Tensor, targets: Tensor, options: CrossEntropyFunctionOptions = {}) => {
      const { weights, reduction = 'mean' } = options
      return run(logits, targets, classes('crossEntropy', options), { weights, reduction })
    },
  ),
  hostOf(CLASSES),
)

export interface CrossEntropyLossOptions extends CrossEntropyOptions {
  /**
   * the weight of each class, [C]: a target has the weight of its class, in the mean too; default 1. A mean over targets
   * that are probabilities divides by their number
   */
  classWeights?: readonly number[]
}

const CREATE = options<CrossEntropyLossOptions>({ ...OPTIONS, classWeights: LIST })

/** crossEntropy with these options, as a loss to train with. @throws ArgumentError  as crossEntropy */
export function crossEntropyLoss(options: CrossEntropyLossOptions = {}): Loss {
  checkArgument('crossEntropyLoss', 'options', options, CREATE)
  const own = classes('crossEntropyLoss', options)
  const shares = sharesOf('crossEntropyLoss', options.classWeights)
  const call = (logits: Tensor, targets: Tensor, { weights }: LossOptions = {}): Tensor =>
    run(logits, targets, own, { weights, shares, reduction: 'mean' })
  Object.defineProperty(call, 'name', { value: 'crossEntropy' })
  return Object.assign(call, hostOf(own, shares))
}
