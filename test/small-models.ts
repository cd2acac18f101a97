/** Every model, small: the sizes with which test/models.py records PyTorch's losses and gradients. */
import type { Device } from '../src/device/device.js'
import type { Loss } from '../src/index.js'
import { crossEntropy, type Module, models } from '../src/index.js'
import type { Shape } from '../src/tensor/shape.js'

export interface SmallModel {
  readonly name: string
  make(device: Device, seed?: number): Module
  /** the shape of a sample */
  readonly inputShape: Shape
  readonly targetShape: Shape
  readonly loss: Loss
  /** the number of classes or tokens; 0: the targets are masks */
  readonly classes: number
  /** are the inputs tokens? */
  readonly tokens?: boolean
}

const CLASSES = 5

const image = (
  name: string,
  side: number,
  build: (device: Device, options: { inputShape: Shape; classes: number; seed: number }) => Module,
): SmallModel => {
  const inputShape = [3, side, side]
  return {
    name,
    make: (device, seed = 0) => build(device, { inputShape, classes: CLASSES, seed }),
    inputShape,
    targetShape: [],
    loss: crossEntropy,
    classes: CLASSES,
  }
}

const [VOCABULARY, CONTEXT] = [11, 6]

const text = (
  name: string,
  build: (device: Device, options: { vocabulary: number; context: number; seed: number }) => Module,
): SmallModel => ({
  name,
  make: (device, seed = 0) => build(device, { vocabulary: VOCABULARY, context: CONTEXT, seed }),
  inputShape: [CONTEXT],
  targetShape: [CONTEXT],
  loss: crossEntropy,
  classes: VOCABULARY,
  tokens: true,
})

export const SMALL_MODELS: readonly SmallModel[] = [
  image('resnet18', 8, (device, options) => models.resnet18(device, { ...options, width: 4 })),
  image('resnet18 for ImageNet', 64, (device, options) => models.resnet18(device, { ...options, width: 2 })),
  image('resnet34', 8, (device, options) => models.resnet34(device, { ...options, width: 2 })),
  image('resnet50', 16, (device, options) => models.resnet50(device, { ...options, width: 2 })),
  image('resnet101', 16, (device, options) => models.resnet101(device, { ...options, width: 2 })),
  image('vgg16', 32, (device, options) => models.vgg16(device, { ...options, width: 2, dropout: 0 })),
  image('vgg16 with batch norm', 32, (device, options) =>
    models.vgg16(device, { ...options, width: 2, dropout: 0, batchNorm: 'deferred', form: 'cifar' }),
  ),
  image('vgg16 for ImageNet', 64, (device, options) => models.vgg16(device, { ...options, width: 1, dropout: 0 })),
  image('mobilenet', 16, (device, options) => models.mobilenet(device, { ...options, width: 4, dropout: 0 })),
  image('mobilenet for ImageNet', 64, (device, options) =>
    models.mobilenet(device, { ...options, width: 8, dropout: 0 }),
  ),
  image('amoebanet', 8, (device, options) => models.amoebanet(device, { ...options, layers: 3, filters: 8 })),
  image('amoebanet for ImageNet', 64, (device, options) =>
    models.amoebanet(device, { ...options, layers: 3, filters: 8 }),
  ),
  {
    name: 'unet',
    make: (device, seed = 0) => models.unet(device, { inputShape: [3, 8, 8], width: 4, levels: 2, seed }),
    inputShape: [3, 8, 8],
    targetShape: [1, 8, 8],
    loss: models.maskLoss,
    classes: 0,
  },
  text('gpt', (device, options) => models.gpt(device, { ...options, width: 8, heads: 2, layers: 2 })),
  {
    name: 'lstm',
    make: (device, seed = 0) =>
      models.lstm(device, { inputShape: [5, 3], classes: CLASSES, width: 6, layers: 2, seed }),
    inputShape: [5, 3],
    targetShape: [],
    loss: crossEntropy,
    classes: CLASSES,
  },
  text('lstm of tokens', (device, options) => models.lstm(device, { ...options, width: 6 })),
]

/** The sequence that test/models.py makes too: numbers in [-1, 1), the same in float64 there and here. */
export const spread = (size: number, seed: number): Float64Array =>
  Float64Array.from({ length: size }, (_, i) => ((i * 1103515245 + seed * 12345 + 6789) % 2 ** 31) / 2 ** 30 - 1)

const sizeOf = (shape: Shape): number => shape.reduce((size, dim) => size * dim, 1)

/** A mini-batch of `samples` samples. If the inputs are tokens, one target in eight is ignored. */
export function smallBatch({ inputShape, targetShape, classes, tokens }: SmallModel, samples: number) {
  const wholes = (size: number, seed: number, below: number): Float64Array =>
    spread(size, seed).map((value) => Math.floor(((value + 1) / 2) * below))
  const [inputs, targets] = [inputShape, targetShape].map((shape) => [samples, ...shape])
  const inputSize = sizeOf(inputs)
  const targetSize = sizeOf(targets)
  const classesOf = (): Float64Array => wholes(targetSize, 2, classes === 0 ? 2 : classes)
  const kept = classesOf().map((value, i) => (tokens && i % 8 === 3 ? -100 : value))
  return {
    inputs: { data: tokens ? wholes(inputSize, 1, classes) : spread(inputSize, 1), shape: inputs },
    targets: { data: kept, shape: targets },
  }
}
