/**
 * Two-dimensional cross-correlation and its gradients, each value a sum over the taps that reach it; shapes and the
 * meeting of output and input at a tap are those of kernels/reference/convolution.ts. Where the four values of an output
 * texel lie in one plane they share what they read of the weight.
 *
 *   image:   channels, height, width, channels of a group
 *   result:  outChannels, outHeight, outWidth, outChannels of a group
 *   taps:    kernelHeight, kernelWidth, dilationY, dilationX
 *   strides: strideY, strideX, padY, padX
 */
import type { Convolution } from '../kernels.js'
import { PLAIN } from './groups.js'
import type { GpuKernel } from './kernel.js'
import { type ArgumentKind, eachValue, type Four, type Program, type Texels, type Thread } from './program.js'

declare function quotient(i: number, n: number): number
declare function at(x: Texels, i: number): number
declare function pixel(x: Texels, plane: number, y: number, x0: number, height: number, width: number): number
declare function meeting(position: number, pad: number, stride: number, size: number): number

/** Value (y, left) of an image plane, or the 0 that pads it. */
function pixelOf(x: Texels, plane: number, y: number, left: number, height: number, width: number): number {
  if (y < 0 || y >= height || left < 0 || left >= width) {
    return 0
  }
  return at(x, (plane * height + y) * width + left)
}

const PIXEL = { source: pixelOf, kinds: ['texels'] } as const

function outputOf(
  i: number,
  x: Texels,
  w: Texels,
  bias: Texels,
  biased: number,
  image: Four,
  result: Four,
  taps: Four,
  strides: Four,
): number {
  const row = quotient(i, result[2])
  const plane = quotient(row, result[1])
  const n = quotient(plane, result[0])
  const o = plane - n * result[0]
  const top = (row - plane * result[1]) * strides[0] - strides[2]
  const left = (i - row * result[2]) * strides[1] - strides[3]
  const first = n * image[0] + quotient(o, result[3]) * image[3]
  let sum = 0.0
  if (biased > 0) {
    sum = at(bias, o)
  }
  for (let c = 0; c < image[3]; c++) {
    for (let ky = 0; ky < taps[0]; ky++) {
      for (let kx = 0; kx < taps[1]; kx++) {
        const weight = at(w, ((o * image[3] + c) * taps[0] + ky) * taps[1] + kx)
        sum = sum + weight * pixel(x, first + c, top + ky * taps[2], left + kx * taps[3], image[1], image[2])
      }
    }
  }
  return sum
}

/** Four values of one plane. */
function outputTexel(
  this: Thread,
  x: Texels,
  w: Texels,
  bias: Texels,
  biased: number,
  image: Four,
  result: Four,
  taps: Four,
  strides: Four,
): Four {
  const i = this.thread.x * 4
  const plane = quotient(i, result[1] * result[2])
  const n = quotient(plane, result[0])
  const o = plane - n * result[0]
  const first = n * image[0] + quotient(o, result[3]) * image[3]
  const p0 = i - plane * result[1] * result[2]
  const row0 = quotient(p0, result[2])
  const row1 = quotient(p0 + 1, result[2])
  const row2 = quotient(p0 + 2, result[2])
  const row3 = quotient(p0 + 3, result[2])
  const left0 = (p0 - row0 * result[2]) * strides[1] - strides[3]
  const left1 = (p0 + 1 - row1 * result[2]) * strides[1] - strides[3]
  const left2 = (p0 + 2 - row2 * result[2]) * strides[1] - strides[3]
  const left3 = (p0 + 3 - row3 * result[2]) * strides[1] - strides[3]
  let start = 0.0
  if (biased > 0) {
    start = at(bias, o)
  }
  let sum0 = start
  let sum1 = start
  let sum2 = start
  let sum3 = start
  for (let c = 0; c < image[3]; c++) {
    for (let ky = 0; ky < taps[0]; ky++) {
      const down = ky * taps[2] - strides[2]
      for (let kx = 0; kx < taps[1]; kx++) {
        const weight = at(w, ((o * image[3] + c) * taps[0] + ky) * taps[1] + kx)
        const right = kx * taps[3]
        sum0 = sum0 + weight * pixel(x, first + c, row0 * strides[0] + down, left0 + right, image[1], image[2])
        sum1 = sum1 + weight * pixel(x, first + c, row1 * strides[0] + down, left1 + right, image[1], image[2])
        sum2 = sum2 + weight * pixel(x, first + c, row2 * strides[0] + down, left2 + right, image[1], image[2])
        sum3 = sum3 + weight * pixel(x, first + c, row3 * strides[0] + down, left3 + right, image[1], image[2])
      }
    }
  }
  return [sum0, sum1, sum2, sum3]
}

/** Which window of `size` begins `position` before, or -1. */
function meetingOf(position: number, pad: number, stride: number, size: number): number {
  const from = position + pad
  const window = quotient(from, stride)
  if (from < 0 || window * stride !== from || window >= size) {
    return -1
  }
  return window
}

