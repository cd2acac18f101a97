/**
 * Both operands of a weight gradient: the product whose steps are the positions of all images.
 *
 *   dw [outChannels, channels * taps] = sum over positions of
 *                                       dy [outChannels, position] window [position, channels * taps]
 *
 * Steps come in fours that belong to one image: an image whose outputs are not a multiple of four is filled up with
 * positions that lie off the image for every tap. So four steps are four neighbours in dy, and mostly four neighbours in
 * x as well. They are loaded as vectors along the steps and transposed in registers.
 */
import { Grid } from './grid'
import { Image, loadScattered } from './image'
import { storePair, storeRamp, storeTransposed } from './matrix'
import { COLUMNS_BYTES, panelRows } from './tile'

/** dy as the left operand: lanes are output channels. */
@unmanaged
export class OutputPositions {
  base: usize
  /** outputs of a channel of an image, and their number rounded up to a multiple of four */
  size: i32
  steps: i32
  imageBytes: usize

  packRows(to: usize, first: i32, count: i32, step: i32, k: i32): void {
    const channelBytes = <usize>this.size * 4
    const whole = this.size & ~3
    for (let lane = 0, rows = 0; lane < count; lane += rows) {
      rows = panelRows(lane, count)
      const lanes = min(rows, count - lane)
      const stepBytes = <usize>rows * 4
      let n = step / this.steps
      let at = step - n * this.steps
      let from = this.base + <usize>(first + lane) * channelBytes + <usize>n * this.imageBytes
      for (let i = 0; i < k; i += 4) {
        const here = from + <usize>at * 4
        if (at >= whole || lanes < rows) {
          this.pick(to, rows, here, lanes, min(4, this.size - at))
        } else {
          const v0 = v128.load(here)
          const v1 = v128.load(here + channelBytes)
          if (rows == 2) {
            storePair(to, stepBytes, v0, v1)
          } else {
            const v2 = v128.load(here + 2 * channelBytes)
            storeTransposed(to, stepBytes, v0, v1, v2, v128.load(here + 3 * channelBytes))
          }
          if (rows == 6) {
            storePair(to + 16, stepBytes, v128.load(here + 4 * channelBytes), v128.load(here + 5 * channelBytes))
          }
        }
        to += 4 * stepBytes
        at += 4
        if (at == this.steps) {
          at = 0
          from += this.imageBytes
        }
      }
    }
  }

  /** Packs four steps, if some steps or rows of them do not exist; zeros stand for those. */
  private pick(to: usize, rows: i32, from: usize, lanes: i32, steps: i32): void {
    const channelBytes = <usize>this.size * 4
    for (let i = 0; i < 4; i++) {
      for (let row = 0; row < rows; row++) {
        const exists = row < lanes && i < steps
        store<f32>(to, exists ? load<f32>(from + <usize>row * channelBytes + <usize>i * 4) : 0)
        to += 4
      }
    }
  }
}

/** x through the taps as the right operand: lanes are (channel, tap). */
@unmanaged
export class InputPositions {
  image: Image
  grid: Grid
  /** positions of an image, rounded up to a multiple of four */
  steps: i32
  /** the largest number of steps in a block */
  depth: i32
  /** tables for the positions of the running block: y, x, offset, whether four positions are a run, and masks by tap */
  tables: usize

  /** Table `index`: 0 y, 1 x, 2 offset, 3 run. */
  private table(index: i32): usize {
    return this.tables + <usize>(index * this.depth) * 4
  }

  /** The masks of a tap. `tap` = tapCount masks everything. */
  private masks(tap: i32): usize {
    return this.table(4 + tap)
  }

  prepare(step: i32, k: i32): void {
    const image = this.image
    const taps = image.tapCount
    const ys = this.table(0)
    const xs = this.table(1)
    const offsets = this.table(2)
    const runs = this.table(3)
    this.grid.locate(image, step, k, k, this.steps, ys, xs, offsets)
    for (let i: usize = 0; i < <usize>k * 4; i += 16) {
      store<i32>(runs + i, image.isRun(v128.load(offsets + i)))
      const y = v128.load(ys + i)
      const x = v128.load(xs + i)
      for (let tap = 0; tap < taps; tap++) v128.store(this.masks(tap) + i, image.mask(tap, y, x))
      v128.store(this.masks(taps) + i, i32x4.splat(0))
    }
  }

  packColumns(to: usize, first: i32, count: i32, _step: i32, k: i32, _scratch: usize): void {
    const image = this.image
    const taps = image.tapCount
    let channel = first / taps
    let tap = first - channel * taps
    // Nothing reads the lanes beyond `count`.
    for (let lane = 0; lane < count; lane += 4) {
      let reach0 = 0, reach1 = 0, reach2 = 0, reach3 = 0
      let masks0 = this.masks(taps), masks1 = masks0, masks2 = masks0, masks3 = masks0
      for (let i = 0; i < min(4, count - lane); i++) {
        const reach = channel * image.channelBytes + image.tapOffset(tap)
        const masks = this.masks(tap)
        if (i == 0) {
          reach0 = reach
          masks0 = masks
        } else if (i == 1) {
          reach1 = reach
          masks1 = masks
        } else if (i == 2) {
          reach2 = reach
          masks2 = masks
        } else {
          reach3 = reach
          masks3 = masks
        }
        if (++tap == taps) {
          tap = 0
          channel++
        }
      }
      const base = image.base
      const offsets = this.table(2)
      const runs = this.table(3)
      let panel = to + <usize>lane * 4
      for (let i: usize = 0; i < <usize>k * 4; i += 16) {
        const m0 = v128.load(masks0 + i)
        const m1 = v128.load(masks1 + i)
        const m2 = v128.load(masks2 + i)
        const m3 = v128.load(masks3 + i)
        if (load<i32>(runs + i)) {
          const from = base + load<i32>(offsets + i)
          const v0 = v128.and(v128.load(from + reach0), m0)
          const v1 = v128.and(v128.load(from + reach1), m1)
          const v2 = v128.and(v128.load(from + reach2), m2)
          const v3 = v128.and(v128.load(from + reach3), m3)
          storeTransposed(panel, COLUMNS_BYTES, v0, v1, v2, v3)
        } else {
          const at = v128.load(offsets + i)
          const v0 = loadScattered(base, i32x4.add(at, i32x4.splat(reach0)), m0)
          const v1 = loadScattered(base, i32x4.add(at, i32x4.splat(reach1)), m1)
          const v2 = loadScattered(base, i32x4.add(at, i32x4.splat(reach2)), m2)
          const v3 = loadScattered(base, i32x4.add(at, i32x4.splat(reach3)), m3)
          storeTransposed(panel, COLUMNS_BYTES, v0, v1, v2, v3)
        }
        panel += 4 * COLUMNS_BYTES
      }
    }
  }

  /** Stores the places of the weights, which lie side by side. */
  places(to: usize, first: i32, _count: i32): void {
    storeRamp(to, first * 4)
  }
}
