/**
 * npy, the file format of numpy.save: a magic text, a version, a header that describes one array as a Python dict, and the
 * elements. The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 * Not here: archives of such files (npz.ts).
 */

import { type Dtype, ELEMENT_TYPES, type Elements, readElements } from '../io/elements.js'
import { showName } from '../io/errors.js'
import { BYTES, checkArgument } from '../memory/arguments.js'
import type { HostArray, HostData } from '../tensor/host.js'
import { showShape, stridesOf } from '../tensor/shape.js'
import { NpyError } from './errors.js'

/** The element types by numpy's names, without the byte order. */
const TYPES: Readonly<Record<string, Dtype>> = {
  f8: 'F64',
  f4: 'F32',
  f2: 'F16',
  i8: 'I64',
  i4: 'I32',
  i2: 'I16',
  i1: 'I8',
  u8: 'U64',
  u4: 'U32',
  u2: 'U16',
  u1: 'U8',
  b1: 'BOOL',
}
const MAGIC = '\u0093NUMPY'
/** numpy itself writes headers of up to 128 bytes for plain arrays. */
const LARGEST_HEADER = 2 ** 16

/**
 * The array in an npy file, without a scale, in row-major order.
 * Half precision is widened to float32, bool is 0 and 1. int64 becomes int32 where all values fit, and float64 where they are
 * exact. Other elements are views of `bytes` where these are aligned for them.
 * @throws NpyError  says where the bytes are wrong, and why; the header alone is never trusted to allocate memory
 */
export function parseNpy(bytes: Uint8Array): HostArray {
  checkArgument('parseNpy', 'bytes', bytes, BYTES)
  if (latin(bytes.subarray(0, MAGIC.length)) !== MAGIC) {
    throw new NpyError("npy: not an npy file, whose first bytes are 93 'NUMPY'")
  }
  const [major, minor] = bytes.subarray(6, 8)
  if (major === undefined || major < 1 || major > 3) {
    throw new NpyError(`npy: byte 6: version ${major}.${minor}; Sluice reads versions 1 to 3`)
  }
  const lengthBytes = major === 1 ? 2 : 4
  const start = 8 + lengthBytes
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < start) throw new NpyError(`npy: ${bytes.length} bytes; the header begins at byte ${start}`)
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (length > Math.min(LARGEST_HEADER, bytes.length - start)) {
    throw new NpyError(`npy: byte 8: the header has ${length} bytes, and the file ${bytes.length - start} from there`)
  }
  const { dtype, bigEndian, fortran, shape } = parseHeader(latin(bytes.subarray(start, start + length)))
  const size = shape.includes(0) ? 0 : shape.reduce((product, dim) => product * dim, 1)
  const data = bytes.subarray(start + length)
  const { bytes: width } = ELEMENT_TYPES[dtype]
  // a product above 2^53 is rounded, and still far above the size of a file
  if (size * width !== data.length) {
    throw new NpyError(`npy: ${dtype} ${showShape(shape)} takes ${size * width} bytes, the file has ${data.length}`)
  }
  const elements = bigEndian
    ? readElements(dtype, swapped(data, width), 0, size)
    : readElements(dtype, bytes, start + length, size)
  const values = asNumbers(elements)
  return { data: fortran ? rowMajor(values, shape) : values, shape }
}

const latin = (bytes: Uint8Array): string => String.fromCharCode(...bytes)

/** `'descr': '<f4'` or `'shape': (3, 4)`, in any order, each followed by a comma. */
const ENTRY = /\s*'(descr|fortran_order|shape)'\s*:\s*('[^']*'|True|False|\([\d\s,]*\))\s*(?:,|(?=\}))/y

function parseHeader(text: string): { dtype: Dtype; bigEndian: boolean; fortran: boolean; shape: number[] } {
  const refuse = (reason: string): never => {
    throw new NpyError(`npy: the header ${showName(text.trim())} ${reason}`)
  }
  const entries = new Map<string, string>()
  ENTRY.lastIndex = text.startsWith('{') ? 1 : text.length
  for (let match = ENTRY.exec(text); match; match = ENTRY.exec(text)) {
    if (entries.has(match[1])) refuse(`has ${match[1]} twice`)
    entries.set(match[1], match[2])
    if (/^\s*\}\s*$/.test(text.slice(ENTRY.lastIndex))) break
  }
  const [descr, order, dims] = ['descr', 'fortran_order', 'shape'].map((name) => entries.get(name) ?? '')
  const [, endian, type] = /^'([<>=|])(\w+)'$/.exec(descr) ?? []
  if (entries.size < 3 || !/^(True|False)$/.test(order) || !dims.startsWith('(')) {
    refuse("is not { 'descr': a type, 'fortran_order': True or False, 'shape': (a, b) }")
  }
  if (!Object.hasOwn(TYPES, type ?? '')) {
    refuse(`has elements of type ${descr}; Sluice reads ${Object.keys(TYPES).join(', ')}`)
  }
  const shape = dims
    .slice(1, -1)
    .split(',')
    .filter((dim) => dim.trim() !== '')
    .map(Number)
  if (!shape.every(Number.isSafeInteger)) refuse(`has the shape ${dims}`)
  return { dtype: TYPES[type], bigEndian: endian === '>', fortran: order === 'True', shape }
}

/** A copy with the bytes of every element in the other order. */
function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const copy = new Uint8Array(bytes.length)
  for (let i = 0; i < bytes.length; i++) copy[i] = bytes[i - (i % width) + width - 1 - (i % width)]
  return copy
}

/** @throws NpyError  an integer that float64 does not hold exactly */
function asNumbers(elements: Elements): HostData {
  if (!(elements instanceof BigInt64Array || elements instanceof BigUint64Array)) return elements
  const numbers = Float64Array.from(elements, Number)
  const at = numbers.findIndex((value) => !Number.isSafeInteger(value))
  if (at >= 0) throw new NpyError(`npy: ${elements[at]} at ${at} is an integer that no number holds exactly`)
  return numbers.every((value) => value === (value | 0)) ? Int32Array.from(numbers) : numbers
}

/** From column-major order, where the first axis is the fastest. */
function rowMajor(values: HostData, shape: readonly number[]): HostData {
  const result = values.slice()
  const strides = stridesOf(shape)
  // index i of `values` has on each axis the place (i / step) % dim, where step is the product of the dims before
  for (let i = 0; i < values.length; i++) {
    let at = 0
    let rest = i
    for (let axis = 0; axis < shape.length; axis++) {
      at += (rest % shape[axis]) * strides[axis]
      rest = Math.floor(rest / shape[axis])
    }
    result[at] = values[i]
  }
  return result
}
