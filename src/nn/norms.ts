/** Normalisation layers; formulas and what they save are in ops/norm.ts. */
import type { Device } from '../device/device.js'
import { ArgumentError } from '../memory/errors.js'
import { batchNorm2d, groupNorm, layerNorm, type NormOptions } from '../ops/norm.js'
import { allOrNothing } from '../tensor/scope.js'
import { ownShape, type Shape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { Module, renamed } from './module.js'
import { Buffer, Parameter } from './parameter.js'

export interface AffineOptions extends NormOptions {
  /** learn a scale (weight, from 1) and a shift (bias, from 0); default true */
  affine?: boolean
}

const ones = (shape: Shape) => (): Float32Array => new Float32Array(sizeOf(shape)).fill(1)

function scaleAndShift(device: Device, shape: Shape, affine: boolean): [Parameter, Parameter] | [null, null] {
  if (!affine) return [null, null]
  return allOrNothing(device, () => [new Parameter(device, shape, ones(shape)), new Parameter(device, shape)])
}

/** Normalises each sample over its last axes: [N, ..., ...axes]. weight and bias have the shape of those axes. */
export class LayerNorm extends Module {
  readonly weight: Parameter | null
  readonly bias: Parameter | null
  readonly #normalizedShape: Shape
  readonly #eps: number

  /**
   * @param normalizedShape  the last axes; a number is the last axis alone
   * Throws the errors of `new Parameter`.
   */
  constructor(device: Device, normalizedShape: number | Shape, { eps = 1e-5, affine = true }: AffineOptions = {}) {
    super(device)
    this.#normalizedShape = ownShape(
      'LayerNorm',
      typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape,
    )
    this.#eps = eps
    ;[this.weight, this.bias] = scaleAndShift(device, this.#normalizedShape, affine)
  }

  /** @throws ShapeError  x does not end in those axes */
  forward(x: Tensor): Tensor {
    return layerNorm(x, this.weight, this.bias, { normalizedShape: this.#normalizedShape, eps: this.#eps })
  }
}

/** Normalises each sample over each group of its channels: [N, C, ...]. weight [C], bias [C]. */
export class GroupNorm extends Module {
  readonly weight: Parameter | null
  readonly bias: Parameter | null
  readonly #groups: number
  readonly #eps: number

  /**
   * Throws the errors of `new Parameter`, and
   * @throws ArgumentError  groups that do not divide the channels
   */
  constructor(device: Device, groups: number, channels: number, { eps = 1e-5, affine = true }: AffineOptions = {}) {
    super(device)
    if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
      throw new ArgumentError(`GroupNorm: ${groups} groups do not divide ${channels} channels`)
    }
    this.#groups = groups
    this.#eps = eps
    ;[this.weight, this.bias] = scaleAndShift(device, [channels], affine)
  }

  /** @throws ShapeError  x is not [N, C, ...] */
  forward(x: Tensor): Tensor {
    return groupNorm(x, this.#groups, this.weight, this.bias, { eps: this.#eps })
  }
}

/**
 * Which statistics a training forward uses. micro: those of each micro-batch, so the result depends on how a mini-batch
 * is split. frozen: the running ones, without updating them.
 */
export type BatchNormPolicy = 'micro' | 'frozen'

export interface BatchNormLayerOptions extends AffineOptions {
  /** the share of a micro-batch's statistics in the running ones, in [0, 1]; default 0.1 */
  momentum?: number
  /** default 'micro' */
  policy?: BatchNormPolicy
}

/**
 * Normalises each channel over samples and pixels: [N, C, H, W]. weight [C], bias [C]; buffers running_mean, running_var
 * (the unbiased estimate, as in PyTorch) and num_batches_tracked, which counts micro-batches.
 *
 * Evaluation normalises by the running statistics. Training updates them once for each micro-batch; see Buffer for
 * where the updates go until the commit.
 */
export class BatchNorm2d extends Module {
  override readonly streamingNote: string
  readonly weight: Parameter | null
  readonly bias: Parameter | null
  readonly runningMean: Buffer
  readonly runningVar: Buffer
  readonly numBatchesTracked: Buffer
  readonly policy: BatchNormPolicy
  readonly #momentum: number
  readonly #eps: number

  /**
   * Throws the errors of `new Parameter`, and
   * @throws ArgumentError  momentum outside [0, 1], or an unknown policy
   */
  constructor(device: Device, channels: number, options: BatchNormLayerOptions = {}) {
    super(device)
    const { eps = 1e-5, affine = true, momentum = 0.1, policy = 'micro' } = options
    if (!(momentum >= 0 && momentum <= 1))
      throw new ArgumentError(`BatchNorm2d: momentum ${momentum} is outside [0, 1]`)
    if (policy !== 'micro' && policy !== 'frozen') {
      throw new ArgumentError(`BatchNorm2d: there is no policy '${policy}': use micro or frozen`)
    }
    this.policy = policy
    this.streamingNote =
      policy === 'micro'
        ? "batch norm (micro): each micro-batch is normalised by its own statistics, so the micro-batch's size matters"
        : 'batch norm (frozen): running statistics are used and not updated, so a split changes nothing'
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

  /** @throws ShapeError  x is not [N, C, H, W], or has one value for each channel in training */
  forward(x: Tensor): Tensor {
    const { runningMean: mean, runningVar: variance, weight, bias } = this
    const eps = this.#eps
    if (!this.training || this.policy === 'frozen') {
      return batchNorm2d(x, weight, bias, { eps, frozen: { mean: mean.value, variance: variance.value } })
    }
    const running = { mean: mean.target, variance: variance.target, momentum: this.#momentum }
    const y = batchNorm2d(x, weight, bias, { eps, running })
    this.device.update({
      kernel: 'unary',
      parameters: { size: 1, function: 'affine', a: 1, b: 1 },
      targets: [this.numBatchesTracked.target.storage('BatchNorm2d')],
      inputs: [],
    })
    return y
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
