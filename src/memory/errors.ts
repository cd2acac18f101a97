/**
 * The root of every error that Sluice throws on purpose, and the ones that concern bytes.
 * Errors of other layers live beside what throws them; all extend SluiceError.
 */

/** The longest message. The middle of a longer one is left out. */
const LONGEST_MESSAGE = 2000
const LAST_WORDS = 400

/** The base of all errors of Sluice. `name` is the name of the class, by which a program can tell them apart. */
export class SluiceError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(shortened(message), options)
    this.name = new.target.name
  }
}

function shortened(message: string): string {
  if (message.length <= LONGEST_MESSAGE) return message
  const left = message.length - LONGEST_MESSAGE
  return `${message.slice(0, LONGEST_MESSAGE - LAST_WORDS)} ... (${left} characters left out) ... ${message.slice(-LAST_WORDS)}`
}

/** A value of any kind as errors show it: short. Never throws. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return value.length > 40 ? `'${value.slice(0, 40)}...'` : `'${value}'`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'bigint') return 'a BigInt'
  if (typeof value !== 'object' || value === null) return String(value)
  if (ArrayBuffer.isView(value)) return `a ${Object.prototype.toString.call(value).slice('[object '.length, -1)}`
  return Array.isArray(value) ? 'an array' : 'an object'
}

/** The message of what was thrown, which need not be an Error. */
export function reasonOf(cause: unknown): string {
  const message: unknown = cause instanceof Error ? cause.message : undefined
  return typeof message === 'string' ? message : showValue(cause)
}

/** A value that cannot be what was meant: bad text, a negative rate, an unknown name. */
export class ArgumentError extends SluiceError {}

/** A block was freed twice, or by an allocator that did not hand it out: a bug above the allocator. */
export class AllocatorError extends SluiceError {}
