/** Loss and gradient of a micro-batch by its share in the mini-batch's weight, which may be 0. */
import { backward, walkBack } from '../autograd/backward.js'
import type { Device } from '../device/device.js'
import { withoutKernels, zerosAtFirst } from '../step/record.js'
import type { Tensor } from '../tensor/tensor.js'

/**
 * Run `fn`, which adds loss or gradient. For a share of 0 its memory is taken and freed as planned but no kernel runs:
 * the loss may be NaN there, and 0 times NaN is not 0.
 */
export function counting(device: Device, share: number, fn: () => void): void {
  if (share > 0) fn()
  else withoutKernels(device, fn)
}

/**
 * The backward of a micro-batch.
 * @param ofModel  the nodes of the forward, if samples of other micro-batches depend on these: their gradients pass
 *   through this micro-batch even if its own loss does not count. Nodes of the loss are newer, so they come first.
 */
export function backwardByShare(loss: Tensor, share: number, ofModel: ReadonlySet<object> | null): void {
  if (share > 0 || !ofModel) {
    counting(loss.device, share, () => backward(loss, share))
    return
  }
  zerosAtFirst(loss.device, (kernelsFromHere) => {
    walkBack(loss, share, (node) => {
      if (ofModel.has(node)) kernelsFromHere()
    })
  })
}
