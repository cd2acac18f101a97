/** Convolutions by Winograd's F(2 x 2, 3 x 3), and their gradients, against the plain loops (simd-agreement.ts). */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Convolution } from '../kernels/kernels.js'
import { simd } from '../kernels/simd/index.js'
import { turned } from '../kernels/simd/machine/bands.js'
import { winograd, winogradWeights } from '../kernels/simd/machine/winograd.js'
import { noise } from './operands.js'
import { fc } from './property.js'
import { absolute, agrees } from './simd-agreement.js'
import { winogradSum } from './tolerances.js'

/** Channels below and above a block of them, output channels in one block and in several. */
const channels = fc.oneof(fc.integer({ min: 16, max: 24 }), fc.constantFrom(16, 32, 33, 40, 48, 129, 140))

const convolutions = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    channels,
    outChannels: channels,
    height: fc.integer({ min: 3, max: 12 }),
    width: fc.integer({ min: 3, max: 18 }),
    padY: fc.integer({ min: 0, max: 2 }),
    padX: fc.integer({ min: 0, max: 2 }),
    // a transposed convolution may leave out windows at the end (outputPadding)
    less: fc.constantFrom(0, 0, 1),
  })
  .map((p): Convolution => {
    const outHeight = p.height + 2 * p.padY - 2 - p.less
    const outWidth = p.width + 2 * p.padX - 2 - p.less
    const taps = { kernelHeight: 3, kernelWidth: 3, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1 }
    return { ...p, ...taps, groups: 1, outHeight, outWidth }
  })
  .filter((p) => p.outHeight > 0 && p.outWidth > 0 && p.channels * p.outChannels < 6000)

/** rows times a square times columns, the transposed rows: numbers in row-major order */
function both(rows: Matrix, size: number, square: (i: number, j: number) => number): number[] {
  return rows.flatMap((left) =>
    rows.map((right) => {
      let sum = 0
      for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) sum += left[i] * square(i, j) * right[j]
      return sum
    }),
  )
}

type Tile = { n: number; top: number; left: number }

function* tilesOf(p: Convolution): Generator<Tile> {
  for (let n = 0; n < p.batch; n++) {
    for (let top = 0; top < p.outHeight; top += 2)
      for (let left = 0; left < p.outWidth; left += 2) yield { n, top, left }
  }
}

/** The transformed magnitudes of the pixels of a tile. */
function pixelsOf(p: Convolution, x: Float64Array, { n, top, left }: Tile, c: number): number[] {
  return both(TILE, 4, (i, j) => {
    const [row, column] = [top - p.padY + i, left - p.padX + j]
    const inside = row >= 0 && row < p.height && column >= 0 && column < p.width
    return inside ? x[((n * p.channels + c) * p.height + row) * p.width + column] : 0
  })
}

const outputAt = (p: Convolution, { n, top, left }: Tile, o: number, i: number, j: number): number =>
  ((n * p.outChannels + o) * p.outHeight + top + i) * p.outWidth + left + j
const isOutput = (p: Convolution, { top, left }: Tile, i: number, j: number): boolean =>
  top + i < p.outHeight && left + j < p.outWidth

/**
 * The sums of the magnitudes from which an output is made: of the transformed weights and pixels, transformed back. With them
 * the error is bounded as that of a sum of products is.
 * @param at  the weight from channel c to output channel o at a tap
 */
function magnitudes(p: Convolution, x: Float64Array, at: (o: number, c: number, tap: number) => number): Float64Array {
  const y = new Float64Array(p.batch * p.outChannels * p.outHeight * p.outWidth)
  const filters = Array.from({ length: p.outChannels }, (_, o) =>
    Array.from({ length: p.channels }, (_, c) => both(FILTER, 3, (row, column) => at(o, c, 3 * row + column))),
  )
  for (const tile of tilesOf(p)) {
    const pixels = Array.from({ length: p.channels }, (_, c) => pixelsOf(p, x, tile, c))
    for (let o = 0; o < p.outChannels; o++) {
      const sums = new Float64Array(16)
      for (let c = 0; c < p.channels; c++) for (let k = 0; k < 16; k++) sums[k] += filters[o][c][k] * pixels[c][k]
      const back = both(BACK, 4, (i, j) => sums[4 * i + j])
      for (const [i, j] of SQUARE) if (isOutput(p, tile, i, j)) y[outputAt(p, tile, o, i, j)] = back[2 * i + j]
    }
  }
  return y
}

