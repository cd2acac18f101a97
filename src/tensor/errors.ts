/** Misuse of tensors. */
import { SluiceError } from '../memory/errors.js'

/** Shapes that do not go together; the message names the op and the shapes. */
export class ShapeError extends SluiceError {}

/** Tensors of two devices in one op. */
export class DeviceMismatchError extends SluiceError {}

/** A tensor was used after its storage was freed. */
export class DisposedError extends SluiceError {}

/** Something that a scope cannot do, such as wait. */
export class ScopeError extends SluiceError {}
