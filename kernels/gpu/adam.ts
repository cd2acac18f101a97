/**
 * Adam and AdamW, texel by texel. A program has one output, so there are three, all from the old values: the moments
 * are computed again where the parameter needs them, which costs less than to read them.
 */
import type { GpuKernel } from './machine/kernel.js'
import type { Four, Helper, Program, Source, Texels, Thread } from './machine/program.js'
import { clipping } from './optimizer.js'

declare function f(p: number, m: number, v: number, g: number, root: number, decay: number, b: Four, r: Four): number

/**
 * @param flags  decay that is added to the gradient, unused, clip; maxNorm
 * @param betas  beta1, 1 - beta1, beta2, 1 - beta2
 * @param rates  what the parameter shrinks by, step size, sqrt(correction2), eps
 */
function adamTexel(
  this: Thread,
  p: Texels,
  m: Texels,
  v: Texels,
  g: Texels,
  norm: Texels,
  flags: Four,
  betas: Four,
  rates: Four,
): Four {
  const all = norm[0]
  const root = clipping(all[0], all[1], flags)
  const a = p[this.thread.x]
  const b = m[this.thread.x]
  const c = v[this.thread.x]
  const d = g[this.thread.x]
  return [
    f(a[0], b[0], c[0], d[0], root, flags[0], betas, rates),
    f(a[1], b[1], c[1], d[1], root, flags[0], betas, rates),
    f(a[2], b[2], c[2], d[2], root, flags[0], betas, rates),
    f(a[3], b[3], c[3], d[3], root, flags[0], betas, rates),
  ]
}

/** The mean of what there was, and of one more. */
function moment(old: number, term: number, beta: number, rest: number): number {
  return beta * old + rest * term
}

function firstOf(p: number, m: number, _v: number, g: number, root: number, decay: number, b: Four, _r: Four): number {
  return moment(m, root * (root * g) + decay * p, b[0], b[1])
}

function secondOf(p: number, _m: number, v: number, g: number, root: number, decay: number, b: Four, _r: Four): number {
  const gradient = root * (root * g) + decay * p
  return moment(v, gradient * gradient, b[2], b[3])
}

function nextOf(p: number, m: number, v: number, g: number, root: number, decay: number, b: Four, r: Four): number {
  const gradient = root * (root * g) + decay * p
  const first = moment(m, gradient, b[0], b[1])
  const second = moment(v, gradient * gradient, b[2], b[3])
  return r[0] * p - (r[1] * first) / (Math.sqrt(second) / r[2] + r[3])
}

function programOf(what: string, source: Source): Program {
  const numbers = ['number', 'number', 'number', 'number', 'number', 'number'] as const
  const own: Helper = { source, kinds: [...numbers, 'four', 'four'] }
  return {
    name: `adam, ${what}`,
    source: adamTexel,
    kinds: ['texels', 'texels', 'texels', 'texels', 'texels', 'four', 'four', 'four'],
    helpers: { clipping: { source: clipping, kinds: ['number', 'number', 'four'] }, moment, f: own },
  }
}

const PROGRAMS = [programOf('parameter', nextOf), programOf('m', firstOf), programOf('v', secondOf)]

export const adam: GpuKernel<'adam'> = {
  programs: PROGRAMS,
  run(gpu, q, [p, m, v, gradient, norm], outputs) {
    const { learningRate, weightDecay, beta1, beta2, eps, correction1, correction2, decoupled, clip, maxNorm } = q
    const flags: Four = [decoupled ? 0 : weightDecay, 0, clip ? 1 : 0, maxNorm]
    const betas: Four = [beta1, 1 - beta1, beta2, 1 - beta2]
    const shrink = decoupled ? 1 - learningRate * weightDecay : 1
    const rates: Four = [shrink, learningRate / correction1, Math.sqrt(correction2), eps]
    const args = [p, m, v, gradient, clip ? norm : gradient, flags, betas, rates]
    PROGRAMS.forEach((program, i) => {
      gpu.run(program, args, outputs[i])
    })
  },
}
