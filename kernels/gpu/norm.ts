/**
 * Normalisation with given moments (deviation.ts computes them), as kernels/reference/norm.ts defines it: with
 * h = (x - mean) / sqrt(variance + eps), y = h gamma + beta.
 */
import type { KernelParameters } from '../kernels.js'
import { at, quotient } from './machine/builtins.js'
import { elements, type Groups, normGroups, partialSizes, reduction } from './machine/groups.js'
import type { GpuKernel } from './machine/kernel.js'
import {
  type ArgumentKind,
  type Four,
  type Helpers,
  type Named,
  type Program,
  packed,
  type Texels,
  type Thread,
} from './machine/program.js'

const OPTIONS = ['eps', 'affine', 'affineInner', 'affineSize'] as const
type Options = Named<typeof OPTIONS>

/** floor(i / run) mod size: the element of gamma and beta, or the group, that belongs to value i. */
function cyclic(i: number, run: number, size: number): number {
  const runs = quotient(i, run)
  return runs - quotient(runs, size) * size
}

function deviation(group: number, variance: Texels, options: Options): number {
  return Math.sqrt(at(variance, group) + options.eps)
}

/** dy gamma */
function slope(i: number, dy: Texels, gamma: Texels, options: Options): number {
  if (options.affine > 0) {
    return at(dy, i) * at(gamma, cyclic(i, options.affineInner, options.affineSize))
  }
  return at(dy, i)
}

const HELPERS: Helpers = {
  cyclic,
  deviation: { source: deviation, kinds: ['number', 'texels', OPTIONS] },
  slope: { source: slope, kinds: ['number', 'texels', 'texels', OPTIONS] },
}

function affineOf(
  i: number,
  group: number,
  x: Texels,
  mean: Texels,
  variance: Texels,
  gamma: Texels,
  beta: Texels,
  options: Options,
): number {
  const h = (at(x, i) - at(mean, group)) / deviation(group, variance, options)
  if (options.affine > 0) {
    const channel = cyclic(i, options.affineInner, options.affineSize)
    return h * at(gamma, channel) + at(beta, channel)
  }
  return h
}

/** share: of the new values in all */
function mergedMean(this: Thread, mean: Texels, added: Texels, share: number): Four {
  const a = mean[this.thread.x]
  const b = added[this.thread.x]
  // The former moments may be NaN.
  if (share === 1) {
    return [b[0], b[1], b[2], b[3]]
  }
  return [
    a[0] + share * (b[0] - a[0]),
    a[1] + share * (b[1] - a[1]),
    a[2] + share * (b[2] - a[2]),
    a[3] + share * (b[3] - a[3]),
  ]
}

function mergedOne(old: number, added: number, step: number, share: number): number {
  return (1 - share) * old + share * added + share * (1 - share) * step * step
}

function mergedVariance(
  this: Thread,
  mean: Texels,
  addedMean: Texels,
  variance: Texels,
  added: Texels,
  share: number,
): Four {
  const a = mean[this.thread.x]
  const b = addedMean[this.thread.x]
  const c = variance[this.thread.x]
  const d = added[this.thread.x]
  if (share === 1) {
    return [d[0], d[1], d[2], d[3]]
  }
  return [
    mergedOne(c[0], d[0], b[0] - a[0], share),
    mergedOne(c[1], d[1], b[1] - a[1], share),
    mergedOne(c[2], d[2], b[2] - a[2], share),
    mergedOne(c[3], d[3], b[3] - a[3], share),
  ]
}

const MERGED_MEAN: Program = { name: 'mergeMoments, mean', source: mergedMean, kinds: ['texels', 'texels', 'number'] }
const MERGED_VARIANCE: Program = {
  name: 'mergeMoments, variance',
  source: mergedVariance,
  kinds: ['texels', 'texels', 'texels', 'texels', 'number'],
  helpers: { mergedOne: { source: mergedOne, kinds: ['number', 'number', 'number', 'number'] } },
}

export const mergeMoments: GpuKernel<'mergeMoments'> = {
  programs: [MERGED_MEAN, MERGED_VARIANCE],
  run(gpu, { share }, [mean, variance, addedMean, addedVariance], [newMean, newVariance]) {
    gpu.run(MERGED_MEAN, [mean, addedMean, share], newMean)
    gpu.run(MERGED_VARIANCE, [mean, addedMean, variance, addedVariance, share], newVariance)
  },
}

const STATISTICS: readonly ArgumentKind[] = ['texels', 'texels', 'texels']
const NORMALIZE = elements('normalize', affineOf, [...STATISTICS, 'texels', 'texels', OPTIONS], HELPERS)

export const normalize: GpuKernel<'normalize'> = {
  programs: NORMALIZE.programs,
  run(gpu, p, [x, mean, variance, gamma, beta], [y]) {
    const own = p.affine ? [gamma, beta] : [x, x]
    NORMALIZE.run(gpu, normGroups(p), [x, mean, variance, ...own, packed(OPTIONS, p)], y)
  },
}

function slopeTerm(j: number, _group: number, dy: Texels, gamma: Texels, options: Options): number {
  return slope(j, dy, gamma, options)
}

/** dy gamma h */
function leanTerm(
  j: number,
  group: number,
  dy: Texels,
  gamma: Texels,
  x: Texels,
  mean: Texels,
  variance: Texels,
  options: Options,
): number {
  const h = (at(x, j) - at(mean, group)) / deviation(group, variance, options)
  return slope(j, dy, gamma, options) * h
}

