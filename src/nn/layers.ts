/** Layers with weights, pooling, dropout and flatten. Normalisation is in norms.ts. */
import type { Device } from '../device/device.js'
import { ANYTHING, BOOLEAN, door, FUNCTION, type Known, NUMBER, optional, options } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { type ConvolutionOptions, conv2d } from '../ops/conv.js'
import { convTranspose2d, type TransposedConvolutionOptions } from '../ops/conv-transpose.js'
import { dropout } from '../ops/dropout.js'
import { embedding } from '../ops/embedding.js'
import { linear } from '../ops/matmul.js'
import { flatten } from '../ops/movement.js'
import { type AveragePoolOptions, averagePool2d, type MaxPoolOptions, maxPool2d } from '../ops/pool.js'
import { CONVOLUTION, convolutionSides, maxPoolSides, poolSides, type Sides, sides } from '../ops/window.js'
import { allOrNothing } from '../tensor/scope.js'
import type { Shape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { defaultRandom, fans, kaimingUniform, normal, type Random, uniform } from './init.js'
import { Module } from './module.js'
import { Parameter } from './parameter.js'

export interface WeightOptions {
  /** default true */
  bias?: boolean
  /** draws the initial values; default one generator for each device, with seed 0 */
  random?: Random
}

export const WEIGHT: Known<WeightOptions> = { bias: BOOLEAN, random: FUNCTION }

export interface DrawnWeightOptions extends WeightOptions {
  /** the initial values of the weight, such as nn.kaimingNormal; default nn.kaimingUniform */
  initial?: (shape: Shape, random: Random) => Float32Array
}

const DRAWN: Known<DrawnWeightOptions> = { ...WEIGHT, initial: FUNCTION }

/** Weight and bias, both U(-b, b) with b = 1 / sqrt(fanIn), as PyTorch draws them, unless `initial` draws the weight. */
export function weightAndBias(
  device: Device,
  shape: Shape,
  options: DrawnWeightOptions,
  outputs = shape[0],
): [Parameter, Parameter | null] {
  const {
    bias = true,
    random = defaultRandom(device),
    initial = (shape, random) => kaimingUniform(shape, random),
  } = options
  const bound = 1 / Math.sqrt(fans(shape).fanIn)
  const biasShape = [outputs]
  return allOrNothing(device, () => [
    new Parameter(device, shape, () => initial(shape, random)),
    bias ? new Parameter(device, biasShape, () => uniform(biasShape, random, -bound, bound)) : null,
  ])
}

const checkLinear = door('Linear', { inFeatures: NUMBER, outFeatures: NUMBER, options: options(DRAWN) })

/**
 * y = x weight^T + bias: [..., in] -> [..., out]. weight [out, in], bias [out].
 * @throws  the errors of `new Parameter`
 */
export class Linear extends Module {
  weight: Parameter
  bias: Parameter | null

  constructor(device: Device, inFeatures: number, outFeatures: number, options: DrawnWeightOptions = {}) {
    super(device)
    checkLinear([inFeatures, outFeatures, options])
    ;[this.weight, this.bias] = weightAndBias(device, [outFeatures, inFeatures], options)
  }

  /** @throws ShapeError  x's last axis is not `in` */
  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias)
  }
}

/** The options of a pooling layer, whose kernel is an argument. */
const WINDOW = { stride: ANYTHING, padding: ANYTHING, ceilMode: BOOLEAN }

export function checkGroups(layer: string, groups: number, inChannels: number, outChannels: number): void {
  if (Number.isInteger(groups) && groups > 0 && inChannels % groups === 0 && outChannels % groups === 0) return
  throw new ArgumentError(`${layer}: ${groups} groups do not divide ${inChannels} and ${outChannels} channels`)
}

const checkConvolution = door('Conv2d', {
  inChannels: NUMBER,
  outChannels: NUMBER,
  kernel: ANYTHING,
  options: options({ ...CONVOLUTION, ...DRAWN }),
})

/**
 * Cross-correlation: [N, in, H, W] -> [N, out, OH, OW]. weight [out, in / groups, KH, KW], bias [out].
 * @throws  the errors of `new Parameter`
 * @throws ArgumentError  groups that do not divide the channels, a kernel below 1
 */
export class Conv2d extends Module {
  weight: Parameter
  bias: Parameter | null
  readonly #options: Required<ConvolutionOptions>

  constructor(
    device: Device,
    inChannels: number,
    outChannels: number,
    kernel: Sides,
    options: ConvolutionOptions & DrawnWeightOptions = {},
  ) {
    super(device)
    checkConvolution([inChannels, outChannels, kernel, options])
    const { bias, random, initial, stride = 1, padding = 0, dilation = 1, groups = 1 } = options
    checkGroups('Conv2d', groups, inChannels, outChannels)
    this.#options = convolutionSides('Conv2d', { stride, padding, dilation, groups })
    const shape = [outChannels, inChannels / groups, ...sides('Conv2d', 'kernel', kernel, 1)]
    ;[this.weight, this.bias] = weightAndBias(device, shape, { bias, random, initial })
  }

