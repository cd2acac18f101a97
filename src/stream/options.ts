/** The options and results of a Streamer and its methods. */
import type { AnySource } from '../data/index.js'
import { type ByteSize, parseBytes } from '../memory/bytes.js'
import { ArgumentError, showValue } from '../memory/errors.js'
import type { AnyModule } from '../nn/module.js'
import type { Loss } from '../ops/loss.js'
import type { Optimizer } from '../optim/optimizer.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Cursor } from './cursor.js'
import type { Elsewhere } from './elsewhere.js'
import type { Metrics } from './metric.js'
import type { GradientNoise } from './noise.js'
import type { MicroBatchOption, Part } from './plan.js'

/**
 * May a step drop values after the forward and make them again for the backward, if not everything fits?
 * - 'never'
 * - 'cheap': the largest micro-batch that fits with at most 3 % more time, as predicted; if the whole mini-batch fits
 *   as it is, nothing is made again
 * - 'needed': like 'cheap', but if no micro-batch would fit, with as much extra time as that takes
 * - a number: like 'cheap' with this share of time, 0.15 for 15 %
 */
export type Recompute = 'never' | 'cheap' | 'needed' | number

export interface StreamerOptions<Outputs = Tensor, Targets = Tensor> {
  /** its forward gets the inputs of a batch: a list as `forward(a, b)`, everything else as one argument */
  model: AnyModule & { forward(...inputs: never[]): Outputs }
  /** a mean over targets: `crossEntropy`, `mse`, ... or your own function */
  loss: Loss<Outputs, Targets>
  optimizer: Optimizer
  /** seed of dropout masks and of the order of the samples, from 0 to 2^32 - 1; default 0 */
  seed?: number
  /** default 'cheap' */
  recompute?: Recompute
  /**
   * bytes of the host for what waits between the passes of a step that uses values of the whole mini-batch, '512MiB'.
   * Default: the store takes a part of the device's budget
   */
  store?: ByteSize
  /** refuse to commit a mini-batch whose loss or gradient is NaN or infinite; default true */
  checkFinite?: boolean
  /**
   * measure the noise of the gradient in steps of several micro-batches: one more norm a step, which takes no byte. Default
   * true
   */
  noise?: boolean
  /**
   * called and awaited before each commit with what is known of the gradient of the whole mini-batch, before clipping: to log
   * it, or to throw, which commits nothing. It is called before `checkFinite` looks, and changes no value. Takes 8 bytes for
   * each parameter, rounded up by the allocator, as part of every plan. Default: none
   */
  onGradients?: (gradients: Gradients) => void | Promise<void>
  /** keep a checkpoint after this many steps, 0: never; default 1 if the device can lose its values, else 0 */
  checkpointEvery?: number
}

/** The gradient of a mini-batch. */
export interface Gradients {
  /** the loss of the mini-batch */
  readonly loss: number
  /** the norm of the whole gradient, as in the result of the step */
  readonly gradNorm: number
  /** the norm of the gradient of each trained parameter, by its name in the model; frozen ones are left out */
  readonly norms: ReadonlyMap<string, number>
}

export interface StepOptions {
  microBatch?: MicroBatchOption
  signal?: AbortSignal
  /** called and awaited after every micro-batch */
  onMicroBatch?: (progress: { done: number; of: number; samples: number }) => void | Promise<void>
  /**
   * computes the gradients of the micro-batches elsewhere, as `sluice/cluster` does; `microBatch` is then the samples of a
   * range. Evaluation and prediction stay on this device
   */
  elsewhere?: Elsewhere
}

/**
 * The factor on the learning rate when the mini-batch grows: 'none' is 1, 'linear' is batch / from, 'sqrt' is the square
 * root of batch / from.
 */
export type RateRule = 'none' | 'linear' | 'sqrt'

/** The sizes of a mini-batch that grows. */
export interface GrowingBatch {
  /** the first size; default 16, or all samples where there are fewer */
  from?: number
  /** the largest size; default all samples of the data set */
  to?: number
  /** default 'none' */
  learningRate?: RateRule
}

export type { Elsewhere, Place, Range, RangeResult, StepElsewhere } from './elsewhere.js'

export type PredictOptions = Omit<StepOptions, 'elsewhere'>

export interface EvaluateOptions extends PredictOptions {
  /** the most samples on the host at a time; default 2048, or fewer if they have more than 2^24 numbers */
  batch?: number
  /** measures of your own, each made anew for this evaluation: `{ topFive: () => new TopFive() }` */
  metrics?: Metrics
}

