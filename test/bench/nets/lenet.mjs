/**
 * LeNet-5 with relu and max pooling: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document
 * recognition" (1998).
 */
import { crossEntropy, flatten, Module, maxPool2d, nn, relu } from '../../../dist/src/index.js'

class LeNet extends Module {
  constructor(device, classes) {
    super(device)
    this.conv1 = new nn.Conv2d(device, 1, 6, 5, { padding: 2 })
    this.conv2 = new nn.Conv2d(device, 6, 16, 5)
    this.fc1 = new nn.Linear(device, 16 * 5 * 5, 120)
    this.fc2 = new nn.Linear(device, 120, 84)
    this.fc3 = new nn.Linear(device, 84, classes)
  }

  forward(x) {
    let h = maxPool2d(relu(this.conv1.forward(x)), { kernel: 2 })
    h = maxPool2d(relu(this.conv2.forward(h)), { kernel: 2 })
    h = relu(this.fc1.forward(flatten(h)))
    h = relu(this.fc2.forward(h))
    return this.fc3.forward(h)
  }
}

export const lenet = {
  make: (device) => new LeNet(device, 10),
  inputShape: [1, 28, 28],
  targetShape: [],
  loss: crossEntropy,
}
