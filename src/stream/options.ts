/** What a Streamer and its methods can be told. */
import type { Dataset } from '../data/index.js'
import type { Module } from '../nn/module.js'
import type { Loss } from '../ops/loss.js'
import type { Optimizer } from '../optim/optimizer.js'
import type { MicroBatchOption } from './plan.js'
import type { Cursor, EpochResult } from './results.js'

export interface StreamerOptions {
  model: Module
  /** the mean over its targets; `crossEntropy`, `mse`, ... or your own function */
  loss: Loss
  optimizer: Optimizer
  /** of dropout masks; default 0 */
  seed?: number
  /** refuse to commit a mini-batch whose loss is NaN or infinite; default true */
  checkFinite?: boolean
  /** keep a checkpoint after every so many steps; default 1 where the device can lose its values, else 0: none */
  checkpointEvery?: number
}

export interface StepOptions {
  microBatch?: MicroBatchOption
  signal?: AbortSignal
  /** after every micro-batch */
  onMicroBatch?: (progress: { done: number; of: number; samples: number }) => void
}

export interface FitOptions extends StepOptions {
  /** samples in a mini-batch; the last of an epoch may be smaller */
  batch: number
  /** default 1 */
  epochs?: number
  /** a new order every epoch, from the streamer's seed; default true; only for indexed data */
  shuffle?: boolean
  /** evaluated after every epoch */
  evaluate?: Dataset
  onEpoch?: (result: EpochResult) => void | Promise<void>
  /** where to begin: the `cursor` after the last commit; default the beginning */
  from?: Cursor
}
