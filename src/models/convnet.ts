/** A small convolutional network: two convolutions and a linear layer. */
import type { Device } from '../device/device.js'
import { ReLU } from '../nn/activations.js'
import { Conv2d, Flatten, Linear, MaxPool2d } from '../nn/layers.js'
import { type Classifier, classifier, imageSides, type ModelOptions } from './classifier.js'

/**
 * conv 3x3, 16 - relu - pool 2 - conv 3x3, 32 - relu - pool 2 - linear.
 * @throws ShapeError           inputShape is not [C, H, W] with H, W >= 4
 * @throws BudgetExceededError  the weights do not fit; nothing is left behind
 */
export function convnet(device: Device, options: ModelOptions = {}): Classifier {
  return classifier(device, options, (inputShape, classes, random) => {
    const [channels, height, width] = imageSides('convnet', inputShape, 4)
    return [
      new Conv2d(device, channels, 16, 3, { padding: 1, random }),
      new ReLU(device),
      new MaxPool2d(device, 2),
      new Conv2d(device, 16, 32, 3, { padding: 1, random }),
      new ReLU(device),
      new MaxPool2d(device, 2),
      new Flatten(device),
      new Linear(device, 32 * Math.floor(height / 4) * Math.floor(width / 4), classes, { random }),
    ]
  })
}
