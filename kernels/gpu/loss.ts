/**
 * Cross-entropy by row, its gradient, and the weighted mean of row losses. A row that counts nothing is chosen, not
 * multiplied by 0, so that a NaN in it stays there.
 */
import type { ClassRows } from '../kernels.js'
import { BINARY } from './functions.js'
import type { GpuKernel } from './kernel.js'
import { type ArgumentKind, eachValue, type Four, type Program, type Texels, type Thread } from './program.js'

declare function quotient(i: number, n: number): number
declare function at(x: Texels, i: number): number
declare function notANumber(): number
declare function exponential(x: number): number
declare function logarithm(x: number): number
declare function largest(start: number, logits: Texels, sizes: Four): number
declare function total(start: number, max: number, logits: Texels, sizes: Four): number
declare function largerOf(a: number, b: number): number
declare function isClass(target: number, classes: number): number
declare function weight(row: number, target: number, weights: Texels, sizes: Four, options: Four): number
/*
 * logits [outer, classes, inner], targets [outer, inner], weights [outer]
 * sizes: outer, classes, inner, 1 where there are weights
 * options: ignoreIndex, labelSmoothing
 */

/** Of the row of logits that begins at `start`. A NaN among them becomes the largest. */
function largestOf(start: number, logits: Texels, sizes: Four): number {
  let max = at(logits, start)
  for (let c = 1; c < sizes[1]; c++) {
    const value = at(logits, start + c * sizes[2])
    max = largerOf(max, value)
  }
  return max
}

/** sum of exp(x - max) */
function totalOf(start: number, max: number, logits: Texels, sizes: Four): number {
  let sum = 0.0
  for (let c = 0; c < sizes[1]; c++) {
    sum = sum + exponential(at(logits, start + c * sizes[2]) - max)
  }
  return sum
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
function lossOf(i: number, logits: Texels, targets: Texels, _weights: Texels, sizes: Four, options: Four): number {
  const target = at(targets, i)
  if (target === options[0]) {
    return 0
  }
  const outer = quotient(i, sizes[2])
  const start = outer * sizes[1] * sizes[2] + i - outer * sizes[2]
  const max = largest(start, logits, sizes)
  const logTotal = logarithm(total(start, max, logits, sizes))
  let loss = notANumber()
  if (isClass(target, sizes[1]) > 0) {
    loss = (1 - options[1]) * (logTotal - (at(logits, start + target * sizes[2]) - max))
  }
  if (options[1] > 0) {
    let all = 0.0
    for (let c = 0; c < sizes[1]; c++) {
      all = all + logTotal - (at(logits, start + c * sizes[2]) - max)
    }
    loss = loss + (options[1] / sizes[1]) * all
  }
  return loss
}

function rowWeightOf(i: number, _logits: Texels, targets: Texels, weights: Texels, sizes: Four, options: Four): number {
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
  const max = largest(start, logits, sizes)
  const probability = exponential(at(logits, i) - max) / total(start, max, logits, sizes)
  const wanted = (c === target ? 1 - options[1] : 0) + options[1] / sizes[1]
  return ((at(dy, 0) * counted) / all) * (probability - wanted)
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

const OPERANDS: readonly ArgumentKind[] = ['texels', 'texels', 'texels', 'four', 'four']
const HELPERS = {
  largerOf: BINARY.maximum,
  largest: { source: largestOf, kinds: ['number', 'texels', 'four'] },
  total: { source: totalOf, kinds: ['number', 'number', 'texels', 'four'] },
  isClass: isClassOf,
  weight: { source: weightOf, kinds: ['number', 'number', 'texels', 'four', 'four'] },
} as const

const LOSSES = eachValue('crossEntropyRows, losses', lossOf, OPERANDS, HELPERS)
const WEIGHTS = eachValue('crossEntropyRows, weights', rowWeightOf, OPERANDS, HELPERS)
const SLOPES = eachValue('crossEntropyGradient', slopeOf, ['texels', 'texels', ...OPERANDS], HELPERS)
const SUMS: Program = {
  name: 'weightedMean, parts',
  source: sumsOf,
  kinds: ['texels', 'texels', 'number', 'number'],
}
const MEAN: Program = { name: 'weightedMean', source: meanOf, kinds: ['texels', 'number'] }
const TOTAL: Program = { name: 'weightedMean, total', source: allOf, kinds: ['texels', 'number'] }

const sizesOf = ({ outer, classes, inner, weighted }: ClassRows): Four => [outer, classes, inner, weighted ? 1 : 0]
const optionsOf = ({ ignoreIndex, labelSmoothing }: ClassRows): Four => [ignoreIndex, labelSmoothing, 0, 0]

export const crossEntropyRows: GpuKernel<'crossEntropyRows'> = {
  programs: [LOSSES, WEIGHTS],
  run(gpu, p, [logits, targets, weights], [losses, rowWeights]) {
    const args = [logits, targets, p.weighted ? weights : targets, sizesOf(p), optionsOf(p)]
    gpu.run(LOSSES, args, losses)
    gpu.run(WEIGHTS, args, rowWeights)
  },
}

export const crossEntropyGradient: GpuKernel<'crossEntropyGradient'> = {
  programs: [SLOPES],
  run(gpu, p, [dy, total, logits, targets, weights], [dlogits]) {
    const args = [dy, total, logits, targets, p.weighted ? weights : targets, sizesOf(p), optionsOf(p)]
    gpu.run(SLOPES, args, dlogits)
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
