/**
 * A loss: a function from (output, target) to one number, the mean over targets.
 *
 * Note [Weighted mean]
 *   Every row (a sample, or one target of a sample) has a loss l and a weight w. The result is sum(w l) / sum(w), or 0
 *   if all weights are 0. So a mini-batch that is cut into micro-batches j has the loss sum of (W_j / W) loss_j, where
 *   `Loss.weight` computes W_j on the host, and W is the sum of all W_j.
 */
import type { Storage } from '../device/storage.js'
import { ArgumentError } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import type { HostArray } from '../tensor/host.js'
import { type Shape, sameShape, showShape } from '../tensor/shape.js'
import type { Like, Tensors } from '../tensor/structure.js'
import type { Tensor } from '../tensor/tensor.js'
import type { ForwardCall, OpFunction } from './op.js'

export interface LossOptions {
  /** [N]: the weight of each sample; default 1 */
  weights?: Tensor
}

/**
 * The function that training minimises, with the facts that streaming has to know about it. A plain function is a loss
 * too. If the model returns a list or a record of tensors, that is the output; if a batch carries a list or a record of
 * targets, that is the target, here as tensors and in `weight` and `check` as arrays.
 */
export interface Loss<Outputs = Tensor, Targets = Tensor> {
  (output: Outputs, target: Targets, options?: LossOptions): Tensor
  readonly name: string
  /**
   * The total weight of these targets in the mean over the mini-batch. Default: the number of targets that `ignores`
   * does not name, or without `ignores` the number of samples; each counts with the weight of its sample.
   * @param outputShape  the shape of the outputs that these targets belong to
   */
  weight?(
    targets: Like<Targets, Tensor, HostArray>,
    weights?: HostArray,
    outputShape?: Like<Outputs, Tensor, Shape>,
  ): number
  /** Is a target of this value left out of the mean and of the accuracy? For samples with one target. */
  ignores?(target: number): boolean
  /** @throws ShapeError, ArgumentError  naming the first target that an output of this shape cannot have */
  check?(targets: Like<Targets, Tensor, HostArray>, outputShape: Like<Outputs, Tensor, Shape>): void
  /**
   * For a loss whose mean over a mini-batch is not the mean over its parts: the reason, for the error. false: the loss can
   * be split, and needs no trial by stream/split-check.ts.
   */
  readonly coupled?: string | false
  /** false: the outputs are not the scores of classes, even where the targets are classes. Then evaluations have no accuracy. */
  readonly scores?: false
}

/** A loss of any outputs and targets. */
export type AnyLoss = Loss<Tensors, Tensors>

type HostHalf = Required<Pick<Loss, 'weight' | 'check'>>

/** An op function together with the host half of the loss. */
export const lossFunction = <F, Host extends HostHalf>(call: OpFunction<F>, host: Host): OpFunction<F> & Host =>
  Object.assign(call, host)

/**
 * The weighted mean of `losses`, into the output. The first extra receives the total weight, by which the gradient
 * divides.
 */
export function weightedMean<Options>(
  { device, output, extras }: ForwardCall<Options>,
  losses: Storage,
  weights: Storage,
): void {
  device.run('weightedMean', { rows: losses.size }, [losses, weights], [output, extras[0]])
}

/**
 * Check that nobody waits for a gradient that the loss does not send.
 * @throws ArgumentError  naming the operand
 */
export function checkConstant(op: string, operands: Readonly<Record<string, Tensor | undefined>>): void {
  for (const [name, operand] of Object.entries(operands)) {
    if (!operand?.requiresGrad) continue
    throw new ArgumentError(
      `${op}: ${name} requires a gradient, and this loss sends none to it. Make it without recording, by noGrad(device, ` +
        '() => ...), or write the loss with other ops',
    )
  }
}

/** @throws ShapeError  weights that are not [samples] */
export function checkWeights(op: string, weights: Shape | undefined, samples: number): void {
  if (!weights || sameShape(weights, [samples])) return
  throw new ShapeError(`${op}: the weights ${showShape(weights)} must be [${samples}], one for each sample`)
}
