/** What a check throws. */
import type { Device } from '../device/device.js'
import { reasonOf, SluiceError } from '../memory/errors.js'

/** A check has found a fault; the message says where. `cause` is the error of the code that was checked, if it threw. */
export class CheckError extends SluiceError {}

/** Run a check on a device, which is closed then. What the checked code throws is a fault that the check has found. */
export async function checking<T>(name: string, device: Device, check: () => Promise<T>): Promise<T> {
  try {
    return await check()
  } catch (cause) {
    throw new CheckError(`${name}: ${reasonOf(cause)}`, { cause })
  } finally {
    await device.close()
  }
}

/** The budget of a device without the option `memory`. Larger devices cost more: V8 collects garbage when it makes one. */
export const MEMORY = '8MiB'
