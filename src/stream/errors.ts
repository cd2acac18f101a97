/** Errors that keep a mini-batch from being trained on. Nothing was committed when one is thrown. */
import { type BytesByCategory, describeHeld } from '../memory/allocator.js'
import { formatBytes, groupDigits } from '../memory/bytes.js'
import { SluiceError } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'

/** No micro-batch of the wanted size fits the budget. */
export class DoesNotFitError extends SluiceError {
  constructor(
    /** the largest number of samples that a micro-batch may have */
    readonly microBatch: number,
    /** the number of samples of the micro-batch that needs the most memory */
    readonly part: number,
    /** the budget that this micro-batch needs; Infinity if the model refuses its size, and peakOp then says why */
    readonly neededBytes: number,
    /** the smallest budget under which the mini-batch can be trained on at all */
    readonly minimumBudgetBytes: number,
    readonly budgetBytes: number,
    peakOp: string,
    heldAtPeak: BytesByCategory,
    /** only holes are in the way: the bytes that live at once would fit */
    readonly fragmented = false,
  ) {
    const samples = part === 1 ? '1 sample' : `${groupDigits(part)} samples`
    const among = part === microBatch ? '' : ` (the mini-batch is cut into parts of at most ${groupDigits(microBatch)})`
    const why = Number.isFinite(neededBytes)
      ? `needs a budget of ${formatBytes(neededBytes)} (${neededBytes} bytes), and the budget is ` +
        `${formatBytes(budgetBytes)} (${budgetBytes} bytes). The peak is at '${peakOp}', holding ${describeHeld(heldAtPeak)}.`
      : `cannot run under any budget (${peakOp}).`
    super(
      `a micro-batch of ${samples}${among} ${why} The smallest budget that works is ${minimumBudgetBytes} bytes ` +
        `(${formatBytes(minimumBudgetBytes)}).`,
    )
  }
}

/** The values that wait between the passes of a step do not fit the budget that the store was given. */
export class StoreExceededError extends SluiceError {
  constructor(
    /** the smallest budget that would do */
    readonly neededBytes: number,
    readonly budgetBytes: number,
  ) {
    super(
      `the store has a budget of ${formatBytes(budgetBytes)} (${budgetBytes} bytes); the smallest that works is ` +
        `${formatBytes(neededBytes)} (${neededBytes} bytes): store: ${neededBytes}`,
    )
  }
}

/** The total weight of the mini-batch is 0: every target is ignored, or every weight is 0. */
export class EmptyBatchError extends SluiceError {}

/** The loss is no mean over samples, so a split would give another loss: see split-check.ts. */
export class NotSeparableError extends SluiceError {}

/** Axis 0 of the model's output is not the samples in the order of the inputs: see rows.ts. */
export class OutputShapeError extends ShapeError {}

/** The loss of a mini-batch, or its gradient, is NaN or infinite. */
export class NonFiniteError extends SluiceError {}

/** @throws NonFiniteError  the loss or the gradient is NaN or infinite */
export function checkFinite(loss: number, gradNorm: number): void {
  const refusal = 'Nothing was committed; checkFinite: false commits such a step too'
  if (!Number.isFinite(loss)) {
    throw new NonFiniteError(
      `the loss of this mini-batch is ${loss}. Look for a learning rate that is too high, or bad input. ${refusal}.`,
    )
  }
  if (Number.isFinite(gradNorm)) return
  throw new NonFiniteError(
    `the norm of this mini-batch's gradient is ${gradNorm}, though its loss is ${loss}. Look for a function whose ` +
      `derivative is infinite, such as sqrt at 0, or a learning rate that is too high. ${refusal}.`,
  )
}

/** The model, the loss or another function of the user threw (`cause` is the error), or returned something unusable. */
export class ModelError extends SluiceError {}

/** The signal of the caller ended the gather. */
export class InterruptedError extends SluiceError {}

/** A second step was started before the first had ended. */
export class BusyError extends SluiceError {}
