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
const STRIDES = ['strideY', 'strideX', 'dilationY', 'dilationX'] as const
/** `range`: one more than the largest choice; only averages have `countPadding` */
const CHOICES = ['perElement', 'perPlane', 'range', 'countPadding'] as const
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

/** The first of `from`, from + step, ... that is not below 0. */
function inside(from: number, step: number): number {
  if (from >= 0) {
    return from
  }
  return from + step * quotient(step - 1 - from, step)
}

function maximumOf(i: number, x: Texels, image: Image, window: Window, strides: Strides): number {
  const row = quotient(i, image.outWidth)
  const plane = quotient(row, image.outHeight)
  const top = (row - plane * image.outHeight) * strides.strideY - window.padY
  const left = (i - row * image.outWidth) * strides.strideX - window.padX
  const y1 = Math.min(top + strides.dilationY * (window.kernelHeight - 1) + 1, image.height)
  const x1 = Math.min(left + strides.dilationX * (window.kernelWidth - 1) + 1, image.width)
  let max = -infinity()
  for (let iy = inside(top, strides.dilationY); iy < y1; iy += strides.dilationY) {
    for (let ix = inside(left, strides.dilationX); ix < x1; ix += strides.dilationX) {
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
  const y1 = Math.min(top + strides.dilationY * (window.kernelHeight - 1) + 1, image.height)
  const x1 = Math.min(left + strides.dilationX * (window.kernelWidth - 1) + 1, image.width)
  let place = 0.0
  let best = 0.0
  let max = 0.0
  for (let iy = inside(top, strides.dilationY); iy < y1; iy += strides.dilationY) {
    for (let ix = inside(left, strides.dilationX); ix < x1; ix += strides.dilationX) {
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

/** Number i of the packed choices: kernels/packing.ts. */
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
function divisor(out: number, image: Image, window: Window, strides: Strides, choices: Choices): number {
  if (choices.countPadding > 0) {
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

function averageOf(i: number, x: Texels, image: Image, window: Window, strides: Strides, choices: Choices): number {
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
  return sum / divisor(i, image, window, strides, choices)
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
  const extentY = strides.dilationY * (window.kernelHeight - 1) + 1
  const extentX = strides.dilationX * (window.kernelWidth - 1) + 1
  const firstX = firstWindow(ix, window.padX, extentX, strides.strideX)
  let sum = 0.0
  for (let oy = firstWindow(iy, window.padY, extentY, strides.strideY); oy <= lastY; oy++) {
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
  const top = (row - plane * image.outHeight) * strides.strideY - window.padY
  const left = (out - row * image.outWidth) * strides.strideX - window.padX
  const y0 = inside(top, strides.dilationY)
  const x0 = inside(left, strides.dilationX)
  const x1 = Math.min(left + strides.dilationX * (window.kernelWidth - 1) + 1, image.width)
  const columns = quotient(x1 - x0 + strides.dilationX - 1, strides.dilationX)
  const line = quotient(i, image.width)
  const fromTop = line - plane * image.height - y0
  const fromLeft = i - line * image.width - x0
  if (fromTop < 0 || fromLeft < 0) {
    return 0.0
  }
  const tapY = quotient(fromTop, strides.dilationY)
  const tapX = quotient(fromLeft, strides.dilationX)
  if (tapY * strides.dilationY < fromTop || tapX * strides.dilationX < fromLeft) {
    return 0.0
  }
  const place = tapY * columns + tapX
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
  choices: Choices,
): number {
  return at(dy, out) / divisor(out, image, window, strides, choices)
}

const SIZES = [IMAGE, WINDOW, STRIDES] as const
const DIVISOR: Helpers = { divisor: { source: divisor, kinds: ['number', ...SIZES, CHOICES] } }
const INSIDE: Helpers = { inside }
const slopes = (name: string, share: Source, helpers?: Helpers) =>
  eachValue(name, slopeOf, ['texels', 'texels', ...SIZES, CHOICES], {
    ...helpers,
    firstWindow,
    share: { source: share, kinds: ['number', 'number', 'texels', 'texels', ...SIZES, CHOICES] },
  })

const MAXIMUM = eachValue('maxPool', maximumOf, ['texels', ...SIZES], INSIDE)
const MAXIMUM_CHOICES = eachValue('maxPoolChoices', choicesOf, ['texels', ...SIZES, CHOICES], {
  ...INSIDE,
  choice: { source: choice, kinds: ['number', 'texels', ...SIZES] },
})
const MAXIMUM_SLOPE = slopes('maxPoolGradient', shareOfMaximum, INSIDE)
const AVERAGE = eachValue('averagePool', averageOf, ['texels', ...SIZES, CHOICES], DIVISOR)
const AVERAGE_SLOPE = slopes('averagePoolGradient', shareOfAverage, DIVISOR)

const sizesOf = (p: Pooling): readonly Four[] => [packed(IMAGE, p), packed(WINDOW, p), packed(STRIDES, p)]

function choicesFor(p: Pooling, countPadding = false): Four {
  const { bits, ...packing } = choicePacking(p)
  return packed(CHOICES, { ...packing, range: 2 ** bits, countPadding })
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
    gpu.run(AVERAGE, [x, ...sizesOf(p), choicesFor(p, p.countPadding)], y)
  },
}

export const averagePoolGradient: GpuKernel<'averagePoolGradient'> = {
  programs: [AVERAGE_SLOPE],
  run(gpu, p, [dy], [dx]) {
    gpu.run(AVERAGE_SLOPE, [dy, dy, ...sizesOf(p), choicesFor(p, p.countPadding)], dx)
  },
}
