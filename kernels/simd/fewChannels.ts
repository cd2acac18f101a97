/** How the weight gradient of a convolution with few channels is cut: assembly/fewChannels.ts. */
import type { Convolution } from '../kernels.js'
import { SLOTS } from './blocking.js'

/**
 * Of a group. Time with these dot products over that of the product: 0.4 with 1 channel, 0.6 with 3 and 4, 1.2 with 6, whose
 * packing is shared by so many more multiply-adds.
 */
const MAX_CHANNELS = 4
/** Half of a first-level cache: a band stays there while all outputs meet it. */
const BAND_BYTES = 16384
/** Of all parts together, which is budget while the kernel runs. */
const SUMS_BYTES = 65536
/** Parts: a few for each thread, so that one that is late does not hold up the others for long. */
const MIN_PARTS = 4
const MAX_PARTS = 8

/** As assembly/fewChannels.ts lays them out: the head, and what lies in front of a slot's band. */
const HEADER_BYTES = 256
const NOWHERE_BYTES = 64
const LINE_BYTES = 64

export interface Dots {
  /** rows of outputs in a band */
  outRows: number
  /** of the image */
  rows: number
  /** columns of a phase */
  phase: number
  parts: number
  slots: number
  /** of the whole workspace */
  bytes: number
}

const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit

/** Null where the product with its packing is faster: for that the sizes of one image decide, not how many there are. */
export function dots(p: Convolution): Dots | null {
  const channels = p.channels / p.groups
  const tapCount = roundUp(channels * p.kernelHeight * p.kernelWidth, 4)
  const sumBytes = roundUp(p.outChannels * tapCount * 4, LINE_BYTES)
  const mostParts = Math.min(MAX_PARTS, Math.floor(SUMS_BYTES / sumBytes))
  const columns = (p.outWidth - 1) * p.strideX + (p.kernelWidth - 1) * p.dilationX + 1
  const phase = Math.ceil(columns / p.strideX)
  const rowBytes = channels * p.strideX * phase * 4
  const kernelRows = (p.kernelHeight - 1) * p.dilationY + 1
  if (channels > MAX_CHANNELS || p.outWidth < 4 || mostParts < MIN_PARTS || rowBytes * kernelRows > BAND_BYTES)
    return null

  const outRows = Math.min(p.outHeight, Math.floor((BAND_BYTES / rowBytes - kernelRows) / p.strideY) + 1)
  const rows = (outRows - 1) * p.strideY + kernelRows
  const parts = Math.min(mostParts, p.batch * Math.ceil(p.outHeight / outRows))
  const slots = Math.min(SLOTS, parts)
  const slotBytes = NOWHERE_BYTES + roundUp(rowBytes * rows, LINE_BYTES)
  const bytes = HEADER_BYTES + roundUp(tapCount * 4, LINE_BYTES) + parts * sumBytes + slots * slotBytes
  return { outRows, rows, phase, parts, slots, bytes }
}
