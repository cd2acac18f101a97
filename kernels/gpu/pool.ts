/**
 * Pooling over windows of planes [planes, height, width] -> [planes, outHeight, outWidth], as kernels/reference/pool.ts
 * defines it. A gradient looks from each input at the windows that hold it.
 *
 *   image:   height, width, outHeight, outWidth
 *   window:  kernelHeight, kernelWidth, padY, padX
 *   strides: strideY, strideX, 1 where padding counts
 */
import type { Pooling } from '../kernels.js'
import { at, infinity, isNotANumber, quotient } from './machine/builtins.js'
import type { GpuKernel } from './machine/kernel.js'
import { eachValue, type Four, type Helpers, type Texels } from './machine/program.js'

/** The first window along an axis that holds `position`. */
function firstWindow(position: number, pad: number, size: number, stride: number): number {
  const begin = position + pad - size + 1
  if (begin <= 0) {
    return 0
  }
  return quotient(begin + stride - 1, stride)
}

/** Which value of x is the maximum of window `out`: the first in row-major order, a NaN above all; -1 if it is padding. */
function largest(out: number, x: Texels, image: Four, window: Four, strides: Four): number {
  const row = quotient(out, image[3])
  const plane = quotient(row, image[2])
  const top = (row - plane * image[2]) * strides[0] - window[2]
  const left = (out - row * image[3]) * strides[1] - window[3]
  const y0 = Math.max(top, 0)
  const x0 = Math.max(left, 0)
  const y1 = Math.min(top + window[0], image[0])
  const x1 = Math.min(left + window[1], image[1])
  let best = -1.0
  let max = 0.0
  for (let iy = y0; iy < y1; iy++) {
    for (let ix = x0; ix < x1; ix++) {
      const i = (plane * image[0] + iy) * image[1] + ix
      const value = at(x, i)
      if (best < 0) {
        best = i
        max = value
      } else if (isNotANumber(max) < 1) {
        if (isNotANumber(value) > 0 || value > max) {
          best = i
          max = value
        }
      }
    }
  }
  return best
}

function maximumOf(i: number, x: Texels, image: Four, window: Four, strides: Four): number {
  const best = largest(i, x, image, window, strides)
  if (best < 0) {
    return -infinity()
  }
  return at(x, best)
}

/** @param best  of every window, its largest value */
function maximumSlopeOf(i: number, dy: Texels, best: Texels, image: Four, window: Four, strides: Four): number {
  const row = quotient(i, image[1])
  const plane = quotient(row, image[0])
  const iy = row - plane * image[0]
  const ix = i - row * image[1]
  const lastY = Math.min(image[2] - 1, quotient(iy + window[2], strides[0]))
  const lastX = Math.min(image[3] - 1, quotient(ix + window[3], strides[1]))
  const firstX = firstWindow(ix, window[3], window[1], strides[1])
  let sum = 0.0
  for (let oy = firstWindow(iy, window[2], window[0], strides[0]); oy <= lastY; oy++) {
    for (let ox = firstX; ox <= lastX; ox++) {
      const out = (plane * image[2] + oy) * image[3] + ox
      if (at(best, out) === i) {
        sum = sum + at(dy, out)
      }
    }
  }
  return sum
}

/** What the sum over window `out` is divided by. */
function divisor(out: number, image: Four, window: Four, strides: Four): number {
  if (strides[2] > 0) {
    return window[0] * window[1]
  }
  const row = quotient(out, image[3])
  const oy = row - quotient(row, image[2]) * image[2]
  const top = oy * strides[0] - window[2]
  const left = (out - row * image[3]) * strides[1] - window[3]
  const rows = Math.min(top + window[0], image[0]) - Math.max(top, 0)
  const columns = Math.min(left + window[1], image[1]) - Math.max(left, 0)
  return rows * columns
}

