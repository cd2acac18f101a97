/** Errors between a program and its device. */
import { SluiceError } from '../memory/errors.js'

/** A device cannot be opened here, or not with these options. The message says what is missing. */
export class DeviceError extends SluiceError {}

/** The device is gone, with all values on it: a GPU whose context the platform took away. */
export class DeviceLostError extends DeviceError {}

/** A tensor larger than the device can address with any budget. */
export class TensorTooLargeError extends DeviceError {}

/** Something that is not allowed while a step is recorded, such as waiting, reading values or freeing a standing tensor. */
export class RehearsalError extends SluiceError {}

/** The step did not do what its plan says. Nothing was committed. */
export class PlanMismatchError extends SluiceError {}
