/** The logarithm of a sum of exponentials, over any axes. */
import { sizeOf, stridesOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { apply, define, type Op } from './op.js'
import {
  type Axes,
  type BesideAxes,
  marks,
  REDUCE,
  type Reduced,
  type ReduceOptions,
  reducedShape,
  samples,
  settled,
  spread,
} from './reduction.js'
import { grid } from './sample.js'

/** The largest float32: the distance of an infinite value from it is still infinite, but that of Infinity from itself is NaN. */
const LARGEST = 3.4028234663852886e38

const NONE = { a: 0, b: 0 }

const logSumExpOp: Op<Reduced> = {
  name: 'logSumExp',
  shape: ([x], options) => reducedShape('logSumExp', x, options),
  forward: ({ device, shapes: [shape], options, inputs, output, workspace }) => {
    const reduced = marks('logSumExp', shape, options)
    const [all, size] = [sizeOf(shape), output.size]
    const [max, base, sum, log] = [workspace(size), workspace(size), workspace(size), workspace(size)]
    const [distance, share] = [workspace(all), workspace(all)]
    device.run('reduce', { shape, reduced, function: 'max', scale: 1, accumulate: false }, inputs, [max])
    device.run('unary', { size, function: 'clamp', a: -LARGEST, b: LARGEST }, [max], [base])
    const strides = { stridesA: stridesOf(shape), stridesB: spread(shape, reduced) }
    device.run('binary', { function: 'sub', shape, ...strides }, [inputs[0], base], [distance])
    device.run('unary', { size: all, function: 'exp', ...NONE }, [distance], [share])
    device.run('reduce', { shape, reduced, function: 'sum', scale: 1, accumulate: false }, [share], [sum])
    device.run('unary', { size, function: 'log', ...NONE }, [sum], [log])
    device.run('binary', { function: 'add', shape: [size], stridesA: [1], stridesB: [1] }, [log, base], [output])
  },
  gradients: [
    {
      saves: [0, 'output'],
      send: ({ device, shapes: [shape], options, dy, input, output, workspace }, target) => {
        const size = sizeOf(shape)
        const [distance, share] = [workspace(size), workspace(size)]
        const strides = { stridesA: stridesOf(shape), stridesB: spread(shape, marks('logSumExp', shape, options)) }
        device.run('binary', { function: 'sub', shape, ...strides }, [input(0), output()], [distance])
        device.run('unary', { size, function: 'exp', ...NONE }, [distance], [share])
        target.run('binary', { function: 'mul', shape, ...strides }, [share, dy])
      },
    },
  ],
  samples: samples(grid),
}
/**
 * ln of the sum of e^x over axes, which are given as for `sum`. It is computed from the distances to the maximum, so that no
 * finite x overflows. The gradient is e^(x - y).
 * @throws ShapeError  an axis outside the rank
 * Saves x and y.
 */
export const logSumExp = define(
  logSumExpOp,
  REDUCE,
  (x: Tensor, axes?: Axes | ReduceOptions, options?: BesideAxes<ReduceOptions>) =>
    apply(logSumExpOp, [x], settled(axes, options)),
)