function averageOf(i: number, x: Texels, image: Four, window: Four, strides: Four): number {
  const row = quotient(i, image[3])
  const plane = quotient(row, image[2])
  const top = (row - plane * image[2]) * strides[0] - window[2]
  const left = (i - row * image[3]) * strides[1] - window[3]
  const y0 = Math.max(top, 0)
  const x0 = Math.max(left, 0)
  const y1 = Math.min(top + window[0], image[0])
  const x1 = Math.min(left + window[1], image[1])
  let sum = 0.0
  for (let iy = y0; iy < y1; iy++) {
    let line = 0.0
    for (let ix = x0; ix < x1; ix++) {
      line = line + at(x, (plane * image[0] + iy) * image[1] + ix)
    }
    sum = sum + line
  }
  return sum / divisor(i, image, window, strides)
}

function averageSlopeOf(i: number, dy: Texels, image: Four, window: Four, strides: Four): number {
  const row = quotient(i, image[1])
  const plane = quotient(row, image[0])
  const iy = row - plane * image[0]
  const ix = i - row * image[1]
  const lastY = Math.min(image[2] - 1, quotient(iy + window[2], strides[0]))
  const lastX = Math.min(image[3] - 1, quotient(ix + window[3], strides[1]))
  const firstX = firstWindow(ix, window[3], window[1], strides[1])
  let sum = 0.0
  for (let oy = firstWindow(iy, window[2], window[0], strides[0]); oy <= lastY; oy++) {
    for (let ox = firstX; ox <= lastX; ox++) {
      const out = (plane * image[2] + oy) * image[3] + ox
      sum = sum + at(dy, out) / divisor(out, image, window, strides)
    }
  }
  return sum
}

const AVERAGES: Helpers = {
  firstWindow,
  divisor: { source: divisor, kinds: ['number', 'four', 'four', 'four'] },
}
const SIZES = ['four', 'four', 'four'] as const
const MAXIMUM = eachValue('maxPool', maximumOf, ['texels', ...SIZES], {
  largest: { source: largest, kinds: ['number', 'texels', 'four', 'four', 'four'] },
})
const LARGEST = eachValue('maxPool, which', largest, ['texels', ...SIZES])
const MAXIMUM_SLOPE = eachValue('maxPoolGradient', maximumSlopeOf, ['texels', 'texels', ...SIZES], {
  firstWindow,
})
const AVERAGE = eachValue('averagePool', averageOf, ['texels', ...SIZES], AVERAGES)
const AVERAGE_SLOPE = eachValue('averagePoolGradient', averageSlopeOf, ['texels', ...SIZES], AVERAGES)

const sizesOf = (p: Pooling, countPadding = false): readonly Four[] => [
  [p.height, p.width, p.outHeight, p.outWidth],
  [p.kernelHeight, p.kernelWidth, p.padY, p.padX],
  [p.strideY, p.strideX, countPadding ? 1 : 0, 0],
]

export const maxPool: GpuKernel<'maxPool'> = {
  programs: [MAXIMUM],
  run(gpu, p, [x], [y]) {
    gpu.run(MAXIMUM, [x, ...sizesOf(p)], y)
  },
}

export const maxPoolGradient: GpuKernel<'maxPoolGradient'> = {
  programs: [LARGEST, MAXIMUM_SLOPE],
  workspaces: (p) => [p.planes * p.outHeight * p.outWidth],
  run(gpu, p, [dy, x], [dx], [best]) {
    gpu.run(LARGEST, [x, ...sizesOf(p)], best)
    gpu.run(MAXIMUM_SLOPE, [dy, best, ...sizesOf(p)], dx)
  },
}

export const averagePool: GpuKernel<'averagePool'> = {
  programs: [AVERAGE],
  run(gpu, p, [x], [y]) {
    gpu.run(AVERAGE, [x, ...sizesOf(p, p.countPadding)], y)
  },
}

export const averagePoolGradient: GpuKernel<'averagePoolGradient'> = {
  programs: [AVERAGE_SLOPE],
  run(gpu, p, [dy], [dx]) {
    gpu.run(AVERAGE_SLOPE, [dy, ...sizesOf(p, p.countPadding)], dx)
  },
}
