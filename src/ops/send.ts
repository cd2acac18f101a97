/** Gradients that are sums of dy, for the ops that share them. */
import type { Storage } from '../device/storage.js'
import { broadcastAxes, type Shape } from '../tensor/shape.js'
import type { BackwardCall, Target } from './declaration.js'

/** Undoes a broadcast: sends scale times the sum of `full`, of `shape`, over the axes along which the input was repeated. */
export function sendSum(target: Target, full: Storage, shape: Shape, inputShape: Shape, scale = 1): void {
  const reduced = broadcastAxes(inputShape, shape)
  target.run('reduce', { shape, reduced, function: 'sum', scale, accumulate: false }, [full])
}

/** The gradient of a bias of images: dbias[c] = sum of dy[n, c, h, w] over n, h, w. */
export function sendBias({ shape, dy }: BackwardCall<unknown>, target: Target): void {
  const reduced = [true, false, true, true]
  target.run('reduce', { shape, reduced, function: 'sum', scale: 1, accumulate: false }, [dy])
}
