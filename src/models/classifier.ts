/** The base of the built-in models: a stack of layers that knows its input shape and its number of classes. */
import type { Device } from '../device/device.js'
import { ANYTHING, door, type Known, NUMBER, options, type Signature } from '../memory/arguments.js'
import { BatchNorm1d, BatchNorm2d, type BatchNormPolicy } from '../nn/batch-norm.js'
import { generator, type Random } from '../nn/init.js'
import { Conv2d, Linear } from '../nn/layers.js'
import type { Module } from '../nn/module.js'
import { Sequential } from '../nn/sequential.js'
import { ShapeError } from '../tensor/errors.js'
import { DEVICE } from '../tensor/kinds.js'
import { allOrNothing } from '../tensor/scope.js'
import { ownShape, type Shape, showShape } from '../tensor/shape.js'

export interface ModelOptions {
  /** shape of one sample; default [1, 8, 8] */
  inputShape?: Shape
  /** default 10 */
  classes?: number
  /** features of the first layer; the other hidden layers keep their proportion to it. Default: see the model */
  width?: number
  /**
   * a batch norm with this policy before the activation of each hidden layer, which has no bias then; default: no batch norms
   */
  batchNorm?: BatchNormPolicy
  /** seed of the initial values, from 0 to 2^32 - 1; default 0 */
  seed?: number
}

/** The kinds of the options; `inputShape` is checked as a shape. */
export const MODEL: Known<ModelOptions> = {
  inputShape: ANYTHING,
  classes: NUMBER,
  width: NUMBER,
  batchNorm: ANYTHING,
  seed: ANYTHING,
}

/** The check of the arguments of a model. */
export const modelDoor = (name: string, further: Signature = {}) =>
  door(name, { device: DEVICE, options: options({ ...MODEL, ...further }) })

/** [N, ...inputShape] -> logits [N, classes]. */
export class Classifier extends Sequential {
  constructor(
    override readonly inputShape: Shape,
    readonly classes: number,
    ...layers: readonly Module[]
  ) {
    super(...layers)
  }
}

/**
 * Make a classifier. If a layer does not fit, the layers before it are freed.
 * @param layers  makes the layers, and draws their initial values from `random`
 */
export function classifier(
  device: Device,
  { inputShape = [1, 8, 8], classes = 10, seed = 0 }: ModelOptions,
  layers: (inputShape: Shape, classes: number, random: Random) => readonly Module[],
): Classifier {
  const shape = ownShape('inputShape', inputShape)
  return allOrNothing(device, () => new Classifier(shape, classes, ...layers(shape, classes, generator(seed))))
}

/** Makes hidden layers: with a policy, a layer without bias and a batch norm; else a layer with a bias. */
export const hiddenLayers = (device: Device, random: Random, policy: BatchNormPolicy | undefined) => ({
  conv: (inputs: number, outputs: number, kernel: number, padding: number): Module[] => {
    const conv = new Conv2d(device, inputs, outputs, kernel, { padding, random, bias: policy === undefined })
    return policy === undefined ? [conv] : [conv, new BatchNorm2d(device, outputs, { policy })]
  },
  linear: (inputs: number, outputs: number): Module[] => {
    const linear = new Linear(device, inputs, outputs, { random, bias: policy === undefined })
    return policy === undefined ? [linear] : [linear, new BatchNorm1d(device, outputs, { policy })]
  },
})

/**
 * Channels, height and width of a sample.
 * @throws ShapeError  not [C, H, W], or smaller than `least` pixels along a side
 */
export function imageSides(model: string, inputShape: Shape, least: number): readonly [number, number, number] {
  const [channels, height, width] = inputShape
  if (inputShape.length === 3 && height >= least && width >= least) return [channels, height, width]
  throw new ShapeError(
    `${model}: inputShape ${showShape(inputShape)} must be [channels, height, width] of at least ${least} x ${least} pixels`,
  )
}
