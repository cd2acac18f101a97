/** Reductions over any axes. `keepDims` leaves reduced axes with length 1. */
import { BOOLEAN, either, type Known, NUMBER, optional, options, type Signature } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { AXES, TENSOR } from '../tensor/kinds.js'
import { broadcastStrides, resolveAxes, type Shape, sizeOf, splitAt } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { apply, type Call, define, type Op } from './op.js'
import { type Domain, distinct, grid, type Sample, sample } from './sample.js'

/** One axis or several; negative ones count from the end. */
export type Axes = number | readonly number[]

export interface ReduceOptions {
  /** default all */
  axes?: Axes
  /** default false */
  keepDims?: boolean
}

export interface VarianceOptions extends ReduceOptions {
  /** default 1, the unbiased estimate */
  correction?: number
}

interface Reduced extends ReduceOptions {
  keepDims: boolean
}

interface Variance extends Reduced {
  correction: number
}

/** The options beside `axes`, for a call that gives the axes before them. */
type Rest<Options> = Omit<Options, 'axes'>

const isAxes = (given: unknown): given is Axes => typeof given === 'number' || Array.isArray(given)

/** The options of `sum(x, 1, { keepDims: true })`, or of `sum(x, { axes: 1, keepDims: true })`. */
const together = <Options extends ReduceOptions>(first: Axes | Options | undefined, rest?: Rest<Options>) =>
  (isAxes(first) ? { ...rest, axes: first } : { ...first, ...rest }) as Options

/** A copy of the options: the gradient reads the axes later, when the caller may have changed the list. */
const settled = (first: Axes | ReduceOptions | undefined, rest?: Rest<ReduceOptions>): Reduced => {
  const { axes, keepDims = false } = together(first, rest)
  return { axes: typeof axes === 'number' ? axes : axes && [...axes], keepDims }
}

/** x, then axes or options, then options. */
const reduction = <Options extends ReduceOptions>(rest: Known<Rest<Options>>): Signature => ({
  x: TENSOR,
  axes: optional(either(AXES, options({ axes: AXES, ...rest }))),
  options: options(rest),
})
const REDUCE = reduction<ReduceOptions>({ keepDims: BOOLEAN })
const VARIANCE = reduction<VarianceOptions>({ keepDims: BOOLEAN, correction: NUMBER })

const marks = (name: string, shape: Shape, options: Reduced): boolean[] => resolveAxes(name, options.axes, shape.length)

const reducedShape = (name: string, shape: Shape, options: Reduced): number[] => {
  const reduced = marks(name, shape, options)
  if (options.keepDims) return shape.map((dim, axis) => (reduced[axis] ? 1 : dim))
  return shape.filter((_, axis) => !reduced[axis])
}

/** The number of elements that each result is computed from. */
const countOf = (call: Call<unknown>): number => sizeOf(call.shapes[0]) / sizeOf(call.shape)

/** Strides to read a reduced tensor in the shape that it was reduced from. */
const spread = (shape: Shape, reduced: readonly boolean[]): number[] =>
  broadcastStrides(
    shape.map((dim, axis) => (reduced[axis] ? 1 : dim)),
    shape,
  )

const samples = (domain: Domain): Sample<Reduced>[] => [
  sample({ keepDims: false }, [[2, 3, 4], domain]),
  sample({ axes: [0, -1], keepDims: true }, [[2, 3, 4], domain]),
  sample({ axes: 1, keepDims: false }, [[2, 3, 4], domain]),
]

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
export const sum = define(sumOp, REDUCE, (x: Tensor, axes?: Axes | ReduceOptions, options?: Rest<ReduceOptions>) =>
  apply(sumOp, [x], settled(axes, options)),
)

const meanOp = sumLike('mean')
/** The mean over axes, which are given as for `sum`. @throws ShapeError  an axis outside the rank. Saves nothing. */
export const mean = define(meanOp, REDUCE, (x: Tensor, axes?: Axes | ReduceOptions, options?: Rest<ReduceOptions>) =>
  apply(meanOp, [x], settled(axes, options)),
)

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
export const max = define(maxOp, REDUCE, (x: Tensor, axes?: Axes | ReduceOptions, options?: Rest<ReduceOptions>) =>
  apply(maxOp, [x], settled(axes, options)),
)

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
  (x: Tensor, axes?: Axes | VarianceOptions, options?: Rest<VarianceOptions>) =>
    apply(varianceOp, [x], { correction: together(axes, options).correction ?? 1, ...settled(axes, options) }),
)

const argmaxOp: Op<Reduced> = {
  name: 'argmax',
  shape: ([x], options) => reducedShape('argmax', x, options),
  forward: ({ device, shapes: [shape], options, inputs, output }) => {
    const axis = marks('argmax', shape, options).indexOf(true)
    const all = { outer: 1, size: sizeOf(shape), inner: 1 }
    device.run('argmax', options.axes === undefined ? all : splitAt(shape, axis), inputs, [output])
  },
  gradients: [null],
  samples: [sample({ axes: 1, keepDims: false }, [[2, 3, 4], distinct])],
}
/**
 * The index of the first maximum along one axis, or without `axes` in the flattened tensor. No gradient.
 * @throws ShapeError     an axis outside the rank
 * @throws ArgumentError  more than one axis
 */
export const argmax = define(
  argmaxOp,
  REDUCE,
  (x: Tensor, axes?: Axes | ReduceOptions, options?: Rest<ReduceOptions>) => {
    const own = settled(axes, options)
    if (typeof own.axes === 'object' && own.axes.length !== 1) throw new ArgumentError('argmax: axes must be one axis')
    return apply(argmaxOp, [x], own)
  },
)