/** (dh - average(dh) - h average(dh h)) / sqrt(variance + eps), with dh = dy gamma */
function gradientOf(
  i: number,
  group: number,
  dy: Texels,
  gamma: Texels,
  x: Texels,
  mean: Texels,
  variance: Texels,
  averages: Texels,
  leans: Texels,
  options: Options,
): number {
  const spread = deviation(group, variance, options)
  const h = (at(x, i) - at(mean, group)) / spread
  return (slope(i, dy, gamma, options) - at(averages, group) - h * at(leans, group)) / spread
}

/** The gradient if mean and variance are constants: it has no averages. */
function fixedGradientOf(
  i: number,
  group: number,
  dy: Texels,
  gamma: Texels,
  variance: Texels,
  options: Options,
): number {
  return slope(i, dy, gamma, options) / deviation(group, variance, options)
}

const AVERAGES = reduction('normalizeGradient, averages', 'sum', slopeTerm, ['texels', 'texels', OPTIONS], HELPERS)
const WITH_STATISTICS: readonly ArgumentKind[] = ['texels', 'texels', ...STATISTICS]
const LEANS = reduction('normalizeGradient, averages with h', 'sum', leanTerm, [...WITH_STATISTICS, OPTIONS], HELPERS)
const GRADIENT = elements('normalizeGradient', gradientOf, [...WITH_STATISTICS, 'texels', 'texels', OPTIONS], HELPERS)
const FIXED_GRADIENT = elements(
  'normalizeGradient, fixed',
  fixedGradientOf,
  ['texels', 'texels', 'texels', OPTIONS],
  HELPERS,
)

export const normalizeGradient: GpuKernel<'normalizeGradient'> = {
  programs: [AVERAGES, LEANS, GRADIENT, FIXED_GRADIENT].flatMap(({ programs }) => programs),
  workspaces: (p) => (p.fixed ? [] : [p.groups, p.groups, ...partialSizes(normGroups(p))]),
  run(gpu, p, [dy, x, mean, variance, own], [dx], [averages, leans, partial]) {
    const groups = normGroups(p)
    const options = packed(OPTIONS, p)
    const gamma = p.affine ? own : dy
    if (p.fixed) return FIXED_GRADIENT.run(gpu, groups, [dy, gamma, variance, options], dx)
    const share = 1 / (p.outer * p.inner)
    AVERAGES.run(gpu, groups, [dy, gamma, options], averages, partial, share)
    LEANS.run(gpu, groups, [dy, gamma, x, mean, variance, options], leans, partial, share)
    GRADIENT.run(gpu, groups, [dy, gamma, x, mean, variance, averages, leans, options], dx)
  },
}

/** (dy - sum / count - h lean / count) gamma / sqrt(variance + eps) */
function partGradientOf(
  i: number,
  group: number,
  dy: Texels,
  gamma: Texels,
  x: Texels,
  mean: Texels,
  variance: Texels,
  sum: Texels,
  lean: Texels,
  count: number,
  options: Options,
): number {
  const spread = deviation(group, variance, options)
  const h = (at(x, i) - at(mean, group)) / spread
  const d = at(dy, i) - at(sum, group) / count - (h * at(lean, group)) / count
  if (options.affine > 0) {
    return (d * at(gamma, group)) / spread
  }
  return d / spread
}

const PART_GRADIENT = elements(
  'normalizePartGradient',
  partGradientOf,
  [...WITH_STATISTICS, 'texels', 'texels', 'number', OPTIONS],
  HELPERS,
)

export const normalizePartGradient: GpuKernel<'normalizePartGradient'> = {
  programs: PART_GRADIENT.programs,
  run(gpu, p, [dy, x, mean, variance, sum, lean, own], [dx]) {
    const gamma = p.affine ? own : dy
    PART_GRADIENT.run(gpu, normGroups(p), [dy, gamma, x, mean, variance, sum, lean, p.count, packed(OPTIONS, p)], dx)
  },
}

/** dy h. */
function scaleTerm(
  j: number,
  _channel: number,
  dy: Texels,
  x: Texels,
  mean: Texels,
  variance: Texels,
  options: Options,
): number {
  const group = cyclic(j, options.affine, options.affineInner)
  return at(dy, j) * ((at(x, j) - at(mean, group)) / deviation(group, variance, options))
}

const SCALE = reduction('normalizeScaleGradient', 'sum', scaleTerm, ['texels', ...STATISTICS, OPTIONS], HELPERS)

/** x [runs, affineSize, affineInner], as gamma sees it. */
function channels({ outer, groups, inner, affineSize, affineInner }: KernelParameters['normalize']): Groups {
  const runs = (outer * groups * inner) / (affineSize * affineInner)
  return { shape: [runs, affineSize, affineInner], reduced: [true, false, true] }
}

export const normalizeScaleGradient: GpuKernel<'normalizeScaleGradient'> = {
  programs: SCALE.programs,
  workspaces: (p) => partialSizes(channels(p)),
  run(gpu, p, [dy, x, mean, variance], [dgamma], [partial]) {
    SCALE.run(gpu, channels(p), [dy, x, mean, variance, [p.eps, p.inner, p.groups, 0]], dgamma, partial)
  },
}
