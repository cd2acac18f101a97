/** Errors in the use of tensors and of their saved values. */
import type { Device } from '../device/device.js'
import { formatBytes } from '../memory/bytes.js'
import { SluiceError } from '../memory/errors.js'

/** Shapes that do not match; the message names the op and the shapes. */
export class ShapeError extends SluiceError {}

/** Tensors of two devices in one op. */
export class DeviceMismatchError extends SluiceError {}

/** The text of that error. Two devices of one kind and budget are told apart by the word another. */
export function twoDevices(first: Device, second: Device): string {
  const describe = ({ kind, memory }: Device): string => `${kind} device (budget ${formatBytes(memory.budgetBytes)})`
  const [a, b] = [describe(first), describe(second)]
  return `the tensors are on two devices, a ${a} and ${a === b ? 'another' : 'a'} ${b}: make all of them on one`
}

/** A tensor was used after its storage was freed. */
export class DisposedError extends SluiceError {}

/** The function of a scope is not synchronous: it returned a Promise or a generator. */
export class ScopeError extends SluiceError {}

/** Saved values that do not belong to this module or optimizer; lists every difference. Nothing was written. */
export class StateError extends SluiceError {}
