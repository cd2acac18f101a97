/**
 * Images cut into tiles for Winograd's convolution (winograd.ts), and how tiles of pixels and of outputs are transformed.
 *
 * A tile is 2 x 2 outputs and the 4 x 4 pixels that they see. Tiles are counted through all images: image, row, column. A row
 * of tiles is filled up to a multiple of four, because four tiles side by side are transformed at once, a lane each; what
 * lies outside the image is 0. A place is one of the 16 numbers of a transformed tile.
 */
import { WinogradSizes } from '../machine/sizes'

@unmanaged
export class Tiles extends WinogradSizes {
  x: usize
  y: usize
  /** rows of tiles in an image, tiles in a row, tiles in all */
  tileRows: i32
  tileColumns: i32
  tileCount: i32

  open(x: usize, y: usize): void {
    this.x = x
    this.y = y
    this.tileRows = (this.outHeight + 1) >> 1
    this.tileColumns = (((this.outWidth + 1) >> 1) + 3) & ~3
    this.tileCount = this.batch * this.tileRows * this.tileColumns
  }
}

/** The places of a tile. */
export const PLACES: i32 = 16
/** Rows of an image that do not exist, filters of rows that do not exist, and the start of sums. */
export const ZEROS: usize = memory.data(64)
/** A row of twelve pixels. */
const PIXEL_BYTES: usize = 48

/**
 * B' d B of `count` channels, for the four tiles from `first` on: 16 vectors, `place` bytes apart, and those of the next channel
 * `step` bytes behind.
 * @param pixels  room for four rows of twelve pixels
 */
export function transformTiles(
  p: Tiles, to: usize, place: usize, step: usize, first: i32, channel: i32, count: i32, pixels: usize,
): void {
  const row = first / p.tileColumns
  const n = row / p.tileRows
  const y = 2 * (row - n * p.tileRows) - p.padY
  const x = 2 * (first - row * p.tileColumns) - p.padX
  const rowBytes = p.width * 4
  const stride = <usize>(p.height * rowBytes)
  const from = p.x + <usize>(n * p.channels + channel) * stride + y * rowBytes + x * 4
  const exists = n < p.batch
  const columns = i32x4.add(i32x4.splat(x), i32x4(0, 1, 2, 3))
  const width = i32x4.splat(p.width)
  const m0 = i32x4.lt_u(columns, width)
  const m2 = i32x4.lt_u(i32x4.add(columns, i32x4.splat(2)), width)
  const m4 = i32x4.lt_u(i32x4.add(columns, i32x4.splat(4)), width)
  const m6 = i32x4.lt_u(i32x4.add(columns, i32x4.splat(6)), width)
  const above = exists && <u32>y < <u32>p.height
  const second = exists && <u32>(y + 1) < <u32>p.height
  const third = exists && <u32>(y + 2) < <u32>p.height
  const below = exists && <u32>(y + 3) < <u32>p.height
  let from0 = above ? from : ZEROS
  let from1 = second ? from + rowBytes : ZEROS
  let from2 = third ? from + 2 * rowBytes : ZEROS
  let from3 = below ? from + 3 * rowBytes : ZEROS
  const stride0 = above ? stride : 0
  const stride1 = second ? stride : 0
  const stride2 = third ? stride : 0
  const stride3 = below ? stride : 0
  // Vectors run on into the next row. Only the last ones can pass the end of the memory.
  const end = max(max(from0, from1), max(from2, from3)) + <usize>(count - 1) * stride + 40
  const copied = end > <usize>memory.size() << 16
  do {
    let d0 = from0, d1 = from1, d2 = from2, d3 = from3
    if (copied) {
      copyPixels(pixels, from0, x, p.width)
      copyPixels(pixels + PIXEL_BYTES, from1, x, p.width)
      copyPixels(pixels + 2 * PIXEL_BYTES, from2, x, p.width)
      copyPixels(pixels + 3 * PIXEL_BYTES, from3, x, p.width)
      d0 = pixels
      d1 = pixels + PIXEL_BYTES
      d2 = pixels + 2 * PIXEL_BYTES
      d3 = pixels + 3 * PIXEL_BYTES
    }
    transformRow(to, place, 0, d0, d2, m0, m2, m4, m6, false)
    transformRow(to, place, 4, d1, d2, m0, m2, m4, m6, true)
    transformRow(to, place, 8, d2, d1, m0, m2, m4, m6, false)
    transformRow(to, place, 12, d1, d3, m0, m2, m4, m6, false)
    to += step
    from0 += stride0
    from1 += stride1
    from2 += stride2
    from3 += stride3
  } while (--count)
}

