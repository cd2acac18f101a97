/**
 * The header of a safetensors file: JSON with the type, the shape and the place of the bytes of every tensor. The
 * header is not trusted: every size and offset is compared with the bytes of the file before anything is allocated.
 */
import { reasonOf, showValue } from '../memory/errors.js'
import { isRecord } from '../tensor/saved-state.js'
import { type Shape, showShape } from '../tensor/shape.js'
import { type Dtype, ELEMENT_TYPES, isDtype } from './elements.js'
import { SafetensorsError, showName } from './errors.js'
import { parseJson } from './json.js'

/** A tensor of a file, without its values. */
export interface TensorInfo {
  readonly name: string
  readonly dtype: Dtype
  /** may have dims of 0 */
  readonly shape: Shape
  /** the number of elements */
  readonly size: number
  /** where its bytes begin and end, counted from the end of the header */
  readonly begin: number
  readonly end: number
}

export interface Header {
  /** in the order of their bytes */
  readonly tensors: readonly TensorInfo[]
  readonly metadata: Readonly<Record<string, string>>
  /** where the bytes of the tensors begin */
  readonly dataStart: number
}

/** The length of the header, a number of 8 bytes, stands in front of it. */
export const LENGTH_BYTES = 8
/** The limit of other readers of the format. */
const LARGEST_HEADER = 100_000_000
export const METADATA = '__metadata__'

/**
 * @returns the bytes of the header, after those of its length. @throws SafetensorsError  the file does not have that
 * many
 */
export function headerLength(start: Uint8Array, fileBytes: number): number {
  if (fileBytes < LENGTH_BYTES) {
    throw new SafetensorsError(`${fileBytes} bytes are not a safetensors file, which begins with ${LENGTH_BYTES}`)
  }
  const view = new DataView(start.buffer, start.byteOffset, LENGTH_BYTES)
  const length = view.getBigUint64(0, true)
  const most = Math.min(LARGEST_HEADER, fileBytes - LENGTH_BYTES)
  if (length <= most) return Number(length)
  throw new SafetensorsError(
    `byte 0: the header has ${length} bytes according to its first ${LENGTH_BYTES}, and at most ${most} are there or allowed: ` +
      'this is not a safetensors file, or it is cut off',
  )
}

/**
 * @param bytes      the header alone
 * @param dataBytes  how many bytes the file has after it
 * @throws SafetensorsError  naming the place and the reason
 */
export function parseHeader(bytes: Uint8Array, dataBytes: number): Header {
  const value = headerIn(bytes)
  const { [METADATA]: metadata, ...entries } = value
  const tensors = Object.entries(entries)
    .map(([name, entry]) => tensorInfo(name, entry))
    .sort((a, b) => a.begin - b.begin || a.end - b.end)
  let at = 0
  for (const { name, begin, end } of tensors) {
    if (begin !== at) {
      const wrong = begin > at ? `leaves ${begin - at} bytes unused before it` : 'overlaps the one before it'
      throw new SafetensorsError(`tensor '${showName(name)}': its data_offsets [${begin}, ${end}] ${wrong}`)
    }
    at = end
  }
  if (at !== dataBytes) {
    throw new SafetensorsError(`the tensors take ${at} bytes, and after the header the file has ${dataBytes}`)
  }
  return { tensors, metadata: checkedMetadata(metadata), dataStart: LENGTH_BYTES + bytes.length }
}

function headerIn(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  if (bytes[0] !== 0x7b) throw new SafetensorsError(`byte ${LENGTH_BYTES}: the header does not begin with '{'`)
  try {
    // a copy, because memory that threads share cannot be decoded
    const value = parseJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.slice()))
    return isRecord(value) ? value : {}
  } catch (cause) {
    throw new SafetensorsError(
      `byte ${LENGTH_BYTES}: the header is not valid JSON in UTF-8 (${showName(reasonOf(cause))})`,
      {
        cause,
      },
    )
  }
}

function tensorInfo(name: string, entry: unknown): TensorInfo {
  const refuse = (reason: string): never => {
    throw new SafetensorsError(`tensor '${showName(name)}': ${reason}`)
  }
  if (!isRecord(entry)) return refuse(`its entry is ${showValue(entry)}, not { dtype, shape, data_offsets }`)
  const { dtype, shape, data_offsets: offsets } = entry
  if (!isDtype(dtype)) {
    return refuse(`its dtype is ${showValue(dtype)}; the known types are ${Object.keys(ELEMENT_TYPES).join(', ')}`)
  }
  if (!isCounts(shape)) return refuse(`its shape is ${showList(shape)}; it must be a list of whole numbers, 0 or more`)
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    return refuse(
      `its data_offsets are ${showList(offsets)}; they must be two whole numbers, the first not above the second`,
    )
  }
  const [begin, end] = offsets
  const size = shape.includes(0) ? 0 : shape.reduce((product, dim) => product * dim, 1)
  // a product above 2^53 is rounded, but is still far above the size of a file
  const bytes = size * ELEMENT_TYPES[dtype].bytes
  if (bytes !== end - begin) {
    return refuse(`${dtype} ${showShape(shape)} takes ${bytes} bytes, and its data_offsets span ${end - begin}`)
  }
  // JSON knows -0
  return { name, dtype, shape: shape.map((dim) => dim + 0), size, begin, end }
}

const isCounts = (list: unknown): list is number[] =>
  Array.isArray(list) && list.every((count) => Number.isSafeInteger(count) && count >= 0)

const showList = (list: unknown): string => (Array.isArray(list) ? showShape(list) : showValue(list))

function checkedMetadata(metadata: unknown): Record<string, string> {
  if (metadata === undefined) return {}
  if (!isRecord(metadata) || Array.isArray(metadata)) {
    throw new SafetensorsError(`${METADATA} is ${showValue(metadata)}, not an object`)
  }
  const entries = Object.entries(metadata).map(([key, text]) => {
    if (typeof text === 'string') return [key, text] as const
    throw new SafetensorsError(`${METADATA}: '${showName(key)}' is ${showValue(text)}; it must be text`)
  })
  return Object.fromEntries(entries)
}
