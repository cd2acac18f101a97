/** Sums over any axes, and what is made of them: mean, norm, the logarithm of a sum of exponentials. */
import { sizeOf, stridesOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { apply, type Call, define, type Op } from './op.js'
import {
  type Axes,
  type BesideAxes,
  countOf,
  marks,
  REDUCE,
  type Reduced,
  type ReduceOptions,
  reducedShape,
  samples,
  settled,
  spread,
} from './reduction.js'
import { throughRoot } from './root.js'
import { grid, offGrid } from './sample.js'

/** sum, and mean with scale 1 / count: dx = scale dy, repeated. */
function sumLike(name: 'sum' | 'mean'): Op<Reduced> {
  const scale = (call: Call<Reduced>): number => (name === 'mean' ? 1 / countOf(call) : 1)
  return {
    name,
    shape: ([x], options) => reducedShape(name, x, options),
    forward: (call) => {
      const shape = call.shapes[0]
      const reduced = marks(name, shape, call.options)
      call.device.run(
        'reduce',
        { shape, reduced, function: 'sum', scale: scale(call), accumulate: false },
        call.inputs,
        [call.output],
      )
    },
    gradients: [
      {
        saves: [],
        send: (call, target) => {
          const { device, dy, shape, shapes, options, workspace } = call
          const scaled = workspace(sizeOf(shape))
          device.run('unary', { size: sizeOf(shape), function: 'affine', a: scale(call), b: 0 }, [dy], [scaled])
          const strides = spread(shapes[0], marks(name, shapes[0], options))
          target.run('stridedCopy', { shape: shapes[0], strides, offset: 0 }, [scaled])
        },
      },
    ],
    linear: [0],
    samples: samples(grid),
  }
}

const sumOp = sumLike('sum')
/**
 * The sum over axes: `sum(x)` over all, `sum(x, 1)`, `sum(x, [0, 1], { keepDims: true })`, `sum(x, { axes: 1 })`.
 * @throws ShapeError  an axis outside the rank
 * Saves nothing.
 */
export const sum = define(
  sumOp,
  REDUCE,
  (x: Tensor, axes?: Axes | ReduceOptions, options?: BesideAxes<ReduceOptions>) =>
    apply(sumOp, [x], settled(axes, options)),
)

const meanOp = sumLike('mean')
/** The mean over axes, which are given as for `sum`. @throws ShapeError  an axis outside the rank. Saves nothing. */
export const mean = define(
  meanOp,
  REDUCE,
  (x: Tensor, axes?: Axes | ReduceOptions, options?: BesideAxes<ReduceOptions>) =>
    apply(meanOp, [x], settled(axes, options)),
)

const normOp: Op<Reduced> = {
  name: 'norm',
  shape: ([x], options) => reducedShape('norm', x, options),
  forward: ({ device, shapes: [shape], options, inputs, output, workspace }) => {
    const [zero, squared] = [workspace(output.size), workspace(output.size)]
    device.run('fill', { size: output.size, value: 0 }, [], [zero])
    const parameters = { shape, reduced: marks('norm', shape, options), scale: 1 }
    device.run('squaredDeviation', parameters, [inputs[0], zero], [squared])
    device.run('unary', { size: output.size, function: 'sqrt', a: 0, b: 0 }, [squared], [output])
  },
  gradients: [
    {
      saves: [0, 'output'],
      send: (call, target) => {
        const {
          shapes: [shape],
          options,
          input,
          output,
        } = call
        const reduced = marks('norm', shape, options)
        const strides = { stridesA: stridesOf(shape), stridesB: spread(shape, reduced) }
        const squared = call.workspace(sizeOf(call.shape))
        const twice = { size: sizeOf(call.shape), function: 'affine', a: 2, b: 0 } as const
        call.device.run('unary', twice, [throughRoot(call, output())], [squared])
        target.run('binary', { function: 'mul', shape, ...strides }, [input(0), squared])
      },
    },
  ],
  samples: samples(offGrid),
}
/**
 * The Euclidean norm over axes, which are given as for `sum`: the root of the sum of squares. Its gradient is x / y, and 0
 * where y = 0, as in PyTorch. A norm beyond 1.8e19, whose square float32 does not hold, is Infinity.
 * @throws ShapeError  an axis outside the rank
 * Saves x and y.
 */
export const norm = define(
  normOp,
  REDUCE,
  (x: Tensor, axes?: Axes | ReduceOptions, options?: BesideAxes<ReduceOptions>) =>
    apply(normOp, [x], settled(axes, options)),
)
