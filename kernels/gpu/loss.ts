/**
 * Cross-entropy by row, its gradient, and the weighted mean of row losses. A row that counts nothing is chosen, not
 * multiplied by 0, so that a NaN in it stays there.
 */
import type { ClassRows } from '../kernels.js'
import { BINARY } from './machine/functions.js'
import { PLAIN, partialSizes, reduction } from './machine/groups.js'
import type { GpuKernel } from './machine/kernel.js'
import { eachValue, type Four, type Helpers, type Program, type Texels, type Thread } from './machine/program.js'
import { POWERS, rowsOf } from './softmax.js'

declare function quotient(i: number, n: number): number
declare function at(x: Texels, i: number): number
declare function notANumber(): number
declare function exponential(x: number): number
declare function logarithm(x: number): number
declare function largest(row: number, start: number, logits: Texels, maxima: Texels, sizes: Four): number
declare function total(row: number, start: number, max: number, logits: Texels, totals: Texels, sizes: Four): number
declare function below(row: number, start: number, max: number, logits: Texels, sums: Texels, sizes: Four): number
declare function largerOf(a: number, b: number): number
declare function isClass(target: number, classes: number): number
declare function weight(row: number, target: number, weights: Texels, sizes: Four, options: Four): number

/*
 * What a row's loss and gradient need of the whole row is found by a loop each time it is asked for, if the classes are
 * few, or else once for each row beforehand: else a gradient would take as many rounds for each of its values.
 *
 * logits [outer, classes, inner], targets [outer, inner], weights [outer]
 * sizes: outer, classes, inner, 1 where there are weights
 * options: ignoreIndex, labelSmoothing
 */

/** Of the row of logits that begins at `start`. A NaN among them becomes the largest. */
function largestOf(_row: number, start: number, logits: Texels, _maxima: Texels, sizes: Four): number {
  let max = at(logits, start)
  for (let c = 1; c < sizes[1]; c++) {
    const value = at(logits, start + c * sizes[2])
    max = largerOf(max, value)
  }
  return max
}

/** sum of exp(x - max) */
function totalOf(_row: number, start: number, max: number, logits: Texels, _totals: Texels, sizes: Four): number {
  let sum = 0.0
  for (let c = 0; c < sizes[1]; c++) {
    sum = sum + exponential(at(logits, start + c * sizes[2]) - max)
  }
  return sum
}

/** sum of max - x */
function belowOf(_row: number, start: number, max: number, logits: Texels, _sums: Texels, sizes: Four): number {
  let sum = 0.0
  for (let c = 0; c < sizes[1]; c++) {
    sum = sum + (max - at(logits, start + c * sizes[2]))
  }
  return sum
}

function knownLargest(row: number, _start: number, _logits: Texels, maxima: Texels, _sizes: Four): number {
  return at(maxima, row)
}

/** Of either sum. */
function knownSum(row: number, _start: number, _max: number, _logits: Texels, sums: Texels, _sizes: Four): number {
  return at(sums, row)
}

function belowTerm(j: number, row: number, logits: Texels, maxima: Texels): number {
  return at(maxima, row) - at(logits, j)
}

function isClassOf(target: number, classes: number): number {
  if (target >= 0 && target < classes && Math.floor(target) === target) {
    return 1
  }
  return 0
}

