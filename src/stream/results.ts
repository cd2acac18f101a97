/** What training and evaluating give back. */
import type { Part } from './split.js'

export interface StepResult {
  epoch: number
  /** mini-batches committed by the optimizer, this one included */
  step: number
  samples: number
  /** its micro-batches */
  parts: readonly Part[]
  /** mean over the mini-batch's targets */
  loss: number
  /** what its mean counts: its targets, or their weights */
  weight: number
  peakBytes: number
  plannedPeakBytes: number
  ms: number
}

export interface Evaluation {
  loss: number
  /** share of targets that the largest output names; undefined unless targets are class indices */
  accuracy: number | undefined
  samples: number
  peakBytes: number
  plannedPeakBytes: number
  ms: number
}

export interface EpochResult {
  epoch: number
  /** mean over the epoch's targets, each at the time it was learned from */
  trainLoss: number
  /** of the data set given as `evaluate` */
  evaluation: Evaluation | undefined
  /** samples learned from per second of training steps */
  imagesPerSecond: number
}

/** How far training has got: whole epochs, and mini-batches committed in the one that is running. */
export interface Cursor {
  readonly epoch: number
  readonly miniBatches: number
}
