/**
 * A convolution from or to few channels that reads its windows in place:
 *
 *   y [n, o, row, column] = bias [o] + sum over channels and taps of
 *                           w [o, channel, tap] band [channel, row + .., column + ..]
 *
 * A product (convolution.ts) packs every number of x once for each tap. If many output channels share a panel,
 * packing costs little beside the multiplying; with 1 channel and 9 taps it takes half of the time for 16 output
 * channels, and nine tenths for 1. Here a band is copied once for all taps. The columns of a tile are neighbouring
 * outputs of a row: their numbers lie side by side in the band, at a distance that the table of taps holds for each
 * step.
 *
 * The last tile of a row is moved left until it is whole; some outputs are then computed twice, with the same result. A
 * tile that is wider than the row is written to the slot first, and the columns of the row are copied from there.
 *
 * Many taps are summed in blocks, Note [Long sums]: the first block of a tile begins with the bias, the others with
 * zero.
 *
 * If strides are 1, the gradient of a convolution's inputs is a convolution of dy with the kernels turned round.
 */
import { BANDS_HEADER_BYTES, DIRECT_SLOT_BYTES, MULTIPLY_GRAIN, TILE_ROWS } from '../../layout'
import { Band } from './band'
import { parallel } from '../machine/parallel'
import { COLUMNS, COLUMNS_BYTES, listedTile, panelRows } from '../product/tile'

/**
 * The head of the workspace. The table of taps, the weights, the biases, and each slot's tile and band follow it.
 */
@unmanaged
class Direct extends Band {
  x: usize
  y: usize
  /** output channels of a group, and their number rounded up to whole tiles */
  o: i32
  lanes: i32
  /** bands in an image, bands in an item */
  bands: i32
  item: i32
  taps: usize
  tapCount: i32
  /** [groups], panels [tapCount, rows] of the group's lanes */
  weights: usize
  /** [groups, lanes], the bias */
  starts: usize
  slots: usize
  slotBytes: usize
}

/** The largest number of taps in a block. */
const BLOCK: i32 = 256
/** All blocks except the first begin with zeros, one for each row of a tile. */
const ZEROS: usize = memory.data(32)

/** x, w, bias? (an address, or 0) -> y; `turned`: with the kernels turned round, for the gradient of the inputs */
export function convolutionDirect(x: usize, w: usize, bias: usize, y: usize, turned: bool, workspace: usize): void {
  const direct = changetype<Direct>(workspace)
  const c = direct.groupChannels
  const o = direct.groupOutChannels
  const taps = direct.kernelHeight * direct.kernelWidth
  direct.c = c
  direct.o = o
  direct.x = x
  direct.y = y
  direct.lanes = (o + TILE_ROWS - 1) & -TILE_ROWS
  direct.bands = (direct.outHeight + direct.outRows - 1) / direct.outRows
  direct.tapCount = c * taps
  direct.item = max(1, MULTIPLY_GRAIN / (direct.outChannels * direct.tapCount * direct.outRows * direct.outWidth))
  direct.taps = workspace + BANDS_HEADER_BYTES
  direct.weights = direct.taps + <usize>((direct.tapCount + 15) & ~15) * 4
  direct.starts = direct.weights + <usize>(direct.groups * direct.lanes * direct.tapCount) * 4
  direct.slots = direct.starts + <usize>((direct.groups * direct.lanes + 15) & ~15) * 4
  direct.slotBytes = DIRECT_SLOT_BYTES + ((direct.bytes + 63) & ~63)
  direct.listTaps(direct.taps, direct.tapCount)
  if (turned) prepare(direct, w + <usize>(taps - 1) * 4, taps, o * taps, -1, taps, bias)
  else prepare(direct, w, c * taps, taps, 1, taps, bias)
  const items = (direct.batch * direct.bands + direct.item - 1) / direct.item
  parallel(workspace, items, direct.slotCount, (shared, item, slot) => {
    const direct = changetype<Direct>(shared)
    const end = min((item + 1) * direct.item, direct.batch * direct.bands)
    for (let band = item * direct.item; band < end; band++) computeBand(direct, band, slot)
  })
}

/**
 * Stores weights in the order of the tiles, and biases; zeros in the rows that fill up a tile. The strides are the
 * distances of output channels, channels and taps in w, in numbers.
 */
