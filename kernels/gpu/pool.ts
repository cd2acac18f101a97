/**
 * Pooling over windows of planes [planes, height, width] -> [planes, outHeight, outWidth], as kernels/reference/pool.ts
 * defines it. A gradient looks from each input at the windows that hold it.
 */
import type { Pooling } from '../kernels.js'
import { choicePacking } from '../packing.js'
import { at, exceeds, infinity, quotient } from './machine/builtins.js'
import type { GpuKernel } from './machine/kernel.js'
import { eachValue, type Four, type Helpers, type Named, packed, type Source, type Texels } from './machine/program.js'

const IMAGE = ['height', 'width', 'outHeight', 'outWidth'] as const
const WINDOW = ['kernelHeight', 'kernelWidth', 'padY', 'padX'] as const
const STRIDES = ['strideY', 'strideX', 'countPadding'] as const
/** `range`: one more than a choice can be */
const CHOICES = ['perElement', 'perPlane', 'range'] as const
type Image = Named<typeof IMAGE>
type Window = Named<typeof WINDOW>
type Strides = Named<typeof STRIDES>
type Choices = Named<typeof CHOICES>

declare function share(
  i: number,
  out: number,
  dy: Texels,
  packed: Texels,
  image: Image,
  window: Window,
  strides: Strides,
  choices: Choices,
): number

/** The first window along an axis that holds `position`. */
function firstWindow(position: number, pad: number, size: number, stride: number): number {
  const begin = position + pad - size + 1
  if (begin <= 0) {
    return 0
  }
  return quotient(begin + stride - 1, stride)
}

function maximumOf(i: number, x: Texels, image: Image, window: Window, strides: Strides): number {
  const row = quotient(i, image.outWidth)
  const plane = quotient(row, image.outHeight)
  const top = (row - plane * image.outHeight) * strides.strideY - window.padY
  const left = (i - row * image.outWidth) * strides.strideX - window.padX
  const y1 = Math.min(top + window.kernelHeight, image.height)
  const x1 = Math.min(left + window.kernelWidth, image.width)
  let max = -infinity()
  for (let iy = Math.max(top, 0); iy < y1; iy++) {
    for (let ix = Math.max(left, 0); ix < x1; ix++) {
      const value = at(x, (plane * image.height + iy) * image.width + ix)
      if (exceeds(value, max) > 0) {
        max = value
      }
    }
  }
  return max
}

/** The place of the maximum in the part of window `out` that lies on the image: the first one, or the first NaN. */
function choice(out: number, x: Texels, image: Image, window: Window, strides: Strides): number {
  const row = quotient(out, image.outWidth)
  const plane = quotient(row, image.outHeight)
  const top = (row - plane * image.outHeight) * strides.strideY - window.padY
  const left = (out - row * image.outWidth) * strides.strideX - window.padX
  const y1 = Math.min(top + window.kernelHeight, image.height)
  const x1 = Math.min(left + window.kernelWidth, image.width)
  let place = 0.0
  let best = 0.0
  let max = 0.0
  for (let iy = Math.max(top, 0); iy < y1; iy++) {
    for (let ix = Math.max(left, 0); ix < x1; ix++) {
      const value = at(x, (plane * image.height + iy) * image.width + ix)
      if (place < 1 || exceeds(value, max) > 0) {
        best = place
        max = value
      }
      place = place + 1
    }
  }
  return best
}

/** Number i of the choices: kernels/packing.ts. */
function choicesOf(i: number, x: Texels, image: Image, window: Window, strides: Strides, choices: Choices): number {
  const windows = image.outHeight * image.outWidth
  const plane = quotient(i, choices.perPlane)
  const first = (i - plane * choices.perPlane) * choices.perElement
  const end = Math.min(first + choices.perElement, windows)
  let sum = 0.0
  let unit = 1.0
  for (let j = first; j < end; j++) {
    sum = sum + unit * choice(plane * windows + j, x, image, window, strides)
    unit = unit * choices.range
  }
  return sum
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
function slopeOf(
  i: number,
  dy: Texels,
  packed: Texels,
  image: Image,
  window: Window,
  strides: Strides,
  choices: Choices,
): number {
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
      sum = sum + share(i, out, dy, packed, image, window, strides, choices)
    }
  }
  return sum
}

