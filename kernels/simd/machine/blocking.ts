/**
 * How products are cut into blocks, and the workspace that takes. assembly/product/product.ts walks the blocks.
 *
 * The workspace is a pure function of the sizes: not of the module in use, nor of the number of threads. So a plan made
 * on one machine holds on another, and growing sizes never need less.
 */

/**
 * Steps of k that a panel covers: 16 columns of that depth are 16 KiB, half of a first-level cache. Less, and c is
 * read and written more often; more, and the panel no longer stays.
 */
const DEPTH = 256
/**
 * Rows that are packed at a time: 128 x 256 numbers are 128 KiB, a quarter of a second-level cache. A panel is packed
 * anew for each block of rows, so that 1 number is packed for 128 multiply-adds. Twice as many gain 1 or 2 %, half as
 * many lose 5 %, half the depth 3 %; all of it is budget while a product runs.
 */
const HEIGHT = 128
/** Threads that can work on a product at once, for each of which there is a panel. */
export const SLOTS = 4

/** The widest tile of the two modules, and the tallest. */
const TILE_COLUMNS = 16
const TILE_ROWS = 4

/** As assembly/product/product.ts lays them out: what is known of the product, and a slot's part beside scratch and panel. */
const HEADER_BYTES = 512
const SLOT_BYTES = 256

/** What threads write lies in lines of its own: a line goes from core to core as a whole. */
const LINE_BYTES = 64

export interface Blocking {
  depth: number
  height: number
  tableBytes: number
  scratchBytes: number
  slots: number
  /** of the whole workspace */
  bytes: number
}

const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit

export interface Extras {
  /** what packing the right side needs for itself in each slot, rounded up to a cache line */
  scratchBytes?: number
  /** tables that all slots read, for a given depth, rounded up to a cache line */
  tableBytes?(depth: number): number
  /** less than there would be otherwise */
  maxDepth?: number
  maxHeight?: number
  /** fewer than there are threads, where each of them has a product of its own */
  slots?: number
}

export function blocking(m: number, n: number, k: number, extras: Extras = {}): Blocking {
  const depth = Math.min(DEPTH, extras.maxDepth ?? DEPTH, roundUp(k, 4))
  const height = Math.min(HEIGHT, extras.maxHeight ?? HEIGHT, roundUp(m, TILE_ROWS))
  const slots = Math.min(extras.slots ?? SLOTS, Math.ceil(n / TILE_COLUMNS))
  const scratchBytes = roundUp(extras.scratchBytes ?? 0, LINE_BYTES)
  const tableBytes = roundUp(extras.tableBytes?.(depth) ?? 0, LINE_BYTES)
  const slotBytes = SLOT_BYTES + scratchBytes + depth * TILE_COLUMNS * 4
  const bytes = HEADER_BYTES + tableBytes + depth * height * 4 + slots * slotBytes
  return { depth, height, tableBytes, scratchBytes, slots, bytes }
}
