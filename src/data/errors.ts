/** Errors of data, all found before a device gets any of it. */
import { SluiceError } from '../memory/errors.js'

/** Arrays, indices or options that do not describe samples; the message names which and why. */
export class DataError extends SluiceError {}

/** Bytes that are not an IDX file. */
export class IdxError extends DataError {}

/** Bytes that are not an npy or npz file, or an array that numbers cannot hold. */
export class NpyError extends DataError {}

/** A source that can be read only once was asked to start again, or in the middle. */
export class NotResumableError extends DataError {}
