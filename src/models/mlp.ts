/** A multi-layer perceptron. */
import type { Device } from '../device/device.js'
import { ReLU } from '../nn/activations.js'
import { Flatten, Linear } from '../nn/layers.js'
import { sizeOf } from '../tensor/shape.js'
import { type Classifier, classifier, type ModelOptions } from './classifier.js'

export interface MlpOptions extends ModelOptions {
  /** widths of the hidden layers; default [128, 64] */
  hidden?: readonly number[]
}

/**
 * flatten - (linear - relu) for each hidden width - linear.
 * @throws ShapeError           a width that is not a positive integer
 * @throws BudgetExceededError  the weights do not fit; nothing is left behind
 */
export function mlp(device: Device, { hidden = [128, 64], ...options }: MlpOptions = {}): Classifier {
  return classifier(device, options, (inputShape, classes, random) => {
    const widths = [sizeOf(inputShape), ...hidden]
    return [
      new Flatten(device),
      ...hidden.flatMap((width, i) => [new Linear(device, widths[i], width, { random }), new ReLU(device)]),
      new Linear(device, widths[hidden.length], classes, { random }),
    ]
  })
}
