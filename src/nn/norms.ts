/** Layer norm and group norm; formulas and what they save are in ops/norm.ts. Batch norm: batch-norm.ts. */
import type { Device } from '../device/device.js'
import { BOOLEAN, door, either, type Known, LIST, NUMBER, options } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { groupNorm, layerNorm, type NormOptions } from '../ops/norm.js'
import { allOrNothing } from '../tensor/scope.js'
import { ownShape, type Shape, sizeOf } from '../tensor/shape.js'
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
