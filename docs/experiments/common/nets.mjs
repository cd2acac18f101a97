/** Networks that are small enough to train in seconds. */
import { Module, nn, relu } from 'sluice'

/** relu(x + norm(conv(relu(norm(conv(x)))))), as in ResNet; the first convolution may halve the image. */
class Block extends Module {
  constructor(device, from, to, stride, options) {
    super(device)
    this.conv1 = new nn.Conv2d(device, from, to, 3, { stride, ...options.conv })
    this.norm1 = new nn.BatchNorm2d(device, to, options.norm)
    this.conv2 = new nn.Conv2d(device, to, to, 3, options.conv)
    this.norm2 = new nn.BatchNorm2d(device, to, options.norm)
    if (stride > 1) {
      this.shortcut = new nn.Conv2d(device, from, to, 1, { stride, ...options.conv, padding: 0 })
      this.norm3 = new nn.BatchNorm2d(device, to, options.norm)
    }
  }

  forward(x) {
    const h = relu(this.norm1.forward(this.conv1.forward(x)))
    const y = this.norm2.forward(this.conv2.forward(h))
    return relu(y.add(this.shortcut ? this.norm3.forward(this.shortcut.forward(x)) : x))
  }
}

/** A ResNet of nine batch norms: a stem and three blocks, the last two of which halve the image. */
class SmallResNet extends Module {
  constructor(device, { inputShape = [1, 8, 8], classes = 10, width = 8, policy, seed = 0 }) {
    super(device)
    const random = nn.generator(seed)
    const options = { conv: { padding: 1, bias: false, random, initial: nn.kaimingNormal }, norm: { policy } }
    this.inputShape = inputShape
    this.stem = new nn.Conv2d(device, inputShape[0], width, 3, options.conv)
    this.norm = new nn.BatchNorm2d(device, width, options.norm)
    this.blocks = [
      new Block(device, width, width, 1, options),
      new Block(device, width, 2 * width, 2, options),
      new Block(device, 2 * width, 4 * width, 2, options),
    ]
    this.head = new nn.Linear(device, 4 * width, classes, { random })
  }

  forward(x) {
    let h = relu(this.norm.forward(this.stem.forward(x)))
    for (const block of this.blocks) h = block.forward(h)
    return this.head.forward(h.mean([2, 3]))
  }
}

/** @param options  { inputShape, classes, width, policy: that of its batch norms, seed } */
export const smallResNet = (device, options) => new SmallResNet(device, options)
