/** Which convolutions Winograd's F(2 x 2, 3 x 3) computes, their cut, and its workspace: assembly/product/winograd.ts. */
import type { Convolution } from '../../kernels.js'
import {
  BYTES,
  LINE_BYTES,
  MAX_THREADS,
  TILE_COLUMNS,
  TILE_ROWS,
  WINOGRAD_HEADER_BYTES,
  WINOGRAD_SLOT_BYTES,
} from '../layout.js'
import { roundUp } from './blocking.js'

/** The places of a tile, each a product of its own. */
const PLACES = 16
/**
 * With fewer channels or output channels, the transforms take most of the time. The time divided by that of the product or
 * of bands, on images of 32 x 32: 64 channels 0.5, 16 channels 0.5, 12 channels 0.6, from 4 channels to 64 outputs 1.5.
 */
const LEAST_CHANNELS = 16
/**
 * The largest ratio of the multiplications, with tiles that fill up a row, to those of the product. The time divided by that
 * of the product: images of 10 x 10 (0.71) 0.8, of 5 x 5 (0.85) and 9 x 9 (0.88) 1, of 4 x 4 (0.89) 1.1 to 1.9.
 */
const MOST_MULTIPLICATIONS = 0.75
/** Channels whose tiles stay in the second-level cache. */
const DEPTH = 128
/** The filters of a block, which the budget holds while the kernel runs. */
const FILTER_BYTES = 2 ** 19

/** Bytes of the sums of a block of a weight gradient, and of its transformed tiles; and the number of tiles in it. */
const SUM_BYTES = 2 ** 20
const TILES_BYTES = 2 ** 20
const STEPS = 64
/** With fewer, the register tile loads and stores more than it multiplies. */
const LEAST_STEPS = 16
/**
 * The time of a weight gradient divided by that of the product: with 64 channels and more 0.3 to 0.7, with 32 channels 0.5 to 1,
 * with 16 channels 1 to 1.2, and with 16 tiles in all 1 to 2.3.
 */
const LEAST_WEIGHT_CHANNELS = 32

export interface Cut {
  /** channels in a block; of a weight gradient, tiles */
  depth: number
  /** output channels in a block */
  blockHeight: number
  slotCount: number
  /** size of the whole workspace */
  bytes: number
}

/** The cut; null if the product is faster, or the taps are not 3 x 3 side by side. The number of images does not matter. */
export function winograd(p: Convolution): Cut | null {
  const three = p.kernelHeight === 3 && p.kernelWidth === 3 && p.dilationY === 1 && p.dilationX === 1
  const close = p.strideY === 1 && p.strideX === 1 && p.groups === 1
  const padded = p.padY >= 0 && p.padY <= 2 && p.padX >= 0 && p.padX <= 2
  if (!three || !close || !padded || Math.min(p.channels, p.outChannels) < LEAST_CHANNELS) return null
  const tiles = Math.ceil(p.outHeight / 2) * roundUp(Math.ceil(p.outWidth / 2), 4)
  if (PLACES * tiles > MOST_MULTIPLICATIONS * 9 * p.outHeight * p.outWidth) return null
  const depth = Math.min(DEPTH, p.channels)
  const most = Math.floor(FILTER_BYTES / (PLACES * p.channels * BYTES * 16)) * 16
  if (most === 0) return null
  const blockHeight = Math.min(most, roundUp(p.outChannels, TILE_ROWS))
  const slotCount = Math.min(MAX_THREADS, Math.ceil((p.batch * tiles) / TILE_COLUMNS))
  const filterBytes = blockHeight * p.channels * BYTES + LINE_BYTES
  const slotBytes = (depth + blockHeight) * TILE_COLUMNS * BYTES + 2 * LINE_BYTES
  const bytes = WINOGRAD_HEADER_BYTES + PLACES * filterBytes + slotCount * (WINOGRAD_SLOT_BYTES + PLACES * slotBytes)
  return { depth, blockHeight, slotCount, bytes }
}

/** The cut of the weight gradient; null as above. It needs a whole block of tiles, so here the number of images counts. */
export function winogradWeights(p: Convolution): Cut | null {
  const width = roundUp(p.channels, TILE_COLUMNS)
  const most = Math.floor(SUM_BYTES / (PLACES * width * BYTES * 16)) * 16
  const longest = Math.floor(TILES_BYTES / (PLACES * width * BYTES * 4)) * 4
  const tiles = p.batch * Math.ceil(p.outHeight / 2) * roundUp(Math.ceil(p.outWidth / 2), 4)
  const few = Math.min(p.channels, p.outChannels) < LEAST_WEIGHT_CHANNELS || tiles < STEPS
  if (!winograd(p) || few || most === 0 || longest < LEAST_STEPS) return null
  const blockHeight = Math.min(most, roundUp(p.outChannels, TILE_ROWS))
  const depth = Math.min(STEPS, longest)
  const numbers = blockHeight * depth + width * depth + blockHeight * width
  const slotBytes = WINOGRAD_SLOT_BYTES + PLACES * LINE_BYTES
  const bytes = WINOGRAD_HEADER_BYTES + PLACES * (numbers * BYTES + 3 * LINE_BYTES) + MAX_THREADS * slotBytes
  return { depth, blockHeight, slotCount: MAX_THREADS, bytes }
}
