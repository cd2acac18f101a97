/** What reductions over any axes have in common. `keepDims` leaves reduced axes with length 1. */
import { BOOLEAN, either, type Known, optional, options, type Signature } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { AXES, TENSOR } from '../tensor/kinds.js'
import { broadcastStrides, resolveAxes, type Shape, sizeOf } from '../tensor/shape.js'
import type { Call } from './op.js'
import { type Domain, type Sample, sample } from './sample.js'

/** One axis or several; negative ones count from the end. */
export type Axes = number | readonly number[]

export interface ReduceOptions {
  /** default all */
  axes?: Axes
  /** default false */
  keepDims?: boolean
}

export interface Reduced extends ReduceOptions {
  keepDims: boolean
}

/** The options beside `axes`, for a call that gives the axes before them. */
export type BesideAxes<Options> = Omit<Options, 'axes'>

const isAxes = (given: unknown): given is Axes => typeof given === 'number' || Array.isArray(given)

/** The options of `sum(x, 1, { keepDims: true })`, or of `sum(x, { axes: 1, keepDims: true })`. */
export const together = <Options extends ReduceOptions>(
  first: Axes | Options | undefined,
  rest?: BesideAxes<Options>,
) => (isAxes(first) ? { ...rest, axes: first } : { ...first, ...rest }) as Options

/** A copy of the options: the gradient reads the axes later, when the caller may have changed the list. */
export const settled = (first: Axes | ReduceOptions | undefined, rest?: BesideAxes<ReduceOptions>): Reduced => {
  const { axes, keepDims = false } = together(first, rest)
  return { axes: typeof axes === 'number' ? axes : axes && [...axes], keepDims }
}

/** x, then axes or options, then options. */
export const reduction = <Options extends ReduceOptions>(rest: Known<BesideAxes<Options>>): Signature => ({
  x: TENSOR,
  axes: optional(either(AXES, options({ axes: AXES, ...rest }))),
  options: options(rest),
})
export const REDUCE = reduction<ReduceOptions>({ keepDims: BOOLEAN })

export const marks = (name: string, shape: Shape, options: Reduced): boolean[] =>
  resolveAxes(name, options.axes, shape.length)

export const reducedShape = (name: string, shape: Shape, options: Reduced): number[] => {
  const reduced = marks(name, shape, options)
  if (options.keepDims) return shape.map((dim, axis) => (reduced[axis] ? 1 : dim))
  return shape.filter((_, axis) => !reduced[axis])
}

/** The number of elements that each result is computed from. */
export const countOf = (call: Call<unknown>): number => sizeOf(call.shapes[0]) / sizeOf(call.shape)

/** Strides to read a reduced tensor in the shape that it was reduced from. */
export const spread = (shape: Shape, reduced: readonly boolean[]): number[] =>
  broadcastStrides(
    shape.map((dim, axis) => (reduced[axis] ? 1 : dim)),
    shape,
  )

export const samples = (domain: Domain): Sample<Reduced>[] => [
  sample({ keepDims: false }, [[2, 3, 4], domain]),
  sample({ axes: [0, -1], keepDims: true }, [[2, 3, 4], domain]),
  sample({ axes: 1, keepDims: false }, [[2, 3, 4], domain]),
]

/** @throws ArgumentError  several axes */
export function alongOne(name: string, axes?: Axes | ReduceOptions, options?: BesideAxes<ReduceOptions>): Reduced {
  const own = settled(axes, options)
  if (typeof own.axes === 'object' && own.axes.length !== 1) throw new ArgumentError(`${name}: axes must be one axis`)
  return own
}
