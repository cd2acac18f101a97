/** ResNet-18 in its CIFAR form and ResNet-50: He, Zhang, Ren, Sun, "Deep residual learning for image recognition" (2016). */
import { add, averagePool2d, crossEntropy, flatten, Module, maxPool2d, nn, relu } from '../../../dist/src/index.js'
import { ConvNorm } from './conv-norm.mjs'

/** Maps x to the shape of a block's result, so that it can be added; null if the shape is the same. */
const projection = (device, from, to, stride) =>
  from === to && stride === 1 ? null : new ConvNorm(device, from, to, 1, { stride })

class BasicBlock extends Module {
  static expansion = 1

  constructor(device, from, width, stride) {
    super(device)
    this.conv1 = new ConvNorm(device, from, width, 3, { stride })
    this.conv2 = new ConvNorm(device, width, width, 3)
    this.shortcut = projection(device, from, width, stride)
  }

  forward(x) {
    const h = relu(this.conv1.forward(x))
    const y = this.conv2.forward(h)
    const skip = this.shortcut ? this.shortcut.forward(x) : x
    return relu(add(y, skip))
  }
}

class Bottleneck extends Module {
  static expansion = 4

  constructor(device, from, width, stride) {
    super(device)
    this.conv1 = new ConvNorm(device, from, width, 1)
    this.conv2 = new ConvNorm(device, width, width, 3, { stride })
    this.conv3 = new ConvNorm(device, width, 4 * width, 1)
    this.shortcut = projection(device, from, 4 * width, stride)
  }

  forward(x) {
    const h1 = relu(this.conv1.forward(x))
    const h2 = relu(this.conv2.forward(h1))
    const y = this.conv3.forward(h2)
    const skip = this.shortcut ? this.shortcut.forward(x) : x
    return relu(add(y, skip))
  }
}

/** A stem, four stages of blocks, the mean of every channel, and a linear layer. All stages but the first halve the image. */
class ResNet extends Module {
  /** @param width  channels of the first stage */
  constructor(device, Block, counts, classes, width = 64) {
    super(device)
    this.blocks = []
    let from = width
    counts.forEach((count, stage) => {
      const channels = width * 2 ** stage
      for (let i = 0; i < count; i++) {
        this.blocks.push(new Block(device, from, channels, i === 0 && stage > 0 ? 2 : 1))
        from = Block.expansion * channels
      }
    })
    this.head = new nn.Linear(device, from, classes)
  }

  forward(x) {
    let h = this.stem(x)
    for (const block of this.blocks) h = block.forward(h)
    const means = averagePool2d(h, { kernel: h.shape.slice(2) })
    return this.head.forward(flatten(means))
  }
}

export class ResNet18 extends ResNet {
  constructor(device, width = 64) {
    super(device, BasicBlock, [2, 2, 2, 2], 10, width)
    this.conv = new ConvNorm(device, 3, width, 3)
  }

  stem(x) {
    return relu(this.conv.forward(x))
  }
}

class ResNet50 extends ResNet {
  constructor(device) {
    super(device, Bottleneck, [3, 4, 6, 3], 1000)
    this.conv = new ConvNorm(device, 3, 64, 7, { stride: 2 })
  }

  stem(x) {
    return maxPool2d(relu(this.conv.forward(x)), { kernel: 3, stride: 2, padding: 1 })
  }
}

export const resnet18 = {
  make: (device) => new ResNet18(device),
  inputShape: [3, 32, 32],
  targetShape: [],
  loss: crossEntropy,
}

export const resnet50 = {
  make: (device) => new ResNet50(device),
  inputShape: [3, 224, 224],
  targetShape: [],
  loss: crossEntropy,
}
