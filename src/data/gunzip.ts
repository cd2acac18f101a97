/** The gzip format, unpacked by the platform: zlib in Node, a DecompressionStream in a page. */
import { DataError } from './errors.js'

/**
 * Unpacks gzip and checks checksum and size. Node unpacks all members of the file; a browser refuses a file with more
 * than one. Holds at most twice the output.
 * @param maxBytes  the largest output, default 1 GiB; unpacking stops as soon as there is more
 * @throws DataError  not gzip, damaged or truncated input, bytes after its end, or output above maxBytes
 */
export async function gunzip(bytes: Uint8Array, options: { readonly maxBytes?: number } = {}): Promise<Uint8Array> {
  const { maxBytes = 2 ** 30 } = options
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) throw new DataError('gunzip: not gzip, whose first bytes are 1f 8b')
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of unpacked(bytes)) {
      length += chunk.length
      if (!(length <= maxBytes)) {
        throw new DataError(`gunzip: unpacks to more than the ${maxBytes} bytes that maxBytes allows`)
      }
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof DataError) throw cause
    const reason = cause instanceof Error && cause.message !== '' ? ` (${cause.message})` : ''
    throw new DataError(`gunzip: damaged or cut off, or followed by other bytes${reason}`, { cause })
  }
  const whole = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/** The output in parts, so that a reader that stops ends the unpacking. */
function unpacked(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  const zlib = globalThis.process?.getBuiltinModule?.('node:zlib')
  return zlib ? byZlib(zlib, bytes) : byStream(bytes)
}

async function* byZlib(zlib: typeof import('node:zlib'), bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const unpacking = zlib.createGunzip()
  unpacking.end(bytes)
  yield* unpacking
  // zlib stops without an error at bytes that do not begin another member
  const rest = bytes.length - unpacking.bytesWritten
  if (rest > 0) throw new DataError(`gunzip: the last ${rest} bytes, after the data, are not gzip`)
}

async function* byStream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const packed = new Blob([Uint8Array.from(bytes)]).stream()
  const reader = packed.pipeThrough(new DecompressionStream('gzip')).getReader()
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value
  } finally {
    await reader.cancel().catch(() => {})
  }
}
