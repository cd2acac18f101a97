/** Batch norm layers; formulas and what they save are in ops/batch-norm.ts. */
import type { Device } from '../device/device.js'
import { ANYTHING, checkArgument, NUMBER, options } from '../memory/arguments.js'
import { ArgumentError, showValue } from '../memory/errors.js'
import { batchNorm2d } from '../ops/batch-norm.js'
import { type RunningStatistics, runningUpdates } from '../ops/batch-statistics.js'
import { reshape } from '../ops/movement.js'
import { wholeBatchNorm2d } from '../ops/whole-batch-norm.js'
import { ShapeError } from '../tensor/errors.js'
import { allOrNothing } from '../tensor/scope.js'
import { showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { type CallTotals, type MovesLate, miniBatchOf } from './mini-batch.js'
import { Module, renamed } from './module.js'
import { AFFINE, type AffineOptions, ones, scaleAndShift } from './norms.js'
import { Buffer, type Parameter } from './parameter.js'

/**
 * Which statistics a training forward takes while a streamer splits the mini-batch.
 * - micro: those of each micro-batch; the running ones move once for each
 * - deferred: those of each micro-batch; the running ones move once for each mini-batch, by its statistics
 * - exact: those of the mini-batch, so that a split changes nothing. The step runs in passes, and stores values between
 *   them
 * - frozen: the running ones, without moving them
 * Without a streamer, a call is the whole batch: then micro, deferred and exact are the same.
 */
export type BatchNormPolicy = 'micro' | 'deferred' | 'exact' | 'frozen'

const NOTES: Readonly<Record<BatchNormPolicy, string>> = {
  micro: "batch norm (micro): each micro-batch is normalised by its own statistics, so the micro-batch's size matters",
  deferred:
    "batch norm (deferred): each micro-batch is normalised by its own statistics, so the micro-batch's size matters; " +
    'running statistics move once, by those of the mini-batch',
  exact:
    'batch norm (exact): every sample is normalised by the statistics of the mini-batch, so a split changes nothing',
  frozen: 'batch norm (frozen): running statistics are used and not updated, so a split changes nothing',
}

export const BATCH_NORM_POLICIES = Object.keys(NOTES) as readonly BatchNormPolicy[]

/** @throws ArgumentError  not a policy */
function checkPolicy(name: string, policy: unknown): asserts policy is BatchNormPolicy {
  if (typeof policy === 'string' && Object.hasOwn(NOTES, policy)) return
  throw new ArgumentError(`${name}: there is no policy ${showValue(policy)}: use ${BATCH_NORM_POLICIES.join(', ')}`)
}

export interface BatchNormLayerOptions extends AffineOptions {
  /** the share of a batch's statistics in the running ones, in [0, 1]; default 0.1 */
  momentum?: number
  /** default 'deferred' */
  policy?: BatchNormPolicy
}

const OPTIONS = options<BatchNormLayerOptions>({ ...AFFINE, momentum: NUMBER, policy: ANYTHING })

/** What the batch norms of all shapes share. */
abstract class BatchNorm extends Module implements MovesLate {
  override streamingNote: string
  weight: Parameter | null
  bias: Parameter | null
  readonly runningMean: Buffer
  readonly runningVar: Buffer
  readonly numBatchesTracked: Buffer
  #policy: BatchNormPolicy
  readonly #name: string
  readonly #momentum: number
  readonly #eps: number

  constructor(name: string, device: Device, channels: number, options: BatchNormLayerOptions) {
    super(device)
    checkArgument(name, 'channels', channels, NUMBER)
    checkArgument(name, 'options', options, OPTIONS)
    const { eps = 1e-5, affine = true, momentum = 0.1, policy = 'deferred' } = options
    if (!(momentum >= 0 && momentum <= 1)) throw new ArgumentError(`${name}: momentum ${momentum} is outside [0, 1]`)
    checkPolicy(name, policy)
    this.#name = name
    this.#policy = policy
    this.streamingNote = NOTES[policy]
    this.#momentum = momentum
    this.#eps = eps
    const shape = [channels]
    const made = allOrNothing(device, () => ({
      affine: scaleAndShift(device, shape, affine),
      mean: new Buffer(device, shape),
      variance: new Buffer(device, shape, ones(shape)),
      count: new Buffer(device, []),
    }))
    ;[this.weight, this.bias] = made.affine
    this.runningMean = made.mean
    this.runningVar = made.variance
    this.numBatchesTracked = made.count
  }

  /** It can be set between steps. @throws ArgumentError  not a policy */
  get policy(): BatchNormPolicy {
    return this.#policy
  }

  set policy(policy: BatchNormPolicy) {
    checkPolicy(this.#name, policy)
    this.#policy = policy
    this.streamingNote = NOTES[policy]
  }

  /** @param x  [N, C, H, W] */
  protected normalized(x: Tensor): Tensor {
    const { weight, bias } = this
    const eps = this.#eps
    if (!this.training || this.#policy === 'frozen') {
      const frozen = { mean: this.runningMean.value, variance: this.runningVar.value }
      return batchNorm2d(x, weight, bias, { eps, frozen })
    }
    const miniBatch = this.#policy === 'micro' ? null : miniBatchOf(this.device)
    if (!miniBatch) {
      const y = batchNorm2d(x, weight, bias, { eps, running: this.#running() })
      this.#count(1)
      return y
    }
    const { samples, before, all } = miniBatch
    const channels = this.runningMean.value.size
    const perSample = x.size / (channels * samples)
    const { mean, variance, sums } = miniBatch.totalsFor(this, { channels, perSample, sums: this.#policy === 'exact' })
    const merged = { mean, variance, share: samples / (before + samples) }
    if (!sums || samples === all) return batchNorm2d(x, weight, bias, { eps, merged })
    return wholeBatchNorm2d(x, weight, bias, { eps, whole: { ...merged, ...sums }, count: all * perSample })
  }

  endMiniBatch(calls: readonly CallTotals[]): void {
    for (const { mean, variance, values } of calls) {
      this.device.op = this.#name
      const merged = [mean, variance].map((total) => total.storage(this.#name))
      this.device.commit(runningUpdates(this.#running(), values, merged))
    }
    this.#count(calls.length)
  }

  /** Asked for only where they move: see Buffer. */
  #running(): RunningStatistics {
    return { mean: this.runningMean.target, variance: this.runningVar.target, momentum: this.#momentum }
  }

  #count(batches: number): void {
    this.device.update({
      kernel: 'unary',
      parameters: { size: 1, function: 'affine', a: 1, b: batches },
      targets: [this.numBatchesTracked.target.storage(this.#name)],
      inputs: [],
    })
  }

  protected override members(): Iterable<readonly [string, unknown]> {
    return renamed(super.members(), PYTORCH_NAMES)
  }
}

const PYTORCH_NAMES: Readonly<Record<string, string>> = {
  runningMean: 'running_mean',
  runningVar: 'running_var',
  numBatchesTracked: 'num_batches_tracked',
}

/**
 * Normalises each channel over samples and pixels: [N, C, H, W]. weight [C], bias [C]; buffers running_mean, running_var
 * (the unbiased estimate, as in PyTorch) and num_batches_tracked.
 *
 * Evaluation normalises by the running statistics. Training moves them as the policy says; see Buffer for where the
 * updates go until the commit.
 * @throws  the errors of `new Parameter`
 * @throws ArgumentError  momentum outside [0, 1], or an unknown policy
 */
export class BatchNorm2d extends BatchNorm {
  constructor(device: Device, channels: number, options: BatchNormLayerOptions = {}) {
    super('BatchNorm2d', device, channels, options)
  }

  /** @throws ShapeError  x is not [N, C, H, W], or has one value for each channel in training */
  forward(x: Tensor): Tensor {
    return this.normalized(x)
  }
}

/**
 * BatchNorm2d for [N, C], and for sequences [N, C, L].
 * @throws  the errors of `new BatchNorm2d`
 */
export class BatchNorm1d extends BatchNorm {
  constructor(device: Device, channels: number, options: BatchNormLayerOptions = {}) {
    super('BatchNorm1d', device, channels, options)
  }

  /** @throws ShapeError  x is not [N, C] or [N, C, L], or has one value for each channel in training */
  forward(x: Tensor): Tensor {
    const { shape } = x
    if (shape.length !== 2 && shape.length !== 3) {
      throw new ShapeError(`BatchNorm1d: the input ${showShape(shape)} must be [N, C] or [N, C, L]`)
    }
    const [samples, channels, length = 1] = shape
    return reshape(this.normalized(reshape(x, [samples, channels, 1, length])), shape)
  }
}

/** Give every batch norm of a model this policy. @throws ArgumentError  not a policy */
export function setBatchNormPolicy(model: Module, policy: BatchNormPolicy): void {
  checkPolicy('setBatchNormPolicy', policy)
  for (const module of model.modules()) if (module instanceof BatchNorm) module.policy = policy
}
