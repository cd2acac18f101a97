/**
 * LeNet-5 with ReLU in place of tanh, max pooling in place of average pooling, and padding, so that small images are
 * accepted. LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition" (1998).
 */
import type { Device } from '../device/device.js'
import { ReLU } from '../nn/activations.js'
import { Flatten, Linear, MaxPool2d } from '../nn/layers.js'
import { type Classifier, classifier, hiddenLayers, imageSides, type ModelOptions, modelDoor } from './classifier.js'

const check = modelDoor('lenet')

/**
 * conv 5x5, width - relu - pool 2 - conv 5x5, 2 width - relu - pool 2 - linear 7.5 width - relu - linear 5.25 width - relu -
 * linear. The default width, 16, gives 16 and 32 channels, 120 and 84 features. Halves are rounded up.
 * @throws ShapeError           inputShape is not [C, H, W] with H, W >= 8, or the width is no positive integer
 * @throws BudgetExceededError  the weights do not fit; nothing is left behind
 */
export function lenet(device: Device, given: ModelOptions = {}): Classifier {
  check([device, given])
  const { width = 16, batchNorm, ...options } = given
  return classifier(device, options, (inputShape, classes, random) => {
    const [channels, ...sides] = imageSides('lenet', inputShape, 8)
    const [rows, columns] = sides.map((side) => Math.floor(side / 4))
    const [hidden1, hidden2] = [Math.round(7.5 * width), Math.round(5.25 * width)]
    const { conv, linear } = hiddenLayers(device, random, batchNorm)
    return [
      ...conv(channels, width, 5, 2),
      new ReLU(device),
      new MaxPool2d(device, 2),
      ...conv(width, 2 * width, 5, 2),
      new ReLU(device),
      new MaxPool2d(device, 2),
      new Flatten(device),
      ...linear(2 * width * rows * columns, hidden1),
      new ReLU(device),
      ...linear(hidden1, hidden2),
      new ReLU(device),
      new Linear(device, hidden2, classes, { random }),
    ]
  })
}
