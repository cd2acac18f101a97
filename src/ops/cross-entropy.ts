/** Cross-entropy: the loss of a classifier, from logits. */

import type { ClassRows } from '../../kernels/kernels.js'
import { checkArgument, type Known, NUMBER, options } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import type { HostArray } from '../tensor/host.js'
import { TENSOR } from '../tensor/kinds.js'
import { checkIndices } from '../tensor/range.js'
import { type Shape, sameShape, showShape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { checkConstant, checkWeights, type Loss, type LossOptions, lossFunction, weightedMean } from './loss.js'
import { apply, define, type Op } from './op.js'
import { grid, index, positive, sample } from './sample.js'
import { checkTargets, keptWeight } from './targets.js'

export interface CrossEntropyOptions {
  /** targets equal to this are ignored; default -100 */
  ignoreIndex?: number
  /** s in [0, 1]: the target distribution is (1 - s) one-hot + s / C; default 0 */
  labelSmoothing?: number
}

const OPTIONS: Known<CrossEntropyOptions> = { ignoreIndex: NUMBER, labelSmoothing: NUMBER }
const LOSS_OPTIONS = options(OPTIONS)

type Classes = Required<CrossEntropyOptions>

const CLASSES: Classes = { ignoreIndex: -100, labelSmoothing: 0 }

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

function classes({
  ignoreIndex = CLASSES.ignoreIndex,
  labelSmoothing = CLASSES.labelSmoothing,
}: CrossEntropyOptions): Classes {
  if (!Number.isInteger(ignoreIndex))
    throw new ArgumentError(`crossEntropy: ignoreIndex ${ignoreIndex} is not a whole number`)
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ArgumentError(`crossEntropy: labelSmoothing ${labelSmoothing} is outside [0, 1]`)
  }
  return { ignoreIndex, labelSmoothing }
}

/** The host half of crossEntropy with these options: the check of targets, and their weight. */
const classHost = ({ ignoreIndex }: Classes) => ({
  ignores: (target: number): boolean => target === ignoreIndex,
  weight: (targets: HostArray, weights?: HostArray): number =>
    keptWeight((target) => target === ignoreIndex, targets, weights),
  check: (targets: HostArray, outputShape: Shape): void => {
    const count = outputShape[1]
    const allowed = `a class, a whole number from 0 to ${count - 1}, nor ignoreIndex ${ignoreIndex}`
    checkTargets('crossEntropy', targets, withoutClasses(outputShape), allowed, (value) => {
      return value === ignoreIndex || (Number.isInteger(value) && value >= 0 && value < count)
    })
  },
})

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
      const own = classes(options)
      checkConstant('crossEntropy', { targets, weights })
      checkIndices('crossEntropy', 'targets', targets, logits.shape[1], own.ignoreIndex)
      return apply(crossEntropyOp, weights ? [logits, targets, weights] : [logits, targets], own)
    },
  ),
  classHost(CLASSES),
)

/** crossEntropy with these options, as a loss to train with. @throws ArgumentError  as crossEntropy */
export function crossEntropyLoss(options: CrossEntropyOptions): Loss {
  checkArgument('crossEntropyLoss', 'options', options, LOSS_OPTIONS)
  const own = classes(options)
  const host = classHost(own)
  const call = (logits: Tensor, targets: Tensor, { weights }: LossOptions = {}): Tensor =>
    crossEntropy(logits, targets, { ...own, weights })
  Object.defineProperty(call, 'name', { value: 'crossEntropy' })
  return Object.assign(call, host)
}
