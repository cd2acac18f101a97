/** A multi-layer perceptron. */
import type { Device } from '../device/device.js'
import { LIST } from '../memory/arguments.js'
import { ReLU } from '../nn/activations.js'
import { Flatten, Linear } from '../nn/layers.js'
import { sizeOf } from '../tensor/shape.js'
import { type Classifier, classifier, hiddenLayers, type ModelOptions, modelDoor } from './classifier.js'

export interface MlpOptions extends ModelOptions {
  /** the features of every hidden layer, in place of `width`; default [width, width / 2], rounded up */
  hidden?: readonly number[]
}

const check = modelDoor('mlp', { hidden: LIST })

/**
 * flatten - (linear - relu) for each hidden layer - linear. The default width is 128.
 * @throws ShapeError           a width that is not a positive integer
 * @throws BudgetExceededError  the weights do not fit; nothing is left behind
 */
export function mlp(device: Device, given: MlpOptions = {}): Classifier {
  check([device, given])
  const { width = 128, hidden = [width, Math.ceil(width / 2)], batchNorm, ...options } = given
  return classifier(device, options, (inputShape, classes, random) => {
    const widths = [sizeOf(inputShape), ...hidden]
    const { linear } = hiddenLayers(device, random, batchNorm)
    return [
      new Flatten(device),
      ...hidden.flatMap((width, i) => [...linear(widths[i], width), new ReLU(device)]),
      new Linear(device, widths[hidden.length], classes, { random }),
    ]
  })
}
