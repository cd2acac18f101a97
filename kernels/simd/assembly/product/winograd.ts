/**
 * Convolutions of 3 x 3 taps side by side by Winograd's F(2 x 2, 3 x 3): four outputs of a channel take 16 multiplications
 * instead of 36.
 *
 *   y = A' [ sum over channels of (G g G') * (B' d B) ] A
 *
 *   d  4 x 4 pixels of a channel, for 2 x 2 outputs (a tile)      B' = 1  0 -1  0     G = 1    0   0     A' = 1  1  1  0
 *   g  the 3 x 3 weights from a channel to an output channel           0  1  1  0         1/2  1/2 1/2        0  1 -1 -1
 *   *  number by number                                                0 -1  1  0         1/2 -1/2 1/2
 *                                                                      0  1  0 -1         0    0   1
 *
 * So each of the 16 places of a tile is a matrix product of its own, filters [o, c] times tiles [c, tiles], by the register
 * tile of tile.ts. An item takes as many tiles as that has columns, and goes all the way from pixels to outputs:
 *
 *   for each block of `blockHeight` output channels
 *     transform the filters [16, c, blockHeight]                    the block, which all threads read
 *     for each COLUMNS tiles                                    an item
 *       for each block of `depth` channels
 *         transform the tiles [16, depth, COLUMNS]              into the slot
 *         for each place, for each panel of rows                the register tile, summed in the slot
 *       transform the sums back                                 to y
 *
 * Four tiles side by side are transformed at once, a lane each. A row of tiles is filled up to a multiple of four, and what
 * lies outside the image is masked.
 *
 * The gradient of the inputs is a convolution of dy with the kernels turned round.
 *
 * Source: A. Lavin and S. Gray, Fast algorithms for convolutional neural networks (2016).
 */
import { LINE_BYTES, MULTIPLY_GRAIN, TILE_BYTES, WINOGRAD_HEADER_BYTES, WINOGRAD_SLOT_BYTES } from '../../layout'
import { parallel } from '../machine/parallel'
import { WinogradSizes } from '../machine/sizes'
import { addTile, COLUMNS, COLUMNS_BYTES, panelRows, ROW_GROUP, tile } from './tile'
import { copyPixels, difference, storeRow, summed, transformFilter, transformRow, ZEROS } from './transforms'

/** The head of the workspace. The filters of a block and the slots follow it. */
@unmanaged
class Winograd extends WinogradSizes {
  x: usize
  w: usize
  bias: usize
  y: usize
  /** bytes in w: from output channel to output channel, from channel to channel, from tap to tap, and to the first tap */
  laneStride: usize
  stepStride: usize
  tapStride: usize
  firstTap: usize
  filters: usize
  slots: usize
  slotBytes: usize
  /** rows of tiles in an image, and tiles in a row */
  tileRows: i32
  tileColumns: i32
  /** the running block of output channels */
  row: i32
  rows: i32
  /** panels in an item, panels in all */
  item: i32
  panels: i32

  /** Bytes from a place to the next: a line more than the numbers take, so that the places do not share sets of a cache. */
  get filterBytes(): usize {
    return <usize>(this.blockHeight * this.channels) * 4 + LINE_BYTES
  }
  get tileBytes(): usize {
    return <usize>this.depth * COLUMNS_BYTES + LINE_BYTES
  }
  get sumBytes(): usize {
    return <usize>this.blockHeight * COLUMNS_BYTES + LINE_BYTES
  }
}

/** A slot holds a tile of sums that are added to others, four rows of pixels, the tiles of all places, the sums of all places. */
const PIXELS: usize = TILE_BYTES
const PIXEL_BYTES: usize = 48
const TILES: usize = WINOGRAD_SLOT_BYTES

const PLACES: i32 = 16
/** Channels that are transformed for four tiles before the next four: their lines stay in the first-level cache. */
const FEW_CHANNELS: i32 = 8

/** x, w, bias? (an address, or 0) -> y; `turned`: with the kernels turned round, for the gradient of the inputs */
export function convolutionWinograd(
  x: usize, w: usize, bias: usize, y: usize, turned: bool, workspace: usize,
): void {
  const p = changetype<Winograd>(workspace)
  p.x = x
  p.w = w
  p.bias = bias
  p.y = y
  p.laneStride = turned ? 36 : <usize>p.channels * 36
  p.stepStride = turned ? <usize>p.outChannels * 36 : 36
  p.tapStride = turned ? -4 : 4
  p.firstTap = turned ? 32 : 0
  p.tileRows = (p.outHeight + 1) >> 1
  p.tileColumns = (((p.outWidth + 1) >> 1) + 3) & ~3
  p.filters = workspace + WINOGRAD_HEADER_BYTES
  p.slots = p.filters + PLACES * p.filterBytes
  p.slotBytes = TILES + PLACES * (p.tileBytes + p.sumBytes)
  p.panels = (p.batch * p.tileRows * p.tileColumns + COLUMNS - 1) / COLUMNS
  for (let row = 0; row < p.outChannels; row += p.blockHeight) {
    p.row = row
    p.rows = min(p.blockHeight, p.outChannels - row)
    p.item = max(1, MULTIPLY_GRAIN / (PLACES * COLUMNS * p.rows * p.channels))
    parallel(workspace, (p.rows + ROW_GROUP - 1) / ROW_GROUP, p.slotCount, (shared, item, _slot) => {
      transformFilters(changetype<Winograd>(shared), item * ROW_GROUP)
    })
    parallel(workspace, (p.panels + p.item - 1) / p.item, p.slotCount, (shared, item, slot) => {
      const p = changetype<Winograd>(shared)
      const end = min(p.panels, (item + 1) * p.item)
      for (let panel = item * p.item; panel < end; panel++) multiplyPanel(p, panel, p.slots + slot * p.slotBytes)
    })
  }
}

