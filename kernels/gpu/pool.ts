/**
 * Pooling over windows of planes [planes, height, width] -> [planes, outHeight, outWidth], as kernels/reference/pool.ts
 * defines it. A gradient looks from each input at the windows that hold it.
 */
import type { Pooling } from '../kernels.js'
import { at, exceeds, infinity, quotient } from './machine/builtins.js'
import type { GpuKernel } from './machine/kernel.js'
import { eachValue, type Four, type Helpers, type Named, packed, type Source, type Texels } from './machine/program.js'

const IMAGE = ['height', 'width', 'outHeight', 'outWidth'] as const
const WINDOW = ['kernelHeight', 'kernelWidth', 'padY', 'padX'] as const
const STRIDES = ['strideY', 'strideX', 'countPadding'] as const
type Image = Named<typeof IMAGE>
type Window = Named<typeof WINDOW>
type Strides = Named<typeof STRIDES>

declare function share(
  i: number,
  out: number,
  dy: Texels,
  best: Texels,
  image: Image,
  window: Window,
  strides: Strides,
): number

/** The first window along an axis that holds `position`. */
function firstWindow(position: number, pad: number, size: number, stride: number): number {
  const begin = position + pad - size + 1
  if (begin <= 0) {
    return 0
  }
  return quotient(begin + stride - 1, stride)
}

/**
 * The index in x of the maximum of window `out`: the first in row-major order, or the first NaN; -1 if all is padding.
 */
function largest(out: number, x: Texels, image: Image, window: Window, strides: Strides): number {
  const row = quotient(out, image.outWidth)
  const plane = quotient(row, image.outHeight)
  const top = (row - plane * image.outHeight) * strides.strideY - window.padY
  const left = (out - row * image.outWidth) * strides.strideX - window.padX
  const y0 = Math.max(top, 0)
  const x0 = Math.max(left, 0)
  const y1 = Math.min(top + window.kernelHeight, image.height)
  const x1 = Math.min(left + window.kernelWidth, image.width)
  let best = -1.0
  let max = 0.0
  for (let iy = y0; iy < y1; iy++) {
    for (let ix = x0; ix < x1; ix++) {
      const i = (plane * image.height + iy) * image.width + ix
      const value = at(x, i)
      if (best < 0 || exceeds(value, max) > 0) {
        best = i
        max = value
      }
    }
  }
  return best
}

function maximumOf(i: number, x: Texels, image: Image, window: Window, strides: Strides): number {
  const best = largest(i, x, image, window, strides)
  if (best < 0) {
    return -infinity()
  }
  return at(x, best)
}

/** What the sum over window `out` is divided by. */
function divisor(out: number, image: Image, window: Window, strides: Strides): number {
  if (strides.countPadding > 0) {
    return window.kernelHeight * window.kernelWidth
  }
  const row = quotient(out, image.outWidth)
  const oy = row - quotient(row, image.outHeight) * image.outHeight
  const top = oy * strides.strideY - window.padY
  const left = (out - row * image.outWidth) * strides.strideX - window.padX
  const rows = Math.min(top + window.kernelHeight, image.height) - Math.max(top, 0)
  const columns = Math.min(left + window.kernelWidth, image.width) - Math.max(left, 0)
  return rows * columns
}

function averageOf(i: number, x: Texels, image: Image, window: Window, strides: Strides): number {
  const row = quotient(i, image.outWidth)
  const plane = quotient(row, image.outHeight)
  const top = (row - plane * image.outHeight) * strides.strideY - window.padY
  const left = (i - row * image.outWidth) * strides.strideX - window.padX
  const y0 = Math.max(top, 0)
  const x0 = Math.max(left, 0)
  const y1 = Math.min(top + window.kernelHeight, image.height)
  const x1 = Math.min(left + window.kernelWidth, image.width)
  let sum = 0.0
  for (let iy = y0; iy < y1; iy++) {
    let line = 0.0
    for (let ix = x0; ix < x1; ix++) {
      line = line + at(x, (plane * image.height + iy) * image.width + ix)
    }
    sum = sum + line
  }
  return sum / divisor(i, image, window, strides)
}

/** The sum of the gradients that value i of x gets from all windows that hold it. */
function slopeOf(i: number, dy: Texels, best: Texels, image: Image, window: Window, strides: Strides): number {
  const row = quotient(i, image.width)
  const plane = quotient(row, image.height)
  const iy = row - plane * image.height
  const ix = i - row * image.width
  const lastY = Math.min(image.outHeight - 1, quotient(iy + window.padY, strides.strideY))
  const lastX = Math.min(image.outWidth - 1, quotient(ix + window.padX, strides.strideX))
  const firstX = firstWindow(ix, window.padX, window.kernelWidth, strides.strideX)
  let sum = 0.0
  for (let oy = firstWindow(iy, window.padY, window.kernelHeight, strides.strideY); oy <= lastY; oy++) {
    for (let ox = firstX; ox <= lastX; ox++) {
      const out = (plane * image.outHeight + oy) * image.outWidth + ox
      sum = sum + share(i, out, dy, best, image, window, strides)
    }
  }
  return sum
}

/** @param best  of every window, the index of its maximum */
function shareOfMaximum(
  i: number,
  out: number,
  dy: Texels,
  best: Texels,
  _image: Image,
  _window: Window,
  _strides: Strides,
): number {
  if (at(best, out) === i) {
    return at(dy, out)
  }
  return 0.0
}

function shareOfAverage(
  _i: number,
  out: number,
  dy: Texels,
  _best: Texels,
  image: Image,
  window: Window,
  strides: Strides,
): number {
  return at(dy, out) / divisor(out, image, window, strides)
}

const SIZES = [IMAGE, WINDOW, STRIDES] as const
const DIVISOR: Helpers = { divisor: { source: divisor, kinds: ['number', ...SIZES] } }
const slopes = (name: string, share: Source, helpers?: Helpers) =>
  eachValue(name, slopeOf, ['texels', 'texels', ...SIZES], {
    ...helpers,
    firstWindow,
    share: { source: share, kinds: ['number', 'number', 'texels', 'texels', ...SIZES] },
  })

const MAXIMUM = eachValue('maxPool', maximumOf, ['texels', ...SIZES], {
  largest: { source: largest, kinds: ['number', 'texels', ...SIZES] },
})
const LARGEST = eachValue('maxPool, which', largest, ['texels', ...SIZES])
const MAXIMUM_SLOPE = slopes('maxPoolGradient', shareOfMaximum)
const AVERAGE = eachValue('averagePool', averageOf, ['texels', ...SIZES], DIVISOR)
const AVERAGE_SLOPE = slopes('averagePoolGradient', shareOfAverage, DIVISOR)

const sizesOf = (p: Pooling, countPadding = false): readonly Four[] => [
  packed(IMAGE, p),
  packed(WINDOW, p),
  packed(STRIDES, { ...p, countPadding }),
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
    gpu.run(AVERAGE_SLOPE, [dy, dy, ...sizesOf(p, p.countPadding)], dx)
  },
}
