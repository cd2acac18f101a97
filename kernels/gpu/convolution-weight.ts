/**
 * The gradient of a convolution to its weight [outChannels, channels of a group, kernelHeight, kernelWidth]: every weight
 * a sum over all positions of all images. Weights are few and positions many, so the rows of dy are dealt to parts,
 * which a second pass adds.
 *
 * It goes by tiles of 4 x 4 channels (convolutionWeightTiles.ts). Where groups have so few channels that tiles would be
 * all but empty, a texel holds one tap of four output channels, which share what is read of x: here. Last of a group's
 * channels may be fewer than four; what stands in for the others nobody reads.
 *
 *   image, result, taps, strides: as in convolution.ts
 *   counts:  texels of a filter, parts, rows of dy, fours of output channels in a group
 */
import type { Convolution } from '../kernels.js'
import { sizesOf } from './convolution.js'
import { at, quotient } from './machine/builtins.js'
import type { GpuKernel } from './machine/kernel.js'
import { eachValue, type Four, type Program, type Texels, type Thread } from './machine/program.js'
import { fours } from './tiles/channel-fours.js'
import { partsOf, WEIGHT_TILE_PROGRAMS, weightTiles, weightTileWorkspaces } from './tiles/convolution-weight-tiles.js'

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
  counts: Four,
  image: Four,
  result: Four,
  taps: Four,
  strides: Four,
): Four {
  const filter = quotient(this.thread.x, counts[0])
  const tap = this.thread.x - filter * counts[0]
  const groups = quotient(image[0], image[3])
  const part = quotient(filter, groups * counts[3])
  const fours = filter - part * groups * counts[3]
  const group = quotient(fours, counts[3])
  const line = quotient(tap, taps[1])
  const c = quotient(line, taps[0])
  const o = group * result[3] + (fours - group * counts[3]) * 4
  const last = (group + 1) * result[3] - 1
  const area = result[1] * result[2]
  const to1 = (Math.min(o + 1, last) - o) * area
  const to2 = (Math.min(o + 2, last) - o) * area
  const to3 = (Math.min(o + 3, last) - o) * area
  const down = (line - c * taps[0]) * taps[2] - strides[2]
  const right = (tap - line * taps[1]) * taps[3] - strides[3]
  let sum0 = 0.0
  let sum1 = 0.0
  let sum2 = 0.0
  let sum3 = 0.0
  for (let row = part; row < counts[2]; row += counts[1]) {
    const n = quotient(row, result[1])
    const oy = row - n * result[1]
    const iy = oy * strides[0] + down
    if (iy >= 0 && iy < image[1]) {
      const slopes = ((n * result[0] + o) * result[1] + oy) * result[2]
      const start = ((n * image[0] + group * image[3] + c) * image[1] + iy) * image[2]
      // a row is a block: Note [Long sums] in index.ts
      let row0 = 0.0
      let row1 = 0.0
      let row2 = 0.0
      let row3 = 0.0
      for (let ox = 0; ox < result[2]; ox++) {
        const value = inRow(x, start, ox * strides[1] + right, image[2])
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
function total(i: number, partial: Texels, counts: Four, result: Four): number {
  const o = quotient(i, counts[0])
  const group = quotient(o, result[3])
  const within = o - group * result[3]
  const four = quotient(within, 4)
  const texels = quotient(result[0], result[3]) * counts[3] * counts[0]
  const first = ((group * counts[3] + four) * counts[0] + i - o * counts[0]) * 4 + within - four * 4
  let sum = 0.0
  for (let part = 0; part < counts[1]; part++) {
    sum = sum + at(partial, first + part * texels * 4)
  }
  return sum
}

const PARTS: Program = {
  name: 'convolutionWeightGradient, values',
  source: partOf,
  kinds: ['texels', 'texels', 'four', 'four', 'four', 'four', 'four'],
  helpers: { inRow: { source: inRow, kinds: ['texels'] } },
}
const TOTAL = eachValue('convolutionWeightGradient, total', total, ['texels', 'four', 'four'])

/** Texels of all parts, and `counts`. */
function valuesOf(p: Convolution): { counts: Four; texels: number } {
  const filter = (p.channels / p.groups) * p.kernelHeight * p.kernelWidth
  const outFours = fours(p.outChannels / p.groups)
  const texels = p.groups * outFours * filter
  const parts = partsOf(p, texels)
  return { counts: [filter, parts, p.batch * p.outHeight, outFours], texels: parts * texels }
}

export const convolutionWeightGradient: GpuKernel<'convolutionWeightGradient'> = {
  programs: [PARTS, TOTAL, ...WEIGHT_TILE_PROGRAMS],
  workspaces: (p) => weightTileWorkspaces(p) ?? [4 * valuesOf(p).texels],
  run(gpu, p, [dy, x], [dw], workspaces) {
    if (weightTileWorkspaces(p)) return weightTiles(gpu, p, [dy, x], dw, workspaces)
    const [partial] = workspaces
    const { counts } = valuesOf(p)
    const [image, result, taps, strides] = sizesOf(p)
    gpu.run(PARTS, [dy, x, counts, image, result, taps, strides], partial)
    gpu.run(TOTAL, [partial, counts, result], dw)
  },
}
