/**
 * How a product is cut into blocks, and the workspace that its blocks take. assembly/product/product.ts walks them.
 *
 * The workspace is a pure function of the sizes. It depends neither on the module in use nor on the number of threads,
 * so a plan made on one machine holds on another. Larger sizes never need less.
 */
import {
  BYTES,
  LINE_BYTES,
  MAX_THREADS,
  PRODUCT_HEADER_BYTES,
  PRODUCT_SLOT_BYTES,
  TILE_COLUMNS,
  TILE_ROWS,
} from '../layout.js'

/**
 * Steps of k in a panel. A panel of 16 columns and 256 steps is 16 KiB, half of a first-level cache. With fewer steps c
 * is read and written more often; with more the panel no longer stays in the cache.
 */
const DEPTH = 256
/**
 * Rows packed at a time. 128 x 256 numbers are 128 KiB, a quarter of a second-level cache. A panel is packed once for
 * each block of rows, so each packed number serves 128 multiply-adds. Twice the height gains 1 or 2 %, half the height
 * loses 5 %, half the depth 3 %; but all of it is taken from the budget while a product runs.
 */
const HEIGHT = 128

export interface Blocking {
  depth: number
  blockHeight: number
  tableBytes: number
  scratchBytes: number
  slotCount: number
  /** size of the whole workspace */
  bytes: number
}

export interface Extras {
  /** needed in each slot to pack the right operand; rounded up to a cache line */
  scratchBytes?: number
  /** for tables that all slots read, at a given depth; rounded up to a cache line */
  tableBytes?(depth: number): number
  /** limits below DEPTH and HEIGHT */
  maxDepth?: number
  maxHeight?: number
  /** default: one for each thread. 1 where each thread has a product of its own. */
  slots?: number
}

export const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit

export function blocking(m: number, n: number, k: number, extras: Extras = {}): Blocking {
  const depth = Math.min(DEPTH, extras.maxDepth ?? DEPTH, roundUp(k, 4))
  const blockHeight = Math.min(HEIGHT, extras.maxHeight ?? HEIGHT, roundUp(m, TILE_ROWS))
  const slotCount = Math.min(extras.slots ?? MAX_THREADS, Math.ceil(n / TILE_COLUMNS))
  const scratchBytes = roundUp(extras.scratchBytes ?? 0, LINE_BYTES)
  const tableBytes = roundUp(extras.tableBytes?.(depth) ?? 0, LINE_BYTES)
  const slotBytes = PRODUCT_SLOT_BYTES + scratchBytes + depth * TILE_COLUMNS * BYTES
  const bytes = PRODUCT_HEADER_BYTES + tableBytes + depth * blockHeight * BYTES + slotCount * slotBytes
  return { depth, blockHeight, tableBytes, scratchBytes, slotCount, bytes }
}
