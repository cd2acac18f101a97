/** `checkDevices`: the same values and gradients on every device. */

import { gradientsAt, valuesAt } from '../autograd/differences.js'
import type { Device } from '../device/device.js'
import { DeviceError } from '../device/errors.js'
import { openDevice } from '../device/open.js'
import { ANYTHING, LIST, NUMBER, options as optionsOf } from '../memory/arguments.js'
import { type ByteSize, parseBytes } from '../memory/bytes.js'
import { reasonOf } from '../memory/errors.js'
import { HeapAllocator } from '../memory/heap.js'
import type { SavedState } from '../tensor/saved-state.js'
import { type Shape, sizeOf } from '../tensor/shape.js'
import { CheckError, checking, MEMORY } from './check-error.js'
import { StrictDevice } from './strict.js'
import { differentiableOf, type Fn, type Inputs, indexOf, type Subject, subjectOf, type Training } from './subject.js'

export interface DevicesOptions {
  /** for a function: the numbers of the inputs that have gradients; default all */
  inputs?: readonly number[]
  /** the budget of each device; default '8MiB' */
  memory?: ByteSize
  /** the largest difference from `reference`, relative to the largest value of a tensor or 1; default 1e-4 */
  tolerance?: number
  /** default cpu, and gpu where it opens */
  devices?: readonly ('cpu' | 'gpu')[]
}

export interface DevicesReport {
  /** the devices that were compared with `reference` */
  readonly compared: readonly string[]
  /** why the gpu device was left out, or null */
  readonly withoutGpu: string | null
  readonly worstError: number
}

const OPTIONS = optionsOf<DevicesOptions>({ inputs: LIST, memory: ANYTHING, tolerance: NUMBER, devices: LIST })
const NAME = 'checkDevices'
const TOLERANCE = 1e-4

/**
 * Do cpu, reference and, where it opens, gpu agree on values and gradients? `reference` is a device on which outputs are NaN until
 * they are written, and nothing may write where it reads.
 * @throws CheckError     the first element that differs
 * @throws ArgumentError  the arguments are wrong
 */
export function checkDevices(fn: Fn, inputs: Inputs, options?: DevicesOptions): Promise<DevicesReport>
export function checkDevices<O, T>(training: Training<O, T>, options?: DevicesOptions): Promise<DevicesReport>
export async function checkDevices(...given: readonly unknown[]): Promise<DevicesReport> {
  const { subject, options } = subjectOf<DevicesOptions>(NAME, given, OPTIONS)
  const { memory = MEMORY, tolerance = TOLERANCE, devices = ['cpu', 'gpu'] } = options
  const reference = new StrictDevice('reference', new HeapAllocator(parseBytes(memory)))
  return checking(NAME, reference, async () => {
    const { values: wanted, state } = await outcome(subject, reference, null)
    const compared: string[] = []
    let withoutGpu: string | null = null
    let worstError = 0
    for (const kind of devices) {
      let device: Device
      try {
        device = await openDevice(kind, { memory, threads: kind === 'cpu' ? 1 : undefined })
      } catch (error) {
        if (kind !== 'gpu' || options.devices || !(error instanceof DeviceError)) throw error
        withoutGpu = reasonOf(error)
        continue
      }
      const { values: seen } = await outcome(subject, device, state).finally(() => device.close())
      wanted.forEach(({ name, shape, data }, k) => {
        const largest = Array.from(data).reduce((most, value) => Math.max(most, Math.abs(value)), 1)
        Array.from(data).forEach((value, i) => {
          const other = seen[k].data[i]
          const error = Object.is(value, other) || value === other ? 0 : Math.abs(value - other) / largest
          worstError = Math.max(worstError, error)
          if (error <= tolerance) return
          const place = shape.length > 0 ? ` at [${indexOf(shape, i)}]` : ''
          throw new CheckError(`${name}${place} is ${other} on ${kind}, and ${value} on reference`)
        })
      })
      compared.push(kind)
    }
    return { compared, withoutGpu, worstError }
  })
}

interface Result {
  readonly name: string
  readonly shape: Shape
  readonly data: ArrayLike<number>
}

/** Values and gradients, and the state of the model that was made. */
async function outcome(subject: Subject, device: Device, state: SavedState | null) {
  const model = subject.fn ? undefined : subject.make(device)
  if (state) model?.loadStateDict(state)
  const own = (await model?.stateDict()) ?? null
  const f = await differentiableOf(subject, device, model)
  let shape: Shape = []
  const gradients = await gradientsAt(f, f.points, (of) => {
    shape = of
    return Float64Array.from({ length: sizeOf(of) }, (_, i) => (((i * 7) % 11) - 5.5) / 16)
  })
  const y = await valuesAt(f, f.points)
  const values: Result[] = [{ name: 'the result', shape, data: y }]
  gradients.forEach((data, k) => {
    values.push({ name: `the gradient of ${f.names[k]}`, shape: f.points[k].shape, data })
  })
  return { values, state: own }
}
