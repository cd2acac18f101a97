/**
 * Normalisation with given moments (deviation.ts computes them), as kernels/reference/norm.ts defines it: with
 * h = (x - mean) / sqrt(variance + eps), y = h gamma + beta.
 */
import type { KernelParameters } from '../kernels.js'
import { at, quotient } from './machine/builtins.js'
import { elements, type Groups, normGroups, partialSizes, reduction } from './machine/groups.js'
import type { GpuKernel } from './machine/kernel.js'
import { type ArgumentKind, type Helpers, type Named, packed, type Texels } from './machine/program.js'

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
