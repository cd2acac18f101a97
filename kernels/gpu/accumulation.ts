/**
 * Running sums: the blend of a buffer with a new value, the norm of all gradients, sums with twice the digits of one
 * number.
 */
import { infinity, isNotANumber } from './machine/builtins.js'
import type { GpuKernel } from './machine/kernel.js'
import type { Four, Program, Texels, Thread } from './machine/program.js'

function blended(this: Thread, y: Texels, x: Texels, a: number, b: number): Four {
  const v = x[this.thread.x]
  const old = y[this.thread.x]
  // If a is 0, the old values may be NaN.
  if (a === 0) {
    return [b * v[0], b * v[1], b * v[2], b * v[3]]
  }
  return [a * old[0] + b * v[0], a * old[1] + b * v[1], a * old[2] + b * v[2], a * old[3] + b * v[3]]
}

const BLEND: Program = { name: 'blend', source: blended, kinds: ['texels', 'texels', 'number', 'number'] }

export const blend: GpuKernel<'blend'> = {
  programs: [BLEND],
  run(gpu, { a, b }, [old, x], [y]) {
    gpu.run(BLEND, [old, x, a, b], y)
  },
}

/** 2^-126, the least scale of a norm. A GPU may round smaller numbers to 0. */
const LEAST_SCALE = 2 ** -126

/** part / whole, where part <= whole. A GPU may round the inverse of a number above 2^126 to 0. */
function share(part: number, whole: number): number {
  return whole > 1 ? (0.25 * part) / (0.25 * whole) : part / whole
}

/**
 * Scale and sum of texels i, i + parts, ...: the largest |value|, and the sum of (value / scale)^2, which neither
 * overflows nor underflows.
 */
function squaresOf(this: Thread, x: Texels, size: number, parts: number, least: number): Four {
  let scale = least
  let sum = 0.0
  for (let i = this.thread.x; 4 * i < size; i += parts) {
    const v = x[i]
    // The last texel may hold fewer than four values.
    const a = Math.abs(v[0])
    const b = 4 * i + 1 < size ? Math.abs(v[1]) : 0
    const c = 4 * i + 2 < size ? Math.abs(v[2]) : 0
    const d = 4 * i + 3 < size ? Math.abs(v[3]) : 0
    const largest = Math.max(Math.max(a, b), Math.max(c, d))
    if (largest > scale) {
      const shrink = share(scale, largest)
      sum = sum * shrink * shrink
      scale = largest
    }
    const p = share(a, scale)
    const q = share(b, scale)
    const r = share(c, scale)
    const s = share(d, scale)
    sum = sum + (p * p + q * q) + (r * r + s * s)
  }
  return [scale, sum, 0, 0]
}

/** The norm of all parts of a tensor and, unless the tensor is the first, of the tensors before it. */
function normOf(this: Thread, before: Texels, partial: Texels, parts: number, least: number, first: number): Four {
  let scale = least
  let sum = 0.0
  if (first < 1) {
    const norm = before[0]
    scale = norm[0]
    sum = norm[1] * norm[1]
  }
  for (let i = 0; i < parts; i++) {
    const v = partial[i]
    if (v[0] > scale) {
      const shrink = share(scale, v[0])
      sum = sum * shrink * shrink + v[1]
      scale = v[0]
    } else {
      const shrink = share(v[0], scale)
      sum = sum + v[1] * shrink * shrink
    }
  }
  return [scale, Math.sqrt(sum), 0, 0]
}

const SQUARES: Program = {
  name: 'gradientNorm, parts',
  source: squaresOf,
  kinds: ['texels', 'number', 'number', 'number'],
  helpers: { share },
}
const NORM: Program = {
  name: 'gradientNorm',
  source: normOf,
  kinds: ['texels', 'texels', 'number', 'number', 'number'],
  helpers: { share },
}

/**
 * As many parts as a part has texels: then the sums of the parts, side by side, take as long as the sum over the parts.
 */
const partsOf = (size: number): number => Math.ceil(Math.sqrt(size / 4))

export const gradientNorm: GpuKernel<'gradientNorm'> = {
  programs: [SQUARES, NORM],
  workspaces: ({ sizes }) => [4 * Math.max(...sizes.map(partsOf)), 2],
  run(gpu, { sizes }, gradients, [out], [partial, spare]) {
    for (const [j, size] of sizes.entries()) {
      const parts = partsOf(size)
      // No output may be an input, so results alternate between two places; the last goes to `out`.
      const [from, to] = (sizes.length - j) % 2 === 1 ? [spare, out] : [out, spare]
      gpu.run(SQUARES, [gradients[j], size, parts, LEAST_SCALE], partial)
      gpu.run(NORM, [j > 0 ? from : partial, partial, parts, LEAST_SCALE, j > 0 ? 0 : 1], to)
    }
  },
}

/**
 * Rounding t = a + b, where |a| >= |b|, loses exactly b - (t - a). A compiler that sees all of this in one program may
 * simplify it to 0. So t comes from a program of its own.
 */
function roundedSum(this: Thread, sum: Texels, x: Texels, factor: number): Four {
  const a = sum[0]
  const b = x[0]
  const total = a[0] + factor * b[0]
  return [total, total, total, total]
}

function exactSum(this: Thread, sum: Texels, x: Texels, total: Texels, factor: number): Four {
  const a = sum[0]
  const term = x[0]
  const t = total[0]
  const b = factor * term[0]
  let rest = b - (t[0] - a[0])
  if (Math.abs(a[0]) < Math.abs(b)) {
    rest = a[0] - (t[0] - b)
  }
  if (isNotANumber(t[0]) > 0 || Math.abs(t[0]) >= infinity()) {
    return [t[0], 0, 0, 0]
  }
  return [t[0], rest + a[1], 0, 0]
}

const ROUNDED_SUM: Program = { name: 'addExactly, sum', source: roundedSum, kinds: ['texels', 'texels', 'number'] }
const EXACT_SUM: Program = { name: 'addExactly', source: exactSum, kinds: ['texels', 'texels', 'texels', 'number'] }

export const addExactly: GpuKernel<'addExactly'> = {
  programs: [ROUNDED_SUM, EXACT_SUM],
  workspaces: () => [1],
  run(gpu, { factor }, [sum, x], [out], [total]) {
    gpu.run(ROUNDED_SUM, [sum, x, factor], total)
    gpu.run(EXACT_SUM, [sum, x, total, factor], out)
  },
}
