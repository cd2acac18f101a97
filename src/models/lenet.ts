/**
 * LeNet-5 with ReLU in place of tanh, max pooling in place of average pooling, and padding, so that small images are
 * accepted. LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition" (1998).
 */
import type { Device } from '../device/device.js'
import { ReLU } from '../nn/activations.js'
import { Conv2d, Flatten, Linear, MaxPool2d } from '../nn/layers.js'
import { type Classifier, classifier, imageSides, type ModelOptions } from './classifier.js'

/**
 * conv 5x5, 16 - relu - pool 2 - conv 5x5, 32 - relu - pool 2 - linear 120 - relu - linear 84 - relu - linear.
 * @throws ShapeError           inputShape is not [C, H, W] with H, W >= 8
 * @throws BudgetExceededError  the weights do not fit; nothing is left behind
 */
export function lenet(device: Device, options: ModelOptions = {}): Classifier {
  return classifier(device, options, (inputShape, classes, random) => {
    const [channels, height, width] = imageSides('lenet', inputShape, 8)
    const features = 32 * Math.floor(height / 4) * Math.floor(width / 4)
    return [
      new Conv2d(device, channels, 16, 5, { padding: 2, random }),
      new ReLU(device),
      new MaxPool2d(device, 2),
      new Conv2d(device, 16, 32, 5, { padding: 2, random }),
      new ReLU(device),
      new MaxPool2d(device, 2),
      new Flatten(device),
      new Linear(device, features, 120, { random }),
      new ReLU(device),
      new Linear(device, 120, 84, { random }),
      new ReLU(device),
      new Linear(device, 84, classes, { random }),
    ]
  })
}
