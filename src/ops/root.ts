/** The gradient of a root of a sum of squares, which has no slope at 0. */
import type { Storage } from '../device/storage.js'
import { sizeOf } from '../tensor/shape.js'
import type { BackwardCall } from './op.js'

/** The gradient of y^2, dy / (2 y), as a workspace; 0 where y = 0: all values are then where the root is least. */
export function throughRoot({ device, shape, dy, workspace }: BackwardCall<unknown>, y: Storage): Storage {
  const size = sizeOf(shape)
  const [steep, chosen] = [workspace(size), workspace(size)]
  device.run('unaryGradient', { size, function: 'sqrt', a: 0, b: 0 }, [dy, y], [steep])
  const along = { shape: [size], stridesA: [1], stridesB: [1] }
  device.run('binary', { function: 'keepWhere', ...along }, [steep, y], [chosen])
  return chosen
}
