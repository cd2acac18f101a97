/** RMSprop, texel by texel: a program for each output, as in optimizer.ts. */
import type { GpuKernel } from './machine/kernel.js'
import { type Named, type Program, packed, type Source } from './machine/program.js'
import { clipping, moment } from './machine/updates.js'

/** rate: learningRate; centered: 1 or 0 */
const RMSPROP_RATES = ['alpha', 'rest', 'eps', 'rate'] as const
const RMSPROP_FLAGS = ['decay', 'clip', 'maxNorm'] as const
const RMSPROP_FORM = ['momentum', 'centered'] as const
type RmspropRates = Named<typeof RMSPROP_RATES>
type RmspropForm = Named<typeof RMSPROP_FORM>

/** The new velocity; without momentum it is the step. */
function rmspropVelocity(
  s: number,
  m: number,
  v: number,
  g: number,
  _p: number,
  r: RmspropRates,
  f: RmspropForm,
): number {
  const second = moment(s, g * g, r.alpha, r.rest)
  const first = f.centered > 0 ? moment(m, g, r.alpha, r.rest) : 0
  const spread = second - first * first
  const step = g / ((spread > 0 ? Math.sqrt(spread) : 0) + r.eps)
  return f.momentum > 0 ? f.momentum * v + step : step
}
declare function velocityOf(
  s: number,
  m: number,
  v: number,
  g: number,
  p: number,
  r: RmspropRates,
  f: RmspropForm,
): number
function rmspropNext(s: number, m: number, v: number, g: number, p: number, r: RmspropRates, f: RmspropForm): number {
  return p - r.rate * velocityOf(s, m, v, g, p, r, f)
}
function rmspropSquare(
  s: number,
  _m: number,
  _v: number,
  g: number,
  _p: number,
  r: RmspropRates,
  _f: RmspropForm,
): number {
  return moment(s, g * g, r.alpha, r.rest)
}
function rmspropMean(
  _s: number,
  m: number,
  _v: number,
  g: number,
  _p: number,
  r: RmspropRates,
  _f: RmspropForm,
): number {
  return moment(m, g, r.alpha, r.rest)
}

/** Text, because the four values differ in their lane only. */
const rmspropLane = (i: number) =>
  `rmspropValue(s4[${i}], m4[${i}], v4[${i}], root * (root * g4[${i}]) + flags.decay * p4[${i}], p4[${i}], rates, form)`
const RMSPROP_TEXEL = `function texel(p, s, m, v, g, norm, flags, rates, form) {
  const all = norm[0]
  const root = clipping(all[0], all[1], flags.clip, flags.maxNorm)
  ${['p', 's', 'm', 'v', 'g'].map((x) => `const ${x}4 = ${x}[this.thread.x]`).join('\n')}
  return [${[0, 1, 2, 3].map(rmspropLane)}]
}`
const RMSPROP_KINDS = [...['s', 'm', 'v', 'g', 'p'].map(() => 'number' as const), RMSPROP_RATES, RMSPROP_FORM]
const rmspropProgram = (what: string, value: Source): Program => ({
  name: `rmsprop, ${what}`,
  source: RMSPROP_TEXEL,
  kinds: [...new Array<'texels'>(6).fill('texels'), RMSPROP_FLAGS, RMSPROP_RATES, RMSPROP_FORM],
  helpers: {
    clipping,
    moment,
    velocityOf: { source: rmspropVelocity, kinds: RMSPROP_KINDS },
    rmspropValue: { source: value, kinds: RMSPROP_KINDS },
  },
})
const RMSPROP = {
  parameter: rmspropProgram('parameter', rmspropNext),
  square: rmspropProgram('square', rmspropSquare),
  mean: rmspropProgram('mean', rmspropMean),
  velocity: rmspropProgram('velocity', rmspropVelocity),
}

export const rmsprop: GpuKernel<'rmsprop'> = {
  programs: Object.values(RMSPROP),
  run(gpu, p, inputs, outputs) {
    const { momentum, centered } = p
    const [parameter, square, ...rest] = inputs.slice(0, outputs.length)
    const [gradient, norm = gradient] = inputs.slice(outputs.length)
    const mean = centered ? rest[0] : square
    const velocity = momentum === 0 ? square : rest[centered ? 1 : 0]
    const flags = packed(RMSPROP_FLAGS, { ...p, decay: p.weightDecay })
    const rates = packed(RMSPROP_RATES, { ...p, rest: 1 - p.alpha, rate: p.learningRate })
    const args = [parameter, square, mean, velocity, gradient, norm, flags, rates, packed(RMSPROP_FORM, p)]
    const programs = [RMSPROP.parameter, RMSPROP.square]
    if (centered) programs.push(RMSPROP.mean)
    if (momentum !== 0) programs.push(RMSPROP.velocity)
    programs.forEach((program, i) => gpu.run(program, args, outputs[i]))
  },
}
