/** Limits of the gradient of an optimizer. */
import type { Device } from '../device/device.js'
import type { Update } from '../device/instruction.js'
import { type Known, NUMBER } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { gradientOf } from '../tensor/create.js'
import { checkSetting } from '../tensor/setting.js'
import type { Tensor } from '../tensor/tensor.js'

/** One of the two, or neither. */
export interface Clipping {
  /** scale the whole gradient down to this norm if its norm is larger; default: no clipping */
  clipNorm?: number
  /** move each element of the gradient into [-clipValue, clipValue], in place, as a part of the step; default: no clipping */
  clipValue?: number
}

export const CLIPPING: Known<Clipping> = { clipNorm: NUMBER, clipValue: NUMBER }

/** @throws ArgumentError  a limit that is not a finite number above 0, or both limits */
export function checkClipping(optimizer: string, { clipNorm, clipValue }: Clipping): void {
  for (const [name, limit] of Object.entries({ clipNorm, clipValue })) {
    if (limit === undefined || (Number.isFinite(limit) && limit > 0)) continue
    throw new ArgumentError(`${optimizer}: ${name} is ${limit}; it must be a finite number above 0`)
  }
  if (clipNorm !== undefined && clipValue !== undefined) {
    throw new ArgumentError(`${optimizer}: clipNorm and clipValue are both given: leave one out`)
  }
}

/** @throws ArgumentError  the device's elements cannot hold a limit */
export function checkClippingOn(device: Device, optimizer: string, { clipNorm, clipValue }: Clipping): void {
  if (clipNorm !== undefined) checkSetting(device, optimizer, 'clipNorm', clipNorm)
  if (clipValue !== undefined) checkSetting(device, optimizer, 'clipValue', clipValue)
}

/** The updates of a step that clip gradients by value, before those of the parameters. */
export function clippedByValue(optimizer: string, parameters: readonly Tensor[], { clipValue }: Clipping): Update[] {
  if (clipValue === undefined) return []
  return parameters.map((parameter) => ({
    kernel: 'unary',
    parameters: { size: parameter.size, function: 'clamp', a: -clipValue, b: clipValue },
    targets: [gradientOf(parameter).storage(optimizer)],
    inputs: [],
  }))
}
