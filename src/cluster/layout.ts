/** The form of a model, which coordinator and workers must share, and its values as they travel. */
import type { Floats } from '../../kernels/kernels.js'
import type { AnyModule } from '../nn/module.js'
import { readAll, writeAll } from '../stream/range.js'
import type { Tensor } from '../tensor/tensor.js'
import { digestOf } from './message.js'

/** Parameters, then buffers. */
const tensorsOf = (model: AnyModule): Tensor[] => [...model.parameters(), ...model.buffers().map(({ value }) => value)]

export const valueCount = (model: AnyModule): number => tensorsOf(model).reduce((sum, { size }) => sum + size, 0)

export const readValues = (model: AnyModule): Promise<Floats> => readAll(model.device, tensorsOf(model))

export const writeValues = (model: AnyModule, values: Floats): void => writeAll(model.device, tensorsOf(model), values)

/** A digest of names and shapes, of what is frozen, and of the modes and policies of layers. */
export function layoutOf(model: AnyModule): string {
  const parameters = [...model.namedParameters()].map(([name, { shape, requiresGrad }]) => [name, shape, requiresGrad])
  const buffers = [...model.namedBuffers()].map(([name, { value }]) => [name, value.shape])
  const modules = [...model.namedModules()].map(([name, { training, streamingNote }]) => [
    name,
    training,
    streamingNote,
  ])
  return digestOf(JSON.stringify([model.device.elementBytes, parameters, buffers, modules])).toString('hex')
}