  /** @throws ShapeError  x is not [N, in, H, W], or is smaller than the kernel */
  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, this.#options)
  }
}

const checkTransposed = door('ConvTranspose2d', {
  inChannels: NUMBER,
  outChannels: NUMBER,
  kernel: ANYTHING,
  options: options({ ...CONVOLUTION, ...WEIGHT, outputPadding: ANYTHING }),
})

/**
 * Transposed convolution: [N, in, H, W] -> [N, out, OH, OW]. weight [in, out / groups, KH, KW], bias [out].
 * @throws  the errors of `new Parameter`
 * @throws ArgumentError  groups that do not divide the channels, a kernel below 1
 */
export class ConvTranspose2d extends Module {
  weight: Parameter
  bias: Parameter | null
  readonly #options: Required<TransposedConvolutionOptions>

  constructor(
    device: Device,
    inChannels: number,
    outChannels: number,
    kernel: Sides,
    options: TransposedConvolutionOptions & WeightOptions = {},
  ) {
    super(device)
    checkTransposed([inChannels, outChannels, kernel, options])
    const { bias, random, stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 } = options
    checkGroups('ConvTranspose2d', groups, inChannels, outChannels)
    this.#options = {
      outputPadding: sides('ConvTranspose2d', 'outputPadding', outputPadding, 0),
      ...convolutionSides('ConvTranspose2d', { stride, padding, dilation, groups }),
    }
    const shape = [inChannels, outChannels / groups, ...sides('ConvTranspose2d', 'kernel', kernel, 1)]
    ;[this.weight, this.bias] = weightAndBias(device, shape, { bias, random }, outChannels)
  }

  /** @throws ShapeError  x is not [N, in, H, W] */
  forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight, this.bias, this.#options)
  }
}

const checkEmbedding = door('Embedding', { entries: NUMBER, width: NUMBER, options: options({ random: FUNCTION }) })

/**
 * Looks up rows of a table: whole numbers [...] -> [..., width]. weight [entries, width], drawn from N(0, 1).
 * @throws  the errors of `new Parameter`
 */
export class Embedding extends Module {
  weight: Parameter

  constructor(device: Device, entries: number, width: number, options: { random?: Random } = {}) {
    super(device)
    checkEmbedding([entries, width, options])
    const { random } = options
    const shape = [entries, width]
    this.weight = new Parameter(device, shape, () => normal(shape, random ?? defaultRandom(device)))
  }

  forward(indices: Tensor): Tensor {
    return embedding(this.weight, indices)
  }
}

const checkDropout = door('Dropout', { rate: optional(NUMBER) })

/**
 * In training each element becomes 0 with probability `rate`, else x / (1 - rate). In evaluation y = x.
 * @throws ArgumentError  a rate outside [0, 1)
 */
export class Dropout extends Module {
  constructor(
    device: Device,
    readonly rate = 0.5,
  ) {
    super(device)
    checkDropout([rate])
    if (!(rate >= 0 && rate < 1)) throw new ArgumentError(`Dropout: rate ${rate} is outside [0, 1)`)
  }

  forward(x: Tensor): Tensor {
    return this.training && this.rate > 0 ? dropout(x, this.rate) : x
  }
}

const checkMaxPool = door('MaxPool2d', { kernel: ANYTHING, options: options({ ...WINDOW, dilation: ANYTHING }) })

/**
 * The maximum of every window: [N, C, H, W] -> [N, C, OH, OW].
 * @param kernel  size of the window, and the default of the stride
 */
export class MaxPool2d extends Module {
  readonly #options: MaxPoolOptions

  constructor(device: Device, kernel: Sides, options: Omit<MaxPoolOptions, 'kernel'> = {}) {
    super(device)
    checkMaxPool([kernel, options])
    this.#options = maxPoolSides('MaxPool2d', { ...options, kernel })
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.#options)
  }
}

const checkAveragePool = door('AveragePool2d', {
  kernel: ANYTHING,
  options: options({ ...WINDOW, countPadding: BOOLEAN }),
})

/**
 * The mean of every window: [N, C, H, W] -> [N, C, OH, OW].
 * @param kernel  size of the window, and the default of the stride
 */
export class AveragePool2d extends Module {
  readonly #options: AveragePoolOptions

  constructor(device: Device, kernel: Sides, options: Omit<AveragePoolOptions, 'kernel'> = {}) {
    super(device)
    checkAveragePool([kernel, options])
    const { countPadding = true } = options
    this.#options = { countPadding, ...poolSides('AveragePool2d', { ...options, kernel }) }
  }

  forward(x: Tensor): Tensor {
    return averagePool2d(x, this.#options)
  }
}

/** [N, ...] -> [N, the rest]; shares storage with its input. */
export class Flatten extends Module {
  forward(x: Tensor): Tensor {
    return flatten(x)
  }
}
