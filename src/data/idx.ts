/**
 * IDX, the file format of MNIST and Fashion-MNIST.
 * A file: two zero bytes, a type byte, the rank, one big-endian uint32 per dim, then the elements, big-endian.
 * Not here: reading files (folder.ts), and .gz (gunzip.ts).
 */
import { BYTES, checkArgument, OBJECT, options as optionsOf, TEXT } from '../memory/arguments.js'
import type { HostArray, HostData } from '../tensor/host.js'
import { showShape } from '../tensor/shape.js'
import { type Dataset, fromArrays } from './dataset.js'
import { IdxError } from './errors.js'

const MAX_RANK = 4

interface ElementType {
  readonly bytes: number
  /** `count` elements from the start of the view */
  read(view: DataView<ArrayBufferLike>, count: number): HostData
}

const TYPES: ReadonlyMap<number, ElementType> = new Map<number, ElementType>([
  [0x08, { bytes: 1, read: (view, count) => new Uint8Array(view.buffer, view.byteOffset, count) }],
  [0x09, { bytes: 1, read: (view, count) => new Int8Array(view.buffer, view.byteOffset, count) }],
  [0x0b, { bytes: 2, read: (view, count) => Int16Array.from({ length: count }, (_, i) => view.getInt16(2 * i)) }],
  [0x0c, { bytes: 4, read: (view, count) => Int32Array.from({ length: count }, (_, i) => view.getInt32(4 * i)) }],
  [0x0d, { bytes: 4, read: (view, count) => Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i)) }],
  [0x0e, { bytes: 8, read: (view, count) => Float64Array.from({ length: count }, (_, i) => view.getFloat64(8 * i)) }],
])

/**
 * The array in an IDX file of rank 1 to 4, without a scale.
 * One-byte elements are a view of `bytes`; wider ones are copied. The header alone is never trusted to allocate memory.
 * @throws IdxError  not an IDX header, a dim of 0, or a file longer or shorter than its header says
 */
export function parseIdx(bytes: Uint8Array): HostArray {
  checkArgument('parseIdx', 'bytes', bytes, BYTES)
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) throw new IdxError('idx: these bytes are gzip; gunzip them first')
  if (bytes.length < 4) throw new IdxError(`idx: ${bytes.length} bytes; the header alone has at least 8`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const magic = view.getUint32(0)
  const rank = magic & 0xff
  const type = TYPES.get(magic >>> 8)
  if (!type) {
    throw new IdxError(
      `idx: magic number 0x${magic.toString(16).padStart(8, '0')}; expected 0x00 00, 08 09 0b 0c 0d or 0e, rank`,
    )
  }
  if (rank < 1 || rank > MAX_RANK) throw new IdxError(`idx: rank ${rank}; expected 1 to ${MAX_RANK}`)
  const headerBytes = 4 + 4 * rank
  if (bytes.length < headerBytes)
    throw new IdxError(`idx: ${bytes.length} bytes; a header of rank ${rank} has ${headerBytes}`)

  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis))
  if (shape.includes(0)) throw new IdxError(`idx: shape ${showShape(shape)} has no element`)
  // Past 2^53 the product is rounded, but still far above the length of any array.
  const count = shape.reduce((product, dim) => product * dim, 1)
  if (count * type.bytes !== bytes.length - headerBytes) {
    throw new IdxError(
      `idx: shape ${showShape(shape)} takes ${count * type.bytes} bytes, the file has ${bytes.length - headerBytes}`,
    )
  }
  return { data: type.read(new DataView(view.buffer, view.byteOffset + headerBytes), count), shape }
}

const DATASET = optionsOf({ images: OBJECT, labels: OBJECT, name: TEXT }, ['images', 'labels'])

/**
 * Images and their labels as a data set: inputs [N, C, H, W], targets [N], classes = largest label + 1.
 * @param images  [N, H, W] or [N, C, H, W]; uint8 without a scale gets 1/255, others are taken as they are
 * @param labels  [N], integers >= 0
 * @throws IdxError   another rank, or a label that is not a class
 * @throws DataError  images and labels differ in number
 */
export function idxDataset(options: { images: HostArray; labels: HostArray; name?: string }): Dataset {
  checkArgument('idxDataset', 'options', options, DATASET)
  const { images, labels, name = 'idx' } = options
  if (labels.shape.length !== 1)
    throw new IdxError(`${name}: labels have shape ${showShape(labels.shape)}; expected [N]`)
  const { data, shape, scale = data instanceof Uint8Array ? 1 / 255 : undefined } = images
  if (shape.length !== 3 && shape.length !== 4) {
    throw new IdxError(`${name}: images have shape ${showShape(shape)}; expected [N, H, W] or [N, C, H, W]`)
  }
  const [samples, ...image] = shape
  let largest = 0
  for (const label of labels.data) {
    if (!Number.isInteger(label) || label < 0) throw new IdxError(`${name}: label ${label} is not an integer >= 0`)
    largest = Math.max(largest, label)
  }
  const inputs = { data, shape: image.length === 3 ? shape : [samples, 1, ...image], scale }
  return fromArrays({ inputs, targets: labels, name, classes: largest + 1 })
}
