/** Errors in the use of tensors and of their saved values. */
import { SluiceError } from '../memory/errors.js'

/** Shapes that do not match; the message names the op and the shapes. */
export class ShapeError extends SluiceError {}

/** Tensors of two devices in one op. */
export class DeviceMismatchError extends SluiceError {}

/** A tensor was used after its storage was freed. */
export class DisposedError extends SluiceError {}

/** The function of a scope is not synchronous: it returned a Promise or a generator. */
export class ScopeError extends SluiceError {}

/** Saved values that do not belong to this module or optimizer; lists every difference. Nothing was written. */
export class StateError extends SluiceError {}
