/**
 * Updates of parameters, texel by texel. A program has one output, so an update that also changes moments runs a
 * program for each output, all from the old values. If a program needs another output, it computes it again, which is
 * faster than to read it.
 */

import type { GpuKernel } from './machine/kernel.js'
import type { Four, Named, Program, Source, Texels, Thread } from './machine/program.js'
import { packed } from './machine/program.js'
import { clipping, moment } from './machine/updates.js'

/** rest: 1 - dampening */
const SGD_RATES = ['learningRate', 'weightDecay', 'momentum', 'rest'] as const
const SGD_FLAGS = ['nesterov', 'first', 'clip', 'maxNorm'] as const
type SgdRates = Named<typeof SGD_RATES>
type SgdFlags = Named<typeof SGD_FLAGS>

/** v = momentum v + (1 - dampening) g, or g the first time. */
function velocity(p: number, v: number, g: number, root: number, rates: SgdRates, flags: SgdFlags): number {
  const gradient = root * (root * g) + rates.weightDecay * p
  if (flags.first > 0) {
    return gradient
  }
  return rates.momentum * v + rates.rest * gradient
}

/** p - learningRate v, or with nesterov p - learningRate (g + momentum v) */
function sgdNext(p: number, v: number, g: number, root: number, rates: SgdRates, flags: SgdFlags): number {
  const speed = velocity(p, v, g, root, rates, flags)
  if (flags.nesterov > 0) {
    return p - rates.learningRate * (root * (root * g) + rates.weightDecay * p + rates.momentum * speed)
  }
  return p - rates.learningRate * speed
}

declare function sgdValue(p: number, v: number, g: number, root: number, rates: SgdRates, flags: SgdFlags): number

function sgdTexel(this: Thread, p: Texels, v: Texels, g: Texels, norm: Texels, rates: SgdRates, flags: SgdFlags): Four {
  const all = norm[0]
  const root = clipping(all[0], all[1], flags.clip, flags.maxNorm)
  const a = p[this.thread.x]
  const b = v[this.thread.x]
  const c = g[this.thread.x]
  return [
    sgdValue(a[0], b[0], c[0], root, rates, flags),
    sgdValue(a[1], b[1], c[1], root, rates, flags),
    sgdValue(a[2], b[2], c[2], root, rates, flags),
    sgdValue(a[3], b[3], c[3], root, rates, flags),
  ]
}

const SGD_KINDS = ['number', 'number', 'number', 'number', SGD_RATES, SGD_FLAGS] as const
const sgdProgram = (what: string, value: Source): Program => ({
  name: `sgd, ${what}`,
  source: sgdTexel,
  kinds: ['texels', 'texels', 'texels', 'texels', SGD_RATES, SGD_FLAGS],
  helpers: {
    clipping,
    velocity: { source: velocity, kinds: SGD_KINDS },
    sgdValue: { source: value, kinds: SGD_KINDS },
  },
})
const SGD_PARAMETER = sgdProgram('parameter', sgdNext)
const SGD_VELOCITY = sgdProgram('velocity', velocity)

export const sgd: GpuKernel<'sgd'> = {
  programs: [SGD_PARAMETER, SGD_VELOCITY],
  run(gpu, p, inputs, [newParameter, newVelocity]) {
    const moving = p.momentum !== 0
    const [parameter, velocity, gradient, norm] = moving ? inputs : [inputs[0], inputs[1], ...inputs.slice(1)]
    const rates = packed(SGD_RATES, { ...p, rest: 1 - p.dampening })
    const flags = packed(SGD_FLAGS, { ...p, nesterov: moving && p.nesterov, first: p.first || !moving })
    const args = [parameter, velocity, gradient, p.clip ? norm : gradient, rates, flags]
    gpu.run(SGD_PARAMETER, args, newParameter)
    if (moving) gpu.run(SGD_VELOCITY, args, newVelocity)
  },
}

