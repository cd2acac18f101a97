/**
 * Functions that move the axes of a tensor or cut it. Each makes one or a few calls of the ops in movement.ts, and has
 * their gradients. Only `detach` is an op of its own.
 */
import { either, LIST, NUMBER, optional } from '../memory/arguments.js'
import { ArgumentError, showValue } from '../memory/errors.js'
import { arange } from '../tensor/arange.js'
import { ShapeError } from '../tensor/errors.js'
import { AXES, TENSOR, TENSORS } from '../tensor/kinds.js'
import { checkIndices } from '../tensor/range.js'
import { resolveAxes, resolveAxis, type Shape, sameShape, showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { equal } from './binary.js'
import { concat, permute, reshape, slice } from './movement.js'
import { apply, define, type Op } from './op.js'
import { grid, sample } from './sample.js'
import { withTemporaries } from './temporaries.js'

const detachOp: Op<Record<never, never>> = {
  name: 'detach',
  shape: ([x]) => x,
  gradients: [null],
  samples: [sample({}, [[2, 3], grid])],
}
/** x as a constant: no gradient goes to x. Shares storage with x. Saves nothing. */
export const detach = define(detachOp, { x: TENSOR }, (x: Tensor) => apply(detachOp, [x], {}))

/** x with two axes exchanged: `transpose(x, -2, -1)`. Copies. Saves nothing. @throws ShapeError  an axis outside the rank */
export const transpose = define(
  permute.op,
  { x: TENSOR, a: NUMBER, b: NUMBER },
  (x: Tensor, a: number, b: number) => {
    const [first, second] = [a, b].map((axis) => resolveAxis('transpose', axis, x.rank))
    const axes = x.shape.map((_, axis) => (axis === first ? second : axis === second ? first : axis))
    return permute(x, axes)
  },
  'transpose',
)

/**
 * x without axes of length 1: all of them, or those given. Shares storage with x. Saves nothing.
 * @throws ShapeError  an axis outside the rank, or of another length
 */
export const squeeze = define(
  reshape.op,
  { x: TENSOR, axes: optional(AXES) },
  (x: Tensor, axes?: number | readonly number[]) => {
    const marked = axes === undefined ? x.shape.map((dim) => dim === 1) : resolveAxes('squeeze', axes, x.rank)
    const long = x.shape.findIndex((dim, axis) => marked[axis] && dim !== 1)
    if (long >= 0) throw new ShapeError(`squeeze: axis ${long} of ${showShape(x.shape)} does not have length 1`)
    return reshape(
      x,
      x.shape.filter((_, axis) => !marked[axis]),
    )
  },
  'squeeze',
)

/**
 * x with a new axis of length 1, at the place `axis` of the result: [N, C] -> [N, 1, C] for axis 1. Shares storage with x.
 * Saves nothing.
 * @throws ShapeError  an axis outside the rank of the result
 */
export const unsqueeze = define(
  reshape.op,
  { x: TENSOR, axis: NUMBER },
  (x: Tensor, axis: number) => {
    const at = resolveAxis('unsqueeze', axis, x.rank + 1)
    return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)])
  },
  'unsqueeze',
)

/**
 * Tensors of one shape along a new axis: n of [A, B] -> [n, A, B] for axis 0, the default. Copies. Saves nothing.
 * @throws ShapeError     shapes that differ, or an axis outside the rank of the result
 * @throws ArgumentError  an empty list
 */
export const stack = define(
  concat.op,
  { tensors: TENSORS, axis: optional(NUMBER) },
  (tensors: readonly Tensor[], axis = 0) => {
    const [first] = tensors
    if (!first) throw new ArgumentError('stack: needs at least one tensor')
    const other = tensors.find(({ shape }) => !sameShape(shape, first.shape))
    if (other) throw new ShapeError(`stack: ${showShape(first.shape)} and ${showShape(other.shape)} differ`)
    const at = resolveAxis('stack', axis, first.rank + 1)
    return withTemporaries((temporary) =>
      concat(
        tensors.map((tensor) => temporary(unsqueeze(tensor, at))),
        at,
      ),
    )
  },
  'stack',
)

