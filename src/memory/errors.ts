/**
 * The root of every error that Sluice throws on purpose, and the ones that concern bytes.
 * Errors of other layers live beside what throws them; all extend SluiceError.
 */

/** Catch this to catch all of ours. `name` is the class name, so that a program can tell them apart. */
export class SluiceError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/** A value that cannot be what was meant: bad text, a negative rate, an unknown name. */
export class ArgumentError extends SluiceError {}

/** A block was freed twice, or by an allocator that did not hand it out: a bug above the allocator. */
export class AllocatorError extends SluiceError {}