function prepare(
  direct: Direct, w: usize, outStride: i32, channelStride: i32, tapStride: i32, taps: i32, bias: usize,
): void {
  const o = direct.o
  const steps = direct.tapCount
  let weight = direct.weights
  let start = direct.starts
  for (let group = 0; group < direct.groups; group++) {
    for (let first = 0, rows = 0; first < o; first += rows) {
      rows = panelRows(first, o)
      for (let lane = first; lane < first + rows; lane++) {
        const exists = lane < o
        let to = weight + <usize>(first * steps + lane - first) * 4
        for (let channel = 0; channel < direct.c; channel++) {
          let from = w + (lane * outStride + channel * channelStride) * 4
          for (let tap = 0; tap < taps; tap++) {
            store<f32>(to, exists ? load<f32>(from) : 0)
            to += <usize>rows * 4
            from += tapStride * 4
          }
        }
        store<f32>(start + <usize>lane * 4, exists && bias != 0 ? load<f32>(bias + <usize>lane * 4) : 0)
      }
    }
    start += <usize>direct.lanes * 4
    weight += <usize>(direct.lanes * steps) * 4
    w += <usize>(o * steps) * 4
    if (bias != 0) bias += <usize>o * 4
  }
}

/** Computes all outputs of a band. */
function computeBand(direct: Direct, index: i32, slot: i32): void {
  const own = direct.slots + <usize>slot * direct.slotBytes
  const band = own + DIRECT_SLOT_BYTES
  const n = index / direct.bands
  const top = (index - n * direct.bands) * direct.outRows
  const rows = min(direct.outRows, direct.outHeight - top)
  const o = direct.o
  const taps = direct.tapCount
  const first = min(taps, BLOCK)
  const width = direct.outWidth
  const stride = <usize>(direct.outHeight * width) * 4
  const last = max(width - COLUMNS, 0)
  const columns = min(width, COLUMNS)
  for (let group = 0; group < direct.groups; group++) {
    const plane = n * direct.groups + group
    direct.fill(band, direct.x + <usize>(plane * direct.c * direct.height * direct.width) * 4, top)
    const weights = direct.weights + <usize>(group * direct.lanes * taps) * 4
    const starts = direct.starts + <usize>(group * direct.lanes) * 4
    let y = direct.y + <usize>(plane * o) * stride + <usize>(top * width) * 4
    let from = band
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < width; column += COLUMNS) {
        const place = <usize>min(column, last) * 4
        for (let lane = 0, tall = 0; lane < o; lane += tall) {
          tall = panelRows(lane, o)
          const a = weights + <usize>(lane * taps) * 4
          const start = starts + <usize>lane * 4
          const c = y + <usize>lane * stride + place
          if (lane + tall <= o && columns == COLUMNS) {
            listedTile(tall, first, a, from + place, direct.taps, start, c, stride)
          } else {
            listedTile(tall, first, a, from + place, direct.taps, start, own, COLUMNS_BYTES)
            copyOut(c, stride, own, min(tall, o - lane), columns)
          }
          if (taps > BLOCK) addBlocks(tall, taps, a, from + place, direct.taps, own, c, stride, min(tall, o - lane), columns)
        }
      }
      y += <usize>width * 4
      from += direct.rowBytes
    }
  }
}

/** Copies the first rows and columns of a tile. */
function copyOut(to: usize, stride: usize, from: usize, rows: i32, columns: i32): void {
  for (; rows > 0; rows--) {
    for (let at: usize = 0; at < <usize>columns * 4; at += 4) store<f32>(to + at, load<f32>(from + at))
    to += stride
    from += COLUMNS_BYTES
  }
}

/** Adds the sums of all blocks except the first to a tile of y. */
function addBlocks(
  tall: i32, taps: i32, a: usize, from: usize, table: usize, own: usize, c: usize, stride: usize, rows: i32,
  columns: i32,
): void {
  for (let done = BLOCK; done < taps; done += BLOCK) {
    a += <usize>(BLOCK * tall) * 4
    table += <usize>BLOCK * 4
    listedTile(tall, min(taps - done, BLOCK), a, from, table, ZEROS, own, COLUMNS_BYTES)
    for (let row: usize = 0; row < <usize>rows; row++) {
      const to = c + row * stride
      const tileRow = own + row * COLUMNS_BYTES
      for (let at: usize = 0; at < <usize>columns * 4; at += 4) {
        store<f32>(to + at, load<f32>(to + at) + load<f32>(tileRow + at))
      }
    }
  }
}
