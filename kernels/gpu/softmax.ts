/**
 * Softmax and its logarithm along the middle axis of [outer, size, inner], and their gradients. Reductions first find
 * the maximum and the sums of each row. Not here: softmax of attention scores (attention.ts).
 */
import { at, exponential, logarithm } from './machine/builtins.js'
import { elements, PLAIN, POWERS, partialSizes, reduction, rowsOf } from './machine/groups.js'
import type { GpuKernel } from './machine/kernel.js'
import type { Texels } from './machine/program.js'

function shareOf(i: number, group: number, x: Texels, max: Texels, total: Texels): number {
  return exponential(at(x, i) - at(max, group)) / at(total, group)
}

function logShareOf(i: number, group: number, x: Texels, max: Texels, total: Texels): number {
  return at(x, i) - at(max, group) - logarithm(at(total, group))
}

const SHARES = elements('softmax', shareOf, ['texels', 'texels', 'texels'])
const LOG_SHARES = elements('softmax, logarithm', logShareOf, ['texels', 'texels', 'texels'])

export const softmax: GpuKernel<'softmax'> = {
  programs: [PLAIN.max, POWERS, SHARES, LOG_SHARES].flatMap(({ programs }) => programs),
  workspaces: (p) => [p.outer * p.inner, p.outer * p.inner, ...partialSizes(rowsOf(p))],
  run(gpu, p, [x], [y], [max, total, partial]) {
    const rows = rowsOf(p)
    PLAIN.max.run(gpu, rows, [x], max, partial)
    POWERS.run(gpu, rows, [x, max], total, partial)
    const shares = p.log ? LOG_SHARES : SHARES
    shares.run(gpu, rows, [x, max, total], y)
  },
}

function productTerm(j: number, _group: number, dy: Texels, y: Texels): number {
  return at(dy, j) * at(y, j)
}

/** scale y (dy - sum of dy y) */
function gradientOf(i: number, group: number, dy: Texels, y: Texels, total: Texels, scale: number): number {
  return scale * at(y, i) * (at(dy, i) - at(total, group))
}

/** dy - exp(y) sum of dy */
function logGradientOf(i: number, group: number, dy: Texels, y: Texels, total: Texels): number {
  return at(dy, i) - exponential(at(y, i)) * at(total, group)
}

const PRODUCTS = reduction('softmaxGradient, totals', 'sum', productTerm, ['texels', 'texels'])
const GRADIENT = elements('softmaxGradient', gradientOf, ['texels', 'texels', 'texels', 'number'])
const LOG_GRADIENT = elements('softmaxGradient, logarithm', logGradientOf, ['texels', 'texels', 'texels'])

export const softmaxGradient: GpuKernel<'softmaxGradient'> = {
  programs: [PRODUCTS, GRADIENT, PLAIN.sum, LOG_GRADIENT].flatMap(({ programs }) => programs),
  workspaces: (p) => [p.outer * p.inner, ...partialSizes(rowsOf(p))],
  run(gpu, p, [dy, y], [dx], [total, partial]) {
    const rows = rowsOf(p)
    if (p.log) {
      PLAIN.sum.run(gpu, rows, [dy], total, partial)
      return LOG_GRADIENT.run(gpu, rows, [dy, y, total], dx)
    }
    PRODUCTS.run(gpu, rows, [dy, y], total, partial)
    GRADIENT.run(gpu, rows, [dy, y, total, 1], dx)
  },
}

export const attentionSoftmaxGradient: GpuKernel<'attentionSoftmaxGradient'> = {
  programs: [...PRODUCTS.programs, ...GRADIENT.programs],
  workspaces: ({ rows, size }) => [rows, ...partialSizes(rowsOf({ outer: rows, size, inner: 1 }))],
  run(gpu, { rows, size, scale }, [dp, p], [ds], [total, partial]) {
    const groups = rowsOf({ outer: rows, size, inner: 1 })
    PRODUCTS.run(gpu, groups, [dp, p], total, partial)
    GRADIENT.run(gpu, groups, [dp, p, total, scale], ds)
  },
}
