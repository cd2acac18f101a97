/**
 * Addresses and sizes that TypeScript and AssemblyScript must agree on. Three readers take this file as it is: tsc, the
 * AssemblyScript compiler (assembly/) and kernels/build.mjs. So it holds only whole numbers without types, in
 * arithmetic that means the same to all three.
 */

/** Bytes of a float32. */
export const BYTES = 4

/** Bytes of a cache line. Each thread writes to lines of its own, because a line moves between cores as a whole. */
export const LINE_BYTES = 64

/** The largest number of threads that work on one kernel, including the main thread. */
export const MAX_THREADS = 4

// The bottom of every memory belongs to the modules: RUNTIME_BYTES. Its first KiB stays empty, because the compiler may
// add an address and an offset below 1 KiB without a carry.

/** The words through which threads communicate: assembly/machine/parallel.ts. */
export const CONTROL = 1024
/** The running call in parts, float64 numbers: machine/parts.ts. */
export const CALL = CONTROL + 4 * LINE_BYTES
export const CALL_NUMBERS = 64
/** The running sum of squares, then the float64 sums of its parts, SQUARE_PARTS at most: assembly/optimizer.ts. */
export const SQUARES = CALL + CALL_NUMBERS * 8
export const SQUARE_SUMS = SQUARES + LINE_BYTES
export const SQUARE_PARTS = 16
/** The sizes of the running pooling: assembly/machine/sizes.ts. */
export const POOL_SIZES = SQUARE_SUMS + SQUARE_PARTS * 8
/** The steps of the running plane: assembly/machine/sizes.ts. */
export const PLANE_STEPS = POOL_SIZES + LINE_BYTES
/** The constants of the modules. */
export const FIRST_STATIC_BYTE = PLANE_STEPS + LINE_BYTES
export const RUNTIME_BYTES = 4096

// Work of about 5 us: less of it is not worth handing to another thread.

/** Numbers read and written once: from a cache, a core passes some three in a nanosecond. */
export const CHEAP_GRAIN = 16384
/** Numbers that each take an exponential, or as long as one. */
export const DEAR_GRAIN = 2048
/** Multiply-adds of a product. */
export const MULTIPLY_GRAIN = 131072

/** The widest tile of the modules: workspaces are cut for it. */
export const TILE_COLUMNS = 16
/**
 * A left operand with its rows rounded up to a multiple of this has room for the panels of every module:
 * assembly/product/tile.ts.
 */
export const TILE_ROWS = 4
/** The largest tile of the modules. */
export const TILE_BYTES = 6 * TILE_COLUMNS * BYTES

// The workspace of a product: header, tables, the block of rows, then for each slot its part, scratch, a panel.

/** The operands, the result and the blocks of a product: assembly/product/product.ts. */
export const PRODUCT_HEADER_BYTES = 512
/** A slot's places, starts and tile. */
export const PRODUCT_SLOT_BYTES = 2 * TILE_COLUMNS * BYTES + TILE_BYTES
/** An entry of the table of taps: assembly/product/image.ts. */
export const TAP_BYTES = 16
/** One of the three lists in the scratch of a slot, a number for each column: assembly/product/windows.ts. */
export const WINDOW_LIST_BYTES = TILE_COLUMNS * BYTES

// The workspace of bands: header, the table of taps, weights or sums, then for each slot its part and a band.

export const BANDS_HEADER_BYTES = 256
/** A slot's tile, for tiles that lack some rows or columns: assembly/bands/direct.ts. */
export const DIRECT_SLOT_BYTES = TILE_BYTES
/** A slot's sums that are never read: assembly/bands/dots.ts. */
export const DOTS_SLOT_BYTES = 64
/** Bands whose sums form one chain: Note [Long sums] in assembly/machine/sums.ts. */
export const BANDS_IN_CHAIN = 64

// The workspace of Winograd's convolution: header, the filters of a block, then for each slot a tile, pixels, and for each of
// the 16 places tiles and sums, both with a line between the places.

/** The sizes and addresses: assembly/product/winograd.ts. */
export const WINOGRAD_HEADER_BYTES = 256
/** A slot's tile of sums, and four rows of twelve pixels. */
export const WINOGRAD_SLOT_BYTES = TILE_BYTES + 4 * 12 * BYTES

// The workspace of attention: header, where the mask of each of the batch begins, then for each slot a product's
// workspace, a number for each row and two tiles of scores.

/** The sizes, addresses and options of an attention: assembly/flash.ts. */
export const ATTENTION_HEADER_BYTES = 192
/** Keys in a tile of scores. */
export const ATTENTION_KEYS = 128
/** The running maximum of each row of a tile, and its running sum in double precision. */
export const ATTENTION_ROW_BYTES = 16

/** Columns that assembly/reduce.ts sums at once; the last columns, too few for a group, are summed in another order. */
export const COLUMN_GROUP = 16
