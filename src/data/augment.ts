/**
 * Random changes of images: windows, shifts and flips. The change of a sample depends on (seed, epoch, index of the sample)
 * alone: not on the split into micro-batches, the order of samples, or the threads that decode them.
 */
import { threefry } from '../../kernels/reference/machine/threefry.js'
import { checkSeed } from '../device/seed.js'
import { ANYTHING, BOOLEAN, checkArgument, NUMBER, options as optionsOf } from '../memory/arguments.js'
import { showValue } from '../memory/errors.js'
import type { HostArray } from '../tensor/host.js'
import { type Shape, showShape } from '../tensor/shape.js'
import { type Arrays, firstOf, isShape, mapMembers, type Shapes } from '../tensor/structure.js'
import { type AnyBatch, isPositive, mapArrays, zerosLike } from './batch.js'
import { type AnyDataset, checkDataset, type Dataset, type LazyDataset } from './dataset.js'
import { DataError } from './errors.js'

/** The height and width of an image; a number: the side of a square. */
export type ImageSize = number | readonly [height: number, width: number]

export interface AugmentOptions {
  /** cut a window of this size out of each image, at a random place; default: the whole image */
  readonly crop?: ImageSize
  /** the most pixels by which an image moves, up or down and left or right; zeros come in at the border; default 0 */
  readonly shift?: number
  /** mirror half of the images, left to right; default false */
  readonly flip?: boolean
  /** from 0 to 2^32 - 1; default 0 */
  readonly seed?: number
}

const AUGMENT = optionsOf<AugmentOptions>({ crop: ANYTHING, shift: NUMBER, flip: BOOLEAN, seed: ANYTHING })

/** Where the window of an image lies: pixel (y, x) of the result is pixel (top + y, left + x), mirrored if `flip`. */
interface Window {
  readonly top: number
  readonly left: number
  readonly flip: boolean
}

/**
 * The data set with random changes of its images, drawn anew in each epoch. All arrays of a sample that have the height and
 * width of the image are changed alike, so a mask stays on its image. Images and their targets keep their element types.
 * @throws DataError      samples are not images [..., H, W]; `crop` is larger than they are; `shift` is not a whole number
 *                        from 0
 * @throws ArgumentError  seed is not a whole number from 0 to 2^32 - 1
 */
export function augment<Inputs extends Arrays, Targets extends Arrays>(
  dataset: Dataset<Inputs, Targets>,
  options?: AugmentOptions,
): Dataset<Inputs, Targets>
export function augment<Inputs extends Arrays, Targets extends Arrays>(
  dataset: LazyDataset<Inputs, Targets>,
  options?: AugmentOptions,
): LazyDataset<Inputs, Targets>
export function augment(dataset: AnyDataset, options: AugmentOptions = {}): AnyDataset {
  checkDataset('augment', dataset)
  checkArgument('augment', 'options', options, AUGMENT)
  const { crop, shift = 0, flip = false, seed = 0 } = options
  checkSeed('augment', seed)
  if (shift !== 0 && !isPositive(shift))
    throw new DataError(`augment: shift is ${shift}; it must be a whole number, 0 or more`)
  return windowed('augment', dataset, crop, ({ rows, columns }, index, epoch) => {
    const [place, more] = threefry(seed, epoch, index, 0)
    const [moved] = threefry(seed, epoch, index, 1)
    const below = (bits: number, count: number): number => Math.floor(((bits & 0xffff) * count) / 2 ** 16)
    return {
      top: below(place, rows + 1) + below(moved, 2 * shift + 1) - shift,
      left: below(place >>> 16, columns + 1) + below(moved >>> 16, 2 * shift + 1) - shift,
      flip: flip && (more & 1) === 1,
    }
  })
}

/**
 * The data set with the middle of each image, for testing where training sees random windows. All arrays with the height
 * and width of the image are cut, as in `augment`.
 * @throws DataError  samples are not images [..., H, W], or are smaller than `size`
 */
