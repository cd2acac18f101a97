/** How convolutions from or to few channels, and their gradients, are cut: assembly/bands/direct.ts and few-channels.ts. */
import type { Convolution } from '../../kernels.js'
import { SLOTS } from './blocking.js'

/**
 * Of a group. Time with the dot products of a weight gradient over that of the product: 0.4 with 1 channel, 0.6 with 3
 * and 4, 1.2 with 6, whose packing is shared by so many more multiply-adds.
 */
const MAX_CHANNELS = 4
/**
 * Of a group. Time of a direct convolution over that of the product: from up to 4 channels to 6 or 16 others 0.4 to 0.8, to
 * 64 others 1.05; to 1 to 8 channels, from any number, 0.5 to 0.7, to 12 others 0.9, to 16 others 1.
 */
const MAX_OUT_CHANNELS = 32
const FEW_OUT_CHANNELS = 8
/** Half of a first-level cache: a band stays there while all outputs meet it. */
const BAND_BYTES = 16384
/** Of a band of a single row of outputs; more than a first-level cache is still better than packing every number for each tap. */
const MAX_BAND_BYTES = 49152
/** Of all parts together, which is budget while the kernel runs. */
const SUMS_BYTES = 65536
/** Parts: a few for each thread, so that one that is late does not hold up the others for long. */
const MIN_PARTS = 4
const MAX_PARTS = 8

/** As assembly/bands/few-channels.ts lays them out: the head, and what lies in front of a slot's band. */
const HEADER_BYTES = 256
const NOWHERE_BYTES = 64
const LINE_BYTES = 64
/** Of a slot of direct.ts: a tile. */
const TILE_BYTES = 128

/** The widest tile of the two modules, and the tallest. */
const TILE_COLUMNS = 16
const TILE_ROWS = 4
/** Columns that tiles compute, for each that there is. */
const MOST_COLUMNS = 1.3

export interface Bands {
  /** rows of outputs in a band */
  outRows: number
  /** of the image */
  rows: number
  /** columns of a phase */
  phase: number
  slots: number
  /** of the whole workspace */
  bytes: number
}

export interface Dots extends Bands {
  parts: number
  /** sums of a part: of all its bands, or those of a block of them as well */
  levels: number
}

/** What is added in a chain: as assembly/bands/few-channels.ts has it. */
const BANDS_OF_BLOCK = 64

const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit
const taps = (p: Convolution): number => (p.channels / p.groups) * p.kernelHeight * p.kernelWidth

/** As many rows of outputs as there is room for, each wide enough for `width` outputs; or null. */
function bands(p: Convolution, width: number) {
  const channels = p.channels / p.groups
  const columns = (width - 1) * p.strideX + (p.kernelWidth - 1) * p.dilationX + 1
  const phase = Math.ceil(columns / p.strideX)
  const rowBytes = channels * p.strideX * phase * 4
  const kernelRows = (p.kernelHeight - 1) * p.dilationY + 1
  if (rowBytes * kernelRows > MAX_BAND_BYTES) return null
  const more = Math.max(0, Math.floor((BAND_BYTES / rowBytes - kernelRows) / p.strideY))
  const outRows = Math.min(p.outHeight, 1 + more)
  const rows = (outRows - 1) * p.strideY + kernelRows
  const count = p.batch * Math.ceil(p.outHeight / outRows)
  return { outRows, rows, phase, count, bytes: roundUp(rowBytes * rows, LINE_BYTES) }
}

/** Null where the product with its packing is faster: for that the sizes of one image decide, not how many there are. */
export function dots(p: Convolution): Dots | null {
  const band = bands(p, p.outWidth)
  const tapCount = roundUp(taps(p), 4)
  const sumBytes = roundUp(p.outChannels * tapCount * 4, LINE_BYTES)
  const mostSums = Math.min(MAX_PARTS, Math.floor(SUMS_BYTES / sumBytes))
  if (!band || p.channels / p.groups > MAX_CHANNELS || p.outWidth < 4 || mostSums < MIN_PARTS) return null
  const sums = Math.min(mostSums, band.count)
  // Two levels for half as many parts: then growing sizes never need less.
  const levels = band.count > sums * BANDS_OF_BLOCK ? 2 : 1
  const slots = Math.min(SLOTS, sums)
  const head = HEADER_BYTES + roundUp(tapCount * 4, LINE_BYTES)
  const bytes = head + sums * sumBytes + slots * (NOWHERE_BYTES + band.bytes)
  return { ...band, parts: Math.floor(sums / levels), levels, slots, bytes }
}

/** The same for the convolution itself, of whose rows tiles must not do much that there is not, or twice. */
export function direct(p: Convolution): Bands | null {
  const band = bands(p, Math.max(p.outWidth, TILE_COLUMNS))
  const outChannels = p.outChannels / p.groups
  const few = outChannels <= (p.channels / p.groups <= MAX_CHANNELS ? MAX_OUT_CHANNELS : FEW_OUT_CHANNELS)
  if (!band || !few || roundUp(p.outWidth, TILE_COLUMNS) > MOST_COLUMNS * p.outWidth) return null
  const lanes = p.groups * roundUp(outChannels, TILE_ROWS)
  const slots = Math.min(SLOTS, band.count)
  const head = HEADER_BYTES + roundUp(taps(p) * 4, LINE_BYTES) + lanes * taps(p) * 4 + roundUp(lanes * 4, LINE_BYTES)
  return { ...band, slots, bytes: head + slots * (TILE_BYTES + band.bytes) }
}

/** The convolution that the gradient of the inputs is, of dy with the kernels turned round; or null. */
export function turned(p: Convolution): Convolution | null {
  if (p.strideY > 1 || p.strideX > 1) return null
  return {
    ...{ batch: p.batch, channels: p.outChannels, height: p.outHeight, width: p.outWidth, groups: p.groups },
    ...{ outChannels: p.channels, outHeight: p.height, outWidth: p.width, strideY: 1, strideX: 1 },
    ...{ kernelHeight: p.kernelHeight, kernelWidth: p.kernelWidth, dilationY: p.dilationY, dilationX: p.dilationX },
    padY: (p.kernelHeight - 1) * p.dilationY - p.padY,
    padX: (p.kernelWidth - 1) * p.dilationX - p.padX,
  }
}
