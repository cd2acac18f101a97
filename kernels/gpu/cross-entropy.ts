/**
 * Cross-entropy of every row, and its gradient. For a row of weight 0 a program selects 0 instead of multiplying by 0,
 * so that a NaN in the row does not spread.
 *
 *   logits [outer, classes, inner], targets [outer, inner], weights [outer]
 *
 * Loss and gradient need the maximum of a row and sums over it. If classes are few, a loop finds them whenever they are
 * needed. If classes are many, a reduction finds them once for each row; a loop would run again for every value of the
 * gradient.
 */
import type { ClassRows } from '../kernels.js'
import { at, exponential, logarithm, notANumber, quotient } from './machine/builtins.js'
import { BINARY } from './machine/functions-of-two.js'
import { PLAIN, POWERS, partialSizes, reduction, rowsOf } from './machine/groups.js'
import type { GpuKernel } from './machine/kernel.js'
import { eachValue, type Gpu, type Helpers, type Named, packed, type Texels } from './machine/program.js'

const SIZES = ['classes', 'inner', 'weighted'] as const
const OPTIONS = ['ignoreIndex', 'labelSmoothing'] as const
type Sizes = Named<typeof SIZES>
type Options = Named<typeof OPTIONS>

declare function largest(row: number, start: number, logits: Texels, maxima: Texels, sizes: Sizes): number
declare function total(row: number, start: number, max: number, logits: Texels, totals: Texels, sizes: Sizes): number
declare function below(row: number, start: number, max: number, logits: Texels, sums: Texels, sizes: Sizes): number
declare function largerOf(a: number, b: number): number

/** The largest logit of the row that begins at `start`; NaN if one of them is NaN. */
function largestOf(_row: number, start: number, logits: Texels, _maxima: Texels, sizes: Sizes): number {
  let max = at(logits, start)
  for (let c = 1; c < sizes.classes; c++) {
    const value = at(logits, start + c * sizes.inner)
    max = largerOf(max, value)
  }
  return max
}

/** sum of exp(x - max) */
function totalOf(_row: number, start: number, max: number, logits: Texels, _totals: Texels, sizes: Sizes): number {
  let sum = 0.0
  for (let c = 0; c < sizes.classes; c++) {
    sum = sum + exponential(at(logits, start + c * sizes.inner) - max)
  }
  return sum
}

/** sum of max - x */
function belowOf(_row: number, start: number, max: number, logits: Texels, _sums: Texels, sizes: Sizes): number {
  let sum = 0.0
  for (let c = 0; c < sizes.classes; c++) {
    sum = sum + (max - at(logits, start + c * sizes.inner))
  }
  return sum
}

function knownLargest(row: number, _start: number, _logits: Texels, maxima: Texels, _sizes: Sizes): number {
  return at(maxima, row)
}

/** `total` or `below`, which a reduction has found. */
function knownSum(row: number, _start: number, _max: number, _logits: Texels, sums: Texels, _sizes: Sizes): number {
  return at(sums, row)
}

function belowTerm(j: number, row: number, logits: Texels, maxima: Texels): number {
  return at(maxima, row) - at(logits, j)
}

function isClass(target: number, classes: number): number {
  if (target >= 0 && target < classes && Math.floor(target) === target) {
    return 1
  }
  return 0
}

function weight(row: number, target: number, weights: Texels, sizes: Sizes, options: Options): number {
  if (target === options.ignoreIndex) {
    return 0
  }
  if (sizes.weighted > 0) {
    return at(weights, quotient(row, sizes.inner))
  }
  return 1
}

/** (1 - s) (-log p_target) + s / classes * sum of -log p_c, with -log p_c = log(total) + max - x_c */
function lossOf(
  i: number,
  logits: Texels,
  targets: Texels,
  maxima: Texels,
  totals: Texels,
  sums: Texels,
  sizes: Sizes,
  options: Options,
): number {
  const target = at(targets, i)
  if (target === options.ignoreIndex) {
    return 0
  }
  const outer = quotient(i, sizes.inner)
  const start = outer * sizes.classes * sizes.inner + i - outer * sizes.inner
  const max = largest(i, start, logits, maxima, sizes)
  const logTotal = logarithm(total(i, start, max, logits, totals, sizes))
  let loss = notANumber()
  if (isClass(target, sizes.classes) > 0) {
    loss = (1 - options.labelSmoothing) * (logTotal - (at(logits, start + target * sizes.inner) - max))
  }
  if (options.labelSmoothing > 0) {
    const all = sizes.classes * logTotal + below(i, start, max, logits, sums, sizes)
    loss = loss + (options.labelSmoothing / sizes.classes) * all
  }
  return loss
}

function rowWeightOf(i: number, targets: Texels, weights: Texels, sizes: Sizes, options: Options): number {
  return weight(i, at(targets, i), weights, sizes, options)
}

