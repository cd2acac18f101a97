/** A small convolutional network: two convolutions and a linear layer. */
import type { Device } from '../device/device.js'
import { ReLU } from '../nn/activations.js'
import { Flatten, Linear, MaxPool2d } from '../nn/layers.js'
import { type Classifier, classifier, hiddenLayers, imageSides, type ModelOptions, modelDoor } from './classifier.js'

const check = modelDoor('convnet')

/**
 * conv 3x3, width - relu - pool 2 - conv 3x3, 2 width - relu - pool 2 - linear. The default width is 16.
 * @throws ShapeError           inputShape is not [C, H, W] with H, W >= 4, or the width is no positive integer
 * @throws BudgetExceededError  the weights do not fit; nothing is left behind
 */
export function convnet(device: Device, given: ModelOptions = {}): Classifier {
  check([device, given])
  const { width = 16, batchNorm, ...options } = given
  return classifier(device, options, (inputShape, classes, random) => {
    const [channels, ...sides] = imageSides('convnet', inputShape, 4)
    const [rows, columns] = sides.map((side) => Math.floor(side / 4))
    const { conv } = hiddenLayers(device, random, batchNorm)
    return [
      ...conv(channels, width, 3, 1),
      new ReLU(device),
      new MaxPool2d(device, 2),
      ...conv(width, 2 * width, 3, 1),
      new ReLU(device),
      new MaxPool2d(device, 2),
      new Flatten(device),
      new Linear(device, 2 * width * rows * columns, classes, { random }),
    ]
  })
}
