/**
 * The windows of a convolution as the right operand of a product: lanes are positions, steps are (channel, tap).
 *
 *   panel [k, COLUMNS], k = channel * taps + tap
 *
 * This is the matrix that im2col would write out. Only one panel of it exists at a time.
 */
import { WINDOW_LIST_BYTES } from '../../layout'
import { Grid } from './grid'
import { Image, loadScattered } from './image'
import { storeRamp } from './matrix'
import { COLUMNS, COLUMNS_BYTES } from './tile'

/**
 * How many channels are packed through one tap before the next tap reads the same cache lines again. Channels stay in
 * the first-level cache in any number, unless the distance between them is a multiple of half of one of the cache's 8
 * ways: then they share its sets, and only a few of them stay.
 */
const ANY_CHANNELS: i32 = 256
const FEW_CHANNELS: i32 = 8
const HALF_A_WAY: i32 = 2048

@unmanaged
export class Windows {
  image: Image
  grid: Grid
  /** places of results in their row of c, in bytes: the first, and the distances between rows, columns and images */
  firstPlace: i32
  rowPlaces: i32
  columnPlaces: i32
  imagePlaces: i32

  placeAt(first: i32, row: i32, column: i32, image: i32): void {
    this.firstPlace = first
    this.rowPlaces = row
    this.columnPlaces = column
    this.imagePlaces = image
  }

  prepare(_step: i32, _k: i32): void {}

  packColumns(to: usize, first: i32, count: i32, step: i32, k: i32, scratch: usize): void {
    const image = this.image
    const grid = this.grid
    const taps = image.tapCount
    const ys = scratch
    const xs = ys + WINDOW_LIST_BYTES
    const offsets = xs + WINDOW_LIST_BYTES
    const masks = offsets + WINDOW_LIST_BYTES
    grid.locate(image, first, count, COLUMNS, grid.rows * grid.columns, ys, xs, offsets)
    const block = taps * (image.channelBytes % HALF_A_WAY == 0 ? FEW_CHANNELS : ANY_CHANNELS)
    const whole = count == COLUMNS && areRun(image, offsets)
    // Nothing reads the lanes beyond `count`.
    for (let lane: usize = 0; lane < <usize>count * 4; lane += whole ? COLUMNS_BYTES : 16) {
      const y = v128.load(ys + lane)
      const x = v128.load(xs + lane)
      const at = v128.load(offsets + lane)
      const run = whole || image.isRun(at)
      const inside = run && !whole && image.isInside(y, x)
      const from = image.base + i32x4.extract_lane(at, 0)
      if (!inside && !whole) {
        for (let tap = 0; tap < taps; tap++) v128.store(masks + <usize>tap * 16, image.mask(tap, y, x))
      }
      // A block of channels at a time, tap after tap: the distance and the mask of a tap stay in registers.
      for (let done = 0; done < k; done += block) {
        const some = min(block, k - done)
        let channel = (step + done) / taps
        let tap = step + done - channel * taps
        for (let i = 0; i < min(taps, some); i++) {
          const steps = (some - i + taps - 1) / taps
          const panel = to + lane + <usize>(done + i) * COLUMNS_BYTES
          const move = channel * image.channelBytes + image.tapOffset(tap)
          const mask = masks + <usize>tap * 16
          if (whole) copyWhole(panel, from + move, steps, taps, image, tap, ys, xs)
          else if (inside) copyInside(panel, from + move, steps, taps, image)
          else if (run) copyRuns(panel, from + move, steps, taps, image, v128.load(mask))
          else copyScattered(panel, i32x4.add(at, i32x4.splat(move)), steps, taps, image, v128.load(mask))
          if (++tap == taps) {
            tap = 0
            channel++
          }
        }
      }
    }
  }

  /** Stores the places of columns first .. first + count - 1 of the result in their row, in bytes. */
  places(to: usize, first: i32, count: i32): void {
    const grid = this.grid
    let row = first / grid.columns
    let column = first - row * grid.columns
    let n = row / grid.rows
    row -= n * grid.rows
    const sideBySide = this.columnPlaces == 4 && this.rowPlaces == grid.columns * 4
    if (sideBySide && row * grid.columns + column + COLUMNS <= grid.rows * grid.columns) {
      storeRamp(to, this.firstPlace + n * this.imagePlaces + row * this.rowPlaces + column * 4)
      return
    }
    for (let i = 0; i < count; i++) {
      const place = n * this.imagePlaces + row * this.rowPlaces + column * this.columnPlaces
      store<i32>(to + <usize>i * 4, this.firstPlace + place)
      if (++column < grid.columns) continue
      column = 0
      if (++row < grid.rows) continue
      row = 0
      n++
    }
  }
}

/** Are all positions of a panel neighbours in memory? Those of neighbouring rows are, if rows have no gaps. */
function areRun(image: Image, offsets: usize): bool {
  const first = load<i32>(offsets)
  for (let lane = 0; lane < COLUMNS; lane += 4) {
    const at = v128.load(offsets + <usize>lane * 4)
    if (i32x4.extract_lane(at, 0) != first + lane * 4 || !image.isRun(at)) return false
  }
  return true
}

/** Copies the numbers that a tap sees, channel after channel, to a panel; `taps` steps lie between two channels. */
function copyWhole(
  to: usize, from: usize, steps: i32, taps: i32, image: Image, tap: i32, ys: usize, xs: usize,
): void {
  const stride = <usize>taps * COLUMNS_BYTES
  const channelBytes = image.channelBytes
  const m0 = image.mask(tap, v128.load(ys), v128.load(xs))
  const m1 = image.mask(tap, v128.load(ys, 16), v128.load(xs, 16))
  const m2 = COLUMNS == 16 ? image.mask(tap, v128.load(ys, 32), v128.load(xs, 32)) : m0
  const m3 = COLUMNS == 16 ? image.mask(tap, v128.load(ys, 48), v128.load(xs, 48)) : m0
  do {
    v128.store(to, v128.and(v128.load(from), m0))
    v128.store(to, v128.and(v128.load(from, 16), m1), 16)
    if (COLUMNS == 16) {
      v128.store(to, v128.and(v128.load(from, 32), m2), 32)
      v128.store(to, v128.and(v128.load(from, 48), m3), 48)
    }
    to += stride
    from += channelBytes
  } while (--steps)
}

/** The same for four positions; here, if no tap leads out of the image. */
@inline
function copyInside(to: usize, from: usize, steps: i32, taps: i32, image: Image): void {
  const stride = <usize>taps * COLUMNS_BYTES
  const channelBytes = image.channelBytes
  do {
    v128.store(to, v128.load(from))
    to += stride
    from += channelBytes
  } while (--steps)
}

@inline
function copyRuns(to: usize, from: usize, steps: i32, taps: i32, image: Image, mask: v128): void {
  const stride = <usize>taps * COLUMNS_BYTES
  const channelBytes = image.channelBytes
  do {
    v128.store(to, v128.and(v128.load(from), mask))
    to += stride
    from += channelBytes
  } while (--steps)
}

@inline
function copyScattered(to: usize, offsets: v128, steps: i32, taps: i32, image: Image, mask: v128): void {
  const stride = <usize>taps * COLUMNS_BYTES
  const channelBytes = i32x4.splat(image.channelBytes)
  do {
    v128.store(to, loadScattered(image.base, offsets, mask))
    to += stride
    offsets = i32x4.add(offsets, channelBytes)
  } while (--steps)
}
