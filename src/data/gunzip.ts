/** gzip and raw deflate, unpacked by the platform: zlib in Node, a DecompressionStream in a page. */
import { BYTES, door, NUMBER, options as optionsOf } from '../memory/arguments.js'
import { DataError } from './errors.js'

const check = door('gunzip', { bytes: BYTES, options: optionsOf<Limit>({ maxBytes: NUMBER }) })

/**
 * Unpacks gzip and checks checksum and size. Node unpacks all members of the file; a browser refuses a file with more
 * than one. Holds at most twice the output.
 * @param maxBytes  the largest output, default 1 GiB; unpacking stops as soon as there is more
 * @throws DataError  not gzip, damaged or truncated input, bytes after its end, or output above maxBytes
 */
export async function gunzip(bytes: Uint8Array, options: Limit = {}): Promise<Uint8Array> {
  check([bytes, options])
  const { maxBytes = 2 ** 30 } = options
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) throw new DataError('gunzip: not gzip, whose first bytes are 1f 8b')
  return whole('gzip', bytes, maxBytes)
}

/** Unpacks raw deflate, as the entries of a zip file hold it. It has no checksum; all else is as in `gunzip`. */
export const inflate = (bytes: Uint8Array, { maxBytes = 2 ** 30 }: Limit = {}): Promise<Uint8Array> =>
  whole('deflate-raw', bytes, maxBytes)

const NAMES = { gzip: 'gunzip', 'deflate-raw': 'inflate' } as const
type Format = keyof typeof NAMES

interface Limit {
  readonly maxBytes?: number
}

async function whole(format: Format, bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of unpacked(bytes, format)) {
      length += chunk.length
      if (!(length <= maxBytes)) {
        throw new DataError(`${NAMES[format]}: unpacks to more than the ${maxBytes} bytes that maxBytes allows`)
      }
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof DataError) throw cause
    const reason = cause instanceof Error && cause.message !== '' ? ` (${cause.message})` : ''
    throw new DataError(`${NAMES[format]}: damaged or cut off, or followed by other bytes${reason}`, { cause })
  }
  const joined = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    joined.set(chunk, at)
    at += chunk.length
  }
  return joined
}

/** The output in parts, so that a reader that stops ends the unpacking. */
function unpacked(bytes: Uint8Array, format: Format): AsyncIterable<Uint8Array> {
  const zlib = globalThis.process?.getBuiltinModule?.('node:zlib')
  return zlib ? byZlib(zlib, format, bytes) : byStream(format, bytes)
}

async function* byZlib(
  zlib: typeof import('node:zlib'),
  format: Format,
  bytes: Uint8Array,
): AsyncGenerator<Uint8Array> {
  const unpacking = format === 'gzip' ? zlib.createGunzip() : zlib.createInflateRaw()
  unpacking.end(bytes)
  yield* unpacking
  // zlib stops without an error at bytes that do not begin another member
  const rest = bytes.length - unpacking.bytesWritten
  if (rest > 0) throw new DataError(`${NAMES[format]}: the last ${rest} bytes, after the data, are not ${format}`)
}

async function* byStream(format: Format, bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const packed = new Blob([Uint8Array.from(bytes)]).stream()
  const reader = packed.pipeThrough(new DecompressionStream(format)).getReader()
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value
  } finally {
    await reader.cancel().catch(() => {})
  }
}
