/**
 * Kernels of a commit, texel by texel: updates, sums into buffers, the norm of gradients. A program has one output, so
 * sgd with momentum runs two, both from the old velocity.
 */
import { infinity, isNotANumber } from './machine/builtins.js'
import type { GpuKernel } from './machine/kernel.js'
import type { Four, Helper, Program, Source, Texels, Thread } from './machine/program.js'

function blended(this: Thread, y: Texels, x: Texels, a: number, b: number): Four {
  const v = x[this.thread.x]
  const old = y[this.thread.x]
  // with a = 0 the old values may be NaN
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

/** 2^-126, the least scale of a norm: what is smaller may be zero on a GPU. */
const LEAST_SCALE = 2 ** -126

/** part / whole, where part is no larger. A GPU's division ends at 2^126: the inverse of what is larger may be zero. */
function share(part: number, whole: number): number {
  return whole > 1 ? (0.25 * part) / (0.25 * whole) : part / whole
}

/**
 * Of texels this.thread.x, + parts, + 2 parts, ...: the largest size of a value, and the sum of squares relative to it, so
 * that none over- or underflows.
 */
function squaresOf(this: Thread, x: Texels, size: number, parts: number, least: number): Four {
  let scale = least
  let sum = 0.0
  for (let i = this.thread.x; 4 * i < size; i += parts) {
    const v = x[i]
    // the last texel may end early
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

/** The norm of what there was before, unless this is the first, and of all parts. */
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

/** As many as each has texels: one after the other, what takes longest is shortest. */
const partsOf = (size: number): number => Math.ceil(Math.sqrt(size / 4))

export const gradientNorm: GpuKernel<'gradientNorm'> = {
  programs: [SQUARES, NORM],
  workspaces: ({ sizes }) => [4 * Math.max(...sizes.map(partsOf)), 2],
  run(gpu, { sizes }, gradients, [out], [partial, spare]) {
    for (const [j, size] of sizes.entries()) {
      const parts = partsOf(size)
      // by turns, since no output is an input, so that the last is written to where it belongs
      const [from, to] = (sizes.length - j) % 2 === 1 ? [spare, out] : [out, spare]
      gpu.run(SQUARES, [gradients[j], size, parts, LEAST_SCALE], partial)
      gpu.run(NORM, [j > 0 ? from : partial, partial, parts, LEAST_SCALE, j > 0 ? 0 : 1], to)
    }
  },
}

/**
 * What is left out of t = a + b, |a| >= |b|, is exactly b - (t - a). A compiler that saw all of it in one program would take
 * that for 0, so t comes from a program of its own.
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

/** The root of what gradients are multiplied by, twice, so that the norm of all of them stays within maxNorm. */
export function clipping(scale: number, ratio: number, flags: Four): number {
  if (flags[2] > 0) {
    const root = Math.sqrt(flags[3] / (ratio + 0.000001 / scale)) / Math.sqrt(scale)
    // a NaN stays one
    return root > 1 ? 1 : root
  }
  return 1
}

/** v = momentum v + (1 - dampening) g, or g the first time. */
function velocity(p: number, v: number, g: number, root: number, rates: Four, flags: Four): number {
  const gradient = root * (root * g) + rates[1] * p
  if (flags[1] > 0) {
    return gradient
  }
  return rates[2] * v + rates[3] * gradient
}

/** p - learningRate v, or with nesterov p - learningRate (g + momentum v) */
function next(p: number, v: number, g: number, root: number, rates: Four, flags: Four): number {
  const speed = velocity(p, v, g, root, rates, flags)
  if (flags[0] > 0) {
    return p - rates[0] * (root * (root * g) + rates[1] * p + rates[2] * speed)
  }
  return p - rates[0] * speed
}

/**
 * @param rates  learning rate, weight decay, momentum, 1 - dampening
 * @param flags  nesterov, first, clip; maxNorm
 */
function sgdParameter(this: Thread, p: Texels, v: Texels, g: Texels, norm: Texels, rates: Four, flags: Four): Four {
  const all = norm[0]
  const root = clipping(all[0], all[1], flags)
  const a = p[this.thread.x]
  const b = v[this.thread.x]
  const c = g[this.thread.x]
  return [
    next(a[0], b[0], c[0], root, rates, flags),
    next(a[1], b[1], c[1], root, rates, flags),
    next(a[2], b[2], c[2], root, rates, flags),
    next(a[3], b[3], c[3], root, rates, flags),
  ]
}

function sgdVelocity(this: Thread, p: Texels, v: Texels, g: Texels, norm: Texels, rates: Four, flags: Four): Four {
  const all = norm[0]
  const root = clipping(all[0], all[1], flags)
  const a = p[this.thread.x]
  const b = v[this.thread.x]
  const c = g[this.thread.x]
  return [
    velocity(a[0], b[0], c[0], root, rates, flags),
    velocity(a[1], b[1], c[1], root, rates, flags),
    velocity(a[2], b[2], c[2], root, rates, flags),
    velocity(a[3], b[3], c[3], root, rates, flags),
  ]
}

const step = (source: Source): Helper => ({
  source,
  kinds: ['number', 'number', 'number', 'number', 'four', 'four'],
})
const SGD = {
  kinds: ['texels', 'texels', 'texels', 'texels', 'four', 'four'],
  helpers: {
    clipping: { source: clipping, kinds: ['number', 'number', 'four'] },
    velocity: step(velocity),
    next: step(next),
  },
} as const
const SGD_PARAMETER: Program = { name: 'sgd, parameter', source: sgdParameter, ...SGD }
const SGD_VELOCITY: Program = { name: 'sgd, velocity', source: sgdVelocity, ...SGD }

export const sgd: GpuKernel<'sgd'> = {
  programs: [SGD_PARAMETER, SGD_VELOCITY],
  run(gpu, p, inputs, [newParameter, newVelocity]) {
    const moving = p.momentum !== 0
    const [parameter, velocity, gradient, norm] = moving ? inputs : [inputs[0], inputs[1], ...inputs.slice(1)]
    const rates: Four = [p.learningRate, p.weightDecay, p.momentum, 1 - p.dampening]
    const first = p.first || !moving
    const flags: Four = [moving && p.nesterov ? 1 : 0, first ? 1 : 0, p.clip ? 1 : 0, p.maxNorm]
    const args = [parameter, velocity, gradient, p.clip ? norm : gradient, rates, flags]
    gpu.run(SGD_PARAMETER, args, newParameter)
    if (moving) gpu.run(SGD_VELOCITY, args, newVelocity)
  },
}
