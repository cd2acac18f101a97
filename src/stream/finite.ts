/** What keeps a mini-batch from being committed though it ran: its numbers. */
import { NonFiniteError } from './errors.js'

/** @throws NonFiniteError  the loss or the gradient is NaN or infinite */
export function checkFinite(loss: number, gradNorm: number): void {
  const refusal = 'nothing was committed; checkFinite: false commits it all the same'
  if (!Number.isFinite(loss)) {
    throw new NonFiniteError(
      `the loss of this mini-batch is ${loss}. Look for too high a learning rate or bad input: ${refusal}.`,
    )
  }
  if (Number.isFinite(gradNorm)) return
  throw new NonFiniteError(
    `the norm of this mini-batch's gradient is ${gradNorm}, though its loss is ${loss}. Look for a function whose ` +
      `derivative is infinite, such as sqrt at 0, or for too high a learning rate: ${refusal}.`,
  )
}
