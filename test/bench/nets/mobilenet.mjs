/** MobileNetV2 in a CIFAR form: Sandler and others, "MobileNetV2: inverted residuals and linear bottlenecks" (2018). */
import { add, averagePool2d, clamp, crossEntropy, flatten, Module, nn } from '../../../dist/src/index.js'
import { ConvNorm } from './conv-norm.mjs'

const relu6 = (x) => clamp(x, 0, 6)

/** expansion, channels, blocks, stride of the first block */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 1],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
]

/** Expand, convolve each channel separately, project; x is added if the shape is the same. */
class InvertedResidual extends Module {
  constructor(device, from, to, expansion, stride) {
    super(device)
    const width = expansion * from
    this.expand = expansion === 1 ? null : new ConvNorm(device, from, width, 1)
    this.depthwise = new ConvNorm(device, width, width, 3, { stride, groups: width })
    this.project = new ConvNorm(device, width, to, 1)
    this.skips = from === to && stride === 1
  }

  forward(x) {
    const wide = this.expand ? relu6(this.expand.forward(x)) : x
    const h = relu6(this.depthwise.forward(wide))
    const y = this.project.forward(h)
    return this.skips ? add(x, y) : y
  }
}

class MobileNetV2 extends Module {
  constructor(device, classes) {
    super(device)
    this.stem = new ConvNorm(device, 3, 32, 3)
    this.blocks = []
    let from = 32
    for (const [expansion, to, count, stride] of STAGES) {
      for (let i = 0; i < count; i++) {
        this.blocks.push(new InvertedResidual(device, from, to, expansion, i === 0 ? stride : 1))
        from = to
      }
    }
    this.last = new ConvNorm(device, from, 1280, 1)
    this.head = new nn.Linear(device, 1280, classes)
  }

  forward(x) {
    let h = relu6(this.stem.forward(x))
    for (const block of this.blocks) h = block.forward(h)
    h = relu6(this.last.forward(h))
    const means = averagePool2d(h, { kernel: h.shape.slice(2) })
    return this.head.forward(flatten(means))
  }
}

export const mobilenet = {
  make: (device) => new MobileNetV2(device, 10),
  inputShape: [3, 32, 32],
  targetShape: [],
  loss: crossEntropy,
}
