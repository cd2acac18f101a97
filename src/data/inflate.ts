/**
 * DEFLATE (RFC 1951), read by hand: the platforms' DecompressionStream does not say where its data end, and so reads
 * gzip files of several members on some and refuses them on others, in other words on each.
 */
import { DataError } from './errors.js'

/** Bytes that arrive in order, never more than `maxBytes`; what it holds at most doubles. */
export class Output {
  bytes: Uint8Array<ArrayBuffer>
  length = 0

  constructor(
    readonly maxBytes: number,
    expectedBytes: number,
  ) {
    this.bytes = new Uint8Array(Math.min(maxBytes, expectedBytes))
  }

  /** Room for `count` more. @throws DataError  they are more than maxBytes allows */
  reserve(count: number): void {
    const needed = this.length + count
    if (needed <= this.bytes.length) return
    if (!(needed <= this.maxBytes)) {
      throw new DataError(`gunzip: unpacks to more than the ${this.maxBytes} bytes that maxBytes allows`)
    }
    const grown = new Uint8Array(Math.min(this.maxBytes, Math.max(needed, 2 * this.bytes.length)))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }
}

const LONGEST_CODE = 15

/** The next LONGEST_CODE bits at most, as a number, say the symbol and how many of them it took. */
interface Code {
  /** symbol * 16 + its length; 0: there is no such code */
  readonly table: Uint16Array
  readonly bits: number
}

/** @throws DataError  the lengths promise more codes than there are */
function codeOf(lengths: readonly number[]): Code {
  const bits = lengths.reduce((longest, length) => Math.max(longest, length), 1)
  const counts = new Array<number>(LONGEST_CODE + 1).fill(0)
  for (const length of lengths) if (length > 0) counts[length]++
  const next = new Array<number>(LONGEST_CODE + 2).fill(0)
  for (let length = 1; length <= LONGEST_CODE; length++) next[length + 1] = (next[length] + counts[length]) << 1
  const table = new Uint16Array(1 << bits)
  lengths.forEach((length, symbol) => {
    if (length === 0) return
    const code = next[length]++
    if (code >= 1 << length) throw new DataError('gunzip: damaged: a block has more codes than fit')
    // codes arrive with their first bit lowest
    let reversed = 0
    for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit)
    for (let at = reversed; at < table.length; at += 1 << length) table[at] = symbol * 16 + length
  })
  return { table, bits }
}

const runs = (...parts: readonly [length: number, count: number][]): number[] =>
  parts.flatMap(([length, count]) => new Array<number>(count).fill(length))

/** How many bits follow the symbols of lengths and of distances, and where what they count begins. */
const LENGTH_BITS = [...runs([0, 8], [1, 4], [2, 4], [3, 4], [4, 4], [5, 4]), 0]
const LENGTH_BASES = [...basesOf(3, LENGTH_BITS.slice(0, -1)), 258]
const DISTANCE_BITS = [0, 0, ...Array.from({ length: 28 }, (_, i) => i >> 1)]
const DISTANCE_BASES = basesOf(1, DISTANCE_BITS)

function basesOf(first: number, bits: readonly number[]): number[] {
  let base = first
  return bits.map((count) => {
    const own = base
    base += 1 << count
    return own
  })
}

const END_OF_BLOCK = 256
const FIXED: readonly [Code, Code] = [codeOf(runs([8, 144], [9, 112], [7, 24], [8, 8])), codeOf(runs([5, 30]))]
/** Symbols of the code that the lengths of the other codes are written in, in the order of their lengths. */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

/** Bits of bytes, the lowest first. */
class Bits {
  #held = 0
  #count = 0

  constructor(
    readonly bytes: Uint8Array,
    /** the next byte to take up */
    public at: number,
  ) {}

  /** @throws DataError  the bytes end */
  take(count: number): number {
    while (this.#count < count) {
      if (this.at >= this.bytes.length) throw truncated()
      this.#held |= this.bytes[this.at++] << this.#count
      this.#count += 8
    }
    const value = this.#held & ((1 << count) - 1)
    this.#held >>>= count
    this.#count -= count
    return value
  }

