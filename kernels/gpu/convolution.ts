/**
 * Two-dimensional cross-correlation and its gradient to the image; shapes and the meeting of output and input at a tap
 * are those of kernels/reference/convolution.ts. The gradient to the weight is in convolutionWeight.ts.
 *
 * With stride 1 the gradient is a correlation too: of dy with every filter turned by half and the two kinds of channels
 * exchanged. So three programs serve both, by what the four values of an output texel share:
 *   - windows of a single value: the weight, and the values are a texel too: 2 reads for 4 products;
 *   - in one row, stride 1 and no dilation along it: the weight, and all but one of the values that it is multiplied
 *     with, since a tap further each sees what its neighbour saw: 2 reads, and 3 more for each row of a window;
 *   - in one plane: the weight: 5 reads.
 * Where they share nothing each value is summed for itself, with 8 reads. Channels are the inner loop wherever what is
 * padding then need not be asked again.
 *
 *   image:   channels, height, width, channels of a group
 *   result:  outChannels, outHeight, outWidth, outChannels of a group
 *   taps:    kernelHeight, kernelWidth, dilationY, dilationX
 *   strides: strideY, strideX, padY, padX
 *   filter:  in the weight, from output to output channel of a group, from image to image channel, from tap to tap,
 *            and where the first tap lies
 */
import type { Convolution } from '../kernels.js'
import type { GpuKernel } from './kernel.js'
import {
  type ArgumentKind,
  eachValue,
  type Four,
  type Helpers,
  type Program,
  type Texels,
  type Thread,
} from './program.js'

declare function quotient(i: number, n: number): number
declare function at(x: Texels, i: number): number
declare function place(y: number, left: number, height: number, width: number): number
declare function valueAt(x: Texels, start: number, place: number): number
declare function firstTap(o: number, image: Four, result: Four, taps: Four, filter: Four): number
declare function inRow(x: Texels, start: number, left: number, width: number): number
declare function meeting(position: number, pad: number, stride: number, size: number): number

/** Where value (y, left) of an image plane lies in it, or -1 if it is padding. */
function placeOf(y: number, left: number, height: number, width: number): number {
  if (y < 0 || y >= height || left < 0 || left >= width) {
    return -1
  }
  return y * width + left
}

/** The value at such a place in a plane that begins at `start`: 0 where it is padding. */
function valueAtOf(x: Texels, start: number, place: number): number {
  if (place < 0) {
    return 0
  }
  return at(x, start + place)
}

/** Value `left` of a row that begins at `start`, or the 0 that pads it. */
export function inRowOf(x: Texels, start: number, left: number, width: number): number {
  if (left < 0 || left >= width) {
    return 0
  }
  return at(x, start + left)
}