/**
 * A row of B' d, which is the sum or the difference of two rows of d, times B: four places. Four tiles have ten pixels in a
 * row; the first of each are the even ones of pixels 0 to 7, the third those of pixels 2 to 9.
 */
@inline
function transformRow(
  to: usize, place: usize, first: usize, a: usize, b: usize, m0: v128, m2: v128, m4: v128, m6: v128, sum: bool,
): void {
  const v0 = combined(a, b, 0, m0, sum)
  const v4 = combined(a, b, 16, m4, sum)
  const v2 = combined(a, b, 8, m2, sum)
  const v6 = combined(a, b, 24, m6, sum)
  const t0 = v128.shuffle<f32>(v0, v4, 0, 2, 4, 6)
  const t1 = v128.shuffle<f32>(v0, v4, 1, 3, 5, 7)
  const t2 = v128.shuffle<f32>(v2, v6, 0, 2, 4, 6)
  const t3 = v128.shuffle<f32>(v2, v6, 1, 3, 5, 7)
  to += first * place
  v128.store(to, f32x4.sub(t0, t2))
  v128.store(to + place, f32x4.add(t1, t2))
  v128.store(to + 2 * place, f32x4.sub(t2, t1))
  v128.store(to + 3 * place, f32x4.sub(t1, t3))
}

/** Four numbers of the sum or the difference of two rows, 0 outside the image. */
@inline
function combined(a: usize, b: usize, at: usize, mask: v128, sum: bool): v128 {
  const left = v128.load(a + at)
  const right = v128.load(b + at)
  return v128.and(sum ? f32x4.add(left, right) : f32x4.sub(left, right), mask)
}

/** Copies the ten pixels of a row from column x on that exist. */
function copyPixels(to: usize, from: usize, x: i32, width: i32): void {
  for (let column = 0; column < 10; column++) {
    const at = <usize>column * 4
    store<f32>(to + at, from != ZEROS && <u32>(x + column) < <u32>width ? load<f32>(from + at) : 0)
  }
}

/**
 * A e A' of `count` output channels, for the 2 x 2 outputs e in y of the four tiles from `first` on, laid out as by
 * `transformTiles`.
 * @param outputs  room for two rows of eight outputs
 */
export function transformOutputs(
  p: Tiles, to: usize, place: usize, step: usize, first: i32, channel: i32, count: i32, outputs: usize,
): void {
  const row = first / p.tileColumns
  const n = row / p.tileRows
  const y = 2 * (row - n * p.tileRows)
  const x = 2 * (first - row * p.tileColumns)
  const rowBytes = <usize>p.outWidth * 4
  const stride = <usize>p.outHeight * rowBytes
  const columns = min(8, p.outWidth - x)
  const exists = columns > 0
  const below = exists && y + 1 < p.outHeight
  const zero = f32x4.splat(0)
  let from = p.y + <usize>(n * p.outChannels + channel) * stride + <usize>y * rowBytes + <usize>x * 4
  for (let at: usize = 0; at < 64; at += 16) v128.store(outputs + at, zero)
  do {
    let upper = exists ? from : ZEROS
    let lower = below ? from + rowBytes : ZEROS
    if (exists && columns < 8) {
      memory.copy(outputs, upper, <usize>columns * 4)
      memory.copy(outputs + 32, lower, <usize>columns * 4)
      upper = outputs
      lower = outputs + 32
    }
    const u0 = v128.load(upper), u4 = v128.load(upper, 16)
    const l0 = v128.load(lower), l4 = v128.load(lower, 16)
    transformOutputRow(to, place, u0, u4)
    transformOutputRow(to + 4 * place, place, f32x4.add(u0, l0), f32x4.add(u4, l4))
    transformOutputRow(to + 8 * place, place, f32x4.sub(u0, l0), f32x4.sub(u4, l4))
    transformOutputRow(to + 12 * place, place, f32x4.neg(l0), f32x4.neg(l4))
    to += step
    from += stride
  } while (--count)
}

/** A row of A e, eight numbers, times A': four places. */
@inline
function transformOutputRow(to: usize, place: usize, e0: v128, e4: v128): void {
  const left = v128.shuffle<f32>(e0, e4, 0, 2, 4, 6)
  const right = v128.shuffle<f32>(e0, e4, 1, 3, 5, 7)
  v128.store(to, left)
  v128.store(to + place, f32x4.add(left, right))
  v128.store(to + 2 * place, f32x4.sub(left, right))
  v128.store(to + 3 * place, f32x4.neg(right))
}
