/**
 * The base class of every error that Sluice throws on purpose, and the errors about bytes. Errors of other layers are
 * declared in those layers; all extend SluiceError.
 */

/** The largest number of characters in a message. A longer message loses its middle. */
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

/** A short text of any value, for error messages. Never throws. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return value.length > 40 ? `'${value.slice(0, 40)}...'` : `'${value}'`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'bigint') return 'a BigInt'
  if (typeof value !== 'object' || value === null) return String(value)
  const tag = tagOf(value)
  return tag === 'Array' || tag === 'Object' ? `an ${tag.toLowerCase()}` : `${/^[AEIOU]/.test(tag) ? 'an' : 'a'} ${tag}`
}

/** 'Object', 'Array', 'Map', 'Promise', 'Tensor': what an object calls itself. */
function tagOf(value: object): string {
  try {
    return Object.prototype.toString.call(value).slice('[object '.length, -1)
  } catch {
    return 'Object'
  }
}

/** The message of a thrown value, which need not be an Error. */
export function reasonOf(cause: unknown): string {
  const message: unknown = cause instanceof Error ? cause.message : undefined
  return typeof message === 'string' ? message : showValue(cause)
}

/** An argument that makes no sense: bad text, a negative rate, an unknown name. */
export class ArgumentError extends SluiceError {}

/** A block was freed twice, or by an allocator that did not hand it out: a bug above the allocator. */
export class AllocatorError extends SluiceError {}
