/** Numbers at equal distances. */
import type { Device } from '../device/device.js'
import { checkArgument, NUMBER, optional } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { tensor } from './create.js'
import { DEVICE } from './kinds.js'
import type { Tensor } from './tensor.js'

/** A typed array has no more elements. */
const MOST = 2 ** 32

/**
 * 0, 1, 2 and so on: `arange(device, 3)` is [0, 1, 2].
 * @param end  excluded
 * @throws  the errors of `tensor`, and ArgumentError for a range without numbers
 */
export function arange(device: Device, end: number): Tensor
/** start, start + step, ...: `arange(device, 1, 2, 0.25)` is [1, 1.25, 1.5, 1.75]. @param step  default 1; may be negative */
export function arange(device: Device, start: number, end: number, step?: number): Tensor
export function arange(device: Device, first: number, second?: number, step = 1): Tensor {
  checkArgument('arange', 'device', device, DEVICE)
  checkArgument('arange', second === undefined ? 'end' : 'start', first, NUMBER)
  checkArgument('arange', 'end', second, optional(NUMBER))
  checkArgument('arange', 'step', step, NUMBER)
  const [start, end] = second === undefined ? [0, first] : [first, second]
  const count = Math.ceil((end - start) / step)
  if (!(count > 0 && count <= MOST && Number.isFinite(step))) {
    throw new ArgumentError(`arange: there is no list of numbers from ${start} to ${end} in steps of ${step}`)
  }
  return tensor(
    device,
    Float64Array.from({ length: count }, (_, i) => start + i * step),
  )
}
