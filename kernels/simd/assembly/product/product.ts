/**
 * The blocked product. It computes matrix products, convolutions and their gradients; convolutions with few channels
 * may take bands/ instead:
 *
 *   c [m, n] = start + left [m, k] right [k, n]
 *
 * Left and right are classes that pack themselves (matrix.ts, filters.ts, windows.ts, positions.ts). A convolution
 * differs from a matrix product only in these classes.
 *
 *   for each block of `depth` steps of k                             summed from zero, then added to c
 *     for each block of `height` rows
 *       pack left [height, depth]            (the block)             stays in the second-level cache
 *       for each COLUMNS columns
 *         pack right [depth, COLUMNS]        (the panel)             stays in the first-level cache
 *         for each panel of rows                                     the tile (tile.ts), in registers
 *
 * A right panel is packed just before its use and is then in the cache, so the workspace holds only one panel. It is
 * packed again for every block of rows, which costs about 1 / height of the multiplying.
 *
 * The items of the two inner loops, rows to pack and then columns to multiply, do not touch each other. So threads
 * share both loops (machine/parallel.ts). Each thread has a slot with a panel of its own, and all read the block.
 */
import { BYTES, MULTIPLY_GRAIN, PRODUCT_HEADER_BYTES, PRODUCT_SLOT_BYTES, TILE_COLUMNS } from '../../layout'
import { parallel } from '../machine/parallel'
import { addTile, COLUMNS, COLUMNS_BYTES, panelRows, ROW_GROUP, tile } from './tile'

/** The header of the workspace, which all threads read. It begins with the sizes of a convolution: machine/sizes.ts. */
export const LEFT: usize = 96
export const RIGHT: usize = 128
const RESULT: usize = 384
const BLOCKS: usize = 448

@unmanaged
export class Result {
  base: usize
  /** bytes from row to row */
  stride: usize
  /** is the product added to the values of c? */
  accumulate: bool
  /** addresses of numbers that are added once, one for each column or each row; or 0 */
  columnBias: usize
  rowBias: usize

  static at(workspace: usize): Result {
    return changetype<Result>(workspace + RESULT)
  }
}

/** The cut of a product, its workspace, and the running block. */
@unmanaged
export class Blocks {
  /** the largest numbers of steps of k, and of rows, in a block */
  depth: i32
  height: i32
  /** the packed rows of the left operand: [height, depth] */
  block: usize
  /** a slot: PRODUCT_SLOT_BYTES, `scratchBytes` in which the right operand packs, and a panel */
  slots: usize
  slotCount: i32
  slotBytes: usize
  scratchBytes: usize

  /** tables of the operands, written before a block of steps is packed and read by all threads */
  tables: usize

  columns: i32
  /** place and size of the running block */
  step: i32
  steps: i32
  row: i32
  rows: i32
  /** in one item of a parallel loop: groups of rows to pack, panels to multiply */
  groups: i32
  panels: i32

  static at(workspace: usize): Blocks {
    return changetype<Blocks>(workspace + BLOCKS)
  }

  static open(
    workspace: usize, depth: i32, height: i32, tableBytes: usize, scratchBytes: usize, slotCount: i32,
  ): Blocks {
    const blocks = Blocks.at(workspace)
    blocks.depth = depth
    blocks.height = height
    blocks.tables = workspace + PRODUCT_HEADER_BYTES
    blocks.block = blocks.tables + tableBytes
    blocks.slots = blocks.block + <usize>(depth * height) * 4
    blocks.slotBytes = PRODUCT_SLOT_BYTES + scratchBytes + <usize>(depth * TILE_COLUMNS * BYTES)
    blocks.slotCount = slotCount
    blocks.scratchBytes = scratchBytes
    return blocks
  }
}

/**
 * A slot begins with the places of the panel's columns in a row of c. Then come the columns' start values, and a tile.
 */
const STARTS: usize = 64
const TILE: usize = 128

/** How many numbers a thread packs in about 5 us: the least work of an item. */
const PACK_GRAIN: i32 = 1 << 13

/** Left, right and result stand in the header of the workspace. */
export function multiply<Left, Right>(workspace: usize, m: i32, n: i32, k: i32): void {
  const right = changetype<Right>(workspace + RIGHT)
  const blocks = Blocks.at(workspace)
  const depth = evenly(k, blocks.depth)
  const height = evenly(m, blocks.height)
  const slots = blocks.slotCount
  blocks.columns = n
  for (let step = 0; step < k; step += depth) {
    const steps = min(depth, k - step)
    blocks.step = step
    blocks.steps = steps
    right.prepare(step, steps)
    for (let row = 0; row < m; row += height) {
      const rows = min(height, m - row)
      blocks.row = row
      blocks.rows = rows
      blocks.groups = max(1, PACK_GRAIN / (ROW_GROUP * steps))
      blocks.panels = max(1, MULTIPLY_GRAIN / (COLUMNS * rows * steps))
      parallel(workspace, divideUp(rows, ROW_GROUP * blocks.groups), slots, (shared, item, _slot) => {
        packRows<Left>(shared, item)
      })
      parallel(workspace, divideUp(n, COLUMNS * blocks.panels), slots, (shared, item, slot) => {
        multiplyPanels<Right>(shared, item, slot)
      })
    }
  }
}

