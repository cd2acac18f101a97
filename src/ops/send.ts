/** Gradients that are sums: of dy, and of terms that come one after the other. */
import type { KernelName, KernelParameters } from '../../kernels/kernels.js'
import type { Device } from '../device/device.js'
import type { Storage } from '../device/storage.js'
import { broadcastAxes, type Shape, sameShape, sizeOf } from '../tensor/shape.js'
import type { BackwardCall, Target } from './declaration.js'

/**
 * Undoes a broadcast: sums `full`, which has `shape`, over the axes along which the input was repeated, and sends scale
 * times the sum.
 */
export function sendSum(target: Target, full: Storage, shape: Shape, inputShape: Shape, scale = 1): void {
  const reduced = broadcastAxes(inputShape, shape)
  target.run('reduce', { shape, reduced, function: 'sum', scale, accumulate: false }, [full])
}

/**
 * Undoes the broadcast of a gradient in the output's shape, which a kernel computes, and sends it to input `side`.
 * @param how  'overwrite' if the kernel may write over dy
 */
export function sendUnbroadcast<Name extends KernelName>(
  { device, shape, shapes, workspace }: BackwardCall<unknown>,
  target: Target,
  side: number,
  how: 'run' | 'overwrite',
  kernel: Name,
  parameters: KernelParameters[Name],
  inputs: readonly Storage[],
): void {
  if (sameShape(shapes[side], shape)) {
    target[how](kernel, parameters, inputs)
    return
  }
  const full = workspace(sizeOf(shape))
  device.run(kernel, parameters, inputs, [full])
  sendSum(target, full, shape, shapes[side])
}

/** The gradient of a bias of images: dbias[c] = sum of dy[n, c, h, w] over n, h, w. */
export function sendBias({ shape, dy }: BackwardCall<unknown>, target: Target): void {
  const reduced = [true, false, true, true]
  target.run('reduce', { shape, reduced, function: 'sum', scale: 1, accumulate: false }, [dy])
}

/**
 * sum += kernel(inputs), in one go for kernels that can accumulate. If aliasing is forbidden, the term first gets
 * memory of its own.
 */
export function accumulate<Name extends KernelName>(
  device: Device,
  kernel: Name,
  parameters: KernelParameters[Name],
  sum: Storage,
  inputs: readonly Storage[],
): void {
  if (device.aliases) {
    device.run(kernel, { ...parameters, accumulate: true }, inputs, [sum])
    return
  }
  const term = device.alloc(sum.size, 'workspace')
  try {
    device.run(kernel, { ...parameters, accumulate: false }, inputs, [term])
    add(device, sum, term)
  } finally {
    device.release(term)
  }
}

/** sum += term */
export const add = (device: Device, sum: Storage, term: Storage): void =>
  device.update({
    kernel: 'blend',
    parameters: { size: sum.size, a: 1, b: 1 },
    targets: [sum],
    inputs: [term],
  })
