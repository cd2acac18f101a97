/**
 * Two-dimensional cross-correlation and its gradient to the image; shapes and the meeting of output and input at a tap
 * are those of kernels/reference/convolution.ts. The gradient to the weight is in convolution-weight.ts.
 *
 * Both go by tiles of four channels (tiles/convolution-tiles.ts). Where groups have so few channels that tiles would be all but
 * empty, as in a depthwise convolution, every value is summed by itself, here.
 *
 *   image:   channels, height, width, channels of a group
 *   result:  outChannels, outHeight, outWidth, outChannels of a group
 *   taps:    kernelHeight, kernelWidth, dilationY, dilationX
 *   strides: strideY, strideX, padY, padX
 */
import type { Convolution } from '../kernels.js'
import { at, quotient } from './machine/builtins.js'
import type { GpuKernel } from './machine/kernel.js'
import { type ArgumentKind, eachValue, type Four, type Texels } from './machine/program.js'
import {
  backwardOf,
  CORRELATION_PROGRAMS,
  correlate,
  correlationWorkspaces,
  forwardOf,
} from './tiles/convolution-tiles.js'

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
  for (let ky = 0; ky < taps[0]; ky++) {
    const iy = top + ky * taps[2]
    if (iy >= 0 && iy < image[1]) {
      for (let kx = 0; kx < taps[1]; kx++) {
        const ix = left + kx * taps[3]
        if (ix >= 0 && ix < image[2]) {
          for (let c = 0; c < image[3]; c++) {
            const value = at(x, ((first + c) * image[1] + iy) * image[2] + ix)
            sum = sum + value * at(w, ((o * image[3] + c) * taps[0] + ky) * taps[1] + kx)
          }
        }
      }
    }
  }
  return sum
}

/** Which window of `size` begins `position` before, or -1. */
function meeting(position: number, pad: number, stride: number, size: number): number {
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

const KINDS: readonly ArgumentKind[] = ['texels', 'texels', 'texels', 'number', 'four', 'four', 'four', 'four']
const OUTPUTS = eachValue('convolution', outputOf, KINDS)
const INPUT_SLOPES = eachValue('convolutionInputGradient', inputSlopeOf, KINDS, { meeting })

export const sizesOf = (p: Convolution): readonly [image: Four, result: Four, taps: Four, strides: Four] => [
  [p.channels, p.height, p.width, p.channels / p.groups],
  [p.outChannels, p.outHeight, p.outWidth, p.outChannels / p.groups],
  [p.kernelHeight, p.kernelWidth, p.dilationY, p.dilationX],
  [p.strideY, p.strideX, p.padY, p.padX],
]

export const convolution: GpuKernel<'convolution'> = {
  programs: [OUTPUTS, ...CORRELATION_PROGRAMS],
  workspaces: (p) => correlationWorkspaces(forwardOf(p)),
  run(gpu, p, [x, w, bias], [y], workspaces) {
    if (workspaces.length > 0) return correlate(gpu, forwardOf(p), [x, w, p.bias ? bias : null], y, workspaces)
    gpu.run(OUTPUTS, [x, w, p.bias ? bias : w, p.bias ? 1 : 0, ...sizesOf(p)], y)
  },
}

export const convolutionInputGradient: GpuKernel<'convolutionInputGradient'> = {
  programs: [INPUT_SLOPES, ...CORRELATION_PROGRAMS],
  workspaces: (p) => correlationWorkspaces(backwardOf(p)),
  run(gpu, p, [dy, w, bias], [dx], workspaces) {
    if (workspaces.length > 0) return correlate(gpu, backwardOf(p), [dy, w, p.bias ? bias : null], dx, workspaces)
    gpu.run(INPUT_SLOPES, [dy, w, p.bias ? bias : w, p.bias ? 1 : 0, ...sizesOf(p)], dx)
  },
}
