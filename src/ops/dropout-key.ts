/** What a dropout mask follows from: taken from the device's step context when an op is called. */
import { DROPOUT_CALLS, type Dropout } from '../../kernels/kernels.js'
import type { Device } from '../device/device.js'
import { ArgumentError } from '../memory/errors.js'

export type DropoutKey = Omit<Dropout, 'size'>

/** @throws ArgumentError  a rate outside [0, 1) */
export function checkRate(op: string, rate: number): void {
  if (!(rate >= 0 && rate < 1)) throw new ArgumentError(`${op}: rate ${rate} is outside [0, 1)`)
}

/**
 * Call `use` with the next key; the key after it is another mask's, unless `use` throws.
 * @param samples     under the mask
 * @param sampleSize  elements under the mask for each of them
 * @throws ArgumentError  masks would repeat: Note [Counter of a mask] in kernels.ts
 */
export function nextKey<T>(
  device: Device,
  rate: number,
  samples: number,
  sampleSize: number,
  use: (key: DropoutKey) => T,
): T {
  const { seed, step, call, firstSample } = device.step
  const end = (firstSample + samples) * sampleSize
  if (end > Number.MAX_SAFE_INTEGER || (end > 2 ** 32 && call >= DROPOUT_CALLS)) {
    throw new ArgumentError(
      `dropout: a mini-batch has ${end} elements under dropout ${call} of its forward. Masks are drawn for up to 2^53 ` +
        `elements, and beyond 2^32 for the first ${DROPOUT_CALLS} dropouts: take a smaller batch`,
    )
  }
  const result = use({ rate, seed, step, call, first: firstSample * sampleSize })
  device.step.call++
  return result
}
