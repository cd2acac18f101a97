/** What a dropout mask follows from: taken from the device's step context when an op is called. */
import type { Dropout } from '../../kernels/kernels.js'
import type { Device } from '../device/device.js'
import { ArgumentError } from '../memory/errors.js'

export type DropoutKey = Omit<Dropout, 'size'>

/** @throws ArgumentError  a rate outside [0, 1) */
export function checkRate(op: string, rate: number): void {
  if (!(rate >= 0 && rate < 1)) throw new ArgumentError(`${op}: rate ${rate} is outside [0, 1)`)
}

/**
 * Call `use` with the next key; the key after it is another mask's, unless `use` throws.
 * @param sampleSize  elements under the mask for each sample
 */
export function nextKey<T>(device: Device, rate: number, sampleSize: number, use: (key: DropoutKey) => T): T {
  const { seed, step, call, firstSample } = device.step
  const result = use({ rate, seed, step, call, first: firstSample * sampleSize })
  device.step.call++
  return result
}
