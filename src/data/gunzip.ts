/** The gzip format (RFC 1952): members, one after the other, each with a header, DEFLATE data, a checksum and a size. */
import { DataError } from './errors.js'
import { inflate, Output, truncated } from './inflate.js'

const TRAILER_BYTES = 8
const [HAS_CHECKSUM, HAS_EXTRA, HAS_NAME, HAS_COMMENT, RESERVED] = [2, 4, 8, 16, 0xe0]

/**
 * The bytes that gzip packed, of all members of the file. The same on every platform. Holds up to three times the
 * output while it grows.
 * @param maxBytes  refuse more output than this, as soon as it appears; default 1 GiB
 * @throws DataError  not gzip, damaged or truncated input, anything behind it, or output above maxBytes
 */
export async function gunzip(bytes: Uint8Array, options: { readonly maxBytes?: number } = {}): Promise<Uint8Array> {
  const { maxBytes = 2 ** 30 } = options
  const output = new Output(maxBytes, 4 * bytes.length)
  let at = 0
  do at = readMember(bytes, at, output)
  while (at < bytes.length)
  return output.bytes.slice(0, output.length)
}

/** @returns where the member ends */
function readMember(bytes: Uint8Array, start: number, output: Output): number {
  const begun = output.length
  const at = inflate(bytes, afterHeader(bytes, start), output)
  if (at + TRAILER_BYTES > bytes.length) throw truncated()
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + at, TRAILER_BYTES)
  if (trailer.getUint32(0, true) !== checksum(output.bytes.subarray(begun, output.length))) {
    throw new DataError('gunzip: damaged: the bytes do not have the checksum that was packed with them')
  }
  if (trailer.getUint32(4, true) !== (output.length - begun) % 2 ** 32) {
    throw new DataError('gunzip: damaged: the bytes do not have the size that was packed with them')
  }
  return at + TRAILER_BYTES
}

function afterHeader(bytes: Uint8Array, start: number): number {
  const begins = (offset: number, value: number): boolean =>
    start + offset >= bytes.length || bytes[start + offset] === value
  if (bytes.length === 0) throw new DataError('gunzip: not gzip: there are no bytes')
  if (!begins(0, 0x1f) || !begins(1, 0x8b)) {
    if (start === 0) throw new DataError('gunzip: not gzip, whose first bytes are 1f 8b')
    throw new DataError(
      `gunzip: the ${bytes.length - start} bytes from byte ${start} on, behind the data, are not gzip`,
    )
  }
  if (!begins(2, 8))
    throw new DataError(`gunzip: method ${bytes[start + 2]} of packing; the only one known is 8, DEFLATE`)
  const flags = bytes[start + 3]
  if (flags & RESERVED) throw new DataError(`gunzip: damaged: flags 0x${flags.toString(16)} that gzip does not know`)
  let at = start + 10
  if (flags & HAS_EXTRA) at += 2 + (bytes[at] | (bytes[at + 1] << 8))
  for (const flag of [HAS_NAME, HAS_COMMENT]) {
    if (!(flags & flag)) continue
    const end = bytes.indexOf(0, at)
    if (end < 0) throw truncated()
    at = end + 1
  }
  if (flags & HAS_CHECKSUM) at += 2
  if (at >= bytes.length) throw truncated()
  return at
}

const CHECKSUMS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

/** CRC-32 */
function checksum(bytes: Uint8Array): number {
  let value = ~0
  for (let i = 0; i < bytes.length; i++) value = (value >>> 8) ^ CHECKSUMS[(value ^ bytes[i]) & 0xff]
  return ~value >>> 0
}