export function centerCrop<Inputs extends Arrays, Targets extends Arrays>(
  dataset: Dataset<Inputs, Targets>,
  size: ImageSize,
): Dataset<Inputs, Targets>
export function centerCrop<Inputs extends Arrays, Targets extends Arrays>(
  dataset: LazyDataset<Inputs, Targets>,
  size: ImageSize,
): LazyDataset<Inputs, Targets>
export function centerCrop(dataset: AnyDataset, size: ImageSize): AnyDataset {
  checkDataset('centerCrop', dataset)
  return windowed('centerCrop', dataset, size, ({ rows, columns }) => ({
    top: Math.floor(rows / 2),
    left: Math.floor(columns / 2),
    flip: false,
  }))
}

/**
 * @param windowOf  (the number of rows and columns that the window leaves out, index of the sample, epoch) -> the window
 */
function windowed(
  what: string,
  dataset: AnyDataset,
  size: ImageSize | undefined,
  windowOf: (free: { rows: number; columns: number }, index: number, epoch: number) => Window,
): AnyDataset {
  const { name, length, classes } = dataset
  const image = firstOf<Shape>(dataset.inputShape, isShape)
  if (image.length < 2) {
    throw new DataError(`${what}: samples of ${name} are ${showShape(image)}; images are [..., height, width]`)
  }
  const [height, width] = image.slice(-2)
  const [rows, columns] = size === undefined ? [height, width] : checkImageSize(what, size)
  if (rows > height || columns > width) {
    throw new DataError(`${what}: a window of ${rows} x ${columns} does not fit an image of ${height} x ${width}`)
  }
  const free = { rows: height - rows, columns: width - columns }
  const isImage = (shape: Shape): boolean => shape.length >= 2 && shape.at(-2) === height && shape.at(-1) === width
  const resized = (shapes: Shapes): Shapes =>
    mapMembers<Shape, Shape>(shapes, isShape, (shape) =>
      isImage(shape) ? [...shape.slice(0, -2), rows, columns] : shape,
    )
  const changed = (batch: AnyBatch, indices: ArrayLike<number>, epoch: number): AnyBatch => {
    const windows = Array.from(indices, (index) => windowOf(free, index, epoch))
    return mapArrays(batch, (array) => (isImage(array.shape.slice(1)) ? cut(array, windows, rows, columns) : array))
  }
  return {
    name,
    length,
    classes,
    inputShape: resized(dataset.inputShape),
    targetShape: resized(dataset.targetShape),
    gather(indices, epoch = 0) {
      const batch = dataset.gather(indices, epoch)
      return batch instanceof Promise
        ? batch.then((gathered) => changed(gathered, indices, epoch))
        : changed(batch, indices, epoch)
    },
  }
}

/** The windows of the images of one array; zeros where a window leaves its image. */
function cut({ data, shape, scale }: HostArray, windows: readonly Window[], rows: number, columns: number): HostArray {
  const [height, width] = shape.slice(-2)
  const planes = shape.slice(1, -2).reduce((product, dim) => product * dim, 1)
  const result = zerosLike(data, shape[0] * planes * rows * columns)
  for (let plane = 0, to = 0; plane < shape[0] * planes; plane++) {
    const { top, left, flip } = windows[Math.floor(plane / planes)]
    for (let y = top; y < top + rows; y++) {
      const from = (plane * height + y) * width
      for (let x = 0; x < columns; x++, to++) {
        const column = left + (flip ? columns - 1 - x : x)
        if (y >= 0 && y < height && column >= 0 && column < width) result[to] = data[from + column]
      }
    }
  }
  return { data: result, shape: [...shape.slice(0, -2), rows, columns], scale }
}

/** The height and width of a size. @throws DataError  they are not positive whole numbers */
export function checkImageSize(what: string, size: ImageSize): readonly [height: number, width: number] {
  const sides: readonly unknown[] = typeof size === 'number' ? [size, size] : Array.isArray(size) ? size : []
  const [height, width] = sides
  if (sides.length === 2 && typeof height === 'number' && typeof width === 'number') {
    if (isPositive(height) && isPositive(width)) return [height, width]
  }
  throw new DataError(`${what}: the size ${showValue(size)} is neither a positive whole number nor [height, width]`)
}