function inputSlopeOf(
  i: number,
  dy: Texels,
  w: Texels,
  bias: Texels,
  biased: number,
  image: Four,
  result: Four,
  taps: Four,
  strides: Four,
): number {
  const row = quotient(i, image[2])
  const plane = quotient(row, image[1])
  const n = quotient(plane, image[0])
  const channel = plane - n * image[0]
  const group = quotient(channel, image[3])
  const c = channel - group * image[3]
  const iy = row - plane * image[1]
  const ix = i - row * image[2]
  const firstOut = group * result[3]
  let sum = 0.0
  if (biased > 0) {
    sum = at(bias, channel)
  }
  for (let ky = 0; ky < taps[0]; ky++) {
    const oy = meeting(iy - ky * taps[2], strides[2], strides[0], result[1])
    if (oy >= 0) {
      for (let kx = 0; kx < taps[1]; kx++) {
        const ox = meeting(ix - kx * taps[3], strides[3], strides[1], result[2])
        if (ox >= 0) {
          for (let j = 0; j < result[3]; j++) {
            const o = firstOut + j
            const slope = at(dy, ((n * result[0] + o) * result[1] + oy) * result[2] + ox)
            sum = sum + slope * at(w, ((o * image[3] + c) * taps[0] + ky) * taps[1] + kx)
          }
        }
      }
    }
  }
  return sum
}

/** Part of the gradient of a weight: over rows of outputs, every `counts[1]`-th. counts: weights, parts, rows. */
function weightSlopeOf(
  i: number,
  dy: Texels,
  x: Texels,
  counts: Four,
  image: Four,
  result: Four,
  taps: Four,
  strides: Four,
): number {
  const part = quotient(i, counts[0])
  const tap = i - part * counts[0]
  const line = quotient(tap, taps[1])
  const filter = quotient(line, taps[0])
  const o = quotient(filter, image[3])
  const channel = quotient(o, result[3]) * image[3] + filter - o * image[3]
  const down = (line - filter * taps[0]) * taps[2] - strides[2]
  const right = (tap - line * taps[1]) * taps[3] - strides[3]
  let sum = 0.0
  for (let row = part; row < counts[2]; row += counts[1]) {
    const n = quotient(row, result[1])
    const oy = row - n * result[1]
    const iy = oy * strides[0] + down
    if (iy >= 0 && iy < image[1]) {
      const start = ((n * result[0] + o) * result[1] + oy) * result[2]
      for (let ox = 0; ox < result[2]; ox++) {
        const value = pixel(x, n * image[0] + channel, iy, ox * strides[1] + right, image[1], image[2])
        sum = sum + at(dy, start + ox) * value
      }
    }
  }
  return sum
}

const SIZES: readonly ArgumentKind[] = ['four', 'four', 'four', 'four']
const OPERANDS: readonly ArgumentKind[] = ['texels', 'texels', 'texels', 'number', ...SIZES]
const OUTPUT = eachValue('convolution', outputOf, OPERANDS, { pixel: PIXEL })
const OUTPUT_TEXEL: Program = {
  name: 'convolution, texels of one plane',
  source: outputTexel,
  kinds: OPERANDS,
  helpers: { pixel: PIXEL },
}
const INPUT_SLOPE = eachValue('convolutionInputGradient', inputSlopeOf, OPERANDS, { meeting: meetingOf })
const WEIGHT_SLOPE = eachValue('convolutionWeightGradient', weightSlopeOf, ['texels', 'texels', 'four', ...SIZES], {
  pixel: PIXEL,
})

const sizesOf = (p: Convolution): readonly Four[] => [
  [p.channels, p.height, p.width, p.channels / p.groups],
  [p.outChannels, p.outHeight, p.outWidth, p.outChannels / p.groups],
  [p.kernelHeight, p.kernelWidth, p.dilationY, p.dilationX],
  [p.strideY, p.strideX, p.padY, p.padX],
]

export const convolution: GpuKernel<'convolution'> = {
  programs: [OUTPUT, OUTPUT_TEXEL],
  run(gpu, p, [x, w, bias], [y]) {
    const program = (p.outHeight * p.outWidth) % 4 === 0 ? OUTPUT_TEXEL : OUTPUT
    gpu.run(program, [x, w, p.bias ? bias : w, p.bias ? 1 : 0, ...sizesOf(p)], y)
  },
}

export const convolutionInputGradient: GpuKernel<'convolutionInputGradient'> = {
  programs: [INPUT_SLOPE],
  run(gpu, p, [dy, w, bias], [dx]) {
    gpu.run(INPUT_SLOPE, [dy, w, p.bias ? bias : w, p.bias ? 1 : 0, ...sizesOf(p)], dx)
  },
}

/** Enough to do for a GPU: weights are few, and positions many. */
const BUSY = 16384
/** Of the loops of a program, four values together: Note [Dialect]. */
const MOST_ROUNDS = 60000

const weightsOf = (p: Convolution): number => p.outChannels * (p.channels / p.groups) * p.kernelHeight * p.kernelWidth
const rowsOf = (p: Convolution): number => p.batch * p.outHeight
/** In how many parts a gradient is summed: many enough for the GPU to be busy, and for no program to loop too long. */
function partsOf(p: Convolution): number {
  const rounds = 4 * rowsOf(p) * (p.outWidth + 1)
  const wanted = Math.max(Math.floor(BUSY / weightsOf(p)), Math.ceil(rounds / MOST_ROUNDS), 1)
  return Math.min(wanted, rowsOf(p))
}

export const convolutionWeightGradient: GpuKernel<'convolutionWeightGradient'> = {
  programs: [WEIGHT_SLOPE, ...PLAIN.sum.programs],
  workspaces: (p) => (partsOf(p) > 1 ? [partsOf(p) * weightsOf(p)] : []),
  run(gpu, p, [dy, x], [dw], [partial]) {
    const [weights, parts] = [weightsOf(p), partsOf(p)]
    const args = [dy, x, [weights, parts, rowsOf(p), 0] as const, ...sizesOf(p)]
    if (parts === 1) return gpu.run(WEIGHT_SLOPE, args, dw)
    gpu.run(WEIGHT_SLOPE, args, partial)
    PLAIN.sum.run(gpu, { shape: [parts, weights], reduced: [true, false] }, [partial], dw)
  },
}