/** dy of window `out` where its maximum is value i of x. */
function shareOfMaximum(
  i: number,
  out: number,
  dy: Texels,
  packed: Texels,
  image: Image,
  window: Window,
  strides: Strides,
  choices: Choices,
): number {
  const row = quotient(out, image.outWidth)
  const plane = quotient(row, image.outHeight)
  const left = (out - row * image.outWidth) * strides.strideX - window.padX
  const y0 = Math.max((row - plane * image.outHeight) * strides.strideY - window.padY, 0)
  const x0 = Math.max(left, 0)
  const columns = Math.min(left + window.kernelWidth, image.width) - x0
  const line = quotient(i, image.width)
  const place = (line - plane * image.height - y0) * columns + i - line * image.width - x0
  const inPlane = out - plane * image.outHeight * image.outWidth
  const element = quotient(inPlane, choices.perElement)
  const slot = inPlane - element * choices.perElement
  let rest = at(packed, plane * choices.perPlane + element)
  for (let j = 0; j < slot; j++) {
    rest = quotient(rest, choices.range)
  }
  if (rest - quotient(rest, choices.range) * choices.range === place) {
    return at(dy, out)
  }
  return 0.0
}

function shareOfAverage(
  _i: number,
  out: number,
  dy: Texels,
  _packed: Texels,
  image: Image,
  window: Window,
  strides: Strides,
  _choices: Choices,
): number {
  return at(dy, out) / divisor(out, image, window, strides)
}

const SIZES = [IMAGE, WINDOW, STRIDES] as const
const DIVISOR: Helpers = { divisor: { source: divisor, kinds: ['number', ...SIZES] } }
const slopes = (name: string, share: Source, helpers?: Helpers) =>
  eachValue(name, slopeOf, ['texels', 'texels', ...SIZES, CHOICES], {
    ...helpers,
    firstWindow,
    share: { source: share, kinds: ['number', 'number', 'texels', 'texels', ...SIZES, CHOICES] },
  })

const MAXIMUM = eachValue('maxPool', maximumOf, ['texels', ...SIZES])
const MAXIMUM_CHOICES = eachValue('maxPoolChoices', choicesOf, ['texels', ...SIZES, CHOICES], {
  choice: { source: choice, kinds: ['number', 'texels', ...SIZES] },
})
const MAXIMUM_SLOPE = slopes('maxPoolGradient', shareOfMaximum)
const AVERAGE = eachValue('averagePool', averageOf, ['texels', ...SIZES], DIVISOR)
const AVERAGE_SLOPE = slopes('averagePoolGradient', shareOfAverage, DIVISOR)

const sizesOf = (p: Pooling, countPadding = false): readonly Four[] => [
  packed(IMAGE, p),
  packed(WINDOW, p),
  packed(STRIDES, { ...p, countPadding }),
]

function choicesFor(p: Pooling): Four {
  const { bits, ...packing } = choicePacking(p)
  return packed(CHOICES, { ...packing, range: 2 ** bits })
}

export const maxPool: GpuKernel<'maxPool'> = {
  programs: [MAXIMUM],
  run(gpu, p, [x], [y]) {
    gpu.run(MAXIMUM, [x, ...sizesOf(p)], y)
  },
}

export const maxPoolChoices: GpuKernel<'maxPoolChoices'> = {
  programs: [MAXIMUM_CHOICES],
  run(gpu, p, [x], [choices]) {
    gpu.run(MAXIMUM_CHOICES, [x, ...sizesOf(p), choicesFor(p)], choices)
  },
}

export const maxPoolGradient: GpuKernel<'maxPoolGradient'> = {
  programs: [MAXIMUM_SLOPE],
  run(gpu, p, [dy, choices], [dx]) {
    gpu.run(MAXIMUM_SLOPE, [dy, choices, ...sizesOf(p), choicesFor(p)], dx)
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
    gpu.run(AVERAGE_SLOPE, [dy, dy, ...sizesOf(p, p.countPadding), choicesFor(p)], dx)
  },
}
