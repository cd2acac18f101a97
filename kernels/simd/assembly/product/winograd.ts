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
 * The gradient of the inputs is a convolution of dy with the kernels turned round.
 *
 * Source: A. Lavin and S. Gray, Fast algorithms for convolutional neural networks (2016).
 */
import { LINE_BYTES, MULTIPLY_GRAIN, TILE_BYTES, WINOGRAD_HEADER_BYTES, WINOGRAD_SLOT_BYTES } from '../../layout'
import { parallel } from '../machine/parallel'
import { addTile, COLUMNS, COLUMNS_BYTES, panelRows, ROW_GROUP, tile } from './tile'
import { PLACES, Tiles, transformTiles, ZEROS } from './tiles'
import { difference, storeRow, summed, transformFilter } from './transforms'

/** The head of the workspace. The filters of a block and the slots follow it. */
@unmanaged
class Winograd extends Tiles {
  w: usize
  bias: usize
  /** bytes in w: from output channel to output channel, from channel to channel, from tap to tap, and to the first tap */
  laneStride: usize
  stepStride: usize
  tapStride: usize
  firstTap: usize
  filters: usize
  slots: usize
  slotBytes: usize
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
const TILES: usize = WINOGRAD_SLOT_BYTES

/** Channels that are transformed for four tiles before the next four: their lines stay in the first-level cache. */
const FEW_CHANNELS: i32 = 8

/** x, w, bias? (an address, or 0) -> y; `turned`: with the kernels turned round, for the gradient of the inputs */
export function convolutionWinograd(
  x: usize, w: usize, bias: usize, y: usize, turned: bool, workspace: usize,
): void {
  const p = changetype<Winograd>(workspace)
  p.open(x, y)
  p.w = w
  p.bias = bias
  p.laneStride = turned ? 36 : <usize>p.channels * 36
  p.stepStride = turned ? <usize>p.outChannels * 36 : 36
  p.tapStride = turned ? -4 : 4
  p.firstTap = turned ? 32 : 0
  p.filters = workspace + WINOGRAD_HEADER_BYTES
  p.slots = p.filters + PLACES * p.filterBytes
  p.slotBytes = TILES + PLACES * (p.tileBytes + p.sumBytes)
  p.panels = (p.tileCount + COLUMNS - 1) / COLUMNS
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
        const count = min(FEW_CHANNELS, steps - some)
        transformTiles(p, to, p.tileBytes, COLUMNS_BYTES, first + lane, step + some, count, slot + PIXELS)
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
