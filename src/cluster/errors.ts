/** Errors between a coordinator and its workers. Nothing was committed when one is thrown. */
import { SluiceError } from '../memory/errors.js'

/** Coordinator and workers cannot go on together; the message says why. */
export class ClusterError extends SluiceError {}

/** A job or a result is not what it should be. Nothing was allocated on its word. */
export class PayloadError extends ClusterError {}

/** This worker has another model or other data than the coordinator, so it takes no more jobs. */
export class MismatchError extends ClusterError {}
