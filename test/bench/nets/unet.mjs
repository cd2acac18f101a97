/**
 * U-Net with batch norm and 32 channels at the top, one class: Ronneberger, Fischer, Brox, "U-Net: convolutional networks
 * for biomedical image segmentation" (2015).
 */
import { bceWithLogits, concat, Module, maxPool2d, nn, relu } from '../../../dist/src/index.js'
import { ConvNorm } from './conv-norm.mjs'

const WIDTHS = [32, 64, 128, 256]
const BOTTOM = 512

class DoubleConv extends Module {
  constructor(device, from, to) {
    super(device)
    this.conv1 = new ConvNorm(device, from, to, 3)
    this.conv2 = new ConvNorm(device, to, to, 3)
  }

  forward(x) {
    return relu(this.conv2.forward(relu(this.conv1.forward(x))))
  }
}

class UNet extends Module {
  constructor(device) {
    super(device)
    this.down = WIDTHS.map((width, i) => new DoubleConv(device, i === 0 ? 3 : WIDTHS[i - 1], width))
    this.bottom = new DoubleConv(device, WIDTHS.at(-1), BOTTOM)
    this.enlarge = WIDTHS.map((width) => new nn.ConvTranspose2d(device, 2 * width, width, 2, { stride: 2 }))
    this.up = WIDTHS.map((width) => new DoubleConv(device, 2 * width, width))
    this.head = new nn.Conv2d(device, WIDTHS[0], 1, 1)
  }

  forward(x) {
    const skips = []
    let h = x
    for (const block of this.down) {
      const skip = block.forward(h)
      skips.push(skip)
      h = maxPool2d(skip, { kernel: 2 })
    }
    h = this.bottom.forward(h)
    for (let level = WIDTHS.length - 1; level >= 0; level--) {
      const enlarged = this.enlarge[level].forward(h)
      h = this.up[level].forward(concat([enlarged, skips[level]], 1))
    }
    return this.head.forward(h)
  }
}

export const unet = {
  make: (device) => new UNet(device),
  inputShape: [3, 256, 256],
  targetShape: [1, 256, 256],
  loss: bceWithLogits,
}
