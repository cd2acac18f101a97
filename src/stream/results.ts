/** What training and evaluating give back. */
import type { Part } from './split.js'

/** What a mini-batch adds to its epoch. */
export interface Committed {
  samples: number
  /** mean over the mini-batch's targets */
  loss: number
  /** what its mean counts: its targets, or their weights */
  weight: number
}

export interface StepResult extends Committed {
  epoch: number
  /** mini-batches committed by the optimizer, this one included */
  step: number
  /** its micro-batches */
  parts: readonly Part[]
  /** norm of the gradient of all that the optimizer trains, before clipping */
  gradNorm: number
  peakBytes: number
  plannedPeakBytes: number
  ms: number
}

export interface Evaluation {
  loss: number
  /** share of targets that the largest output names, each counted as in the loss; undefined: see Accuracy in metric.ts */
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
  /** samples learned from per second of training steps; 0 where this call of `fit` had none left to learn from */
  imagesPerSecond: number
}
