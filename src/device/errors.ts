/** What can go wrong between a program and its device. */
import { SluiceError } from '../memory/errors.js'

/** A device cannot be opened here, or not with these options. The message says what is missing. */
export class DeviceError extends SluiceError {}

/** The device is gone, with all values on it: a GPU whose context the platform took away. */
export class DeviceLostError extends DeviceError {}

/** A tensor larger than the device can address, whatever the budget. */
export class TensorTooLargeError extends DeviceError {}

/** Something that is not allowed in a rehearsal, such as waiting, reading values or freeing a standing tensor. */
export class RehearsalError extends SluiceError {}

/** The real step did not do what its rehearsal did. Nothing was committed. */
export class PlanMismatchError extends SluiceError {}

/** The error for an op that differs from the op of the rehearsal at its place. */
export function mismatch(planned: string, ran: string): PlanMismatchError {
  return new PlanMismatchError(
    `the step ran '${ran}' where its rehearsal had '${planned}'. A forward must run the same ops for the same ` +
      'shapes: let it not depend on values, counters or randomness. Nothing was committed.',
  )
}