/** The gradient of logit i: dy w / total (softmax - target distribution). */
function slopeOf(
  i: number,
  dy: Texels,
  totalWeight: Texels,
  logits: Texels,
  targets: Texels,
  weights: Texels,
  maxima: Texels,
  totals: Texels,
  sizes: Sizes,
  options: Options,
): number {
  const outer = quotient(i, sizes.classes * sizes.inner)
  const within = i - outer * sizes.classes * sizes.inner
  const c = quotient(within, sizes.inner)
  const row = outer * sizes.inner + within - c * sizes.inner
  const target = at(targets, row)
  const counted = weight(row, target, weights, sizes, options)
  const all = at(totalWeight, 0)
  if (counted === 0 || all === 0) {
    return 0
  }
  if (isClass(target, sizes.classes) < 1) {
    return notANumber()
  }
  const start = i - c * sizes.inner
  const max = largest(row, start, logits, maxima, sizes)
  const probability = exponential(at(logits, i) - max) / total(row, start, max, logits, totals, sizes)
  const wanted = (c === target ? 1 - options.labelSmoothing : 0) + options.labelSmoothing / sizes.classes
  return at(dy, 0) * (counted / all) * (probability - wanted)
}

const ROW = ['number', 'number', 'texels', 'texels', SIZES] as const
const SUM = ['number', 'number', 'number', 'texels', 'texels', SIZES] as const
const SHARED: Helpers = {
  isClass,
  weight: { source: weight, kinds: ['number', 'number', 'texels', SIZES, OPTIONS] },
}
const LOSS = ['texels', 'texels', 'texels', 'texels', 'texels', SIZES, OPTIONS] as const

/** @param helpers  `largest`, `total` and `below` */
const programsOf = (name: string, helpers: Helpers) => ({
  losses: eachValue(`crossEntropyRows, ${name}`, lossOf, LOSS, { ...SHARED, ...helpers }),
  slopes: eachValue(`crossEntropyGradient, ${name}`, slopeOf, ['texels', 'texels', ...LOSS], { ...SHARED, ...helpers }),
})

const FEW = programsOf('few classes', {
  largerOf: BINARY.maximum,
  largest: { source: largestOf, kinds: ROW },
  total: { source: totalOf, kinds: SUM },
  below: { source: belowOf, kinds: SUM },
})
const MANY = programsOf('many classes', {
  largest: { source: knownLargest, kinds: ROW },
  total: { source: knownSum, kinds: SUM },
  below: { source: knownSum, kinds: SUM },
})
const WEIGHTS = eachValue('crossEntropyRows, weights', rowWeightOf, ['texels', 'texels', SIZES, OPTIONS], SHARED)
const BELOW = reduction('crossEntropyRows, below', 'sum', belowTerm, ['texels', 'texels'])

/** From this number of classes on, reductions find the values of a row. */
const MANY_CLASSES = 64

const hasMany = ({ classes }: ClassRows): boolean => classes >= MANY_CLASSES
const groupsOf = (p: ClassRows) => rowsOf({ ...p, size: p.classes })

/**
 * The sizes of `count` workspaces with one value for each row, and of a reduction's partial results. Empty where
 * classes are few.
 */
function rowSizes(p: ClassRows, count: number): readonly number[] {
  if (!hasMany(p)) return []
  return [...new Array<number>(count).fill(p.outer * p.inner), ...partialSizes(groupsOf(p))]
}

/** Maximum and total of each row, where classes are many. */
function reduceRows<Operand>(
  gpu: Gpu<Operand>,
  p: ClassRows,
  logits: Operand,
  max: Operand,
  total: Operand,
  partial?: Operand,
): void {
  if (!hasMany(p)) return
  PLAIN.max.run(gpu, groupsOf(p), [logits], max, partial)
  POWERS.run(gpu, groupsOf(p), [logits, max], total, partial)
}

export const crossEntropyRows: GpuKernel<'crossEntropyRows'> = {
  programs: [FEW.losses, MANY.losses, WEIGHTS],
  workspaces: (p) => rowSizes(p, 3),
  run(
    gpu,
    p,
    [logits, targets, weights = targets],
    [losses, rowWeights],
    [max = logits, total = logits, below = logits, partial],
  ) {
    const options = [packed(SIZES, p), packed(OPTIONS, p)]
    reduceRows(gpu, p, logits, max, total, partial)
    if (hasMany(p) && p.labelSmoothing > 0) BELOW.run(gpu, groupsOf(p), [logits, max], below, partial)
    const { losses: program } = hasMany(p) ? MANY : FEW
    gpu.run(program, [logits, targets, max, total, below, ...options], losses)
    gpu.run(WEIGHTS, [targets, weights, ...options], rowWeights)
  },
}

export const crossEntropyGradient: GpuKernel<'crossEntropyGradient'> = {
  programs: [FEW.slopes, MANY.slopes],
  workspaces: (p) => rowSizes(p, 2),
  run(gpu, p, [dy, all, logits, targets, weights = targets], [dlogits], [max = logits, total = logits, partial]) {
    reduceRows(gpu, p, logits, max, total, partial)
    const { slopes } = hasMany(p) ? MANY : FEW
    gpu.run(slopes, [dy, all, logits, targets, weights, max, total, packed(SIZES, p), packed(OPTIONS, p)], dlogits)
  },
}
