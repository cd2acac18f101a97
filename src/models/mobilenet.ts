/**
 * MobileNetV2, with the names of torchvision: features.0.0, features.2.conv.0.0, classifier.1. Sandler, Howard, Zhu,
 * Zhmoginov, Chen, "MobileNetV2: inverted residuals and linear bottlenecks" (2018).
 */
import type { Device } from '../device/device.js'
import { NUMBER } from '../memory/arguments.js'
import { Dropout, Linear } from '../nn/layers.js'
import { Module } from '../nn/module.js'
import { Sequential } from '../nn/sequential.js'
import { add } from '../ops/binary.js'
import { clamp } from '../ops/unary.js'
import type { Shape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { imageSides, modelDoor } from './classifier.js'
import { channelMeans, conv, FORM, type FormOptions, imageModel, type Making, norm } from './parts.js'

export interface MobileNetOptions extends FormOptions {
  /** rate of the dropout before the last layer; default 0.2 */
  dropout?: number
}

/** expansion, channels at width 32, blocks, stride of the first block */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const

/** min(max(x, 0), 6) */
class Relu6 extends Module {
  forward(x: Tensor): Tensor {
    return clamp(x, 0, 6)
  }
}

type Size = Parameters<typeof conv>[4]

const convNormRelu = (making: Making, from: number, to: number, kernel: number, size?: Size): Sequential =>
  new Sequential(conv(making, from, to, kernel, size), norm(making, to), new Relu6(making.device))

/** Expand, convolve each channel alone, project; x is added if the shape is the same. */
class InvertedResidual extends Module {
  readonly conv: Sequential
  readonly #adds: boolean

  constructor(making: Making, from: number, to: number, expansion: number, stride: number) {
    super(making.device)
    const width = expansion * from
    this.conv = new Sequential(
      ...(expansion === 1 ? [] : [convNormRelu(making, from, width, 1)]),
      convNormRelu(making, width, width, 3, { stride, groups: width }),
      conv(making, width, to, 1),
      norm(making, to),
    )
    this.#adds = from === to && stride === 1
  }

  forward(x: Tensor): Tensor {
    const y = this.conv.forward(x)
    return this.#adds ? add(x, y) : y
  }
}

/** Images [N, C, H, W] -> logits [N, classes]. */
export class MobileNet extends Module {
  readonly features: Sequential
  readonly classifier: Sequential

  constructor(
    making: Making,
    override readonly inputShape: Shape,
    readonly classes: number,
    width: number,
    isSmall: boolean,
    dropout: number,
  ) {
    super(making.device)
    const scaled = (channels: number): number => Math.max(1, Math.round((channels * width) / 32))
    let from = width
    const blocks = STAGES.flatMap(([expansion, channels, count, stride], stage) =>
      Array.from({ length: count }, (_, i) => {
        const halves = i === 0 && !(isSmall && stage === 1)
        const block = new InvertedResidual(making, from, scaled(channels), expansion, halves ? stride : 1)
        from = scaled(channels)
        return block
      }),
    )
    const last = scaled(1280)
    this.features = new Sequential(
      convNormRelu(making, inputShape[0], width, 3, { stride: isSmall ? 1 : 2 }),
      ...blocks,
      convNormRelu(making, from, last, 1),
    )
    this.classifier = new Sequential(
      new Dropout(making.device, dropout),
      new Linear(making.device, last, classes, { random: making.random }),
    )
  }

  forward(x: Tensor): Tensor {
    return this.classifier.forward(channelMeans(this.features.forward(x)))
  }
}

const check = modelDoor('mobilenet', { form: FORM, dropout: NUMBER })

/**
 * A 3x3 convolution of `width` channels, 17 inverted residuals, a 1x1 convolution, the mean of each channel, and a linear
 * layer. The default width is 32. The form for CIFAR halves the image three times, not five.
 * @throws ShapeError           inputShape is not [C, H, W], or the width is no positive integer
 * @throws ArgumentError        a dropout outside [0, 1)
 * @throws BudgetExceededError  the weights do not fit; nothing is left behind
 */
export function mobilenet(device: Device, given: MobileNetOptions = {}): MobileNet {
  check([device, given])
  const { width = 32, dropout = 0.2 } = given
  return imageModel(device, given, (making, inputShape, classes, isSmall) => {
    imageSides('mobilenet', inputShape, 1)
    return new MobileNet(making, inputShape, classes, width, isSmall, dropout)
  })
}
