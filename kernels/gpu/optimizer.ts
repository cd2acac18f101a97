/**
 * Kernels of a commit, texel by texel: updates, sums into buffers, the norm of gradients. A program has one output, so
 * sgd with momentum runs two, both from the old velocity.
 */
import type { GpuKernel } from './kernel.js'
import type { Four, Helper, Program, Source, Texels, Thread } from './program.js'

declare function velocity(p: number, v: number, g: number, scale: number, rates: Four, flags: Four): number
declare function next(p: number, v: number, g: number, scale: number, rates: Four, flags: Four): number
declare function clipping(squaredNorm: number, flags: Four): number

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

/** Texels this.thread.x, + parts, + 2 parts, ...: a sum for each lane. */
function squaresOf(this: Thread, x: Texels, size: number, parts: number): Four {
  let s0 = 0.0
  let s1 = 0.0
  let s2 = 0.0
  let s3 = 0.0
  for (let i = this.thread.x; 4 * i < size; i += parts) {
    const v = x[i]
    s0 = s0 + v[0] * v[0]
    // the last texel may end early
    if (4 * i + 1 < size) {
      s1 = s1 + v[1] * v[1]
    }
    if (4 * i + 2 < size) {
      s2 = s2 + v[2] * v[2]
    }
    if (4 * i + 3 < size) {
      s3 = s3 + v[3] * v[3]
    }
  }
  return [s0, s1, s2, s3]
}

function plusAll(this: Thread, sum: Texels, partial: Texels, parts: number): Four {
  let s = 0.0
  for (let i = 0; i < parts; i++) {
    const v = partial[i]
    s = s + (v[0] + v[1]) + (v[2] + v[3])
  }
  const before = sum[0]
  const total = before[0] + s
  return [total, total, total, total]
}

const SQUARES: Program = { name: 'addSumOfSquares, parts', source: squaresOf, kinds: ['texels', 'number', 'number'] }
const PLUS_ALL: Program = { name: 'addSumOfSquares', source: plusAll, kinds: ['texels', 'texels', 'number'] }

/** As many as each has texels: one after the other, what takes longest is shortest. */
const partsOf = (size: number): number => Math.ceil(Math.sqrt(size / 4))

export const addSumOfSquares: GpuKernel<'addSumOfSquares'> = {
  programs: [SQUARES, PLUS_ALL],
  workspaces: ({ size }) => [4 * partsOf(size)],
  run(gpu, { size }, [sum, x], [out], [partial]) {
    gpu.run(SQUARES, [x, size, partsOf(size)], partial)
    gpu.run(PLUS_ALL, [sum, partial, partsOf(size)], out)
  },
}

/** What gradients are multiplied by, so that the norm of all of them stays within maxNorm. */
export function clippingOf(squaredNorm: number, flags: Four): number {
  if (flags[2] > 0) {
    const scale = flags[3] / (Math.sqrt(squaredNorm) + 0.000001)
    // a NaN stays one
    return scale > 1 ? 1 : scale
  }
  return 1
}

/** v = momentum v + (1 - dampening) g, or g the first time. */
function velocityOf(p: number, v: number, g: number, scale: number, rates: Four, flags: Four): number {
  const gradient = scale * g + rates[1] * p
  if (flags[1] > 0) {
    return gradient
  }
  return rates[2] * v + rates[3] * gradient
}

/** p - learningRate v, or with nesterov p - learningRate (g + momentum v) */
function nextOf(p: number, v: number, g: number, scale: number, rates: Four, flags: Four): number {
  const speed = velocity(p, v, g, scale, rates, flags)
  if (flags[0] > 0) {
    return p - rates[0] * (scale * g + rates[1] * p + rates[2] * speed)
  }
  return p - rates[0] * speed
}

/**
 * @param rates  learning rate, weight decay, momentum, 1 - dampening
 * @param flags  nesterov, first, clip; maxNorm
 */
function sgdParameter(this: Thread, p: Texels, v: Texels, g: Texels, norm: Texels, rates: Four, flags: Four): Four {
  const squaredNorm = norm[0]
  const scale = clipping(squaredNorm[0], flags)
  const a = p[this.thread.x]
  const b = v[this.thread.x]
  const c = g[this.thread.x]
  return [
    next(a[0], b[0], c[0], scale, rates, flags),
    next(a[1], b[1], c[1], scale, rates, flags),
    next(a[2], b[2], c[2], scale, rates, flags),
    next(a[3], b[3], c[3], scale, rates, flags),
  ]
}

function sgdVelocity(this: Thread, p: Texels, v: Texels, g: Texels, norm: Texels, rates: Four, flags: Four): Four {
  const squaredNorm = norm[0]
  const scale = clipping(squaredNorm[0], flags)
  const a = p[this.thread.x]
  const b = v[this.thread.x]
  const c = g[this.thread.x]
  return [
    velocity(a[0], b[0], c[0], scale, rates, flags),
    velocity(a[1], b[1], c[1], scale, rates, flags),
    velocity(a[2], b[2], c[2], scale, rates, flags),
    velocity(a[3], b[3], c[3], scale, rates, flags),
  ]
}

const step = (source: Source): Helper => ({
  source,
  kinds: ['number', 'number', 'number', 'number', 'four', 'four'],
})
const SGD = {
  kinds: ['texels', 'texels', 'texels', 'texels', 'four', 'four'],
  helpers: {
    clipping: { source: clippingOf, kinds: ['number', 'four'] },
    velocity: step(velocityOf),
    next: step(nextOf),
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
