/**
 * The weight gradient of a convolution by Winograd's F(2 x 2, 3 x 3), the adjoint of winograd.ts in the weights:
 *
 *   dw = G' [ sum over tiles of (A e A') * (B' d B) ] G
 *
 *   e  2 x 2 numbers of dy in an output channel      d  the 4 x 4 pixels of a channel that they see
 *
 * So each of the 16 places is a product, outputs [o, tiles] times tiles [tiles, c]:
 *
 *   for each block of `blockHeight` output channels
 *     for each block of `depth` tiles                                  summed from zero, then added
 *       transform outputs and tiles [16, channels, depth]              packed as the register tile reads them
 *       for each place, for each COLUMNS channels, for each panel of rows      the register tile
 *     transform the sums [16, blockHeight, c] back                     to dw
 */
import { LINE_BYTES, MULTIPLY_GRAIN, TILE_BYTES, WINOGRAD_HEADER_BYTES, WINOGRAD_SLOT_BYTES } from '../../layout'
import { parallel } from '../machine/parallel'
import { storePair, storeTransposed } from './matrix'
import { addTile, COLUMNS, COLUMNS_BYTES, panelRows, ROW_GROUP, tile } from './tile'
import { PLACES, Tiles, transformOutputs, transformTiles, ZEROS } from './tiles'
import { transformFilterBack } from './transforms'

/** The head of the workspace. The outputs, tiles and sums of a block and the slots follow it. */
@unmanaged
class Weights extends Tiles {
  dw: usize
  outputs: usize
  tiles: usize
  sums: usize
  slots: usize
  accumulate: i32
  /** the running block of output channels */
  row: i32
  rows: i32
  /** the running block of tiles */
  first: i32
  steps: i32
  /** panels of columns in all, and in an item */
  panels: i32
  item: i32

  /** channels, filled up to whole groups of ROW_GROUP */
  get wide(): i32 {
    return (this.channels + ROW_GROUP - 1) & -ROW_GROUP
  }
  /** Bytes from a place to the next: a line more than the numbers take, so that the places do not share sets of a cache. */
  get outputBytes(): usize {
    return <usize>(this.blockHeight * this.depth) * 4 + LINE_BYTES
  }
  get tileBytes(): usize {
    return <usize>(this.wide * this.depth) * 4 + LINE_BYTES
  }
  get sumBytes(): usize {
    return <usize>(this.blockHeight * this.wide) * 4 + LINE_BYTES
  }
}

/** A slot holds a tile of sums that are added to others, pixels, and for each place the transformed vectors of four channels. */
const PIXELS: usize = TILE_BYTES
const VECTORS: usize = WINOGRAD_SLOT_BYTES
const VECTOR_BYTES: usize = 64
const SLOT_BYTES: usize = VECTORS + PLACES * VECTOR_BYTES

/** dy, x -> dw */
export function convolutionWinogradWeights(dy: usize, x: usize, dw: usize, accumulate: bool, workspace: usize): void {
  const p = changetype<Weights>(workspace)
  p.open(x, dy)
  p.dw = dw
  p.accumulate = accumulate
  p.outputs = workspace + WINOGRAD_HEADER_BYTES
  p.tiles = p.outputs + PLACES * p.outputBytes
  p.sums = p.tiles + PLACES * p.tileBytes
  p.slots = p.sums + PLACES * p.sumBytes
  p.panels = (p.channels + COLUMNS - 1) / COLUMNS
  for (p.row = 0; p.row < p.outChannels; p.row += p.blockHeight) {
    p.rows = min(p.blockHeight, p.outChannels - p.row)
    const groups = (p.rows + ROW_GROUP - 1) / ROW_GROUP
    for (p.first = 0; p.first < p.tileCount; p.first += p.depth) {
      p.steps = min(p.depth, p.tileCount - p.first)
      p.item = max(1, MULTIPLY_GRAIN / (COLUMNS * p.rows * p.steps))
      parallel(workspace, p.wide / ROW_GROUP + groups, p.slotCount, (shared, item, slot) => {
        const p = changetype<Weights>(shared)
        const row = item * ROW_GROUP - p.wide
        if (row < 0) packTiles(p, item * ROW_GROUP, p.slots + slot * SLOT_BYTES)
        else packOutputs(p, row, p.slots + slot * SLOT_BYTES)
      })
      parallel(workspace, (PLACES * p.panels + p.item - 1) / p.item, p.slotCount, (shared, item, slot) => {
        const p = changetype<Weights>(shared)
        const end = min(PLACES * p.panels, (item + 1) * p.item)
        for (let i = item * p.item; i < end; i++) {
          multiplyPanel(p, i / p.panels, i % p.panels, p.slots + slot * SLOT_BYTES)
        }
      })
    }
    parallel(workspace, groups, p.slotCount, (shared, item, _slot) => {
      transformBack(changetype<Weights>(shared), item * ROW_GROUP)
    })
  }
}