/** The filters of a group of rows, in panels as the register tile reads them; rows that do not exist are zeros. */
function transformFilters(p: Winograd, first: i32): void {
  const end = min(p.rows, first + ROW_GROUP)
  for (let i = first, tall = 0; i < end; i += tall) {
    tall = panelRows(i, p.rows)
    const panel = p.filters + <usize>(i * p.channels) * 4
    for (let row = 0; row < tall; row++) {
      let to = panel + <usize>row * 4
      let from = p.w + <usize>(p.row + i + row) * p.laneStride + p.firstTap
      const exists = i + row < p.rows
      for (let c = 0; c < p.channels; c++) {
        transformFilter(to, p.filterBytes, exists ? from : ZEROS + p.firstTap, p.tapStride)
        to += <usize>tall * 4
        from += p.stepStride
      }
    }
  }
}

/** From pixels to outputs for COLUMNS tiles and the rows of the block. */
function multiplyPanel(p: Winograd, panel: i32, slot: usize): void {
  const tiles = slot + TILES
  const sums = tiles + PLACES * p.tileBytes
  const first = panel * COLUMNS
  for (let step = 0; step < p.channels; step += p.depth) {
    const steps = min(p.depth, p.channels - step)
    for (let some = 0; some < steps; some += FEW_CHANNELS) {
      for (let lane = 0; lane < COLUMNS; lane += 4) {
        const to = tiles + <usize>some * COLUMNS_BYTES + <usize>lane * 4
        transformTiles(p, to, first + lane, step + some, min(FEW_CHANNELS, steps - some), slot + PIXELS)
      }
    }
    for (let place = 0; place < PLACES; place++) {
      const filters = p.filters + place * p.filterBytes
      const b = tiles + place * p.tileBytes
      let c = sums + place * p.sumBytes
      for (let i = 0, tall = 0; i < p.rows; i += tall) {
        tall = panelRows(i, p.rows)
        const a = filters + <usize>(i * p.channels + step * tall) * 4
        if (step == 0) {
          tile(tall, steps, a, b, ZEROS, 0, c, COLUMNS_BYTES)
        } else {
          tile(tall, steps, a, b, ZEROS, 0, slot, COLUMNS_BYTES)
          addTile(tall, c, COLUMNS_BYTES, slot)
        }
        c += <usize>tall * COLUMNS_BYTES
      }
    }
  }
  for (let lane = 0; lane < COLUMNS; lane += 4) {
    transformBack(p, sums + <usize>lane * 4, first + lane, slot)
  }
}

/** B' d B of `count` channels, for the four tiles from `first` on. */
function transformTiles(p: Winograd, to: usize, first: i32, channel: i32, count: i32, pixels: usize): void {
  const row = first / p.tileColumns
  const n = row / p.tileRows
  const y = 2 * (row - n * p.tileRows) - p.padY
  const x = 2 * (first - row * p.tileColumns) - p.padX
  const place = p.tileBytes
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
    to += COLUMNS_BYTES
    from0 += stride0
    from1 += stride1
    from2 += stride2
    from3 += stride3
  } while (--count)
}

/** A' m A for each row of the block, for the four tiles from `first` on: two rows of eight outputs. */
function transformBack(p: Winograd, from: usize, first: i32, slot: usize): void {
  const row = first / p.tileColumns
  const n = row / p.tileRows
  const y = 2 * (row - n * p.tileRows)
  const x = 2 * (first - row * p.tileColumns)
  if (n >= p.batch || x >= p.outWidth) return
  const place = p.sumBytes
  const rowBytes = <usize>p.outWidth * 4
  const stride = <usize>p.outHeight * rowBytes
  let to = p.y + <usize>(n * p.outChannels + p.row) * stride + <usize>y * rowBytes + <usize>x * 4
  const two = y + 1 < p.outHeight
  const bytes = <usize>(p.outWidth - x) * 4
  let bias = p.bias + <usize>p.row * 4
  for (let i = 0; i < p.rows; i++) {
    const start = p.bias == 0 ? f32x4.splat(0) : v128.load_splat<f32>(bias)
    const s0 = summed(from, place), s1 = summed(from + place, place)
    const s2 = summed(from + 2 * place, place), s3 = summed(from + 3 * place, place)
    storeRow(to, bytes, start, s0, s1, s2, s3, slot)
    if (two) {
      const d0 = difference(from, place), d1 = difference(from + place, place)
      const d2 = difference(from + 2 * place, place), d3 = difference(from + 3 * place, place)
      storeRow(to + rowBytes, bytes, start, d0, d1, d2, d3, slot)
    }
    from += COLUMNS_BYTES
    to += stride
    bias += 4
  }
}
