/**
 * The cut of convolutions with few channels, and of their gradients, into bands; and the workspace that the bands take.
 * assembly/bands/direct.ts and dots.ts walk the bands.
 */
import type { Convolution } from '../../kernels.js'
import {
  BANDS_HEADER_BYTES,
  BANDS_IN_CHAIN,
  BYTES,
  DIRECT_SLOT_BYTES,
  DOTS_SLOT_BYTES,
  LINE_BYTES,
  MAX_THREADS,
  TILE_COLUMNS,
  TILE_ROWS,
} from '../layout.js'
import { roundUp } from './blocking.js'

/**
 * The largest number of channels of a group for which a weight gradient uses dot products. The time of the dot products
 * divided by the time of the product is 0.4 with 1 channel, 0.6 with 3 and 4, and 1.2 with 6, where more multiply-adds
 * share each packed number.
 */
const MAX_CHANNELS = 4
/**
 * The largest number of output channels of a group for a direct convolution from at most MAX_CHANNELS channels, and
 * from more. The time of a direct convolution divided by the time of the product, by output channels:
 *
 *   from 1 to 4 channels     6 to 16: 0.4 to 0.8     64: 1.05
 *   from any number          1 to 8: 0.5 to 0.7      12: 0.9      16: 1
 */
const MAX_OUT_CHANNELS = 32
const FEW_OUT_CHANNELS = 8
/** A band fills half of a first-level cache, and stays there while all outputs read it. */
const BAND_BYTES = 16384
/**
 * A band with a single row of outputs may be larger than a first-level cache: even then it is better than packing each
 * number once for each tap.
 */
const MAX_BAND_BYTES = 49152
/** The sums of all parts together, which the budget holds while the kernel runs. */
const SUMS_BYTES = 65536
/** A few parts for each thread, so that a late one does not hold up the others for long. */
const MIN_PARTS = 4
const MAX_PARTS = 8
/** The largest ratio of the columns that tiles compute to the columns that exist. */
const MOST_COLUMNS = 1.3

export interface Bands {
  /** rows of outputs in a band */
  outRows: number
  /** rows of the image in a band */
  rows: number
  /** columns in a phase */
  phase: number
  slotCount: number
  /** of a weight gradient: parts, each with sums of its own; 0 otherwise */
  parts: number
  /** 1: a part sums all its bands in one chain; 2: block by block */
  levels: number
  /** size of the whole workspace */
  bytes: number
}

const taps = (p: Convolution): number => (p.channels / p.groups) * p.kernelHeight * p.kernelWidth

/** Bands for rows of `width` outputs, each with as many rows as fit; null if not even one row fits. */
function bands(p: Convolution, width: number) {
  const channels = p.channels / p.groups
  const columns = (width - 1) * p.strideX + (p.kernelWidth - 1) * p.dilationX + 1
  const phase = Math.ceil(columns / p.strideX)
  const rowBytes = channels * p.strideX * phase * BYTES
  const kernelRows = (p.kernelHeight - 1) * p.dilationY + 1
  if (rowBytes * kernelRows > MAX_BAND_BYTES) return null
  const more = Math.max(0, Math.floor((BAND_BYTES / rowBytes - kernelRows) / p.strideY))
  const outRows = Math.min(p.outHeight, 1 + more)
  const rows = (outRows - 1) * p.strideY + kernelRows
  const count = p.batch * Math.ceil(p.outHeight / outRows)
  return { outRows, rows, phase, count, bytes: roundUp(rowBytes * rows, LINE_BYTES) }
}

/**
 * The cut of a weight gradient by dot products; null if the product, with its packing, is faster. The sizes of one
 * image decide this, not the number of images.
 */
export function dots(p: Convolution): Bands | null {
  const band = bands(p, p.outWidth)
  const tapCount = roundUp(taps(p), 4)
  const sumBytes = roundUp(p.outChannels * tapCount * BYTES, LINE_BYTES)
  const mostSums = Math.min(MAX_PARTS, Math.floor(SUMS_BYTES / sumBytes))
  if (!band || p.channels / p.groups > MAX_CHANNELS || p.outWidth < 4 || mostSums < MIN_PARTS) return null
  const sums = Math.min(mostSums, band.count)
  // A second level doubles the sums of a part and halves the parts, so that larger sizes never need less memory.
  const levels = band.count > sums * BANDS_IN_CHAIN ? 2 : 1
  const slotCount = Math.min(MAX_THREADS, sums)
  const head = BANDS_HEADER_BYTES + roundUp(tapCount * BYTES, LINE_BYTES)
  const bytes = head + sums * sumBytes + slotCount * (DOTS_SLOT_BYTES + band.bytes)
  const { outRows, rows, phase } = band
  return { outRows, rows, phase, slotCount, parts: Math.floor(sums / levels), levels, bytes }
}

/**
 * The cut of a direct convolution; null if the product is faster: with many output channels, or with rows so short that
 * much of a tile lies beyond them.
 */
export function direct(p: Convolution): Bands | null {
  const band = bands(p, Math.max(p.outWidth, TILE_COLUMNS))
  const outChannels = p.outChannels / p.groups
  const few = outChannels <= (p.channels / p.groups <= MAX_CHANNELS ? MAX_OUT_CHANNELS : FEW_OUT_CHANNELS)
  if (!band || !few || roundUp(p.outWidth, TILE_COLUMNS) > MOST_COLUMNS * p.outWidth) return null
  const lanes = p.groups * roundUp(outChannels, TILE_ROWS)
  const slotCount = Math.min(MAX_THREADS, band.count)
  const weightBytes = lanes * taps(p) * BYTES + roundUp(lanes * BYTES, LINE_BYTES)
  const head = BANDS_HEADER_BYTES + roundUp(taps(p) * BYTES, LINE_BYTES) + weightBytes
  const bytes = head + slotCount * (DIRECT_SLOT_BYTES + band.bytes)
  const { outRows, rows, phase } = band
  return { outRows, rows, phase, slotCount, parts: 0, levels: 0, bytes }
}

/**
 * The gradient of the inputs of `p` as a convolution of dy with the kernels turned by 180 degrees; null if a stride is
 * above 1.
 */
export function turned(p: Convolution): Convolution | null {
  if (p.strideY > 1 || p.strideX > 1) return null
  return {
    ...p,
    channels: p.outChannels,
    height: p.outHeight,
    width: p.outWidth,
    outChannels: p.channels,
    outHeight: p.height,
    outWidth: p.width,
    padY: (p.kernelHeight - 1) * p.dilationY - p.padY,
    padX: (p.kernelWidth - 1) * p.dilationX - p.padX,
  }
}
