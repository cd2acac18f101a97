/** Layer norm and group norm, whose formulas are in ops/norm.ts, and RMS norm, made of other ops. Batch norm: batch-norm.ts. */
import type { Device } from '../device/device.js'
import { BOOLEAN, door, either, type Known, LIST, NUMBER, options } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { add, mul } from '../ops/binary.js'
import { groupNorm, layerNorm, type NormOptions } from '../ops/norm.js'
import { mean } from '../ops/reduce.js'
import { pow, square } from '../ops/unary.js'
import { ShapeError } from '../tensor/errors.js'
import { allOrNothing } from '../tensor/scope.js'
import { ownShape, type Shape, sameShape, showShape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { Module } from './module.js'
import { Parameter } from './parameter.js'

export interface AffineOptions extends NormOptions {
  /** learn a scale (weight, from 1) and a shift (bias, from 0); default true */
  affine?: boolean
}

export const ones = (shape: Shape) => (): Float32Array => new Float32Array(sizeOf(shape)).fill(1)

/** weight, from 1, and bias, from 0 */
export function scaleAndShift(device: Device, shape: Shape, affine: boolean): [Parameter, Parameter] | [null, null] {
  if (!affine) return [null, null]
  return allOrNothing(device, () => [new Parameter(device, shape, ones(shape)), new Parameter(device, shape)])
}

export const AFFINE: Known<AffineOptions> = { eps: NUMBER, affine: BOOLEAN }

const checkLayerNorm = door('LayerNorm', { normalizedShape: either(NUMBER, LIST), options: options(AFFINE) })

/**
 * Normalises each sample over its last axes: [N, ..., ...axes]. weight and bias have the shape of those axes.
 * @param normalizedShape  the last axes; a number is the last axis alone
 * @throws  the errors of `new Parameter`
 */
export class LayerNorm extends Module {
  weight: Parameter | null
  bias: Parameter | null
  readonly #normalizedShape: Shape
  readonly #eps: number

  constructor(device: Device, normalizedShape: number | Shape, options: AffineOptions = {}) {
    super(device)
    checkLayerNorm([normalizedShape, options])
    const { eps = 1e-5, affine = true } = options
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

const checkRMSNorm = door('RMSNorm', { normalizedShape: either(NUMBER, LIST), options: options(AFFINE) })

/**
 * x / sqrt(mean of x^2 + eps) weight, the mean over the last axes of each sample. weight has the shape of those axes; there is no
 * bias. B. Zhang, R. Sennrich, arXiv:1910.07467.
 * @param normalizedShape  the last axes; a number is the last axis alone
 * @param options.eps      default 2^-23, PyTorch's
 * @throws  the errors of `new Parameter`
 */
export class RMSNorm extends Module {
  weight: Parameter | null
  readonly #normalizedShape: Shape
  readonly #eps: number

  constructor(device: Device, normalizedShape: number | Shape, options: AffineOptions = {}) {
    super(device)
    checkRMSNorm([normalizedShape, options])
    const { eps = 2 ** -23, affine = true } = options
    const shape = ownShape('RMSNorm', typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape)
    this.#normalizedShape = shape
    this.#eps = eps
    this.weight = affine ? new Parameter(device, shape, ones(shape)) : null
  }

  /** @throws ShapeError  x does not end in those axes */
  forward(x: Tensor): Tensor {
    const last = this.#normalizedShape.length
    if (x.rank < last || !sameShape(x.shape.slice(x.rank - last), this.#normalizedShape)) {
      throw new ShapeError(`RMSNorm: ${showShape(x.shape)} does not end in ${showShape(this.#normalizedShape)}`)
    }
    const axes = this.#normalizedShape.map((_, i) => -1 - i)
    const y = mul(x, pow(add(mean(square(x), axes, { keepDims: true }), this.#eps), -0.5))
    return this.weight ? mul(y, this.weight) : y
  }
}

const checkGroupNorm = door('GroupNorm', { groups: NUMBER, channels: NUMBER, options: options(AFFINE) })

/**
 * Normalises each sample over each group of its channels: [N, C, ...]. weight [C], bias [C].
 * @throws  the errors of `new Parameter`
 * @throws ArgumentError  groups that do not divide the channels
 */
export class GroupNorm extends Module {
  weight: Parameter | null
  bias: Parameter | null
  readonly #groups: number
  readonly #eps: number

  constructor(device: Device, groups: number, channels: number, options: AffineOptions = {}) {
    super(device)
    checkGroupNorm([groups, channels, options])
    const { eps = 1e-5, affine = true } = options
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
