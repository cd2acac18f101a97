/**
 * U-Net with batch norm: Ronneberger, Fischer, Brox, "U-Net: convolutional networks for biomedical image segmentation" (2015).
 * Its convolutions are padded, so that the mask has the size of the image.
 */
import type { Device } from '../device/device.js'
import { NUMBER } from '../memory/arguments.js'
import { Conv2d, ConvTranspose2d } from '../nn/layers.js'
import { Module } from '../nn/module.js'
import { add } from '../ops/binary.js'
import type { Loss } from '../ops/loss.js'
import { diceLoss } from '../ops/losses.js'
import { concat } from '../ops/movement.js'
import { bceWithLogits } from '../ops/point-loss.js'
import { maxPool2d } from '../ops/pool.js'
import { relu, sigmoid } from '../ops/unary.js'
import { ShapeError } from '../tensor/errors.js'
import { type Shape, showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { imageSides, modelDoor } from './classifier.js'
import { conv, type ImageOptions, imageModel, type Making, norm } from './parts.js'

export interface UNetOptions extends ImageOptions {
  /** the number of masks, or of classes of a pixel; default 1 */
  classes?: number
  /** how often the image is halved; default 4 */
  levels?: number
}

/** Twice: a 3x3 convolution, batch norm, relu. */
class DoubleConv extends Module {
  readonly conv1
  readonly bn1
  readonly conv2
  readonly bn2

  constructor(making: Making, from: number, to: number) {
    super(making.device)
    this.conv1 = conv(making, from, to, 3)
    this.bn1 = norm(making, to)
    this.conv2 = conv(making, to, to, 3)
    this.bn2 = norm(making, to)
  }

  forward(x: Tensor): Tensor {
    const h = relu(this.bn1.forward(this.conv1.forward(x)))
    return relu(this.bn2.forward(this.conv2.forward(h)))
  }
}

/** Images [N, C, H, W] -> logits [N, classes, H, W]. */
export class UNet extends Module {
  readonly down: readonly DoubleConv[]
  readonly bottom: DoubleConv
  readonly enlarge: readonly ConvTranspose2d[]
  readonly up: readonly DoubleConv[]
  readonly head: Conv2d

  constructor(
    making: Making,
    override readonly inputShape: Shape,
    readonly classes: number,
    width: number,
    levels: number,
  ) {
    super(making.device)
    const { device, random } = making
    const widths = Array.from({ length: levels }, (_, level) => width * 2 ** level)
    this.down = widths.map((to, level) => new DoubleConv(making, level === 0 ? inputShape[0] : to / 2, to))
    this.bottom = new DoubleConv(making, width * 2 ** (levels - 1), width * 2 ** levels)
    this.enlarge = widths.map((to) => new ConvTranspose2d(device, 2 * to, to, 2, { stride: 2, random }))
    this.up = widths.map((to) => new DoubleConv(making, 2 * to, to))
    this.head = new Conv2d(device, width, classes, 1, { random })
  }

  forward(x: Tensor): Tensor {
    const skips: Tensor[] = []
    let h = x
    for (const block of this.down) {
      const skip = block.forward(h)
      skips.push(skip)
      h = maxPool2d(skip, { kernel: 2 })
    }
    h = this.bottom.forward(h)
    for (let level = skips.length - 1; level >= 0; level--) {
      const enlarged = this.enlarge[level].forward(h)
      h = this.up[level].forward(concat([enlarged, skips[level]], 1))
    }
    return this.head.forward(h)
  }
}

const check = modelDoor('unet', { levels: NUMBER })

/**
 * On the way down, each of `levels` levels has two convolutions and a pooling; two convolutions are at the bottom. On the
 * way up, each level has a transposed convolution, whose result is concatenated with that of the same level on the way
 * down, and two convolutions. A 1x1 convolution is last. The first level has `width` channels, 64 by default, and each
 * level has twice the channels of the one above.
 * @throws ShapeError           inputShape is not [C, H, W] with sides that can be halved `levels` times, or a size is no
 *                              positive integer
 * @throws BudgetExceededError  the weights do not fit; nothing is left behind
 */
export function unet(device: Device, given: UNetOptions = {}): UNet {
  check([device, given])
  const { width = 64, levels = 4, classes = 1 } = given
  return imageModel(device, { ...given, classes }, (making, inputShape) => {
    const [, ...sides] = imageSides('unet', inputShape, 1)
    if (!(Number.isInteger(levels) && levels >= 1)) {
      throw new ShapeError(`unet: levels is ${levels}; it must be a whole number, 1 or more`)
    }
    if (sides.some((side) => side % 2 ** levels !== 0)) {
      throw new ShapeError(
        `unet: inputShape ${showShape(inputShape)}: with ${levels} levels the sides must be multiples of ${2 ** levels}`,
      )
    }
    return new UNet(making, inputShape, classes, width, levels)
  })
}

const dice = diceLoss()

/**
 * The loss of masks from logits: bceWithLogits(y, t) + diceLoss()(sigmoid(y), t), each the mean over samples.
 * @param prediction  logits, any shape [N, ...]
 * @param target      the same shape, in [0, 1]
 * @throws ShapeError  shapes that differ
 */
export const maskLoss: Loss = Object.assign(
  (prediction: Tensor, target: Tensor, options: { weights?: Tensor } = {}): Tensor =>
    add(bceWithLogits(prediction, target, options), dice(sigmoid(prediction), target, options)),
  { weight: bceWithLogits.weight, check: bceWithLogits.check },
)
