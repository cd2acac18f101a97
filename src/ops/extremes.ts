/** The largest and the smallest value over axes, and their places. */
import type { Storage } from '../device/storage.js'
import { sizeOf, splitAt } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { apply, define, type ForwardCall, type Op } from './op.js'
import {
  type Axes,
  alongOne,
  type BesideAxes,
  marks,
  REDUCE,
  type Reduced,
  type ReduceOptions,
  reducedShape,
  samples,
  settled,
} from './reduction.js'
import { distinct, sample } from './sample.js'

const maxOp: Op<Reduced> = {
  name: 'max',
  shape: ([x], options) => reducedShape('max', x, options),
  forward: ({ device, shapes: [shape], options, inputs, output }) =>
    device.run(
      'reduce',
      { shape, reduced: marks('max', shape, options), function: 'max', scale: 1, accumulate: false },
      inputs,
      [output],
    ),
  gradients: [
    {
      saves: [0, 'output'],
      send: ({ shapes: [shape], options, dy, input, output }, target) =>
        target.run('maxGradient', { shape, reduced: marks('max', shape, options) }, [dy, input(0), output()]),
    },
  ],
  samples: samples(distinct),
}
/** The maximum over axes, which are given as for `sum`; NaN if an element is NaN. Equal maxima share the gradient evenly. Saves x and y. */
export const max = define(
  maxOp,
  REDUCE,
  (x: Tensor, axes?: Axes | ReduceOptions, options?: BesideAxes<ReduceOptions>) =>
    apply(maxOp, [x], settled(axes, options)),
)

/** -x, so that the smallest value is the largest. */
function negated({ device, shapes: [shape], inputs, workspace }: ForwardCall<Reduced>): Storage {
  const size = sizeOf(shape)
  const negative = workspace(size)
  device.run('unary', { size, function: 'neg', a: 0, b: 0 }, inputs, [negative])
  return negative
}

const minOp: Op<Reduced> = {
  ...maxOp,
  name: 'min',
  shape: ([x], options) => reducedShape('min', x, options),
  forward: (call) => {
    const {
      device,
      shapes: [shape],
      options,
      output,
      workspace,
    } = call
    const largest = workspace(output.size)
    device.run(
      'reduce',
      { shape, reduced: marks('min', shape, options), function: 'max', scale: 1, accumulate: false },
      [negated(call)],
      [largest],
    )
    device.run('unary', { size: output.size, function: 'neg', a: 0, b: 0 }, [largest], [output])
  },
}
/** The minimum over axes, which are given as for `sum`; otherwise as `max`. Saves x and y. */
export const min = define(
  minOp,
  REDUCE,
  (x: Tensor, axes?: Axes | ReduceOptions, options?: BesideAxes<ReduceOptions>) =>
    apply(minOp, [x], settled(axes, options)),
)

/** @param operand  gives the tensor whose first maximum is sought */
function place(name: string, operand: (call: ForwardCall<Reduced>) => Storage): Op<Reduced> {
  return {
    name,
    shape: ([x], options) => reducedShape(name, x, options),
    forward: (call) => {
      const {
        device,
        shapes: [shape],
        options,
        output,
      } = call
      const axis = marks(name, shape, options).indexOf(true)
      const all = { outer: 1, size: sizeOf(shape), inner: 1 }
      device.run('argmax', options.axes === undefined ? all : splitAt(shape, axis), [operand(call)], [output])
    },
    gradients: [null],
    samples: [sample({ axes: 1, keepDims: false }, [[2, 3, 4], distinct])],
  }
}

const argmaxOp = place('argmax', ({ inputs }) => inputs[0])
/**
 * The index of the first maximum along one axis, or without `axes` in the flattened tensor. No gradient.
 * @throws ShapeError     an axis outside the rank
 * @throws ArgumentError  more than one axis
 */
export const argmax = define(
  argmaxOp,
  REDUCE,
  (x: Tensor, axes?: Axes | ReduceOptions, options?: BesideAxes<ReduceOptions>) =>
    apply(argmaxOp, [x], alongOne('argmax', axes, options)),
)

const argminOp = place('argmin', negated)
/** The index of the first minimum; otherwise as `argmax`. */
export const argmin = define(
  argminOp,
  REDUCE,
  (x: Tensor, axes?: Axes | ReduceOptions, options?: BesideAxes<ReduceOptions>) =>
    apply(argminOp, [x], alongOne('argmin', axes, options)),
)