/** Transforms the tiles of a group of channels, and packs them into panels of columns. */
function packTiles(p: Weights, channel: i32, slot: usize): void {
  const vectors = slot + VECTORS
  for (let c = channel; c < channel + ROW_GROUP; c += 4) {
    const count = min(4, p.channels - c)
    if (count < 4) memory.fill(vectors, 0, PLACES * VECTOR_BYTES)
    let to = p.tiles + <usize>((c - c % COLUMNS) * p.steps) * 4 + <usize>(c % COLUMNS) * 4
    for (let step = 0; step < p.steps; step += 4) {
      if (count > 0) transformTiles(p, vectors, VECTOR_BYTES, 16, p.first + step, c, count, slot + PIXELS)
      let from = vectors
      let panel = to
      for (let place = 0; place < PLACES; place++) {
        const v0 = v128.load(from), v1 = v128.load(from, 16), v2 = v128.load(from, 32), v3 = v128.load(from, 48)
        storeTransposed(panel, COLUMNS_BYTES, v0, v1, v2, v3)
        from += VECTOR_BYTES
        panel += p.tileBytes
      }
      to += 4 * COLUMNS_BYTES
    }
  }
}

/** Transforms the outputs of a group of output channels, and packs them into panels of rows, all of which have whole pairs. */
function packOutputs(p: Weights, row: i32, slot: usize): void {
  const vectors = slot + VECTORS
  for (let o = row; o < min(row + ROW_GROUP, p.rows); o += 4) {
    const count = min(4, p.rows - o)
    if (count < 4) memory.fill(vectors, 0, PLACES * VECTOR_BYTES)
    for (let step = 0; step < p.steps; step += 4) {
      transformOutputs(p, vectors, VECTOR_BYTES, 16, p.first + step, p.row + o, count, slot + PIXELS)
      packPair(p, o, step, vectors)
      packPair(p, o + 2, step, vectors + 32)
    }
  }
}

/** Packs four steps of rows o and o + 1 of the block. */
function packPair(p: Weights, o: i32, step: i32, from: usize): void {
  if (o >= p.rows) return
  let first = o - o % ROW_GROUP
  let tall = panelRows(first, p.rows)
  while (first + tall <= o) {
    first += tall
    tall = panelRows(first, p.rows)
  }
  const stride = <usize>tall * 4
  let to = p.outputs + <usize>(first * p.steps) * 4 + <usize>step * stride + <usize>(o - first) * 4
  for (let place = 0; place < PLACES; place++) {
    storePair(to, stride, v128.load(from), v128.load(from, 16))
    to += p.outputBytes
    from += VECTOR_BYTES
  }
}

/** The sums of a place for COLUMNS channels. */
function multiplyPanel(p: Weights, place: i32, panel: i32, slot: usize): void {
  const a = p.outputs + place * p.outputBytes
  const b = p.tiles + place * p.tileBytes + <usize>(panel * p.steps) * COLUMNS_BYTES
  const stride = <usize>p.wide * 4
  let c = p.sums + place * p.sumBytes + <usize>panel * COLUMNS_BYTES
  for (let i = 0, tall = 0; i < p.rows; i += tall) {
    tall = panelRows(i, p.rows)
    const rows = a + <usize>(i * p.steps) * 4
    if (p.first == 0) {
      tile(tall, p.steps, rows, b, ZEROS, 0, c, stride)
    } else {
      tile(tall, p.steps, rows, b, ZEROS, 0, slot, COLUMNS_BYTES)
      addTile(tall, c, stride, slot)
    }
    c += <usize>tall * stride
  }
}

/** The weights of a group of output channels, from their sums. */
function transformBack(p: Weights, row: i32): void {
  for (let o = row; o < min(row + ROW_GROUP, p.rows); o++) {
    let from = p.sums + <usize>(o * p.wide) * 4
    let to = p.dw + <usize>((p.row + o) * p.channels) * 36
    for (let c = 0; c < p.channels; c++) {
      transformFilterBack(to, from, p.sumBytes, p.accumulate != 0)
      from += 4
      to += 36
    }
  }
}
