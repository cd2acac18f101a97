/**
 * safetensors, the format of files of weights: 8 bytes with the length of a header, the header (header.ts), and the values
 * of all tensors without a gap. The format: https://github.com/huggingface/safetensors#format
 * Not here: files (file.ts). This file works on bytes, in a page as in Node.
 */
import { showValue } from '../memory/errors.js'
import { isRecord, type SavedState } from '../tensor/saved-state.js'
import { type Shape, showShape, sizeOf } from '../tensor/shape.js'
import { type Dtype, dtypeOf, ELEMENT_TYPES, type Elements, readElements } from './elements.js'
import { SafetensorsError, showName } from './errors.js'
import { type Header, headerLength, LENGTH_BYTES, METADATA, parseHeader } from './header.js'

/** A tensor as a file holds it. */
export interface SavedTensor {
  readonly dtype: Dtype
  readonly shape: Shape
  readonly data: Elements
}

/** The content of a safetensors file. */
export interface Safetensors {
  /** by name */
  readonly tensors: Record<string, SavedTensor>
  /** texts by name */
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * The tensors and the texts of a safetensors file.
 * F16 and BF16 are widened to float32; I64 are BigInts. Other values are views of `bytes` if these are aligned for
 * them.
 * @throws SafetensorsError  naming the place and the reason; nothing was allocated on the word of the file
 */
export function parseSafetensors(bytes: Uint8Array): Safetensors {
  if (!(bytes instanceof Uint8Array)) throw new SafetensorsError(`${showValue(bytes)} has no bytes: give a Uint8Array`)
  const length = headerLength(bytes, bytes.length)
  const start = LENGTH_BYTES + length
  return tensorsOf(parseHeader(bytes.subarray(LENGTH_BYTES, start), bytes.length - start), bytes)
}

function tensorsOf({ tensors, metadata, dataStart }: Header, bytes: Uint8Array): Safetensors {
  const entries = tensors.map(({ name, dtype, shape, size, begin }) => {
    return [name, { dtype, shape, data: readElements(dtype, bytes, dataStart + begin, size) }] as const
  })
  return { tensors: Object.fromEntries(entries), metadata }
}

/**
 * Tensors, such as a `stateDict()`, as the bytes of a safetensors file. A Float32Array is written as F32, a Float64Array as
 * F64, a BigInt64Array as I64 and so on; a list of numbers as F32.
 * @param metadata  texts to go with them. `format: 'pt'`, which some readers ask for, is added
 * @throws SafetensorsError  an entry is not a tensor, values do not fill their shape, a text is not text
 */
export function toSafetensors(tensors: SavedState, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  if (!isRecord(tensors) || typeof tensors.then === 'function' || typeof tensors.stateDict === 'function') {
    throw new SafetensorsError(`${showValue(tensors)} is not a state: write save(await model.stateDict(), path)`)
  }
  if (!isRecord(metadata))
    throw new SafetensorsError(`metadata is ${showValue(metadata)}; it must be an object of texts`)
  for (const [key, text] of Object.entries(metadata)) {
    if (typeof text !== 'string') throw new SafetensorsError(`metadata '${key}' is ${showValue(text)}; it must be text`)
  }
  const written = Object.entries(tensors)
    .map(([name, tensor]) => ({ name, ...asWritten(name, tensor) }))
    // wide elements first, so that all are aligned; the sort is stable
    .sort((a, b) => ELEMENT_TYPES[b.dtype].bytes - ELEMENT_TYPES[a.dtype].bytes)
  let end = 0
  const entries = written.map(({ name, dtype, shape, bytes }) => {
    const begin = end
    end += bytes.length
    return [name, { dtype, shape, data_offsets: [begin, end] }] as const
  })
  const header = JSON.stringify(Object.fromEntries([[METADATA, { format: 'pt', ...metadata }], ...entries]))
  const text = new TextEncoder().encode(header)
  const length = Math.ceil(text.length / LENGTH_BYTES) * LENGTH_BYTES
  const file = new Uint8Array(LENGTH_BYTES + length + end)
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true)
  file.fill(0x20, LENGTH_BYTES, LENGTH_BYTES + length)
  file.set(text, LENGTH_BYTES)
  let at = LENGTH_BYTES + length
  for (const { bytes } of written) {
    file.set(bytes, at)
    at += bytes.length
  }
  return file
}

function asWritten(name: string, tensor: unknown): { dtype: Dtype; shape: Shape; bytes: Uint8Array } {
  const refuse = (reason: string): never => {
    throw new SafetensorsError(`tensor '${showName(name)}' ${reason}`)
  }
  if (name === METADATA) return refuse('has the name that the format has for its texts')
  if (!isRecord(tensor)) return refuse(`is ${showValue(tensor)}, not { shape, data }`)
  const { shape, data } = tensor
  if (!Array.isArray(shape) || !shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) {
    return refuse(`has ${Array.isArray(shape) ? showShape(shape) : showValue(shape)} for its shape`)
  }
  const values = dtypeOf(data) === null && Array.isArray(data) ? Float32Array.from(data, Number) : data
  const dtype = dtypeOf(values)
  if (dtype === null || !ArrayBuffer.isView(values)) return refuse(`has ${showValue(data)} for its data`)
  const size = sizeOf(shape)
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  if (bytes.length === size * ELEMENT_TYPES[dtype].bytes) return { dtype, shape, bytes }
  return refuse(`has ${bytes.length / ELEMENT_TYPES[dtype].bytes} values, which do not fill ${showShape(shape)}`)
}
