/** Losses that compare a prediction with a target element by element: mse and bceWithLogits. */

import type { KernelParameters } from '../../kernels/kernels.js'
import type { Device } from '../device/device.js'
import type { Storage } from '../device/storage.js'
import { options } from '../memory/arguments.js'
import { ShapeError } from '../tensor/errors.js'
import type { HostArray } from '../tensor/host.js'
import { TENSOR } from '../tensor/kinds.js'
import { type Shape, sameShape, showShape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { add, mul, sub } from './binary.js'
import { checkConstant, checkWeights, lossFunction, weightedMean } from './loss.js'
import { counted, REDUCTION, type ReducingLossOptions, reduced } from './loss-reduction.js'
import { apply, define, type Gradient, type Op } from './op.js'
import { bits, type Domain, grid, offGrid, positive, sample } from './sample.js'
import { checkTargets, sumOf } from './targets.js'
import { neg, softplus, square } from './unary.js'

type PointLoss = KernelParameters['lossRows']['function']

/** The samples are the rows, on axis 0; a scalar is one sample. */
const rowsOf = ([prediction]: readonly Shape[]) => {
  const rows = prediction[0] ?? 1
  return { rows, size: sizeOf(prediction) / rows }
}

/**
 * A loss that is computed element by element, then averaged over the elements of a sample, then over the samples.
 * @param even  does an exchange of prediction and target change nothing? Then the target has a gradient too.
 */
function pointLoss(name: string, kernel: PointLoss, targets: Domain, even = false): Op<Record<never, never>> {
  // dprediction = dy w / total / size times the derivative of the pointwise loss
  const gradient = (side: 0 | 1): Gradient<Record<never, never>> => ({
    saves: [0, 1, 2, 'extras'],
    send: ({ shapes, dy, input, extra }, target) => {
      const weights = shapes.length === 3 ? input(2) : extra(1)
      const inputs = [dy, extra(0), input(side), input(1 - side), weights]
      target.run('lossRowsGradient', { function: kernel, ...rowsOf(shapes) }, inputs)
    },
  })
  return {
    name,
    shape: ([prediction, target, weights]) => {
      if (!sameShape(prediction, target)) {
        throw new ShapeError(
          `${name}: prediction ${showShape(prediction)} and target ${showShape(target)} must be alike`,
        )
      }
      checkWeights(name, weights, prediction[0] ?? 1)
      return []
    },
    // a call without weights fills the second extra with ones
    extras: (shapes) => (shapes.length === 3 ? [1] : [1, rowsOf(shapes).rows]),
    forward: (call) => {
      const { device, shapes, inputs, extras, workspace } = call
      const { rows, size } = rowsOf(shapes)
      const losses = workspace(rows)
      device.run('lossRows', { rows, size, function: kernel }, inputs.slice(0, 2), [losses])
      weightedMean(call, losses, inputs[2] ?? ones(device, extras[1]))
    },
    gradients: [gradient(0), even ? gradient(1) : null, null],
    samples: [
      sample({}, [[3, 4], grid], [[3, 4], targets]),
      sample({}, [[2, 3, 2], grid], [[2, 3, 2], targets], [[2], positive]),
      sample({}, [[], grid], [[], targets]),
    ],
  }
}

function ones(device: Device, storage: Storage): Storage {
  device.run('fill', { size: storage.size, value: 1 }, [], [storage])
  return storage
}

const pointHost = (op: string) => ({
  weight: (targets: HostArray, weights?: HostArray): number => (weights ? sumOf(weights) : (targets.shape[0] ?? 1)),
  check: (targets: HostArray, outputShape: Shape): void =>
    checkTargets(op, targets, outputShape, 'a finite number', Number.isFinite),
})

const LOSS_OPTIONS = options<ReducingLossOptions>({ weights: TENSOR, reduction: REDUCTION })

const shapesOf = (...tensors: readonly (Tensor | undefined)[]): Shape[] =>
  tensors.flatMap((each) => (each ? [each.shape] : []))

const mseOp = pointLoss('mse', 'squaredError', offGrid, true)
/**
 * The mean of (prediction - target)^2 over the elements of a sample, then over the samples (Note [Weighted mean] in loss.ts).
 * @param prediction  any shape whose axis 0 is the sample; a scalar is one sample
 * @param target      the same shape
 * @param options.reduction  'sum': the sum of w (prediction - target)^2 over all elements; 'none': each; both made of `sub` and `square`
 * @throws ShapeError     shapes that do not match
 * @throws ArgumentError  weights that require a gradient
 * Saves prediction, target and weights. The weights have no gradient.
 */
export const mse = lossFunction(
  define(
    mseOp,
    { prediction: TENSOR, target: TENSOR, options: LOSS_OPTIONS },
    (prediction: Tensor, target: Tensor, { weights, reduction = 'mean' }: ReducingLossOptions = {}) => {
      checkConstant('mse', { weights })
      if (reduction !== 'mean') {
        mseOp.shape(shapesOf(prediction, target, weights), {})
        return reduced(square(sub(counted(prediction, weights), counted(target, weights))), { weights, reduction })
      }
      return apply(mseOp, weights ? [prediction, target, weights] : [prediction, target], {})
    },
  ),
  pointHost('mse'),
)

const bceOp = pointLoss('bceWithLogits', 'binaryCrossEntropyWithLogits', bits)
/**
 * The mean of -t log s - (1 - t) log(1 - s), where s = sigmoid(x) for a logit x; computed as log(1 + e^x) - x t, which does
 * not overflow. Means, shapes, weights, errors and saved tensors are those of mse, but the target has no gradient: one that
 * requires it is an ArgumentError.
 */
export const bceWithLogits = lossFunction(
  define(
    bceOp,
    { logits: TENSOR, target: TENSOR, options: LOSS_OPTIONS },
    (logits: Tensor, target: Tensor, { weights, reduction = 'mean' }: ReducingLossOptions = {}) => {
      checkConstant('bceWithLogits', { target, weights })
      if (reduction !== 'mean') {
        bceOp.shape(shapesOf(logits, target, weights), {})
        const [x, t] = [counted(logits, weights), counted(target, weights)]
        return reduced(add(mul(sub(1, t), x), softplus(neg(x))), { weights, reduction })
      }
      return apply(bceOp, weights ? [logits, target, weights] : [logits, target], {})
    },
  ),
  pointHost('bceWithLogits'),
)
