/**
 * Images of another size, made of other ops: means over the whole plane or over parts of it, and upsampling. Where the values of a row
 * and of a column are mixed, two products with small constant matrices do it, so an infinite value spreads over its plane.
 */
import { ANYTHING, BOOLEAN, door, oneOf, options as optionsOf } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { tensor } from '../tensor/create.js'
import { TENSOR } from '../tensor/kinds.js'
import type { Tensor } from '../tensor/tensor.js'
import { matmul } from './matmul.js'
import { broadcastTo, reshape } from './movement.js'
import { averagePool2d } from './pool.js'
import { mean } from './reduce.js'
import { checkImages, type Sides, sides } from './window.js'

const checkAdaptive = door('adaptiveAveragePool2d', { x: TENSOR, size: ANYTHING })

/**
 * The mean of each of OH x OW windows, which share the image as evenly as whole numbers can: window i covers the rows from
 * floor(i H / OH) to ceil((i + 1) H / OH), as in PyTorch. With size 1 it is the mean of the plane.
 * @param x     [N, C, H, W]
 * @param size  [OH, OW], or one number
 * @returns     [N, C, OH, OW]
 * @throws ShapeError     x is not [N, C, H, W]
 * @throws ArgumentError  a size that is not a whole number of at least 1
 */
export function adaptiveAveragePool2d(x: Tensor, size: Sides): Tensor {
  checkAdaptive([x, size])
  const [rows, columns] = sides('adaptiveAveragePool2d', 'size', size, 1)
  checkImages('adaptiveAveragePool2d', x.shape)
  const [, , height, width] = x.shape
  if (rows === 1 && columns === 1) return mean(x, [2, 3], { keepDims: true })
  if (height % rows === 0 && width % columns === 0)
    return averagePool2d(x, { kernel: [height / rows, width / columns] })
  return mixed(x, evenShares(rows, height), evenShares(columns, width))
}

/** For each of `count` parts its share of each of `size` values. */
function evenShares(count: number, size: number): number[][] {
  return Array.from({ length: count }, (_, i) => {
    const [from, to] = [Math.floor((i * size) / count), Math.ceil(((i + 1) * size) / count)]
    return Array.from({ length: size }, (_, j) => (j >= from && j < to ? 1 / (to - from) : 0))
  })
}

/** rows x columns^T for each plane. */
function mixed(x: Tensor, rows: number[][], columns: number[][]): Tensor {
  const wide = matmul(x, tensor(x.device, columns), { transposeB: true })
  return matmul(tensor(x.device, rows), wide)
}

export interface UpsampleOptions {
  /** how many times larger: a whole number, or [y, x] */
  scale: Sides
  /** default 'nearest' */
  mode?: 'nearest' | 'bilinear'
  /** for 'bilinear': corners stay corners, as PyTorch's align_corners; default false: edges of pixels stay edges */
  alignCorners?: boolean
}

export const UPSAMPLE = optionsOf<UpsampleOptions>(
  { scale: ANYTHING, mode: oneOf('nearest', 'bilinear'), alignCorners: BOOLEAN },
  ['scale'],
)

const checkUpsample = door('upsample', { x: TENSOR, options: UPSAMPLE })

/**
 * Images that are larger by whole numbers: every value repeated, or values between neighbours.
 * @param x  [N, C, H, W]
 * @returns  [N, C, scale H, scale W]
 * @throws ShapeError     x is not [N, C, H, W]
 * @throws ArgumentError  a scale that is not a whole number of at least 1; alignCorners without 'bilinear'
 */
export function upsample(x: Tensor, options: UpsampleOptions): Tensor {
  checkUpsample([x, options])
  const { mode = 'nearest', alignCorners = false } = options
  const [scaleY, scaleX] = sides('upsample', 'scale', options.scale, 1)
  checkImages('upsample', x.shape)
  const [samples, channels, height, width] = x.shape
  if (mode === 'bilinear') {
    return mixed(x, between(height, scaleY, alignCorners), between(width, scaleX, alignCorners))
  }
  if (alignCorners) throw new ArgumentError("upsample: alignCorners is for mode 'bilinear'")
  const planes = samples * channels
  const repeated = broadcastTo(reshape(x, [planes, height, 1, width, 1]), [planes, height, scaleY, width, scaleX])
  return reshape(repeated, [samples, channels, height * scaleY, width * scaleX])
}

/** For each of size * scale places the shares of the two values that it lies between. */
function between(size: number, scale: number, alignCorners: boolean): number[][] {
  const count = size * scale
  return Array.from({ length: count }, (_, i) => {
    const place = alignCorners ? (i * (size - 1)) / Math.max(1, count - 1) : Math.max(0, (i + 0.5) / scale - 0.5)
    const low = Math.min(Math.floor(place), size - 1)
    const high = Math.min(low + 1, size - 1)
    const shares = new Array<number>(size).fill(0)
    shares[low] += 1 - (place - low)
    shares[high] += place - low
    return shares
  })
}
