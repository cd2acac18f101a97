/**
 * Convolution and pooling of signals [N, C, L] along their last axis. They run on images of height 1 that are views of the
 * signals.
 */
import type { Device } from '../device/device.js'
import { BOOLEAN, door, NUMBER, optional, options } from '../memory/arguments.js'
import { conv2d } from '../ops/conv.js'
import { reshape } from '../ops/movement.js'
import { averagePool2d, maxPool2d, type PoolOptions } from '../ops/pool.js'
import { convolutionSides, maxPoolSides, poolSides, sides } from '../ops/window.js'
import { ShapeError } from '../tensor/errors.js'
import { showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { checkGroups, WEIGHT, type WeightOptions, weightAndBias } from './layers.js'
import { Module } from './module.js'
import type { Parameter } from './parameter.js'

/** As the options of Conv2d, along the one axis. */
export interface Convolution1dOptions extends WeightOptions {
  /** default 1 */
  stride?: number
  /** zeros on each side; default 0 */
  padding?: number
  /** default 1 */
  dilation?: number
  /** default 1 */
  groups?: number
}

/** As the options of a pooling of images, along the one axis. */
export interface Pool1dOptions {
  /** default the kernel */
  stride?: number
  /** on each side, at most half the kernel; default 0 */
  padding?: number
  /** as in a pooling of images; default false */
  ceilMode?: boolean
}

export interface MaxPool1dOptions extends Pool1dOptions {
  /** default 1 */
  dilation?: number
}

/** [N, C, L] -> [N, C, 1, L] */
function asImages(op: string, x: Tensor): Tensor {
  if (x.rank !== 3) throw new ShapeError(`${op}: the input ${showShape(x.shape)} must be [N, C, L]`)
  const [samples, channels, length] = x.shape
  return reshape(x, [samples, channels, 1, length])
}

function asSignals(x: Tensor): Tensor {
  const [samples, channels, , length] = x.shape
  return reshape(x, [samples, channels, length])
}

const SIZES = { stride: NUMBER, padding: NUMBER }

const checkConvolution = door('Conv1d', {
  inChannels: NUMBER,
  outChannels: NUMBER,
  kernel: NUMBER,
  options: options<Convolution1dOptions>({ ...SIZES, dilation: NUMBER, groups: NUMBER, ...WEIGHT }),
})

/**
 * Cross-correlation along one axis: [N, in, L] -> [N, out, OL]. weight [out, in / groups, K], bias [out].
 * @throws  the errors of `new Parameter`
 * @throws ArgumentError  groups that do not divide the channels, a kernel below 1
 */
export class Conv1d extends Module {
  weight: Parameter
  bias: Parameter | null
  readonly #options: ReturnType<typeof convolutionSides>

  constructor(
    device: Device,
    inChannels: number,
    outChannels: number,
    kernel: number,
    options: Convolution1dOptions = {},
  ) {
    super(device)
    checkConvolution([inChannels, outChannels, kernel, options])
    const { bias, random, stride = 1, padding = 0, dilation = 1, groups = 1 } = options
    checkGroups('Conv1d', groups, inChannels, outChannels)
    this.#options = convolutionSides('Conv1d', {
      stride: [1, stride],
      padding: [0, padding],
      dilation: [1, dilation],
      groups,
    })
    const [, length] = sides('Conv1d', 'kernel', kernel, 1)
    ;[this.weight, this.bias] = weightAndBias(device, [outChannels, inChannels / groups, length], { bias, random })
  }

  /** @throws ShapeError  x is not [N, in, L], or is shorter than the kernel */
  forward(x: Tensor): Tensor {
    const [outputs, inputs, length] = this.weight.shape
    const weight = reshape(this.weight, [outputs, inputs, 1, length])
    return asSignals(conv2d(asImages('Conv1d', x), weight, this.bias, this.#options))
  }
}

const alongOne = (kernel: number, { stride = kernel, padding = 0, ceilMode }: Pool1dOptions): PoolOptions => ({
  kernel: [1, kernel],
  stride: [1, stride],
  padding: [0, padding],
  ceilMode,
})

const checkMaxPool = door('MaxPool1d', {
  kernel: NUMBER,
  options: optional(options<MaxPool1dOptions>({ ...SIZES, dilation: NUMBER, ceilMode: BOOLEAN })),
})

/** The maximum of every window: [N, C, L] -> [N, C, OL]; as MaxPool2d. */
export class MaxPool1d extends Module {
  readonly #options: ReturnType<typeof maxPoolSides>

  constructor(device: Device, kernel: number, options: MaxPool1dOptions = {}) {
    super(device)
    checkMaxPool([kernel, options])
    const { dilation = 1 } = options
    this.#options = maxPoolSides('MaxPool1d', { ...alongOne(kernel, options), dilation: [1, dilation] })
  }

  /** @throws ShapeError  x is not [N, C, L], or is shorter than the window */
  forward(x: Tensor): Tensor {
    return asSignals(maxPool2d(asImages('MaxPool1d', x), this.#options))
  }
}

const checkAveragePool = door('AveragePool1d', {
  kernel: NUMBER,
  options: options<Pool1dOptions & { countPadding?: boolean }>({ ...SIZES, ceilMode: BOOLEAN, countPadding: BOOLEAN }),
})

/** The mean of every window: [N, C, L] -> [N, C, OL]; as AveragePool2d. */
export class AveragePool1d extends Module {
  readonly #options: ReturnType<typeof poolSides> & { countPadding: boolean }

  constructor(device: Device, kernel: number, options: Pool1dOptions & { countPadding?: boolean } = {}) {
    super(device)
    checkAveragePool([kernel, options])
    const { countPadding = true } = options
    this.#options = { countPadding, ...poolSides('AveragePool1d', alongOne(kernel, options)) }
  }

  /** @throws ShapeError  x is not [N, C, L], or is shorter than the window */
  forward(x: Tensor): Tensor {
    return asSignals(averagePool2d(asImages('AveragePool1d', x), this.#options))
  }
}
