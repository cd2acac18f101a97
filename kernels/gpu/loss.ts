/**
 * Losses that are means over the elements of a row, their gradients, and the weighted mean of all rows. Not here:
 * cross-entropy over classes (cross-entropy.ts).
 */
import type { KernelParameters } from '../kernels.js'
import { at } from './machine/builtins.js'
import { UNARY } from './machine/functions.js'
import { type Elements, elements, type Groups, partialSizes, type Reduction, reduction } from './machine/groups.js'
import type { GpuKernel } from './machine/kernel.js'
import type { Four, Helpers, Program, Texels, Thread } from './machine/program.js'

declare function point(prediction: number, target: number): number
declare function softplus(x: number): number
declare function sigmoid(x: number): number

function squaredError(p: number, t: number): number {
  return (p - t) * (p - t)
}
function squaredErrorDerivative(p: number, t: number): number {
  return 2 * (p - t)
}

/** -t log s(x) - (1 - t) log(1 - s(x)), where s is the sigmoid: softplus(-|x|), plus (1 - t) |x| or t |x|. */
function crossEntropy(x: number, t: number): number {
  const share = x > 0 ? 1 - t : t
  const size = Math.abs(x)
  return softplus(-size) + (share === 0 ? 0 : share * size)
}
function crossEntropyDerivative(x: number, t: number): number {
  return sigmoid(x) - t
}

function lossOf(j: number, _row: number, prediction: Texels, target: Texels): number {
  const x = at(prediction, j)
  const wanted = at(target, j)
  return point(x, wanted)
}

/** dy w / total / size times the derivative; 0 in a row of weight 0, even if the row holds NaN. */
function slopeOf(
  i: number,
  row: number,
  dy: Texels,
  total: Texels,
  prediction: Texels,
  target: Texels,
  weights: Texels,
  size: number,
): number {
  const counted = at(weights, row)
  const all = at(total, 0)
  if (counted === 0 || all === 0) {
    return 0
  }
  const x = at(prediction, i)
  const wanted = at(target, i)
  return ((at(dy, 0) * (counted / all)) / size) * point(x, wanted)
}

type Name = KernelParameters['lossRows']['function']

const losses = (name: Name, helpers: Helpers): Reduction =>
  reduction(`lossRows ${name}`, 'sum', lossOf, ['texels', 'texels'], helpers)

const gradients = (name: Name, helpers: Helpers): Elements => {
  const kinds = ['texels', 'texels', 'texels', 'texels', 'texels', 'number'] as const
  return elements(`lossRowsGradient ${name}`, slopeOf, kinds, helpers)
}

const LOSSES = {
  squaredError: losses('squaredError', { point: squaredError }),
  binaryCrossEntropyWithLogits: losses('binaryCrossEntropyWithLogits', {
    softplus: UNARY.softplus.f,
    point: crossEntropy,
  }),
}
const GRADIENTS = {
  squaredError: gradients('squaredError', { point: squaredErrorDerivative }),
  binaryCrossEntropyWithLogits: gradients('binaryCrossEntropyWithLogits', {
    sigmoid: UNARY.sigmoid.f,
    point: crossEntropyDerivative,
  }),
}

const rowsOf = ({ rows, size }: KernelParameters['lossRows']): Groups => ({
  shape: [rows, size],
  reduced: [false, true],
})

export const lossRows: GpuKernel<'lossRows'> = {
  programs: Object.values(LOSSES).flatMap(({ programs }) => programs),
  workspaces: (p) => partialSizes(rowsOf(p)),
  run(gpu, p, [prediction, target], [losses], [partial]) {
    LOSSES[p.function].run(gpu, rowsOf(p), [prediction, target], losses, partial, 1 / p.size)
  },
}

export const lossRowsGradient: GpuKernel<'lossRowsGradient'> = {
  programs: Object.values(GRADIENTS).flatMap(({ programs }) => programs),
  run(gpu, p, [dy, total, prediction, target, weights], [dprediction]) {
    const operands = [dy, total, prediction, target, weights, p.size]
    GRADIENTS[p.function].run(gpu, rowsOf(p), operands, dprediction)
  },
}

/** sum(w l) and sum(w) of rows i, i + parts, ... A row of weight 0 does not count, even if its loss is NaN. */
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

/** sum(w) of all parts; or, if `divides` is 1, sum(w l) / sum(w), which is 0 if sum(w) is 0. */
function totalOf(this: Thread, partial: Texels, parts: number, divides: number): Four {
  let sum = 0.0
  let all = 0.0
  for (let i = 0; i < parts; i++) {
    const v = partial[i]
    sum = sum + v[0]
    all = all + v[1]
  }
  if (divides > 0 && all !== 0) {
    all = sum / all
  }
  return [all, all, all, all]
}

const SUMS: Program = {
  name: 'weightedMean, parts',
  source: sumsOf,
  kinds: ['texels', 'texels', 'number', 'number'],
}
const TOTAL: Program = { name: 'weightedMean', source: totalOf, kinds: ['texels', 'number', 'number'] }

/**
 * There are as many parts as rows in a part: the parts are summed side by side, which takes as long as the sum over the
 * parts.
 */
const partsOf = (rows: number): number => Math.ceil(Math.sqrt(rows))

export const weightedMean: GpuKernel<'weightedMean'> = {
  programs: [SUMS, TOTAL],
  workspaces: ({ rows }) => [4 * partsOf(rows)],
  run(gpu, { rows }, [losses, weights], [mean, total], [partial]) {
    const parts = partsOf(rows)
    gpu.run(SUMS, [losses, weights, rows, parts], partial)
    gpu.run(TOTAL, [partial, parts, 1], mean)
    gpu.run(TOTAL, [partial, parts, 0], total)
  },
}
