/**
 * Residual networks, with the names of torchvision: conv1, bn1, layer1.0.conv1, layer2.0.downsample.0, fc.
 * He, Zhang, Ren, Sun, "Deep residual learning for image recognition" (2016).
 */
import type { Device } from '../device/device.js'
import { Linear } from '../nn/layers.js'
import { Module } from '../nn/module.js'
import { Sequential } from '../nn/sequential.js'
import { add } from '../ops/binary.js'
import { maxPool2d } from '../ops/pool.js'
import { relu } from '../ops/unary.js'
import type { Shape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { imageSides, modelDoor } from './classifier.js'
import { channelMeans, conv, FORM, type FormOptions, imageModel, type Making, norm } from './parts.js'

/** Maps x to the shape of a block's result, so that it can be added; null if the shape is the same. */
const projection = (making: Making, from: number, to: number, stride: number): Sequential | null =>
  from === to && stride === 1 ? null : new Sequential(conv(making, from, to, 1, { stride }), norm(making, to))

/** relu(x + bn(conv 3x3(relu(bn(conv 3x3(x)))))) */
class BasicBlock extends Module {
  static readonly expansion = 1
  readonly conv1
  readonly bn1
  readonly conv2
  readonly bn2
  readonly downsample

  constructor(making: Making, from: number, width: number, stride: number) {
    super(making.device)
    this.conv1 = conv(making, from, width, 3, { stride })
    this.bn1 = norm(making, width)
    this.conv2 = conv(making, width, width, 3)
    this.bn2 = norm(making, width)
    this.downsample = projection(making, from, width, stride)
  }

  forward(x: Tensor): Tensor {
    const h = relu(this.bn1.forward(this.conv1.forward(x)))
    const y = this.bn2.forward(this.conv2.forward(h))
    return relu(add(y, this.downsample?.forward(x) ?? x))
  }
}

/** A 3x3 convolution between two 1x1 convolutions; the last has four times the channels. */
class Bottleneck extends Module {
  static readonly expansion = 4
  readonly conv1
  readonly bn1
  readonly conv2
  readonly bn2
  readonly conv3
  readonly bn3
  readonly downsample

  constructor(making: Making, from: number, width: number, stride: number) {
    super(making.device)
    this.conv1 = conv(making, from, width, 1)
    this.bn1 = norm(making, width)
    this.conv2 = conv(making, width, width, 3, { stride })
    this.bn2 = norm(making, width)
    this.conv3 = conv(making, width, 4 * width, 1)
    this.bn3 = norm(making, 4 * width)
    this.downsample = projection(making, from, 4 * width, stride)
  }

  forward(x: Tensor): Tensor {
    const h1 = relu(this.bn1.forward(this.conv1.forward(x)))
    const h2 = relu(this.bn2.forward(this.conv2.forward(h1)))
    const y = this.bn3.forward(this.conv3.forward(h2))
    return relu(add(y, this.downsample?.forward(x) ?? x))
  }
}

type Block = typeof BasicBlock | typeof Bottleneck

/** Images [N, C, H, W] -> logits [N, classes]. */
export class ResNet extends Module {
  readonly conv1
  readonly bn1
  readonly layer1: readonly Module[]
  readonly layer2: readonly Module[]
  readonly layer3: readonly Module[]
  readonly layer4: readonly Module[]
  readonly fc: Linear

  constructor(
    making: Making,
    { Block, counts }: { Block: Block; counts: readonly number[] },
    override readonly inputShape: Shape,
    readonly classes: number,
    width: number,
    readonly isSmall: boolean,
  ) {
    super(making.device)
    this.conv1 = conv(making, inputShape[0], width, isSmall ? 3 : 7, { stride: isSmall ? 1 : 2 })
    this.bn1 = norm(making, width)
    let from = width
    const [layer1, layer2, layer3, layer4] = counts.map((count, stage) =>
      Array.from({ length: count }, (_, i) => {
        const block = new Block(making, from, width * 2 ** stage, i === 0 && stage > 0 ? 2 : 1)
        from = Block.expansion * width * 2 ** stage
        return block
      }),
    )
    this.layer1 = layer1
    this.layer2 = layer2
    this.layer3 = layer3
    this.layer4 = layer4
    this.fc = new Linear(making.device, from, classes, { random: making.random })
  }

  forward(x: Tensor): Tensor {
    let h = relu(this.bn1.forward(this.conv1.forward(x)))
    if (!this.isSmall) h = maxPool2d(h, { kernel: 3, stride: 2, padding: 1 })
    for (const layer of [this.layer1, this.layer2, this.layer3, this.layer4]) {
      for (const block of layer) h = block.forward(h)
    }
    return this.fc.forward(channelMeans(h))
  }
}

function resnet(name: string, Block: Block, counts: readonly number[]) {
  const check = modelDoor(name, { form: FORM })
  return (device: Device, given: FormOptions = {}): ResNet => {
    check([device, given])
    return imageModel(device, given, (making, inputShape, classes, isSmall) => {
      imageSides(name, inputShape, 1)
      return new ResNet(making, { Block, counts }, inputShape, classes, given.width ?? 64, isSmall)
    })
  }
}

/**
 * A stem, four stages of 2, 2, 2, 2 blocks, the mean of each channel, and a linear layer. The stages have 1, 2, 4 and 8
 * times `width` channels, 64 by default; the second and later stages halve the sides of the image. In the form for CIFAR
 * the stem is a 3x3 convolution; else it is a 7x7 convolution with stride 2, and a pooling.
 * @throws ShapeError           inputShape is not [C, H, W], or the width is no positive integer
 * @throws BudgetExceededError  the weights do not fit; nothing is left behind
 */
export const resnet18 = resnet('resnet18', BasicBlock, [2, 2, 2, 2])
/** As resnet18, with stages of 3, 4, 6, 3 blocks. */
export const resnet34 = resnet('resnet34', BasicBlock, [3, 4, 6, 3])
/** As resnet34, with blocks of three convolutions, whose results have four times the channels. */
export const resnet50 = resnet('resnet50', Bottleneck, [3, 4, 6, 3])
/** As resnet50, with stages of 3, 4, 23, 3 blocks. */
export const resnet101 = resnet('resnet101', Bottleneck, [3, 4, 23, 3])
