/**
 * npz, the file format of numpy.savez and numpy.savez_compressed: a zip archive of npy files.
 * A zip archive ends with a directory of its entries. Sizes are taken from there, and each is compared with the bytes that
 * are there. The format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */

import { showName } from '../io/errors.js'
import { BYTES, door, NUMBER, options as optionsOf } from '../memory/arguments.js'
import { reasonOf } from '../memory/errors.js'
import type { HostArray } from '../tensor/host.js'
import { NpyError } from './errors.js'
import { inflate } from './gunzip.js'
import { parseNpy } from './npy.js'

/** The signatures and lengths of the records, without names and comments. */
const END = { signature: 0x06054b50, bytes: 22 }
const ENTRY = { signature: 0x02014b50, bytes: 46 }
const LOCAL = { signature: 0x04034b50, bytes: 30 }
const LONGEST_COMMENT = 2 ** 16 - 1
const STORED = 0
const DEFLATED = 8

interface Entry {
  readonly name: string
  readonly method: number
  readonly crc: number
  readonly packedBytes: number
  readonly bytes: number
  /** where its local record begins */
  readonly at: number
}

const check = door('parseNpz', { bytes: BYTES, options: optionsOf({ maxBytes: NUMBER }) })

/**
 * The arrays of an npz file by name, each as parseNpy gives it.
 * @param maxBytes  the most bytes of all arrays together, default 1 GiB; unpacking stops as soon as there are more
 * @throws NpyError  not an npz file, damaged, or larger than maxBytes: says which array, where and why
 */
export async function parseNpz(
  bytes: Uint8Array,
  options: { readonly maxBytes?: number } = {},
): Promise<Record<string, HostArray>> {
  check([bytes, options])
  const { maxBytes = 2 ** 30 } = options
  const entries = entriesOf(bytes)
  const total = entries.reduce((sum, entry) => sum + entry.bytes, 0)
  if (!(total <= maxBytes)) {
    throw new NpyError(`npz: the arrays take ${total} bytes, more than the ${maxBytes} that maxBytes allows`)
  }
  const arrays = new Map<string, HostArray>()
  for (const entry of entries) {
    const name = entry.name.replace(/\.npy$/, '')
    if (arrays.has(name)) throw new NpyError(`npz: there are two arrays '${showName(name)}'`)
    try {
      arrays.set(name, parseNpy(await contentOf(bytes, entry)))
    } catch (cause) {
      throw new NpyError(`npz: '${showName(entry.name)}': ${reasonOf(cause)}`, { cause })
    }
  }
  return Object.fromEntries(arrays)
}

/** The entries of the directory. */
function entriesOf(bytes: Uint8Array): Entry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let end = bytes.length - END.bytes
  const first = Math.max(0, end - LONGEST_COMMENT)
  while (end >= first && view.getUint32(end, true) !== END.signature) end--
  if (end < first) throw new NpyError('npz: not an npz file: a zip archive ends with a directory, and there is none')
  const count = view.getUint16(end + 10, true)
  const directory = view.getUint32(end + 16, true)
  const entries: Entry[] = []
  for (let i = 0, at = directory; i < count; i++) {
    if (at + ENTRY.bytes > end || view.getUint32(at, true) !== ENTRY.signature) {
      throw new NpyError(`npz: byte ${at}: entry ${i} of the directory is not there`)
    }
    const nameBytes = view.getUint16(at + 28, true)
    const name = new TextDecoder().decode(bytes.slice(at + ENTRY.bytes, at + ENTRY.bytes + nameBytes))
    entries.push({
      name,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packedBytes: view.getUint32(at + 20, true),
      bytes: view.getUint32(at + 24, true),
      at: view.getUint32(at + 42, true),
    })
    at += ENTRY.bytes + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
  }
  return entries
}

/** The bytes of an entry, unpacked and compared with their checksum. */
async function contentOf(archive: Uint8Array, entry: Entry): Promise<Uint8Array> {
  const { at, method, packedBytes, bytes } = entry
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength)
  if (at + LOCAL.bytes > archive.length || view.getUint32(at, true) !== LOCAL.signature) {
    throw new NpyError(`byte ${at}: its record is not there (files of 4 GiB and more are not read)`)
  }
  const start = at + LOCAL.bytes + view.getUint16(at + 26, true) + view.getUint16(at + 28, true)
  if (start + packedBytes > archive.length) {
    throw new NpyError(`byte ${start}: its ${packedBytes} bytes go beyond the end of the file`)
  }
  const packed = archive.subarray(start, start + packedBytes)
  if (method !== STORED && method !== DEFLATED) {
    throw new NpyError(`it is packed by method ${method}; Sluice reads methods ${STORED} and ${DEFLATED}`)
  }
  const content = method === STORED ? packed : await inflate(packed, { maxBytes: bytes })
  if (content.length !== bytes) throw new NpyError(`it has ${content.length} bytes, and the directory says ${bytes}`)
  const crc = checksum(content)
  if (crc !== entry.crc)
    throw new NpyError(`its checksum is ${crc}, and the directory says ${entry.crc}: it is damaged`)
  return content
}

/** CRC-32, a bit at a time for each of the 256 bytes. */
const CRCS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc
})

function checksum(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = CRCS[(crc ^ byte) & 0xff] ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}
