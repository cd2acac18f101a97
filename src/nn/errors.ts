/** What can be wrong with saved state. */
import { SluiceError } from '../memory/errors.js'

/** Saved state that does not belong to this module or optimizer; lists every difference. Nothing was written. */
export class StateError extends SluiceError {}
