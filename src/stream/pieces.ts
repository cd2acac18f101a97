/** The pieces of a mini-batch, and what each counts. */
import { type AnyBatch, samplesIn, sliceBatch } from '../data/batch.js'
import { sumOf } from '../ops/targets.js'
import { EmptyBatchError } from './errors.js'
import type { Plan } from './plan.js'
import type { Program } from './program.js'
import { shapesOf } from './rows.js'
import { userCode } from './user-code.js'
import { checkWeights, weigh } from './weights.js'

/** The first samples of a batch in pieces of these sizes. */
export function cut(batch: AnyBatch, sizes: readonly number[]): AnyBatch[] {
  let start = 0
  return sizes.map((size) => {
    start += size
    return sliceBatch(batch, start - size, size)
  })
}

/** The weight of each piece: see `weigh`. */
export function weighPieces(
  { lossFunction, device }: Program,
  batch: AnyBatch,
  pieces: readonly AnyBatch[],
  plan: Plan,
): number[] {
  userCode("the loss's check", () => lossFunction.check?.(batch.targets, shapesOf(plan, plan.batch)))
  if (batch.weights) checkWeights(device, batch.weights)
  return pieces.map((piece) =>
    userCode("the loss's weight", () =>
      weigh(lossFunction, piece.targets, piece.weights, shapesOf(plan, samplesIn(piece))),
    ),
  )
}

/** The sum of weights. */
export const together = (weights: readonly number[]): number =>
  sumOf({ data: Float64Array.from(weights), shape: [weights.length] })

/** @throws EmptyBatchError  the weight is 0 */
export function checkCounts(weight: number): void {
  if (weight > 0) return
  throw new EmptyBatchError('nothing in this mini-batch counts: every target is ignored, or every weight is zero')
}
