/**
 * One step at a time on a device. Its streamers share what a step works with: the gradients and shadows of a model that
 * two of them train, and the heap that a plan was made for.
 */
import type { Device } from '../device/device.js'
import { Slot } from '../device/slot.js'
import { BusyError } from './errors.js'

const RUNNING = new Slot<{ what: string | null }>(() => ({ what: null }))

/** @throws BusyError  says what runs */
export function checkIdle(device: Device, wanted: string): void {
  const { what } = device.slot(RUNNING)
  if (what === null) return
  throw new BusyError(`${wanted}: ${what} of a streamer is running on this ${device.kind} device: await it first`)
}

/**
 * Runs `fn`, and nothing else until it has ended.
 * @param what  for the error that others get
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
