/**
 * Pooling over windows of planes [planes, height, width] -> [planes, outHeight, outWidth].
 *
 * A gradient walks the windows of the forward and adds to every input it saw.
 */
import type { Floats, Kernels, Pooling } from '../kernels.js'
import { choicePacking } from '../packing.js'
import { beats } from './machine/maxima.js'

/**
 * The part of each window that lies on the image: rows y0, y0 + dilationY, ... below y1, and columns likewise, of the plane at
 * `plane`.
 */
function eachWindow(
  p: Pooling,
  visit: (out: number, plane: number, y0: number, y1: number, x0: number, x1: number) => void,
): void {
  const { planes, height, width, outHeight, outWidth, strideY, strideX, padY, padX, dilationY, dilationX } = p
  const extentY = dilationY * (p.kernelHeight - 1) + 1
  const extentX = dilationX * (p.kernelWidth - 1) + 1
  let out = 0
  for (let c = 0; c < planes; c++) {
    for (let oy = 0; oy < outHeight; oy++) {
      const top = oy * strideY - padY
      const y0 = firstInside(top, dilationY)
      const y1 = Math.min(top + extentY, height)
      for (let ox = 0; ox < outWidth; ox++) {
        const left = ox * strideX - padX
        const x0 = firstInside(left, dilationX)
        const x1 = Math.min(left + extentX, width)
        visit(out++, c * height * width, y0, y1, x0, x1)
      }
    }
  }
}

/** The first of `from`, from + step, ... that is not below 0. */
const firstInside = (from: number, step: number): number => (from < 0 ? from + step * Math.ceil(-from / step) : from)

/** Where the maximum of a window is: the first in row-major order, -1 if the window holds padding only. */
function argmaxOfWindow(
  x: Floats,
  { width, dilationY, dilationX }: Pooling,
  plane: number,
  y0: number,
  y1: number,
  x0: number,
  x1: number,
): number {
  let best = -1
  let max = -Infinity
  for (let iy = y0; iy < y1; iy += dilationY) {
    const row = plane + iy * width
    for (let i = row + x0; i < row + x1; i += dilationX) {
      if (best >= 0 && !beats(x[i], max)) continue
      best = i
      max = x[i]
    }
  }
  return best
}

export const maxPool: Kernels['maxPool'] = (p, [x], [y]) => {
  eachWindow(p, (out, plane, y0, y1, x0, x1) => {
    const best = argmaxOfWindow(x, p, plane, y0, y1, x0, x1)
    y[out] = best < 0 ? -Infinity : x[best]
  })
}

/** Where the choice of window `out` is packed: the index of the number, and the factor of the choice in it. */
function slotOf(p: Pooling, out: number): { at: number; unit: number } {
  const { bits, perElement, perPlane } = choicePacking(p)
  const windows = p.outHeight * p.outWidth
  const inPlane = out % windows
  const at = Math.floor(out / windows) * perPlane + Math.floor(inPlane / perElement)
  return { at, unit: 2 ** (bits * (inPlane % perElement)) }
}

/** How many numbers of a row a window sees. */
const columnsOf = ({ dilationX }: Pooling, x0: number, x1: number): number => Math.ceil((x1 - x0) / dilationX)

export const maxPoolChoices: Kernels['maxPoolChoices'] = (p, [x], [choices]) => {
  choices.fill(0)
  eachWindow(p, (out, plane, y0, y1, x0, x1) => {
    const best = argmaxOfWindow(x, p, plane, y0, y1, x0, x1) - plane
    const row = (Math.floor(best / p.width) - y0) / p.dilationY
    const column = ((best % p.width) - x0) / p.dilationX
    const { at, unit } = slotOf(p, out)
    choices[at] += (row * columnsOf(p, x0, x1) + column) * unit
  })
}

export const maxPoolGradient: Kernels['maxPoolGradient'] = (p, [dy, choices], [dx]) => {
  const { bits } = choicePacking(p)
  dx.fill(0)
  eachWindow(p, (out, plane, y0, _y1, x0, x1) => {
    const { at, unit } = slotOf(p, out)
    const choice = Math.floor(choices[at] / unit) % 2 ** bits
    const columns = columnsOf(p, x0, x1)
    const row = y0 + p.dilationY * Math.floor(choice / columns)
    dx[plane + row * p.width + x0 + p.dilationX * (choice % columns)] += dy[out]
  })
}

/**
 * The divisor of the sum over a window. With countPadding it is the size of the whole window, for windows that do
 * not leave the padded input.
 */
function divisor(p: Pooling & { countPadding: boolean }, rows: number, columns: number): number {
  return p.countPadding ? p.kernelHeight * p.kernelWidth : rows * columns
}

export const averagePool: Kernels['averagePool'] = (p, [x], [y]) => {
  eachWindow(p, (out, plane, y0, y1, x0, x1) => {
    let total = 0
    for (let iy = y0; iy < y1; iy++) {
      for (let ix = x0; ix < x1; ix++) total += x[plane + iy * p.width + ix]
    }
    y[out] = total / divisor(p, y1 - y0, x1 - x0)
  })
}

export const averagePoolGradient: Kernels['averagePoolGradient'] = (p, [dy], [dx]) => {
  dx.fill(0)
  eachWindow(p, (out, plane, y0, y1, x0, x1) => {
    const share = dy[out] / divisor(p, y1 - y0, x1 - x0)
    for (let iy = y0; iy < y1; iy++) {
      for (let ix = x0; ix < x1; ix++) dx[plane + iy * p.width + ix] += share
    }
  })
}
