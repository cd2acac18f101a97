/** A residual network with a batch norm after each convolution, as a user would write it. */
import { add, averagePool2d, type Device, Module, maxPool2d, nn, relu, type Tensor } from '../src/index.js'

type Random = (() => number) | undefined

const conv = (device: Device, from: number, to: number, kernel: number, stride: number, random: Random) =>
  new nn.Conv2d(device, from, to, kernel, { stride, padding: Math.floor(kernel / 2), bias: false, random })

class BasicBlock extends Module {
  conv1: nn.Conv2d
  bn1: nn.BatchNorm2d
  conv2: nn.Conv2d
  bn2: nn.BatchNorm2d
  downsample: nn.Sequential | null

  constructor(device: Device, from: number, to: number, stride: number, random: Random) {
    super(device)
    this.conv1 = conv(device, from, to, 3, stride, random)
    this.bn1 = new nn.BatchNorm2d(device, to)
    this.conv2 = conv(device, to, to, 3, 1, random)
    this.bn2 = new nn.BatchNorm2d(device, to)
    const same = stride === 1 && from === to
    this.downsample = same
      ? null
      : new nn.Sequential(conv(device, from, to, 1, stride, random), new nn.BatchNorm2d(device, to))
  }

  forward(x: Tensor): Tensor {
    const h = relu(this.bn1.forward(this.conv1.forward(x)))
    const y = this.bn2.forward(this.conv2.forward(h))
    return relu(add(y, this.downsample ? this.downsample.forward(x) : x))
  }
}

export interface ResNetOptions {
  width: number
  classes: number
  random?: () => number
  /** the rate of a dropout before the last layer; default 0 */
  dropout?: number
}

/** torchvision's resnet18, narrow. */
export class ResNet18 extends Module {
  conv1: nn.Conv2d
  bn1: nn.BatchNorm2d
  layer1: BasicBlock[]
  layer2: BasicBlock[]
  layer3: BasicBlock[]
  layer4: BasicBlock[]
  readonly dropout: nn.Dropout
  fc: nn.Linear

  constructor(device: Device, { width, classes, random, dropout = 0 }: ResNetOptions) {
    super(device)
    const stage = (from: number, to: number, stride: number) => [
      new BasicBlock(device, from * width, to * width, stride, random),
      new BasicBlock(device, to * width, to * width, 1, random),
    ]
    this.conv1 = conv(device, 3, width, 7, 2, random)
    this.bn1 = new nn.BatchNorm2d(device, width)
    this.layer1 = stage(1, 1, 1)
    this.layer2 = stage(1, 2, 2)
    this.layer3 = stage(2, 4, 2)
    this.layer4 = stage(4, 8, 2)
    this.dropout = new nn.Dropout(device, dropout)
    this.fc = new nn.Linear(device, 8 * width, classes, { random })
  }

  forward(x: Tensor): Tensor {
    let h = maxPool2d(relu(this.bn1.forward(this.conv1.forward(x))), { kernel: 3, stride: 2, padding: 1 })
    for (const block of [this.layer1, this.layer2, this.layer3, this.layer4].flat()) h = block.forward(h)
    const features = averagePool2d(h, { kernel: h.shape.slice(2) as [number, number] }).flatten()
    return this.fc.forward(this.dropout.forward(features))
  }
}
