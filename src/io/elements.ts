/**
 * The types of elements that a safetensors file may have, as typed arrays. Values are little-endian both in the file
 * and in typed arrays: a WebAssembly memory could not be viewed by typed arrays of another order.
 */
import type { HostData } from '../tensor/host.js'

/** Values as a file holds them: int64 is not rounded. */
export type Elements = HostData | BigInt64Array | BigUint64Array

/** Half precision (F16, BF16) is widened to Float32Array, which holds all its values. */
export type Dtype =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U64'
  | 'U32'
  | 'U16'
  | 'U8'
  | 'BOOL'

interface ElementType {
  /** the bytes of one element in the file */
  readonly bytes: number
  /** `count` elements from byte `at`, a multiple of `bytes` */
  read(buffer: ArrayBufferLike, at: number, count: number): Elements
}

const bytesAsTruth: ElementType = { bytes: 1, read: (buffer, at, count) => new Uint8Array(buffer, at, count) }

export const ELEMENT_TYPES: Readonly<Record<Dtype, ElementType>> = {
  F64: { bytes: 8, read: (buffer, at, count) => new Float64Array(buffer, at, count) },
  F32: { bytes: 4, read: (buffer, at, count) => new Float32Array(buffer, at, count) },
  F16: { bytes: 2, read: (buffer, at, count) => Float32Array.from(new Uint16Array(buffer, at, count), halfToNumber) },
  BF16: { bytes: 2, read: (buffer, at, count) => widenBrain(new Uint16Array(buffer, at, count)) },
  I64: { bytes: 8, read: (buffer, at, count) => new BigInt64Array(buffer, at, count) },
  I32: { bytes: 4, read: (buffer, at, count) => new Int32Array(buffer, at, count) },
  I16: { bytes: 2, read: (buffer, at, count) => new Int16Array(buffer, at, count) },
  I8: { bytes: 1, read: (buffer, at, count) => new Int8Array(buffer, at, count) },
  U64: { bytes: 8, read: (buffer, at, count) => new BigUint64Array(buffer, at, count) },
  U32: { bytes: 4, read: (buffer, at, count) => new Uint32Array(buffer, at, count) },
  U16: { bytes: 2, read: (buffer, at, count) => new Uint16Array(buffer, at, count) },
  U8: { bytes: 1, read: (buffer, at, count) => new Uint8Array(buffer, at, count) },
  BOOL: bytesAsTruth,
}

export const isDtype = (name: unknown): name is Dtype => typeof name === 'string' && Object.hasOwn(ELEMENT_TYPES, name)

const CLASSES = [
  ['F32', Float32Array],
  ['F64', Float64Array],
  ['I64', BigInt64Array],
  ['I32', Int32Array],
  ['I16', Int16Array],
  ['I8', Int8Array],
  ['U64', BigUint64Array],
  ['U32', Uint32Array],
  ['U16', Uint16Array],
  ['U8', Uint8Array],
  ['U8', Uint8ClampedArray],
] as const

/** The type in which a typed array is written; null for any other value. */
export const dtypeOf = (data: unknown): Dtype | null => CLASSES.find(([, Class]) => data instanceof Class)?.[0] ?? null

/** `count` elements from byte `at`: a view of the bytes, or, if they are not aligned, of a copy. */
export function readElements(dtype: Dtype, bytes: Uint8Array, at: number, count: number): Elements {
  const { bytes: size, read } = ELEMENT_TYPES[dtype]
  const from = bytes.byteOffset + at
  if (from % size === 0) return read(bytes.buffer, from, count)
  // a Buffer's own slice would not copy
  return read(new Uint8Array(bytes.subarray(at, at + count * size)).buffer, 0, count)
}

/** 1 bit sign, 5 bits exponent, 10 bits fraction. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** A bfloat16 is the upper half of a float32. */
function widenBrain(halves: Uint16Array): Float32Array {
  const words = Uint32Array.from(halves, (bits) => bits << 16)
  return new Float32Array(words.buffer)
}
