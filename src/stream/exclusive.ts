/**
 * One step at a time on a device. The streamers of a device share its heap, on which their plans depend, and may share
 * the gradients and shadows of one model.
 */
import type { Device } from '../device/device.js'
import { Slot } from '../device/slot.js'
import { BusyError } from './errors.js'

const RUNNING = new Slot<{ what: string | null }>(() => ({ what: null }))

/** @throws BusyError  something is running: says what */
export function checkIdle(device: Device, wanted: string): void {
  const { what } = device.slot(RUNNING)
  if (what === null) return
  throw new BusyError(`${wanted}: ${what} of a streamer is running on this ${device.kind} device: await it first`)
}

/**
 * Runs `fn`, and refuses every other call until it has ended.
 * @param what  the name of `fn` in the error of a refused call
 * @throws BusyError  something runs already
 */
export async function exclusively<T>(device: Device, what: string, fn: () => Promise<T>): Promise<T> {
  checkIdle(device, what)
  const running = device.slot(RUNNING)
  running.what = what
  try {
    return await fn()
  } finally {
    running.what = null
  }
}