/** The same for the weight gradient. */
function weightMagnitudes(p: Convolution, dy: Float64Array, x: Float64Array): Float64Array {
  const sums = Array.from({ length: p.outChannels * p.channels }, () => new Float64Array(16))
  for (const tile of tilesOf(p)) {
    const pixels = Array.from({ length: p.channels }, (_, c) => pixelsOf(p, x, tile, c))
    for (let o = 0; o < p.outChannels; o++) {
      const slopes = both(transposed(BACK), 2, (i, j) => (isOutput(p, tile, i, j) ? dy[outputAt(p, tile, o, i, j)] : 0))
      for (let c = 0; c < p.channels; c++) {
        for (let k = 0; k < 16; k++) sums[o * p.channels + c][k] += slopes[k] * pixels[c][k]
      }
    }
  }
  return Float64Array.from(sums.flatMap((m) => both(transposed(FILTER), 4, (i, j) => m[4 * i + j])))
}

type Matrix = readonly (readonly number[])[]
const transposed = (rows: Matrix): Matrix => rows[0].map((_, column) => rows.map((row) => row[column]))
/** The places of outputs in a tile. */
const SQUARE = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
] as const

/** |G|, |B'| and |A'| of kernels/simd/assembly/product/winograd.ts */
const FILTER = [
  [1, 0, 0],
  [0.5, 0.5, 0.5],
  [0.5, 0.5, 0.5],
  [0, 0, 1],
]
const TILE = [
  [1, 0, 1, 0],
  [0, 1, 1, 0],
  [0, 1, 1, 0],
  [0, 1, 0, 1],
]
const BACK = [
  [1, 1, 1, 0],
  [0, 1, 1, 1],
]

test('convolution and its gradients by tiles', () => {
  const seen = { convolution: 0, weights: 0 }
  fc.assert(
    fc.property(convolutions, fc.boolean(), (p, flag) => {
      const x = noise(p.batch * p.channels * p.height * p.width, 1)
      const w = noise(p.outChannels * p.channels * 9, 2)
      const dy = noise(p.batch * p.outChannels * p.outHeight * p.outWidth, 4)
      if (winograd(p)) {
        seen.convolution++
        const sums = magnitudes(p, absolute(x), (o, c, tap) => Math.abs(w[(o * p.channels + c) * 9 + tap]))
        const bias = flag ? [noise(p.outChannels, 3)] : []
        agrees('convolution', { ...p, bias: flag }, [x, w, ...bias], noise(dy.length, 5), (i) =>
          winogradSum(p.channels, sums[i] + 1),
        )
      }
      if (winogradWeights(p)) {
        seen.weights++
        const sums = weightMagnitudes(p, absolute(dy), absolute(x))
        agrees('convolutionWeightGradient', { ...p, accumulate: flag }, [dy, x], noise(w.length, 5), (i) =>
          winogradSum(dy.length / p.outChannels, sums[i] + 1),
        )
      }
      const back = turned(p)
      if (back && winograd(back)) {
        seen.convolution++
        const sums = magnitudes(back, absolute(dy), (o, c, tap) => Math.abs(w[(c * p.channels + o) * 9 + 8 - tap]))
        const bias = flag ? [noise(p.channels, 6)] : []
        agrees('convolutionInputGradient', { ...p, bias: flag }, [dy, w, ...bias], noise(x.length, 5), (i) =>
          winogradSum(p.outChannels, sums[i] + 1),
        )
      }
    }),
    { seed: 2, numRuns: 30 },
  )
  assert.ok(seen.convolution > 20 && seen.weights > 4, JSON.stringify(seen))
})

test('a workspace never shrinks with the number of images, and is bounded', () => {
  const kernels = ['convolution', 'convolutionInputGradient', 'convolutionWeightGradient'] as const
  for (const size of [6, 7, 8, 14, 32]) {
    for (const count of [16, 32, 64, 200, 512]) {
      const one = { channels: count, outChannels: count, height: size, width: size, outHeight: size, outWidth: size }
      const taps = { kernelHeight: 3, kernelWidth: 3, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1 }
      const sizes = Array.from({ length: 40 }, (_, i) => ({
        ...one,
        ...taps,
        groups: 1,
        padY: 1,
        padX: 1,
        batch: i + 1,
      }))
      assert.ok(winograd(sizes[0]))
      if (count >= 32) assert.ok(winogradWeights(sizes[39]))
      for (const kernel of kernels) {
        const bytes = sizes.map((p) => simd[kernel]?.workspaceBytes?.({ ...p, bias: false, accumulate: false }) ?? 0)
        assert.equal(
          bytes,
          [...bytes].sort((a, b) => a - b),
        )
        assert.ok(bytes[39] < 3 * 2 ** 20, `${kernel}: ${bytes[39]} bytes for ${count} channels`)
      }
    }
  }
})

test.run()
