/** What a Streamer and its methods are told, and what they give back. */
import type { Dataset } from '../data/index.js'
import type { Module } from '../nn/module.js'
import type { Loss } from '../ops/loss.js'
import type { Optimizer } from '../optim/optimizer.js'
import type { Cursor } from './cursor.js'
import type { MicroBatchOption, Part } from './plan.js'

export interface StreamerOptions {
  model: Module
  /** the mean over its targets; `crossEntropy`, `mse`, ... or your own function */
  loss: Loss
  optimizer: Optimizer
  /** of dropout masks and of the order of the samples, from 0 to 2^32 - 1; default 0 */
  seed?: number
  /** refuse to commit a mini-batch whose loss or gradient is NaN or infinite; default true */
  checkFinite?: boolean
  /** keep a checkpoint after every so many steps; default 1 where the device can lose its values, else 0: none */
  checkpointEvery?: number
}

export interface StepOptions {
  microBatch?: MicroBatchOption
  signal?: AbortSignal
  /** after every micro-batch, and waited for */
  onMicroBatch?: (progress: { done: number; of: number; samples: number }) => void | Promise<void>
}

export interface FitOptions extends StepOptions {
  /** samples in a mini-batch; the last of an epoch may be smaller */
  batch: number
  /** how many this call runs; with `from`: the number of epochs at which training ends. Default 1 */
  epochs?: number
  /** leave out the samples at an epoch's end that do not fill a mini-batch; default false */
  dropLast?: boolean
  /** a new order every epoch, from the streamer's seed; default true; only for indexed data */
  shuffle?: boolean
  /** evaluated after every epoch */
  evaluate?: Dataset
  onEpoch?: (result: EpochResult) => void | Promise<void>
  /** go on from here: a streamer's `cursor`, or `{ epoch }` for the start of one. Default: the next epoch */
  from?: Pick<Cursor, 'epoch'> & Partial<Cursor>
}

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
