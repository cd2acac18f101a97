/** What a plan says. How it is found: search.ts; how it is printed: report.ts. */
import type { Rehearsed } from '../device/rehearsal.js'
import type { BytesByCategory } from '../memory/allocator.js'
import type { Shape } from '../tensor/shape.js'
import type { Part } from './split.js'

/** What one rehearsal of a whole step, with micro-batches of one size, has shown. */
export interface Measured extends Rehearsed {
  peakBytes: number
  peakHeldBytes: number
  peakOp: string
  heldAtPeak: BytesByCategory
  /** of the model, without its first axis */
  outputShape: Shape
  /** rows on the first axis of the output, for each sample */
  outputRows: number
  /** what a user should know about this step's mathematics */
  notes: readonly string[]
}

/** 'fit': the largest that fits. A number: at most this many samples. */
export type MicroBatchOption = 'fit' | number

export interface Plan {
  readonly mode: string
  /** samples in the mini-batch */
  readonly batch: number
  /** the largest micro-batch that fits, or what was asked for; never above `batch` */
  readonly microBatch: number
  /** the micro-batches in their order: all of one size, or the larger before those of a sample less */
  readonly parts: readonly Part[]
  readonly budgetBytes: number
  readonly heldBytes: BytesByCategory
  /** budget minus held: what is left for micro-batches */
  readonly remainingBytes: number
  /** what one more sample adds to the peak, on average up to the whole mini-batch, or to the largest that can run */
  readonly bytesPerSample: number
  /** the highest byte that the step will reach; the step is held to it exactly */
  readonly plannedPeakBytes: number
  /** the smallest budget under which this very plan runs */
  readonly neededBudgetBytes: number
  /** the budget that the whole mini-batch in one piece needs; Infinity where the device has no tensors so large */
  readonly wholeBatchBytes: number
  /** the smallest budget under which this mini-batch can run at all */
  readonly minimumBudgetBytes: number
  /** the op at the peak, and what was held there */
  readonly peakOp: string
  readonly heldAtPeak: BytesByCategory
  /** what a user should know about this step's mathematics */
  readonly notes: readonly string[]
  /** of the model, without its first axis */
  readonly outputShape: Shape
  /** rows on the first axis of the output, for each sample */
  readonly outputRows: number
  /** what rehearsing a micro-batch of each of `parts` has shown */
  readonly rehearsals: readonly Measured[]
  toString(): string
}
