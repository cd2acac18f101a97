/**
 * The windows of a convolution as the right operand of a product: lanes are positions, steps are (channel, tap).
 *
 *   panel [k, COLUMNS], k = channel * taps + tap
 *
 * This is the matrix that im2col would write out, of which only one panel exists at a time.
 */
import { Grid } from './grid'
import { Image, loadScattered } from './image'
import { storeRamp } from './matrix'
import { COLUMNS, COLUMNS_BYTES } from './tile'

/** Of the scratch: y, x and offset of each lane; then for each tap the mask of four lanes. */
const LANE_BYTES: usize = 64

@unmanaged
export class Windows {
  image: Image
  grid: Grid
  /** where a position's result lies in its row of c, in bytes: the first, and how far it is to the next of each */
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
    const xs = ys + LANE_BYTES
    const offsets = xs + LANE_BYTES
    const masks = offsets + LANE_BYTES
    grid.locate(image, first, count, COLUMNS, grid.rows * grid.columns, ys, xs, offsets)
    const channel = step / taps
    const tap = step - channel * taps
    // What the lanes beyond `count` hold is never looked at.
    for (let lane: usize = 0; lane < <usize>count * 4; lane += 16) {
      const y = v128.load(ys + lane)
      const x = v128.load(xs + lane)
      const at = v128.load(offsets + lane)
      const run = image.isRun(at)
      if (run && image.isInside(y, x)) {
        copyInside(to + lane, image, i32x4.extract_lane(at, 0), channel, tap, k)
        continue
      }
      for (let t = 0; t < taps; t++) v128.store(masks + <usize>t * 16, image.mask(t, y, x))
      if (run) copyRuns(to + lane, image, i32x4.extract_lane(at, 0), channel, tap, k, masks)
      else copyScattered(to + lane, image, at, channel, tap, k, masks)
    }
  }

  /** Where columns first .. first + count - 1 of the result lie in their row, in bytes. */
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

function copyInside(to: usize, image: Image, at: i32, channel: i32, tap: i32, k: i32): void {
  const channelBytes = image.channelBytes
  const taps = image.tapCount
  let from = image.base + at + channel * channelBytes
  do {
    v128.store(to, v128.load(from + image.tapOffset(tap)))
    to += COLUMNS_BYTES
    if (++tap == taps) {
      tap = 0
      from += channelBytes
    }
  } while (--k)
}

function copyRuns(to: usize, image: Image, at: i32, channel: i32, tap: i32, k: i32, masks: usize): void {
  const channelBytes = image.channelBytes
  const taps = image.tapCount
  let from = image.base + at + channel * channelBytes
  do {
    v128.store(to, v128.and(v128.load(from + image.tapOffset(tap)), v128.load(masks + <usize>tap * 16)))
    to += COLUMNS_BYTES
    if (++tap == taps) {
      tap = 0
      from += channelBytes
    }
  } while (--k)
}

function copyScattered(to: usize, image: Image, at: v128, channel: i32, tap: i32, k: i32, masks: usize): void {
  const channelBytes = image.channelBytes
  const taps = image.tapCount
  let move = channel * channelBytes
  do {
    const offsets = i32x4.add(at, i32x4.splat(move + image.tapOffset(tap)))
    v128.store(to, loadScattered(image.base, offsets, v128.load(masks + <usize>tap * 16)))
    to += COLUMNS_BYTES
    if (++tap == taps) {
      tap = 0
      move += channelBytes
    }
  } while (--k)
}
