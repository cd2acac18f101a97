/** The weight of a micro-batch in the mini-batch: on the host as a number, on the device as a tensor for the loss. */
import type { Device } from '../device/device.js'
import type { Storage } from '../device/storage.js'
import { ArgumentError } from '../memory/errors.js'
import type { AnyLoss } from '../ops/loss.js'
import { keptWeight, sumOf, valueAt } from '../ops/targets.js'
import type { HostArray } from '../tensor/host.js'
import { adopt } from '../tensor/scope.js'
import { checkSetting } from '../tensor/setting.js'
import { type Arrays, firstOf, isArray, type Shapes } from '../tensor/structure.js'
import { Tensor } from '../tensor/tensor.js'

/**
 * The total weight of these targets: `loss.weight`; without it, the number of targets that `loss.ignores` does not
 * name; without both, the number of samples. Each counts with the weight of its sample.
 * @param outputs  the shapes of the outputs, where they are known
 * @throws ArgumentError  the weight is negative or not finite; `ignores` without `weight` for several targets
 */
export function weigh(loss: AnyLoss, targets: Arrays, weights?: HostArray, outputs?: Shapes): number {
  const weight = weightOf(loss, targets, weights, outputs)
  if (Number.isFinite(weight) && weight >= 0) return weight
  throw new ArgumentError(`the loss gives a micro-batch the weight ${weight}; a weight must be finite, 0 or more`)
}

function weightOf(loss: AnyLoss, targets: Arrays, weights?: HostArray, outputs?: Shapes): number {
  if (loss.weight) return loss.weight(targets, weights, outputs)
  if (loss.ignores) {
    if (isArray(targets)) return keptWeight((target) => loss.ignores?.(target) ?? false, targets, weights)
    throw new ArgumentError(
      'the loss ignores some targets, and each sample has several: give it weight(targets, weights), the total weight of ' +
        'these targets in the mean',
    )
  }
  return weights ? sumOf(weights) : firstOf(targets, isArray).shape[0]
}

/** @throws ArgumentError  a weight, or the sum of all, is not 0 and would be 0 or infinite on the device */
export function checkWeights(device: Device, weights: HostArray): void {
  for (let i = 0; i < weights.data.length; i++) {
    checkSetting(device, 'sample weights', `the weight of sample ${i}`, valueAt(weights, i))
  }
  checkSetting(device, 'sample weights', 'their sum', sumOf(weights))
}

/** Sample weights that notice whether a loss uses them, because an op asks its operands for their storage. */
export class SampleWeights extends Tensor {
  #used = false

  /** Holds the storage of `weights` too. */
  constructor(weights: Tensor) {
    const storage = weights.storage('weights')
    super(weights.device, storage, weights.shape)
    weights.device.retain(storage)
    adopt(this)
  }

  override storage(op: string): Storage {
    this.#used = true
    return super.storage(op)
  }

  /** @throws ArgumentError  no op has used them */
  checkUsed(): void {
    if (this.#used) return
    throw new ArgumentError(
      'the samples carry weights, but the loss does not use them. Write (output, target, { weights } = {}) => ' +
        'mse(output, target, { weights }); or leave the weights out of the batch.',
    )
  }
}
