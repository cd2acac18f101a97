/** What can go wrong between a program and its device. */
import { SluiceError } from '../memory/errors.js'

/** The device cannot be had here, or not like this; the message says what is missing. */
export class DeviceError extends SluiceError {}

/** The device is gone, with all values on it: a GPU whose context the platform took away. */
export class DeviceLostError extends DeviceError {}

/** A tensor larger than the device can address, whatever the budget. */
export class TensorTooLargeError extends DeviceError {}

/** Something that a rehearsal cannot do: wait, read values, free what stands, or outlive itself. */
export class RehearsalError extends SluiceError {}

/** The real step did not do what its rehearsal did. Nothing was committed. */
export class PlanMismatchError extends SluiceError {}

/** An op that its rehearsal did not have, or not there. */
export function mismatch(planned: string, ran: string): PlanMismatchError {
  return new PlanMismatchError(
    `the step ran '${ran}' where its rehearsal had '${planned}'. A forward must run the same ops for the same ` +
      'shapes: let it not depend on values, counters or randomness. Nothing was committed.',
  )
}
