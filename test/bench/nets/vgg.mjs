/** VGG-16 in a CIFAR form: Simonyan, Zisserman, "Very deep convolutional networks for large-scale image recognition" (2015). */
import { crossEntropy, flatten, Module, maxPool2d, nn, relu } from '../../../dist/src/index.js'

/** Channels of the 3x3 convolutions, by image size: each stage ends in pooling. */
const STAGES = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
]

class VGG16 extends Module {
  constructor(device, classes) {
    super(device)
    let from = 3
    this.stages = STAGES.map((widths) =>
      widths.map((to) => {
        const conv = new nn.Conv2d(device, from, to, 3, { padding: 1 })
        from = to
        return conv
      }),
    )
    this.fc1 = new nn.Linear(device, 512, 512)
    this.fc2 = new nn.Linear(device, 512, 512)
    this.head = new nn.Linear(device, 512, classes)
  }

  forward(x) {
    let h = x
    for (const stage of this.stages) {
      for (const conv of stage) h = relu(conv.forward(h))
      h = maxPool2d(h, { kernel: 2 })
    }
    h = relu(this.fc1.forward(flatten(h)))
    h = relu(this.fc2.forward(h))
    return this.head.forward(h)
  }
}

export const vgg16 = {
  make: (device) => new VGG16(device, 10),
  inputShape: [3, 32, 32],
  targetShape: [],
  loss: crossEntropy,
}
