/**
 * The gradient of a convolution with respect to its weight [outChannels, channels of a group, kernelHeight,
 * kernelWidth]: every weight is a sum over all positions of all images. Weights are few and positions many, so each
 * part sums some rows of dy, and a second pass adds the parts.
 *
 * Tiles of 4 x 4 channels compute it (tiles/convolution-weight-tiles.ts; on WebGPU tiles/wgsl-convolution.ts). This file
 * serves groups with too few channels to fill tiles: a texel holds one tap of four output channels, which share the values read from x. Of the last four
 * channels of a group some may not exist; their values are never read.
 */
import type { Convolution } from '../kernels.js'
import { at, quotient } from './machine/builtins.js'
import type { Image, Result, Strides, Taps } from './machine/convolution-sizes.js'
import { RESULT, SIZES, sizesOf } from './machine/convolution-sizes.js'
import type { GpuKernel } from './machine/kernel.js'
import { eachValue, type Four, type Named, type Program, packed, type Texels, type Thread } from './machine/program.js'
import { fours } from './tiles/channel-fours.js'
import { forwardOf } from './tiles/convolution-tiles.js'
import { partsOf, WEIGHT_TILE_PROGRAMS, weightTiles, weightTileWorkspaces } from './tiles/convolution-weight-tiles.js'
import {
  paysInTiles,
  WGSL_WEIGHT_PROGRAMS,
  wgslWeightGradient,
  wgslWeightWorkspaces,
} from './tiles/wgsl-convolution.js'

/** filterTexels: of a filter; rows: of dy; outFours: fours of output channels in a group. */
const COUNTS = ['filterTexels', 'parts', 'rows', 'outFours'] as const
type Counts = Named<typeof COUNTS>

/** Value `left` of a row that begins at `start`, or the 0 that pads it. */
function inRow(x: Texels, start: number, left: number, width: number): number {
  if (left < 0 || left >= width) {
    return 0.0
  }
  return at(x, start + left)
}

/** One tap of four output channels, value by value. */
function partOf(
  this: Thread,
  dy: Texels,
  x: Texels,
  counts: Counts,
  image: Image,
  result: Result,
  taps: Taps,
  strides: Strides,
): Four {
  const filter = quotient(this.thread.x, counts.filterTexels)
  const tap = this.thread.x - filter * counts.filterTexels
  const groups = quotient(image.channels, image.groupChannels)
  const part = quotient(filter, groups * counts.outFours)
  const fours = filter - part * groups * counts.outFours
  const group = quotient(fours, counts.outFours)
  const line = quotient(tap, taps.kernelWidth)
  const c = quotient(line, taps.kernelHeight)
  const o = group * result.groupOutChannels + (fours - group * counts.outFours) * 4
  const last = (group + 1) * result.groupOutChannels - 1
  const area = result.outHeight * result.outWidth
  const to1 = (Math.min(o + 1, last) - o) * area
  const to2 = (Math.min(o + 2, last) - o) * area
  const to3 = (Math.min(o + 3, last) - o) * area
  const down = (line - c * taps.kernelHeight) * taps.dilationY - strides.padY
  const right = (tap - line * taps.kernelWidth) * taps.dilationX - strides.padX
  let sum0 = 0.0
  let sum1 = 0.0
  let sum2 = 0.0
  let sum3 = 0.0
  for (let row = part; row < counts.rows; row += counts.parts) {
    const n = quotient(row, result.outHeight)
    const oy = row - n * result.outHeight
    const iy = oy * strides.strideY + down
    if (iy >= 0 && iy < image.height) {
      const slopes = ((n * result.outChannels + o) * result.outHeight + oy) * result.outWidth
      const start = ((n * image.channels + group * image.groupChannels + c) * image.height + iy) * image.width
      // A row is a block: Note [Long sums] in index.ts
      let row0 = 0.0
      let row1 = 0.0
      let row2 = 0.0
      let row3 = 0.0
      for (let ox = 0; ox < result.outWidth; ox++) {
        const value = inRow(x, start, ox * strides.strideX + right, image.width)
        row0 = row0 + value * at(dy, slopes + ox)
        row1 = row1 + value * at(dy, slopes + to1 + ox)
        row2 = row2 + value * at(dy, slopes + to2 + ox)
        row3 = row3 + value * at(dy, slopes + to3 + ox)
      }
      sum0 = sum0 + row0
      sum1 = sum1 + row1
      sum2 = sum2 + row2
      sum3 = sum3 + row3
    }
  }
  return [sum0, sum1, sum2, sum3]
}

/** The sum of the parts of weight i. */
function total(i: number, partial: Texels, counts: Counts, result: Result): number {
  const o = quotient(i, counts.filterTexels)
  const group = quotient(o, result.groupOutChannels)
  const within = o - group * result.groupOutChannels
  const four = quotient(within, 4)
  const texels = quotient(result.outChannels, result.groupOutChannels) * counts.outFours * counts.filterTexels
  const first =
    ((group * counts.outFours + four) * counts.filterTexels + i - o * counts.filterTexels) * 4 + within - four * 4
  let sum = 0.0
  for (let part = 0; part < counts.parts; part++) {
    sum = sum + at(partial, first + part * texels * 4)
  }
  return sum
}

const PARTS: Program = {
  name: 'convolutionWeightGradient, values',
  source: partOf,
  kinds: ['texels', 'texels', COUNTS, ...SIZES],
  helpers: { inRow: { source: inRow, kinds: ['texels'] } },
}
const TOTAL = eachValue('convolutionWeightGradient, total', total, ['texels', COUNTS, RESULT])

function countsOf(p: Convolution): Counts {
  const filterTexels = (p.channels / p.groups) * p.kernelHeight * p.kernelWidth
  const outFours = fours(p.outChannels / p.groups)
  const parts = partsOf(p, p.groups * outFours * filterTexels)
  return { filterTexels, parts, rows: p.batch * p.outHeight, outFours }
}

/** The values of all parts. */
function partialSize(p: Convolution): number {
  const { filterTexels, parts, outFours } = countsOf(p)
  return 4 * parts * p.groups * outFours * filterTexels
}

export const convolutionWeightGradient: GpuKernel<'convolutionWeightGradient'> = {
  programs: [PARTS, TOTAL, ...WEIGHT_TILE_PROGRAMS, ...WGSL_WEIGHT_PROGRAMS],
  workspaces(p, api) {
    if (api === 'webgpu' && paysInTiles(forwardOf(p))) return wgslWeightWorkspaces(p)
    return (api === 'webgl2' && weightTileWorkspaces(p)) || [partialSize(p)]
  },
  run(gpu, p, [dy, x], [dw], workspaces) {
    if (gpu.api === 'webgpu' && paysInTiles(forwardOf(p))) return wgslWeightGradient(gpu, p, [dy, x], dw, workspaces)
    if (gpu.api === 'webgl2' && weightTileWorkspaces(p)) return weightTiles(gpu, p, [dy, x], dw, workspaces)
    const [partial] = workspaces
    const counts = packed(COUNTS, countsOf(p))
    const sizes = sizesOf(p)
    gpu.run(PARTS, [dy, x, counts, ...sizes], partial)
    gpu.run(TOTAL, [partial, counts, sizes[1]], dw)
  },
}
