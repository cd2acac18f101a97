/** What the container or the machine offers this process, and a share of it such as '60%'. */
import { type ByteSize, formatBytes } from './bytes.js'
import { ArgumentError } from './errors.js'

export interface Offer {
  readonly bytes: number
  /** what sets the limit */
  readonly by: 'container' | 'machine'
}

/**
 * The memory that this process may use: the limit of its container, or else all of the machine's. What other programs use
 * is not subtracted, so that the answer stays the same. null where the platform does not say, as in a page.
 */
export function offeredMemory(): Offer | null {
  const platform = globalThis.process
  const machine = platform?.getBuiltinModule?.('node:os').totalmem() ?? Infinity
  // without a limit it is 0, or more than any machine has
  const limit = platform?.constrainedMemory?.() || Infinity
  if (limit < machine && Number.isSafeInteger(limit)) return { bytes: limit, by: 'container' }
  return Number.isFinite(machine) ? { bytes: machine, by: 'machine' } : null
}

const SHARE = /^(\d+(?:\.\d+)?)\s*%$/

/** 0.6 for '60%'; null if the text is not a share. */
function shareIn(size: ByteSize): number | null {
  const [, percent] = (typeof size === 'string' && SHARE.exec(size.trim())) || []
  return percent === undefined ? null : Number(percent) / 100
}

/**
 * The bytes of a share such as '60%', or null if `size` is not one.
 * @throws ArgumentError  it is not above 0 % and at most 100 %, or the platform does not say what it offers
 */
export function offeredShare(size: ByteSize): number | null {
  const share = shareIn(size)
  if (share === null) return null
  if (share <= 0 || share > 1)
    throw new ArgumentError(`'${size}' is not a share of memory: use more than 0 % and at most 100 %`)
  const offer = offeredMemory()
  if (offer) return Math.floor(share * offer.bytes)
  throw new ArgumentError(
    `'${size}' of what? This platform does not say how much memory it offers: give bytes, such as '8MiB'`,
  )
}

/** A sentence about a share, such as '60% of the 4 GiB that this container offers'; null if `size` is not one. */
export function describeShare(size: ByteSize): string | null {
  const offer = shareIn(size) === null ? null : offeredMemory()
  return offer && `${size} of the ${formatBytes(offer.bytes)} that this ${offer.by} offers`
}