/** An item of the loop over rows: packs some groups of rows into the block. */
function packRows<Left>(workspace: usize, item: i32): void {
  const left = changetype<Left>(workspace + LEFT)
  const blocks = Blocks.at(workspace)
  const steps = blocks.steps
  const first = item * blocks.groups * ROW_GROUP
  const end = min(blocks.rows, first + blocks.groups * ROW_GROUP)
  for (let i = first; i < end; i += ROW_GROUP) {
    const to = blocks.block + <usize>(i * steps) * 4
    left.packRows(to, blocks.row + i, min(ROW_GROUP, blocks.rows - i), blocks.step, steps)
  }
}

/** An item of the loop over columns: packs some panels and multiplies each with the block. */
function multiplyPanels<Right>(workspace: usize, item: i32, slot: i32): void {
  const right = changetype<Right>(workspace + RIGHT)
  const result = Result.at(workspace)
  const blocks = Blocks.at(workspace)
  const own = blocks.slots + slot * blocks.slotBytes
  const scratch = own + PRODUCT_SLOT_BYTES
  const panel = scratch + blocks.scratchBytes
  const first = item * blocks.panels * COLUMNS
  const end = min(blocks.columns, first + blocks.panels * COLUMNS)
  for (let column = first; column < end; column += COLUMNS) {
    const columns = min(COLUMNS, blocks.columns - column)
    right.packColumns(panel, column, columns, blocks.step, blocks.steps, scratch)
    multiplyPanel<Right>(right, result, blocks, column, columns, panel, own)
  }
}

/** The number of parts of `size`, each except the last with this length. */
function divideUp(size: i32, length: i32): i32 {
  return (size + length - 1) / length
}

/** The length of the parts when `size` is cut into as few parts as `limit` allows: a multiple of 4. */
function evenly(size: i32, limit: i32): i32 {
  return (divideUp(size, divideUp(size, limit)) + 3) & ~3
}

/** Multiplies the rows of the block with the columns of the panel. */
function multiplyPanel<Right>(
  right: Right, result: Result, blocks: Blocks, column: i32, columns: i32, panel: usize, slot: usize,
): void {
  const k = blocks.steps
  const row = blocks.row
  const rows = blocks.rows
  const block = blocks.block
  const first = blocks.step == 0
  const stride = result.stride
  const old = result.accumulate || !first
  const columnBias = first ? result.columnBias : 0
  const rowBias = first ? result.rowBias : 0
  const places = slot
  const starts = slot + STARTS
  const own = slot + TILE
  right.places(places, column, columns)
  for (let at: usize = 0; at < COLUMNS_BYTES; at += 16) v128.store(starts + at, f32x4.splat(0))
  if (columnBias != 0) {
    const bias = columnBias + <usize>column * 4
    for (let at: usize = 0; at < <usize>columns * 4; at += 4) store<f32>(starts + at, load<f32>(bias + at))
  }
  const place = load<usize>(places)
  const inOne = columns == COLUMNS && load<usize>(places + COLUMNS_BYTES - 4) - place == COLUMNS_BYTES - 4

  let c = result.base + <usize>row * stride
  for (let i = 0, tall = 0; i < rows; i += tall) {
    tall = panelRows(i, rows)
    const a = block + <usize>(i * k) * 4
    const height = min(tall, rows - i)
    const whole = inOne && height == tall
    const start = rowBias == 0 ? starts : own
    const startStride: usize = rowBias == 0 ? 0 : COLUMNS_BYTES
    if (rowBias != 0) spread(own, rowBias + <usize>(row + i) * 4, height)
    if (whole && !old) {
      tile(tall, k, a, panel, start, startStride, c + place, stride)
    } else {
      tile(tall, k, a, panel, start, startStride, own, COLUMNS_BYTES)
      if (whole) addTile(tall, c + place, stride, own)
      else scatter(c, stride, own, height, places, columns, old)
    }
    c += <usize>tall * stride
  }
}

/** Copies a tile to its places in c, or adds it. */
function scatter(
  c: usize, stride: usize, from: usize, height: i32, places: usize, columns: i32, accumulate: bool,
): void {
  const end = <usize>columns * 4
  for (let i = 0; i < height; i++) {
    for (let at: usize = 0; at < end; at += 4) {
      const to = c + load<usize>(places + at)
      const value = load<f32>(from + at)
      store<f32>(to, accumulate ? load<f32>(to) + value : value)
    }
    from += COLUMNS_BYTES
    c += stride
  }
}

/** Fills each row of a tile with a number of the column. */
function spread(to: usize, column: usize, height: i32): void {
  for (let i = 0; i < height; i++) {
    const value = v128.load_splat<f32>(column + <usize>i * 4)
    for (let at: usize = 0; at < COLUMNS_BYTES; at += 16) v128.store(to + at, value)
    to += COLUMNS_BYTES
  }
}
