/**
 * Settings that reach kernels as numbers (learning rates, eps, slopes, scalars). A device computes in the type of its
 * elements. A number outside its range would silently become 0 or infinity, or lose its digits.
 */
import type { Device } from '../device/device.js'
import { ArgumentError } from '../memory/errors.js'

/** The magnitudes that are held in full precision. Subnormal numbers are not, and on a GPU they are 0. */
const RANGES = {
  4: {
    least: 2 ** -126,
    most: 2 ** 128 * (1 - 2 ** -24),
    told: 'float32, which holds 0 and magnitudes from 1.2e-38 to 3.4e38',
  },
  8: {
    least: 2 ** -1022,
    most: Number.MAX_VALUE,
    told: 'float64, which holds 0 and magnitudes from 2.2e-308 to 1.8e308',
  },
} as const

/**
 * Check that the element type of the device can hold `value`. A value that is not finite passes: the op itself checks
 * it.
 * @param name  the setting, as its user knows it
 * @throws ArgumentError  the element type cannot hold it
 */
export function checkSetting(device: Device, op: string, name: string, value: number): void {
  const { least, most, told } = RANGES[device.elementBytes]
  const size = Math.abs(value)
  if (size === 0 || (size >= least && size <= most) || !Number.isFinite(value)) return
  throw new ArgumentError(`${op}: ${name} is ${value}, and the ${device.kind} device computes in ${told}`)
}
