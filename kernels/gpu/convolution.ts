/**
 * Two-dimensional cross-correlation and the gradient of the image, as kernels/reference/convolution.ts defines them.
 * The gradient of the weight is in convolution-weight.ts.
 *
 * Tiles compute both (tiles/convolution-tiles.ts; on WebGPU tiles/wgsl-convolution.ts). This file serves groups with too few channels to
 * fill tiles, as in a depthwise convolution: every value is summed separately.
 */
import { at, quotient } from './machine/builtins.js'
import { type Image, type Result, SIZES, type Strides, sizesOf, type Taps } from './machine/convolution-sizes.js'
import type { GpuKernel } from './machine/kernel.js'
import { type ArgumentKind, eachValue, type Gpu, type GpuApi, type Texels } from './machine/program.js'
import {
  backwardOf,
  CORRELATION_PROGRAMS,
  type Correlation,
  correlate,
  correlationWorkspaces,
  forwardOf,
} from './tiles/convolution-tiles.js'
import { paysInTiles, WGSL_CORRELATION_PROGRAMS, wgslCorrelate } from './tiles/wgsl-convolution.js'

function outputOf(
  i: number,
  x: Texels,
  w: Texels,
  bias: Texels,
  biased: number,
  image: Image,
  result: Result,
  taps: Taps,
  strides: Strides,
): number {
  const row = quotient(i, result.outWidth)
  const plane = quotient(row, result.outHeight)
  const n = quotient(plane, result.outChannels)
  const o = plane - n * result.outChannels
  const top = (row - plane * result.outHeight) * strides.strideY - strides.padY
  const left = (i - row * result.outWidth) * strides.strideX - strides.padX
  const first = n * image.channels + quotient(o, result.groupOutChannels) * image.groupChannels
  let sum = 0.0
  if (biased > 0) {
    sum = at(bias, o)
  }
  for (let ky = 0; ky < taps.kernelHeight; ky++) {
    const iy = top + ky * taps.dilationY
    if (iy >= 0 && iy < image.height) {
      for (let kx = 0; kx < taps.kernelWidth; kx++) {
        const ix = left + kx * taps.dilationX
        if (ix >= 0 && ix < image.width) {
          for (let c = 0; c < image.groupChannels; c++) {
            const value = at(x, ((first + c) * image.height + iy) * image.width + ix)
            sum = sum + value * at(w, ((o * image.groupChannels + c) * taps.kernelHeight + ky) * taps.kernelWidth + kx)
          }
        }
      }
    }
  }
  return sum
}

/** The index of the window, of `size` along an axis, that begins at `position`; -1 if none does. */
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
  image: Image,
  result: Result,
  taps: Taps,
  strides: Strides,
): number {
  const row = quotient(i, image.width)
  const plane = quotient(row, image.height)
  const n = quotient(plane, image.channels)
  const channel = plane - n * image.channels
  const group = quotient(channel, image.groupChannels)
  const c = channel - group * image.groupChannels
  const iy = row - plane * image.height
  const ix = i - row * image.width
  const firstOut = group * result.groupOutChannels
  let sum = 0.0
  if (biased > 0) {
    sum = at(bias, channel)
  }
  for (let ky = 0; ky < taps.kernelHeight; ky++) {
    const oy = meeting(iy - ky * taps.dilationY, strides.padY, strides.strideY, result.outHeight)
    if (oy >= 0) {
      for (let kx = 0; kx < taps.kernelWidth; kx++) {
        const ox = meeting(ix - kx * taps.dilationX, strides.padX, strides.strideX, result.outWidth)
        if (ox >= 0) {
          for (let j = 0; j < result.groupOutChannels; j++) {
            const o = firstOut + j
            const slope = at(dy, ((n * result.outChannels + o) * result.outHeight + oy) * result.outWidth + ox)
            sum = sum + slope * at(w, ((o * image.groupChannels + c) * taps.kernelHeight + ky) * taps.kernelWidth + kx)
          }
        }
      }
    }
  }
  return sum
}

const KINDS: readonly ArgumentKind[] = ['texels', 'texels', 'texels', 'number', ...SIZES]
const OUTPUTS = eachValue('convolution', outputOf, KINDS)
const INPUT_SLOPES = eachValue('convolutionInputGradient', inputSlopeOf, KINDS, { meeting })

const workspacesOf = (c: Correlation, api: GpuApi): readonly number[] =>
  api === 'webgpu' ? [] : correlationWorkspaces(c)

/** By tiles, if they pay. @returns whether they did */
function inTiles<Operand>(
  gpu: Gpu<Operand>,
  c: Correlation,
  operands: readonly [Operand, Operand, Operand | null],
  y: Operand,
  workspaces: readonly Operand[],
): boolean {
  if (gpu.api === 'webgpu' && paysInTiles(c)) wgslCorrelate(gpu, c, operands, y)
  else if (workspaces.length > 0) correlate(gpu, c, operands, y, workspaces)
  else return false
  return true
}

export const convolution: GpuKernel<'convolution'> = {
  programs: [OUTPUTS, ...CORRELATION_PROGRAMS, ...WGSL_CORRELATION_PROGRAMS],
  workspaces: (p, api) => workspacesOf(forwardOf(p), api),
  run(gpu, p, [x, w, bias], [y], workspaces) {
    if (inTiles(gpu, forwardOf(p), [x, w, p.bias ? bias : null], y, workspaces)) return
    gpu.run(OUTPUTS, [x, w, p.bias ? bias : w, p.bias ? 1 : 0, ...sizesOf(p)], y)
  },
}

export const convolutionInputGradient: GpuKernel<'convolutionInputGradient'> = {
  programs: [INPUT_SLOPES, ...CORRELATION_PROGRAMS, ...WGSL_CORRELATION_PROGRAMS],
  workspaces: (p, api) => workspacesOf(backwardOf(p), api),
  run(gpu, p, [dy, w, bias], [dx], workspaces) {
    if (inTiles(gpu, backwardOf(p), [dy, w, p.bias ? bias : null], dx, workspaces)) return
    gpu.run(INPUT_SLOPES, [dy, w, p.bias ? bias : w, p.bias ? 1 : 0, ...sizesOf(p)], dx)
  },
}