/** Consecutive ranges of these lengths along the axis. */
function pieces(x: Tensor, axis: number, sizes: readonly number[]): Tensor[] {
  const made: Tensor[] = []
  let start = 0
  try {
    for (const size of sizes) {
      const at = (position: number, otherwise: Shape) => otherwise.map((whole, i) => (i === axis ? position : whole))
      const zeros = x.shape.map(() => 0)
      made.push(slice(x, at(start, zeros), at(start + size, x.shape)))
      start += size
    }
  } catch (error) {
    for (const piece of made) piece.dispose()
    throw error
  }
  return made
}

/** Pieces of length `size`; the last can be shorter. */
const even = (dim: number, size: number): number[] =>
  Array.from({ length: Math.ceil(dim / size) }, (_, i) => Math.min(size, dim - i * size))

const isCount = (value: unknown): boolean => Number.isInteger(value) && Number(value) > 0

/**
 * x in pieces along one axis, 0 by default: of these lengths, or of one length, where the last piece can be shorter. Copies.
 * Saves nothing. Each piece that is used sends a gradient as large as x.
 * @throws ShapeError  an axis outside the rank, or lengths that do not add up to the axis
 */
export const split = define(
  slice.op,
  { x: TENSOR, sizes: either(NUMBER, { ...LIST, told: 'a list of lengths' }), axis: optional(NUMBER) },
  (x: Tensor, sizes: number | readonly number[], axis = 0) => {
    const at = resolveAxis('split', axis, x.rank)
    const list = typeof sizes === 'number' ? [sizes] : sizes
    const wrong = list.find((size) => !isCount(size))
    if (wrong !== undefined) throw new ShapeError(`split: ${showValue(wrong)} is not a length: it must be 1 or more`)
    const lengths = typeof sizes === 'number' ? even(x.shape[at], sizes) : sizes
    if (lengths.reduce((sum, size) => sum + size, 0) === x.shape[at]) return pieces(x, at, lengths)
    throw new ShapeError(`split: ${showShape(lengths)} does not add up to axis ${at} of ${showShape(x.shape)}`)
  },
  'split',
)

/**
 * x in at most `count` pieces of equal length along one axis, 0 by default; the last can be shorter, and a short axis gives
 * fewer. All else is as in `split`.
 * @throws ShapeError  an axis outside the rank; a count that is not 1 or more
 */
export const chunk = define(
  slice.op,
  { x: TENSOR, count: NUMBER, axis: optional(NUMBER) },
  (x: Tensor, count: number, axis = 0) => {
    const at = resolveAxis('chunk', axis, x.rank)
    if (!isCount(count)) throw new ShapeError(`chunk: ${showValue(count)} pieces: there must be 1 or more`)
    return pieces(x, at, even(x.shape[at], Math.ceil(x.shape[at] / count)))
  },
  'chunk',
)

/**
 * 1 at the place that each index names, and 0 elsewhere: [...] -> [..., count]. An index without a place gives zeros. No
 * gradient.
 * @param indices  whole numbers in [0, count); those that `tensor` made are checked here
 * @throws ArgumentError  an index out of range, where it is known; a count that is not 1 or more
 */
export const oneHot = define(
  equal.op,
  { indices: TENSOR, count: NUMBER },
  (indices: Tensor, count: number) => {
    if (!isCount(count)) throw new ArgumentError(`oneHot: count is ${showValue(count)}; it must be 1 or more`)
    checkIndices('oneHot', 'indices', indices, count)
    return withTemporaries((temporary) =>
      equal(temporary(unsqueeze(indices, -1)), temporary(arange(indices.device, count))),
    )
  },
  'oneHot',
)
