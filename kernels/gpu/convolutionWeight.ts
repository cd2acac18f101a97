/**
 * The gradient of a convolution to its weight [outChannels, channels of a group, kernelHeight, kernelWidth]: every weight
 * a sum over all positions of all images. Weights are few and positions many, so the rows of dy are dealt to parts,
 * which a second pass adds. A texel of a part holds one tap of four output channels: they share what is read of x, and
 * where rows of dy are whole texels each of those is read once for four products. Last of a group's channels may be
 * fewer than four; what stands in for the others nobody reads.
 *
 *   image, result, taps, strides: as in convolution.ts
 *   counts:  texels of a filter, parts, rows of dy, fours of output channels in a group
 */
import type { Convolution } from '../kernels.js'
import { inRowOf, sizesOf } from './convolution.js'
import type { GpuKernel } from './kernel.js'
import {
  type ArgumentKind,
  eachValue,
  type Four,
  type Program,
  type Source,
  type Texels,
  type Thread,
} from './program.js'

declare function quotient(i: number, n: number): number
declare function at(x: Texels, i: number): number
declare function inRow(x: Texels, start: number, left: number, width: number): number

/** dy value by value. */
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
      for (let ox = 0; ox < result[2]; ox++) {
        const value = inRow(x, start, ox * strides[1] + right, image[2])
        sum0 = sum0 + value * at(dy, slopes + ox)
        sum1 = sum1 + value * at(dy, slopes + to1 + ox)
        sum2 = sum2 + value * at(dy, slopes + to2 + ox)
        sum3 = sum3 + value * at(dy, slopes + to3 + ox)
      }
    }
  }
  return [sum0, sum1, sum2, sum3]
}

/** dy by texels: outWidth is a multiple of 4. */
function partOfTexels(
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
  const width = quotient(result[2], 4)
  const area = result[1] * width
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
      const slopes = ((n * result[0] + o) * result[1] + oy) * width
      const start = ((n * image[0] + group * image[3] + c) * image[1] + iy) * image[2]
      for (let texel = 0; texel < width; texel++) {
        const left = texel * 4 * strides[1] + right
        const v0 = inRow(x, start, left, image[2])
        const v1 = inRow(x, start, left + strides[1], image[2])
        const v2 = inRow(x, start, left + 2 * strides[1], image[2])
        const v3 = inRow(x, start, left + 3 * strides[1], image[2])
        const d0 = dy[slopes + texel]
        const d1 = dy[slopes + to1 + texel]
        const d2 = dy[slopes + to2 + texel]
        const d3 = dy[slopes + to3 + texel]
        sum0 = sum0 + v0 * d0[0] + v1 * d0[1] + v2 * d0[2] + v3 * d0[3]
        sum1 = sum1 + v0 * d1[0] + v1 * d1[1] + v2 * d1[2] + v3 * d1[3]
        sum2 = sum2 + v0 * d2[0] + v1 * d2[1] + v2 * d2[2] + v3 * d2[3]
        sum3 = sum3 + v0 * d3[0] + v1 * d3[1] + v2 * d3[2] + v3 * d3[3]
      }
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

const KINDS: readonly ArgumentKind[] = ['texels', 'texels', 'four', 'four', 'four', 'four', 'four']
const program = (name: string, source: Source): Program => ({
  name: `convolutionWeightGradient, ${name}`,
  source,
  kinds: KINDS,
  helpers: { inRow: { source: inRowOf, kinds: ['texels'] } },
})
const PARTS = program('values', partOf)
const PARTS_OF_TEXELS = program('texels', partOfTexels)
const TOTAL = eachValue('convolutionWeightGradient, total', total, ['texels', 'four', 'four'])

/** Enough texels to keep a GPU busy. */
const BUSY = 4096
/** Of the loops of a program: Note [Dialect]. */
const MOST_ROUNDS = 60_000

/** Is dy read by texels? */
const byTexels = (p: Convolution): boolean => p.outWidth % 4 === 0

/** `counts`, and the texels of all parts. */
function workOf(p: Convolution): { counts: Four; texels: number } {
  const filter = (p.channels / p.groups) * p.kernelHeight * p.kernelWidth
  const fours = Math.ceil(p.outChannels / p.groups / 4)
  const texels = p.groups * fours * filter
  const rows = p.batch * p.outHeight
  const rounds = 1 + p.outWidth / (byTexels(p) ? 4 : 1)
  const least = Math.ceil(rows / Math.floor(MOST_ROUNDS / rounds))
  const parts = Math.max(least, Math.min(rows, Math.floor(BUSY / texels)))
  return { counts: [filter, parts, rows, fours], texels: parts * texels }
}

export const convolutionWeightGradient: GpuKernel<'convolutionWeightGradient'> = {
  programs: [PARTS, PARTS_OF_TEXELS, TOTAL],
  workspaces: (p) => [4 * workOf(p).texels],
  run(gpu, p, [dy, x], [dw], [partial]) {
    const { counts } = workOf(p)
    gpu.run(byTexels(p) ? PARTS_OF_TEXELS : PARTS, [dy, x, counts, ...sizesOf(p)], partial)
    gpu.run(TOTAL, [partial, counts, sizesOf(p)[1]], dw)
  },
}