/** Where the filter of output channel o begins. */
function firstTapOf(o: number, image: Four, result: Four, taps: Four, filter: Four): number {
  const group = quotient(o, result[3])
  const within = o - group * result[3]
  return group * result[3] * image[3] * taps[0] * taps[1] + within * filter[0] + filter[3]
}

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
  filter: Four,
): number {
  const row = quotient(i, result[2])
  const plane = quotient(row, result[1])
  const n = quotient(plane, result[0])
  const o = plane - n * result[0]
  const top = (row - plane * result[1]) * strides[0] - strides[2]
  const left = (i - row * result[2]) * strides[1] - strides[3]
  const area = image[1] * image[2]
  const first = (n * image[0] + quotient(o, result[3]) * image[3]) * area
  const tap = firstTap(o, image, result, taps, filter)
  let sum = 0.0
  if (biased > 0) {
    sum = at(bias, o)
  }
  for (let ky = 0; ky < taps[0]; ky++) {
    for (let kx = 0; kx < taps[1]; kx++) {
      const where = place(top + ky * taps[2], left + kx * taps[3], image[1], image[2])
      const weights = tap + (ky * taps[1] + kx) * filter[2]
      for (let c = 0; c < image[3]; c++) {
        sum = sum + at(w, weights + c * filter[1]) * valueAt(x, first + c * area, where)
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
  filter: Four,
): Four {
  const i = this.thread.x * 4
  const plane = quotient(i, result[1] * result[2])
  const n = quotient(plane, result[0])
  const o = plane - n * result[0]
  const area = image[1] * image[2]
  const first = (n * image[0] + quotient(o, result[3]) * image[3]) * area
  const tap = firstTap(o, image, result, taps, filter)
  const p0 = i - plane * result[1] * result[2]
  const row0 = quotient(p0, result[2])
  const row1 = quotient(p0 + 1, result[2])
  const row2 = quotient(p0 + 2, result[2])
  const row3 = quotient(p0 + 3, result[2])
  const left0 = (p0 - row0 * result[2]) * strides[1] - strides[3]
  const left1 = (p0 + 1 - row1 * result[2]) * strides[1] - strides[3]
  const left2 = (p0 + 2 - row2 * result[2]) * strides[1] - strides[3]
  const left3 = (p0 + 3 - row3 * result[2]) * strides[1] - strides[3]
  let sum0 = 0.0
  if (biased > 0) {
    sum0 = at(bias, o)
  }
  let sum1 = sum0
  let sum2 = sum0
  let sum3 = sum0
  for (let ky = 0; ky < taps[0]; ky++) {
    const down = ky * taps[2] - strides[2]
    for (let kx = 0; kx < taps[1]; kx++) {
      const right = kx * taps[3]
      const place0 = place(row0 * strides[0] + down, left0 + right, image[1], image[2])
      const place1 = place(row1 * strides[0] + down, left1 + right, image[1], image[2])
      const place2 = place(row2 * strides[0] + down, left2 + right, image[1], image[2])
      const place3 = place(row3 * strides[0] + down, left3 + right, image[1], image[2])
      const weights = tap + (ky * taps[1] + kx) * filter[2]
      for (let c = 0; c < image[3]; c++) {
        const weight = at(w, weights + c * filter[1])
        const start = first + c * area
        sum0 = sum0 + weight * valueAt(x, start, place0)
        sum1 = sum1 + weight * valueAt(x, start, place1)
        sum2 = sum2 + weight * valueAt(x, start, place2)
        sum3 = sum3 + weight * valueAt(x, start, place3)
      }
    }
  }
  return [sum0, sum1, sum2, sum3]
}

/** Four values of one row: stride and dilation along it are 1. */
function outputRowTexel(
  this: Thread,
  x: Texels,
  w: Texels,
  bias: Texels,
  biased: number,
  image: Four,
  result: Four,
  taps: Four,
  strides: Four,
  filter: Four,
): Four {
  const i = this.thread.x * 4
  const row = quotient(i, result[2])
  const plane = quotient(row, result[1])
  const n = quotient(plane, result[0])
  const o = plane - n * result[0]
  const top = (row - plane * result[1]) * strides[0] - strides[2]
  const left = i - row * result[2] - strides[3]
  const area = image[1] * image[2]
  const first = (n * image[0] + quotient(o, result[3]) * image[3]) * area
  const tap = firstTap(o, image, result, taps, filter)
  let sum0 = 0.0
  if (biased > 0) {
    sum0 = at(bias, o)
  }
  let sum1 = sum0
  let sum2 = sum0
  let sum3 = sum0
  for (let ky = 0; ky < taps[0]; ky++) {
    const y = top + ky * taps[2]
    if (y >= 0 && y < image[1]) {
      for (let c = 0; c < image[3]; c++) {
        const start = first + c * area + y * image[2]
        const weights = tap + c * filter[1] + ky * taps[1] * filter[2]
        let v0 = inRow(x, start, left, image[2])
        let v1 = inRow(x, start, left + 1, image[2])
        let v2 = inRow(x, start, left + 2, image[2])
        for (let kx = 0; kx < taps[1]; kx++) {
          const v3 = inRow(x, start, left + kx + 3, image[2])
          const weight = at(w, weights + kx * filter[2])
          sum0 = sum0 + weight * v0
          sum1 = sum1 + weight * v1
          sum2 = sum2 + weight * v2
          sum3 = sum3 + weight * v3
          v0 = v1
          v1 = v2
          v2 = v3
        }
      }
    }
  }
  return [sum0, sum1, sum2, sum3]
}

/** Four values of one plane, where windows are single values: a texel of every image channel. */
function outputPointTexel(
  this: Thread,
  x: Texels,
  w: Texels,
  bias: Texels,
  biased: number,
  image: Four,
  result: Four,
  taps: Four,
  _strides: Four,
  filter: Four,
): Four {
  const area = quotient(image[1] * image[2], 4)
  const plane = quotient(this.thread.x, area)
  const n = quotient(plane, result[0])
  const o = plane - n * result[0]
  const first = (n * image[0] + quotient(o, result[3]) * image[3]) * area + this.thread.x - plane * area
  const tap = firstTap(o, image, result, taps, filter)
  let sum0 = 0.0
  if (biased > 0) {
    sum0 = at(bias, o)
  }
  let sum1 = sum0
  let sum2 = sum0
  let sum3 = sum0
  for (let c = 0; c < image[3]; c++) {
    const weight = at(w, tap + c * filter[1])
    const v = x[first + c * area]
    sum0 = sum0 + weight * v[0]
    sum1 = sum1 + weight * v[1]
    sum2 = sum2 + weight * v[2]
    sum3 = sum3 + weight * v[3]
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

const SIZES: readonly ArgumentKind[] = ['four', 'four', 'four', 'four']
const OPERANDS: readonly ArgumentKind[] = ['texels', 'texels', 'texels', 'number', ...SIZES]
const HELPERS: Helpers = {
  place: placeOf,
  valueAt: { source: valueAtOf, kinds: ['texels'] },
  inRow: { source: inRowOf, kinds: ['texels'] },
  firstTap: { source: firstTapOf, kinds: ['number', 'four', 'four', 'four', 'four'] },
}
const KINDS: readonly ArgumentKind[] = [...OPERANDS, 'four']
const VALUES = eachValue('convolution', outputOf, KINDS, HELPERS)
const OF_PLANE: Program = { name: 'convolution, of a plane', source: outputTexel, kinds: KINDS, helpers: HELPERS }
const OF_ROW: Program = { name: 'convolution, of a row', source: outputRowTexel, kinds: KINDS, helpers: HELPERS }
const OF_POINTS: Program = { name: 'convolution, of points', source: outputPointTexel, kinds: KINDS, helpers: HELPERS }
const INPUT_SLOPE = eachValue('convolutionInputGradient', inputSlopeOf, OPERANDS, { meeting: meetingOf })

export const sizesOf = (p: Convolution): readonly [image: Four, result: Four, taps: Four, strides: Four] => [
  [p.channels, p.height, p.width, p.channels / p.groups],
  [p.outChannels, p.outHeight, p.outWidth, p.outChannels / p.groups],
  [p.kernelHeight, p.kernelWidth, p.dilationY, p.dilationX],
  [p.strideY, p.strideX, p.padY, p.padX],
]

/** The program whose texels share most; null where they share nothing. */
function sharing(image: Four, result: Four, taps: Four, strides: Four): Program | null {
  if ((result[1] * result[2]) % 4 > 0) return null
  const alongRow = strides[1] === 1 && taps[3] === 1
  const points = taps[0] * taps[1] === 1 && image[1] === result[1] && image[2] === result[2]
  if (points && strides.join() === '1,1,0,0') return OF_POINTS
  return alongRow && result[2] % 4 === 0 ? OF_ROW : OF_PLANE
}

const SHARING = [OF_PLANE, OF_ROW, OF_POINTS]

export const convolution: GpuKernel<'convolution'> = {
  programs: [VALUES, ...SHARING],
  run(gpu, p, [x, w, bias], [y]) {
    const [image, result, taps, strides] = sizesOf(p)
    const area = p.kernelHeight * p.kernelWidth
    const program = sharing(image, result, taps, strides) ?? VALUES
    const filter: Four = [image[3] * area, area, 1, 0]
    gpu.run(program, [x, w, p.bias ? bias : w, p.bias ? 1 : 0, image, result, taps, strides, filter], y)
  },
}

export const convolutionInputGradient: GpuKernel<'convolutionInputGradient'> = {
  programs: [INPUT_SLOPE, ...SHARING],
  run(gpu, p, [dy, w, bias], [dx]) {
    const [image, result, taps, strides] = sizesOf(p)
    const operands = [dy, w, p.bias ? bias : w, p.bias ? 1 : 0] as const
    const area = p.kernelHeight * p.kernelWidth
    const [padY, padX] = [p.dilationY * (p.kernelHeight - 1) - p.padY, p.dilationX * (p.kernelWidth - 1) - p.padX]
    const dense: Four = [1, 1, padY, padX]
    const program = p.strideY * p.strideX === 1 ? sharing(result, image, taps, dense) : null
    if (!program) return gpu.run(INPUT_SLOPE, [...operands, image, result, taps, strides], dx)
    const turned: Four = [area, image[3] * area, -1, area - 1]
    gpu.run(program, [...operands, result, image, taps, dense, turned], dx)
  },
}
