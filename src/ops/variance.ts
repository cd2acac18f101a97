/** The spread of values around their mean: the variance, and its root. */
import { BOOLEAN, NUMBER } from '../memory/arguments.js'
import { sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { apply, define, type Op } from './op.js'
import {
  type Axes,
  type BesideAxes,
  countOf,
  marks,
  type Reduced,
  type ReduceOptions,
  reducedShape,
  reduction,
  samples,
  settled,
  together,
} from './reduction.js'
import { throughRoot } from './root.js'
import { grid } from './sample.js'

export interface VarianceOptions extends ReduceOptions {
  /** default 1, the unbiased estimate */
  correction?: number
}

interface Variance extends Reduced {
  correction: number
}

const VARIANCE = reduction<VarianceOptions>({ keepDims: BOOLEAN, correction: NUMBER })

const varianceOp: Op<Variance> = {
  name: 'variance',
  shape: ([x], options) => reducedShape('variance', x, options),
  extras: ([x], options) => [sizeOf(reducedShape('variance', x, options))],
  forward: (call) => {
    const {
      device,
      shapes: [shape],
      options,
      inputs,
      output,
      extras,
    } = call
    const reduced = marks('variance', shape, options)
    const count = countOf(call)
    device.run('reduce', { shape, reduced, function: 'sum', scale: 1 / count, accumulate: false }, inputs, extras)
    const scale = 1 / (count - options.correction)
    device.run('squaredDeviation', { shape, reduced, scale }, [inputs[0], extras[0]], [output])
  },
  gradients: [
    {
      // d/dx of sum (x - mean)^2 / (n - c): the derivative through the mean cancels, since deviations sum to 0.
      saves: [0, 'extras'],
      send: (call, target) => {
        const {
          shapes: [shape],
          options,
          dy,
          input,
          extra,
        } = call
        const scale = 2 / (countOf(call) - options.correction)
        const parameters = { shape, reduced: marks('variance', shape, options), scale }
        target.run('squaredDeviationGradient', parameters, [dy, input(0), extra(0)])
      },
    },
  ],
  samples: [0, 1].flatMap((correction) =>
    samples(grid).map(({ inputs, options }) => ({ inputs, options: { correction, ...options } })),
  ),
}
/**
 * sum (x - mean)^2 / (n - correction) over `axes`.
 * @param options.correction  default 1, the unbiased estimate; if it equals n the result is NaN or infinity, as in PyTorch
 * Saves x and the mean.
 */
export const variance = define(
  varianceOp,
  VARIANCE,
  (x: Tensor, axes?: Axes | VarianceOptions, options?: BesideAxes<VarianceOptions>) =>
    apply(varianceOp, [x], { correction: together(axes, options).correction ?? 1, ...settled(axes, options) }),
)

const stdOp: Op<Variance> = {
  ...varianceOp,
  name: 'std',
  shape: ([x], options) => reducedShape('std', x, options),
  forward: (call) => {
    const { device, output, workspace } = call
    const squared = workspace(output.size)
    varianceOp.forward?.({ ...call, output: squared })
    device.run('unary', { size: output.size, function: 'sqrt', a: 0, b: 0 }, [squared], [output])
  },
  gradients: [
    {
      saves: [0, 'output', 'extras'],
      send: (call, target) => {
        const y = call.output()
        const dy = throughRoot(call, y)
        varianceOp.gradients[0]?.send({ ...call, dy }, target, 0)
      },
    },
  ],
}
/** The standard deviation, the root of `variance`; its gradient is 0 where y = 0, as in PyTorch. Saves x, y and the mean. */
export const std = define(
  stdOp,
  VARIANCE,
  (x: Tensor, axes?: Axes | VarianceOptions, options?: BesideAxes<VarianceOptions>) =>
    apply(stdOp, [x], { correction: together(axes, options).correction ?? 1, ...settled(axes, options) }),
)