/** decay: of weights, added to the gradient */
const ADAM_FLAGS = ['decay', 'clip', 'maxNorm'] as const
/** rest1, rest2: 1 - beta */
const ADAM_BETAS = ['beta1', 'rest1', 'beta2', 'rest2'] as const
/** shrink: factor of the parameter; step: learningRate / correction1; root2: sqrt(correction2) */
const ADAM_RATES = ['shrink', 'step', 'root2', 'eps'] as const
type AdamFlags = Named<typeof ADAM_FLAGS>
type AdamBetas = Named<typeof ADAM_BETAS>
type AdamRates = Named<typeof ADAM_RATES>

function adamFirst(
  p: number,
  m: number,
  _v: number,
  g: number,
  root: number,
  decay: number,
  b: AdamBetas,
  _r: AdamRates,
): number {
  return moment(m, root * (root * g) + decay * p, b.beta1, b.rest1)
}

function adamSecond(
  p: number,
  _m: number,
  v: number,
  g: number,
  root: number,
  decay: number,
  b: AdamBetas,
  _r: AdamRates,
): number {
  const gradient = root * (root * g) + decay * p
  return moment(v, gradient * gradient, b.beta2, b.rest2)
}

function adamNext(
  p: number,
  m: number,
  v: number,
  g: number,
  root: number,
  decay: number,
  b: AdamBetas,
  r: AdamRates,
): number {
  const gradient = root * (root * g) + decay * p
  const first = moment(m, gradient, b.beta1, b.rest1)
  const second = moment(v, gradient * gradient, b.beta2, b.rest2)
  return r.shrink * p - (r.step * first) / (Math.sqrt(second) / r.root2 + r.eps)
}

declare function adamValue(
  p: number,
  m: number,
  v: number,
  g: number,
  root: number,
  decay: number,
  b: AdamBetas,
  r: AdamRates,
): number

function adamTexel(
  this: Thread,
  p: Texels,
  m: Texels,
  v: Texels,
  g: Texels,
  norm: Texels,
  flags: AdamFlags,
  betas: AdamBetas,
  rates: AdamRates,
): Four {
  const all = norm[0]
  const root = clipping(all[0], all[1], flags.clip, flags.maxNorm)
  const a = p[this.thread.x]
  const b = m[this.thread.x]
  const c = v[this.thread.x]
  const d = g[this.thread.x]
  return [
    adamValue(a[0], b[0], c[0], d[0], root, flags.decay, betas, rates),
    adamValue(a[1], b[1], c[1], d[1], root, flags.decay, betas, rates),
    adamValue(a[2], b[2], c[2], d[2], root, flags.decay, betas, rates),
    adamValue(a[3], b[3], c[3], d[3], root, flags.decay, betas, rates),
  ]
}

const NUMBERS = ['number', 'number', 'number', 'number', 'number', 'number'] as const
const adamProgram = (what: string, value: Source): Program => ({
  name: `adam, ${what}`,
  source: adamTexel,
  kinds: ['texels', 'texels', 'texels', 'texels', 'texels', ADAM_FLAGS, ADAM_BETAS, ADAM_RATES],
  helpers: { clipping, moment, adamValue: { source: value, kinds: [...NUMBERS, ADAM_BETAS, ADAM_RATES] } },
})
const ADAM = [adamProgram('parameter', adamNext), adamProgram('m', adamFirst), adamProgram('v', adamSecond)]

export const adam: GpuKernel<'adam'> = {
  programs: ADAM,
  run(gpu, p, [parameter, m, v, gradient, norm = gradient], outputs) {
    const { learningRate, weightDecay, beta1, beta2, decoupled } = p
    const flags = packed(ADAM_FLAGS, { ...p, decay: decoupled ? 0 : weightDecay })
    const betas = packed(ADAM_BETAS, { beta1, rest1: 1 - beta1, beta2, rest2: 1 - beta2 })
    const rates = packed(ADAM_RATES, {
      shrink: decoupled ? 1 - learningRate * weightDecay : 1,
      step: learningRate / p.correction1,
      root2: Math.sqrt(p.correction2),
      eps: p.eps,
    })
    ADAM.forEach((program, i) => {
      gpu.run(program, [parameter, m, v, gradient, norm, flags, betas, rates], outputs[i])
    })
  },
}