/** Why a mini-batch teaches nothing: no target of it counts, or its loss or gradient is NaN or infinite. */
export type Unlearned = 'empty' | 'nonFinite'

export interface FitOptions extends StepOptions {
  /**
   * samples in a mini-batch; the last of an epoch may be smaller. 'auto' begins small and grows with the gradient noise
   * scale; an object sets its sizes and the rule for the learning rate. Each mini-batch goes in at least two micro-batches,
   * because the measurement needs two
   */
  batch: number | 'auto' | GrowingBatch
  /** how many epochs this call runs; with `from`, the epoch at which training ends. Default 1 */
  epochs?: number
  /** leave out the samples at an epoch's end that do not fill a mini-batch; default false */
  dropLast?: boolean
  /** shuffle a data set again for every epoch, by the seed of the streamer; default true; chunks are not shuffled */
  shuffle?: boolean
  /** evaluated after every epoch: any source, as training takes it */
  evaluate?: AnySource
  /** measures of your own for these evaluations, as `evaluate` takes them */
  metrics?: Metrics
  /**
   * pass over mini-batches that teach nothing, instead of ending with an error; the cursor moves, the optimizer and its
   * schedule do not. Default: none
   */
  skip?: readonly Unlearned[]
  /** called and awaited after every epoch; if it returns false, or a Promise of it, the training ends */
  onEpoch?: (result: EpochResult) => unknown
  /**
   * the position to go on from: the `cursor` of a streamer, or `{ epoch }` for the start of an epoch. Default: the next
   * epoch
   */
  from?: Pick<Cursor, 'epoch'> & Partial<Cursor>
}

/** The part of a mini-batch's result that its epoch needs. */
export interface Committed {
  samples: number
  /** mean over the mini-batch's targets */
  loss: number
  /** the total weight of its targets */
  weight: number
}

export interface StepResult extends Committed {
  epoch: number
  /** mini-batches committed by the optimizer, this one included */
  step: number
  /** the micro-batches it was split into */
  parts: readonly Part[]
  /** norm of the gradient of all trained parameters, before clipping */
  gradNorm: number
  /** what this step tells of the gradient's noise; null for a single micro-batch, which tells nothing */
  noise: GradientNoise | null
  /**
   * the gradient noise scale in samples, from about the last 40 steps: see noise.ts. null before the first step of several
   * micro-batches; Infinity where the gradient drowns in noise
   */
  noiseScale: number | null
  peakBytes: number
  plannedPeakBytes: number
  ms: number
}

export interface Evaluation {
  loss: number
  /** the share of targets that equal the class with the largest output; undefined: see Accuracy in metric.ts */
  accuracy: number | undefined
  /** the values of the metrics that were asked for */
  metrics: Readonly<Record<string, number | undefined>>
  samples: number
  peakBytes: number
  plannedPeakBytes: number
  ms: number
}

export interface EpochResult {
  epoch: number
  /** mean loss over the targets of the epoch, each measured when it was learned from; NaN if there was none */
  trainLoss: number
  /** the mini-batches that `skip` passed over, since this call began or went on with the epoch */
  skipped: Readonly<Record<Unlearned, number>>
  /** result on the data set given as `evaluate` */
  evaluation: Evaluation | undefined
  /** the gradient noise scale in samples, from all steps of the epoch; null as in a step */
  noiseScale: number | null
  /** samples per second of training steps; 0 if no sample of the epoch was left to learn from */
  imagesPerSecond: number
}

/** The options that plans depend on. */
export interface Planning {
  readonly recompute: Recompute
  /** the budget of the store, or null: it takes a part of the device's */
  readonly storeLimit: number | null
}

/** @throws ArgumentError  not a setting of `recompute` or `store` */
export function planningOf({ recompute = 'cheap', store }: Pick<StreamerOptions, 'recompute' | 'store'>): Planning {
  const planning = { recompute, storeLimit: store === undefined ? null : parseBytes(store) }
  if (recompute === 'never' || recompute === 'cheap' || recompute === 'needed') return planning
  if (typeof recompute === 'number' && recompute >= 0 && recompute < Infinity) return planning
  throw new ArgumentError(
    `Streamer: recompute ${showValue(recompute)} must be 'never', 'cheap', 'needed', or the share of time that it may take, 0.15 for 15 %`,
  )
}

/**
 * The options of the evaluations of a fit. With `elsewhere`, `microBatch` is the size of a range, so it does not hold for
 * them.
 */
export function evaluationOf({ microBatch, signal, onMicroBatch, metrics, elsewhere }: FitOptions): EvaluateOptions {
  return { microBatch: elsewhere ? 'fit' : microBatch, signal, onMicroBatch, metrics }
}
