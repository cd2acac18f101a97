/** Parts of the program of a micro-batch: its samples, its mode, its loss. */
import type { Device } from '../device/device.js'
import type { AnyModule } from '../nn/module.js'
import { empty, fromHost } from '../tensor/create.js'
import type { HostArray } from '../tensor/host.js'
import type { Shape } from '../tensor/shape.js'
import { type Arrays, isArray, isShape, mapMembers, type Shapes, type Tensors } from '../tensor/structure.js'
import type { Tensor } from '../tensor/tensor.js'
import { ModelError } from './errors.js'

/** Arrays on the device; without them, for a plan, their memory. @param shapes  those of one sample */
export function placeAll(device: Device, size: number, shapes: Shapes, arrays: Arrays | undefined): Tensors {
  if (arrays) return mapMembers(arrays, isArray, (array) => place(device, array.shape, array))
  return mapMembers(shapes, isShape, (shape) => place(device, [size, ...shape], undefined))
}

export function place(device: Device, shape: Shape, host: HostArray | undefined): Tensor {
  if (host) return fromHost(device, host, { category: 'input' })
  const planned = empty('tensor', device, shape, { category: 'input' })
  device.upload(planned.storage('tensor'), [])
  return planned
}

/** Run `fn` with every module in evaluation mode. Training leaves the modes as the user set them. */
export function evaluating<T>(model: AnyModule, fn: () => T): T {
  const before = model.modules().map((module) => ({ module, training: module.training }))
  model.eval()
  try {
    return fn()
  } finally {
    for (const { module, training } of before) module.training = training
  }
}

/** @throws ModelError  nothing would be learned from it */
export function checkLearns(loss: Tensor | null): Tensor {
  if (loss?.requiresGrad) return loss
  throw new ModelError(
    'the loss depends on no parameter: compute it from the output of the model, and the output from parameters',
  )
}
