/**
 * Losses that are means over the elements of a row, and their gradients. Few long rows are summed in parts, as in
 * reduce.ts.
 */
import type { KernelParameters } from '../kernels.js'
import { UNARY } from './functions.js'
import type { GpuKernel } from './kernel.js'
import { eachValue, type Four, type Helpers, type Texels } from './program.js'
import { partsOf, reduce } from './reduce.js'

declare function quotient(i: number, n: number): number
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

/** -t log s(x) - (1 - t) log(1 - s(x)), s the sigmoid */
function crossEntropy(x: number, t: number): number {
  return softplus(x) - x * t
}
function crossEntropyDerivative(x: number, t: number): number {
  return sigmoid(x) - t
}

/** Part p of a row has its elements p, p + parts, ... counts: rows, size, parts. */
function partOf(i: number, prediction: Texels, target: Texels, counts: Four): number {
  const part = quotient(i, counts[0])
  const start = (i - part * counts[0]) * counts[1]
  let sum = 0.0
  for (let j = part; j < counts[1]; j += counts[2]) {
    const x = at(prediction, start + j)
    const wanted = at(target, start + j)
    sum = sum + point(x, wanted)
  }
  return sum / counts[1]
}

/** dy w / total / size times the derivative; a row that counts nothing has none, even if it is NaN. */
function slopeOf(
  i: number,
  dy: Texels,
  total: Texels,
  prediction: Texels,
  target: Texels,
  weights: Texels,
  size: number,
): number {
  const counted = at(weights, quotient(i, size))
  const all = at(total, 0)
  if (counted === 0 || all === 0) {
    return 0
  }
  const x = at(prediction, i)
  const wanted = at(target, i)
  return ((at(dy, 0) * counted) / all / size) * point(x, wanted)
}

type Name = KernelParameters['lossRows']['function']

const lossOf = (name: Name, helpers: Helpers) =>
  eachValue(`lossRows ${name}`, partOf, ['texels', 'texels', 'four'], helpers)
const gradientOf = (name: Name, helpers: Helpers) =>
  eachValue(`lossRowsGradient ${name}`, slopeOf, ['texels', 'texels', 'texels', 'texels', 'texels', 'number'], helpers)

const LOSSES = {
  squaredError: lossOf('squaredError', { point: squaredError }),
  binaryCrossEntropyWithLogits: lossOf('binaryCrossEntropyWithLogits', {
    softplus: UNARY.softplus.f,
    point: crossEntropy,
  }),
}
const GRADIENTS = {
  squaredError: gradientOf('squaredError', { point: squaredErrorDerivative }),
  binaryCrossEntropyWithLogits: gradientOf('binaryCrossEntropyWithLogits', {
    sigmoid: UNARY.sigmoid.f,
    point: crossEntropyDerivative,
  }),
}

const parts = ({ rows, size }: { rows: number; size: number }): number => partsOf({ outputs: rows, count: size })

/** The second pass. */
const sumOfParts = (p: { rows: number; size: number }): KernelParameters['reduce'] => ({
  shape: [parts(p), p.rows],
  reduced: [true, false],
  function: 'sum',
  scale: 1,
  accumulate: false,
})

export const lossRows: GpuKernel<'lossRows'> = {
  programs: Object.values(LOSSES),
  workspaces(p) {
    return parts(p) > 1 ? [parts(p) * p.rows, ...(reduce.workspaces?.(sumOfParts(p)) ?? [])] : []
  },
  run(gpu, p, [prediction, target], [losses], [partial, ...rest]) {
    const { rows, size, function: name } = p
    const cut = parts(p) > 1
    gpu.run(LOSSES[name], [prediction, target, [rows, size, parts(p), 0]], cut ? partial : losses)
    if (cut) reduce.run(gpu, sumOfParts(p), [partial], [losses], rest)
  },
}

export const lossRowsGradient: GpuKernel<'lossRowsGradient'> = {
  programs: Object.values(GRADIENTS),
  run(gpu, { size, function: name }, [dy, total, prediction, target, weights], [dprediction]) {
    gpu.run(GRADIENTS[name], [dy, total, prediction, target, weights, size], dprediction)
  },
}