  symbol({ table, bits }: Code): number {
    while (this.#count < bits && this.at < this.bytes.length) {
      this.#held |= this.bytes[this.at++] << this.#count
      this.#count += 8
    }
    const entry = table[this.#held & ((1 << bits) - 1)]
    const length = entry & 15
    if (length > this.#count) throw truncated()
    // past the end there are zeros, which may be no code either
    if (length === 0) throw this.#count < bits ? truncated() : new DataError('gunzip: damaged: bits that are no code')
    this.#held >>>= length
    this.#count -= length
    return entry >> 4
  }

  /** The rest of the byte that is begun is dropped; whole ones that were taken up go back. */
  toByte(): void {
    this.at -= this.#count >> 3
    this.#held = 0
    this.#count = 0
  }
}

export const truncated = (): DataError => new DataError('gunzip: truncated: the bytes end in the middle of the data')

/**
 * What is packed from `start` on, added to `output`.
 * @returns where the data end
 * @throws DataError  damaged or truncated, or more than the output may hold
 */
export function inflate(bytes: Uint8Array, start: number, output: Output): number {
  const bits = new Bits(bytes, start)
  const first = output.length
  let last = false
  while (!last) {
    last = bits.take(1) === 1
    const type = bits.take(2)
    if (type === 3) throw new DataError('gunzip: damaged: a block of no known type')
    if (type === 0) copyStored(bits, output)
    else unpack(bits, type === 1 ? FIXED : readCodes(bits), output, first)
  }
  bits.toByte()
  return bits.at
}

function copyStored(bits: Bits, output: Output): void {
  bits.toByte()
  const length = bits.take(16)
  if (length !== (bits.take(16) ^ 0xffff)) throw new DataError('gunzip: damaged: a stored block with two lengths')
  const { at, bytes } = bits
  if (at + length > bytes.length) throw truncated()
  output.reserve(length)
  output.bytes.set(bytes.subarray(at, at + length), output.length)
  output.length += length
  bits.at = at + length
}

function readCodes(bits: Bits): readonly [Code, Code] {
  const [literals, distances, own] = [bits.take(5) + 257, bits.take(5) + 1, bits.take(4) + 4]
  const lengths = new Array<number>(ORDER.length).fill(0)
  for (const symbol of ORDER.slice(0, own)) lengths[symbol] = bits.take(3)
  const code = codeOf(lengths)
  const all: number[] = []
  while (all.length < literals + distances) {
    const symbol = bits.symbol(code)
    if (symbol < 16) all.push(symbol)
    else {
      if (symbol === 16 && all.length === 0) throw new DataError('gunzip: damaged: a repetition of nothing')
      const repeated = symbol === 16 ? all[all.length - 1] : 0
      const times = symbol === 16 ? 3 + bits.take(2) : symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7)
      for (let i = 0; i < times; i++) all.push(repeated)
    }
  }
  if (all.length > literals + distances) throw new DataError('gunzip: damaged: a repetition beyond the last code')
  return [codeOf(all.slice(0, literals)), codeOf(all.slice(literals))]
}

/** @param first  of the output, what copies may reach back to */
function unpack(bits: Bits, [literals, distances]: readonly [Code, Code], output: Output, first: number): void {
  for (;;) {
    const symbol = bits.symbol(literals)
    if (symbol < END_OF_BLOCK) {
      output.reserve(1)
      output.bytes[output.length++] = symbol
      continue
    }
    if (symbol === END_OF_BLOCK) return
    const kind = symbol - END_OF_BLOCK - 1
    if (kind >= LENGTH_BASES.length) throw new DataError('gunzip: damaged: a copy of no known length')
    const length = LENGTH_BASES[kind] + bits.take(LENGTH_BITS[kind])
    const farness = bits.symbol(distances)
    if (farness >= DISTANCE_BASES.length) throw new DataError('gunzip: damaged: a copy from no known distance')
    const distance = DISTANCE_BASES[farness] + bits.take(DISTANCE_BITS[farness])
    if (distance > output.length - first) throw new DataError('gunzip: damaged: a copy from before the data')
    output.reserve(length)
    const { bytes } = output
    // one by one: what is copied may be made by the copy itself
    for (let i = 0; i < length; i++, output.length++) bytes[output.length] = bytes[output.length - distance]
  }
}
