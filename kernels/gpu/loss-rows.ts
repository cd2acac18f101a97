/** Losses that are means over the elements of a row, and their gradients. */
import type { KernelParameters } from '../kernels.js'
import { UNARY } from './machine/functions.js'
import { type Elements, elements, type Groups, partialSizes, type Reduction, reduction } from './machine/groups.js'
import type { GpuKernel } from './machine/kernel.js'
import type { Helpers, Texels } from './machine/program.js'

declare function at(x: Texels, i: number): number
declare function point(prediction: number, target: number): number
declare function softplus(x: number): number
declare function sigmoid(x: number): number

function squaredError(p: number, t: number): number {
  return (p - t) * (p - t)
}
function squaredErrorDerivative(p: number, t: number): number {
  return 2 * (p - t)
}

/** -t log s(x) - (1 - t) log(1 - s(x)), s the sigmoid: softplus(-|x|), and the share of |x| that t does not take. */
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

/** dy w / total / size times the derivative; a row that counts nothing has none, even if it is NaN. */
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
