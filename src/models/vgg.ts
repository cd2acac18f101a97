/**
 * VGG-16, with the names of torchvision: features.N, classifier.N. Simonyan, Zisserman, "Very deep convolutional networks for
 * large-scale image recognition" (2015).
 */
import type { Device } from '../device/device.js'
import { NUMBER } from '../memory/arguments.js'
import { ReLU } from '../nn/activations.js'
import { BatchNorm2d, type BatchNormPolicy } from '../nn/batch-norm.js'
import { kaimingNormal } from '../nn/init.js'
import { Conv2d, Dropout, Linear, MaxPool2d } from '../nn/layers.js'
import { Module } from '../nn/module.js'
import { Sequential } from '../nn/sequential.js'
import { flatten } from '../ops/movement.js'
import { adaptiveAveragePool2d } from '../ops/resize.js'
import type { Shape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { imageSides, modelDoor } from './classifier.js'
import { FORM, type FormOptions, imageModel, type Making } from './parts.js'

export interface VggOptions extends FormOptions {
  /** a batch norm with this policy after each convolution; default: none */
  batchNorm?: BatchNormPolicy
  /** rate of the dropout after each hidden linear layer; default 0.5 */
  dropout?: number
}

/** Channels of the 3x3 convolutions as multiples of the width. A pooling ends each stage. */
const STAGES = [
  [1, 1],
  [2, 2],
  [4, 4, 4],
  [8, 8, 8],
  [8, 8, 8],
]

/** Images [N, C, H, W] -> logits [N, classes]. */
export class Vgg extends Module {
  readonly features: Sequential
  readonly classifier: Sequential

  constructor(
    { device, random, policy }: Making,
    override readonly inputShape: Shape,
    readonly classes: number,
    width: number,
    readonly isSmall: boolean,
    dropout: number,
  ) {
    super(device)
    let [from, height, columns] = imageSides('vgg16', inputShape, 32)
    const convolution = (to: number): Module[] => {
      const options = { padding: 1, random, initial: kaimingNormal }
      const made = [new Conv2d(device, from, to, 3, options)]
      from = to
      return [...made, ...(policy ? [new BatchNorm2d(device, to, { policy })] : []), new ReLU(device)]
    }
    const stage = (factors: readonly number[]): Module[] => [
      ...factors.flatMap((factor) => convolution(factor * width)),
      new MaxPool2d(device, 2),
    ]
    this.features = new Sequential(...STAGES.flatMap(stage))
    ;[height, columns] = isSmall ? [height, columns].map((side) => Math.floor(side / 32)) : [7, 7]
    const hidden = (isSmall ? 8 : 64) * width
    this.classifier = new Sequential(
      new Linear(device, from * height * columns, hidden, { random }),
      new ReLU(device),
      new Dropout(device, dropout),
      new Linear(device, hidden, hidden, { random }),
      new ReLU(device),
      new Dropout(device, dropout),
      new Linear(device, hidden, classes, { random }),
    )
  }

  forward(x: Tensor): Tensor {
    const h = this.features.forward(x)
    return this.classifier.forward(flatten(this.isSmall ? h : adaptiveAveragePool2d(h, 7)))
  }
}

const check = modelDoor('vgg16', { form: FORM, dropout: NUMBER })

/**
 * Thirteen convolutions in five stages of 1, 2, 4, 8 and 8 times `width` channels, 64 by default, and three linear layers.
 * The hidden linear layers have 64 * width features and read 7 x 7 means of the image; in the form for CIFAR they have 8 *
 * width features and read the image as it is.
 * @throws ShapeError           inputShape is not [C, H, W] with H, W >= 32, or the width is no positive integer
 * @throws ArgumentError        a dropout outside [0, 1)
 * @throws BudgetExceededError  the weights do not fit; nothing is left behind
 */
export function vgg16(device: Device, given: VggOptions = {}): Vgg {
  check([device, given])
  const { width = 64, dropout = 0.5 } = given
  return imageModel(
    device,
    given,
    (making, inputShape, classes, isSmall) => new Vgg(making, inputShape, classes, width, isSmall, dropout),
  )
}
