/**
 * A step whose gradients are computed elsewhere, by other devices or machines.
 *
 * Note [Ranges]
 *   The gradient of a mini-batch is a sum over its samples, weighted. So it can be cut into ranges of samples, and it does not
 *   matter who computes the sums of a range. Each range begins with zeros, and the sums are added in the order of the samples.
 *   So the bits depend on how the mini-batch is cut, and not on who computes what, or when.
 */
import type { Floats } from '../../kernels/kernels.js'
import type { AnyBatch } from '../data/batch.js'

/** Where a range of samples belongs, and how it is computed. */
export interface Place {
  /** the seed of the streamer that learns, and the steps that it has made, on which dropout masks depend */
  readonly seed: number
  readonly step: number
  /** the number of samples in the mini-batch before the range */
  readonly firstSample: number
  /** the weight of all targets of the mini-batch */
  readonly weight: number
  /** the most samples of a micro-batch */
  readonly microBatch: number
}

/** What the samples of a range add to a step. */
export interface RangeResult {
  /** the loss, as a sum and what rounding left out of it; the gradient of each parameter; moments of batch norms */
  readonly sums: Floats
  /** the weight of the targets of the range */
  readonly weight: number
  readonly peakBytes: number
  readonly plannedPeakBytes: number
  readonly ms: number
}

/** A part of a mini-batch. */
export interface Range {
  readonly firstSample: number
  readonly samples: AnyBatch
  readonly weight: number
}

/** A mini-batch that is cut into ranges. */
export interface StepElsewhere {
  readonly seed: number
  readonly step: number
  readonly weight: number
  readonly ranges: readonly Range[]
  /** how many numbers the sums of a range are */
  readonly size: number
  readonly signal?: AbortSignal
}

/** Gives the sums of each range, in order. An array may be used again for the next range. */
export type Elsewhere = (step: StepElsewhere) => AsyncIterable<Floats>