function weightOf(row: number, target: number, weights: Texels, sizes: Four, options: Four): number {
  if (target === options[0]) {
    return 0
  }
  if (sizes[3] > 0) {
    return at(weights, quotient(row, sizes[2]))
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
  sizes: Four,
  options: Four,
): number {
  const target = at(targets, i)
  if (target === options[0]) {
    return 0
  }
  const outer = quotient(i, sizes[2])
  const start = outer * sizes[1] * sizes[2] + i - outer * sizes[2]
  const max = largest(i, start, logits, maxima, sizes)
  const logTotal = logarithm(total(i, start, max, logits, totals, sizes))
  let loss = notANumber()
  if (isClass(target, sizes[1]) > 0) {
    loss = (1 - options[1]) * (logTotal - (at(logits, start + target * sizes[2]) - max))
  }
  if (options[1] > 0) {
    const all = sizes[1] * logTotal + below(i, start, max, logits, sums, sizes)
    loss = loss + (options[1] / sizes[1]) * all
  }
  return loss
}

function rowWeightOf(i: number, targets: Texels, weights: Texels, sizes: Four, options: Four): number {
  return weight(i, at(targets, i), weights, sizes, options)
}

/** dy w / total (softmax - target distribution) of value i */
function slopeOf(
  i: number,
  dy: Texels,
  totalWeight: Texels,
  logits: Texels,
  targets: Texels,
  weights: Texels,
  maxima: Texels,
  totals: Texels,
  sizes: Four,
  options: Four,
): number {
  const outer = quotient(i, sizes[1] * sizes[2])
  const within = i - outer * sizes[1] * sizes[2]
  const c = quotient(within, sizes[2])
  const row = outer * sizes[2] + within - c * sizes[2]
  const target = at(targets, row)
  const counted = weight(row, target, weights, sizes, options)
  const all = at(totalWeight, 0)
  if (counted === 0 || all === 0) {
    return 0
  }
  if (isClass(target, sizes[1]) < 1) {
    return notANumber()
  }
  const start = i - c * sizes[2]
  const max = largest(row, start, logits, maxima, sizes)
  const probability = exponential(at(logits, i) - max) / total(row, start, max, logits, totals, sizes)
  const wanted = (c === target ? 1 - options[1] : 0) + options[1] / sizes[1]
  return at(dy, 0) * (counted / all) * (probability - wanted)
}

/** Rows this.thread.x, + parts, ...: sum(w l), sum(w). A row of weight 0 does not count, even if its loss is NaN. */
function sumsOf(this: Thread, losses: Texels, weights: Texels, rows: number, parts: number): Four {
  let sum = 0.0
  let all = 0.0
  for (let r = this.thread.x; r < rows; r += parts) {
    const counted = at(weights, r)
    if (counted !== 0) {
      sum = sum + counted * at(losses, r)
      all = all + counted
    }
  }
  return [sum, all, 0, 0]
}

function meanOf(this: Thread, partial: Texels, parts: number): Four {
  let sum = 0.0
  let all = 0.0
  for (let i = 0; i < parts; i++) {
    const v = partial[i]
    sum = sum + v[0]
    all = all + v[1]
  }
  const mean = all === 0 ? 0 : sum / all
  return [mean, mean, mean, mean]
}

function allOf(this: Thread, partial: Texels, parts: number): Four {
  let all = 0.0
  for (let i = 0; i < parts; i++) {
    const v = partial[i]
    all = all + v[1]
  }
  return [all, all, all, all]
}

const SHARED = {
  isClass: isClassOf,
  weight: { source: weightOf, kinds: ['number', 'number', 'texels', 'four', 'four'] },
} as const
const LARGEST = ['number', 'number', 'texels', 'texels', 'four'] as const
const SUM = ['number', 'number', 'number', 'texels', 'texels', 'four'] as const

/** The programs, which find by these helpers what they need of a row. */
const programsOf = (name: string, helpers: Helpers) => ({
  losses: eachValue(
    `crossEntropyRows, ${name}`,
    lossOf,
    ['texels', 'texels', 'texels', 'texels', 'texels', 'four', 'four'],
    { ...SHARED, ...helpers },
  ),
  slopes: eachValue(
    `crossEntropyGradient, ${name}`,
    slopeOf,
    ['texels', 'texels', 'texels', 'texels', 'texels', 'texels', 'texels', 'four', 'four'],
    { ...SHARED, ...helpers },
  ),
})

const FEW = programsOf('few classes', {
  largerOf: BINARY.maximum,
  largest: { source: largestOf, kinds: LARGEST },
  total: { source: totalOf, kinds: SUM },
  below: { source: belowOf, kinds: SUM },
})
const MANY = programsOf('many classes', {
  largest: { source: knownLargest, kinds: LARGEST },
  total: { source: knownSum, kinds: SUM },
  below: { source: knownSum, kinds: SUM },
})
const WEIGHTS = eachValue('crossEntropyRows, weights', rowWeightOf, ['texels', 'texels', 'four', 'four'], SHARED)
const BELOW = reduction('crossEntropyRows, below', 'sum', belowTerm, ['texels', 'texels'])
const SUMS: Program = {
  name: 'weightedMean, parts',
  source: sumsOf,
  kinds: ['texels', 'texels', 'number', 'number'],
}
const MEAN: Program = { name: 'weightedMean', source: meanOf, kinds: ['texels', 'number'] }
const TOTAL: Program = { name: 'weightedMean, total', source: allOf, kinds: ['texels', 'number'] }

const sizesOf = ({ outer, classes, inner, weighted }: ClassRows): Four => [outer, classes, inner, weighted ? 1 : 0]
const optionsOf = ({ ignoreIndex, labelSmoothing }: ClassRows): Four => [ignoreIndex, labelSmoothing, 0, 0]

/** From so many on, rows are looked at beforehand. */
const LEAST_OF_MANY = 64

const hasMany = ({ classes }: ClassRows): boolean => classes >= LEAST_OF_MANY

/** Maxima and totals of the rows, and then of `more`, with the parts that finding them takes. */
function rowSizes(p: ClassRows, more = 0): readonly number[] {
  if (!hasMany(p)) return []
  const rows = p.outer * p.inner
  return [...new Array<number>(2 + more).fill(rows), ...partialSizes(rowsOf({ ...p, size: p.classes }))]
}

export const crossEntropyRows: GpuKernel<'crossEntropyRows'> = {
  programs: [FEW.losses, MANY.losses, WEIGHTS],
  workspaces: (p) => rowSizes(p, 1),
  run(
    gpu,
    p,
    [logits, targets, weights],
    [losses, rowWeights],
    [max = logits, total = logits, below = logits, partial],
  ) {
    const rows = rowsOf({ ...p, size: p.classes })
    if (hasMany(p)) {
      PLAIN.max.run(gpu, rows, [logits], max, partial)
      POWERS.run(gpu, rows, [logits, max], total, partial)
      if (p.labelSmoothing > 0) BELOW.run(gpu, rows, [logits, max], below, partial)
    }
    const { losses: program } = hasMany(p) ? MANY : FEW
    gpu.run(program, [logits, targets, max, total, below, sizesOf(p), optionsOf(p)], losses)
    gpu.run(WEIGHTS, [targets, p.weighted ? weights : targets, sizesOf(p), optionsOf(p)], rowWeights)
  },
}

export const crossEntropyGradient: GpuKernel<'crossEntropyGradient'> = {
  programs: [FEW.slopes, MANY.slopes],
  workspaces: (p) => rowSizes(p),
  run(gpu, p, [dy, all, logits, targets, weights], [dlogits], [max = logits, total = logits, partial]) {
    const rows = rowsOf({ ...p, size: p.classes })
    if (hasMany(p)) {
      PLAIN.max.run(gpu, rows, [logits], max, partial)
      POWERS.run(gpu, rows, [logits, max], total, partial)
    }
    const { slopes } = hasMany(p) ? MANY : FEW
    const operands = [dy, all, logits, targets, p.weighted ? weights : targets]
    gpu.run(slopes, [...operands, max, total, sizesOf(p), optionsOf(p)], dlogits)
  },
}

/** As many as each has rows: one after the other, what takes longest is shortest. */
const partsOf = (rows: number): number => Math.ceil(Math.sqrt(rows))

export const weightedMean: GpuKernel<'weightedMean'> = {
  programs: [SUMS, MEAN, TOTAL],
  workspaces: ({ rows }) => [4 * partsOf(rows)],
  run(gpu, { rows }, [losses, weights], [mean, total], [partial]) {
    gpu.run(SUMS, [losses, weights, rows, partsOf(rows)], partial)
    gpu.run(MEAN, [partial, partsOf(rows)], mean)
    gpu.run(TOTAL, [partial, partsOf(rows)], total)
  },
}
