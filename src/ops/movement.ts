/** Ops that move elements: reshape, permute, slice, concat, pad, broadcastTo. Their gradients move them back. */
import { LIST, NUMBER, optional } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import { TENSOR, TENSORS } from '../tensor/kinds.js'
import {
  broadcastShapes,
  broadcastStrides,
  checkShape,
  resolveAxis,
  type Shape,
  sameShape,
  showShape,
  sizeOf,
  splitAt,
  stridesOf,
} from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { apply, define, type Op } from './op.js'
import { grid, sample } from './sample.js'
import { sendSum } from './send.js'

const reshapeOp: Op<{ to: Shape }> = {
  name: 'reshape',
  shape: ([x], { to }) => inferShape(x, to),
  gradients: [{ saves: [], send: ({ dy }, target) => target.pass(dy) }],
  linear: [0],
  samples: [sample({ to: [3, -1] }, [[2, 6], grid])],
}
/**
 * The same elements in another shape. Shares storage with x and saves nothing, like flatten.
 * @param shape  one dim can be -1: it then follows from the others
 * @throws ShapeError  the sizes differ
 */
export const reshape = define(reshapeOp, { x: TENSOR, shape: LIST }, (x: Tensor, shape: Shape) =>
  apply(reshapeOp, [x], { to: shape }),
)

function inferShape(x: Shape, to: Shape): number[] {
  const known = sizeOf(to.filter((dim) => dim !== -1))
  const shape = to.map((dim) => (dim === -1 ? sizeOf(x) / known : dim))
  const fits = shape.every((dim) => Number.isInteger(dim) && dim > 0) && sizeOf(shape) === sizeOf(x)
  if (!fits || to.filter((dim) => dim === -1).length > 1) {
    throw new ShapeError(`reshape: ${showShape(x)} has ${sizeOf(x)} elements and cannot become ${showShape(to)}`)
  }
  return shape
}

/** [N, ...] -> [N, the rest]. Shares storage with x. */
export const flatten = define(
  reshapeOp,
  { x: TENSOR },
  (x: Tensor) => apply(reshapeOp, [x], { to: [x.shape[0] ?? 1, -1] }),
  'flatten',
)

const permuteOp: Op<{ axes: readonly number[] }> = {
  name: 'permute',
  shape: ([x], { axes }) => axes.map((axis) => x[axis]),
  forward: ({ device, shape, shapes: [x], options: { axes }, inputs, output }) => {
    const strides = stridesOf(x)
    device.run('stridedCopy', { shape, strides: axes.map((axis) => strides[axis]), offset: 0 }, inputs, [output])
  },
  gradients: [
    {
      saves: [],
      send: ({ shape, shapes: [x], options: { axes }, dy }, target) => {
        const strides = stridesOf(shape)
        target.run('stridedCopy', { shape: x, strides: x.map((_, axis) => strides[axes.indexOf(axis)]), offset: 0 }, [
          dy,
        ])
      },
    },
  ],
  linear: [0],
  samples: [sample({ axes: [2, 0, 1] }, [[2, 3, 4], grid])],
}
/**
 * Axes in another order: axis i of y is axis axes[i] of x. Copies. Saves nothing.
 * @param axes  every axis once; default reversed
 * @throws ShapeError  not a permutation
 */
export const permute = define(permuteOp, { x: TENSOR, axes: optional(LIST) }, (x: Tensor, axes?: readonly number[]) => {
  const order = (axes ?? x.shape.map((_, i) => -1 - i)).map((axis) => resolveAxis('permute', axis, x.rank))
  if (order.length !== x.rank || new Set(order).size !== x.rank) {
    throw new ShapeError(`permute: [${order}] does not name every axis of ${showShape(x.shape)} once`)
  }
  return apply(permuteOp, [x], { axes: order })
})

const sliceOp: Op<{ starts: readonly number[]; ends: readonly number[] }> = {
  name: 'slice',
  shape: (_, { starts, ends }) => ends.map((end, axis) => end - starts[axis]),
  forward: ({ device, shape, shapes: [x], options: { starts }, inputs, output }) => {
    const strides = stridesOf(x)
    const offset = starts.reduce((sum, start, axis) => sum + start * strides[axis], 0)
    device.run('stridedCopy', { shape, strides, offset }, inputs, [output])
  },
  gradients: [
    {
      saves: [],
      send: ({ shape, shapes: [x], options: { starts }, dy }, target) =>
        target.run('pad', { shape, before: starts, outShape: x, value: 0 }, [dy]),
    },
  ],
  linear: [0],
  samples: [sample({ starts: [1, 0], ends: [3, 4] }, [[4, 5], grid])],
}
/**
 * The elements from `starts` up to `ends`, which is excluded, along each axis. Axes that are left out are taken whole;
 * negative positions count from the end. Copies. Saves nothing.
 * @throws ShapeError  a range that is empty, or reaches outside the tensor
 */
export const slice = define(
  sliceOp,
  { x: TENSOR, starts: LIST, ends: optional(LIST) },
  (x: Tensor, starts: readonly number[], ends: readonly number[] = []) => {
    if (starts.length > x.rank || ends.length > x.rank)
      throw new ShapeError(`slice: more axes than ${showShape(x.shape)} has`)
    const at = (position: number, dim: number): number => (position < 0 ? position + dim : position)
    const from = x.shape.map((dim, axis) => at(starts[axis] ?? 0, dim))
    const to = x.shape.map((dim, axis) => at(ends[axis] ?? dim, dim))
    x.shape.forEach((dim, axis) => {
      const valid = Number.isInteger(from[axis]) && Number.isInteger(to[axis])
      if (valid && from[axis] >= 0 && from[axis] < to[axis] && to[axis] <= dim) return
      throw new ShapeError(
        `slice: [${from[axis]}, ${to[axis]}) is not a range of axis ${axis} of ${showShape(x.shape)}`,
      )
    })
    return apply(sliceOp, [x], { starts: from, ends: to })
  },
)

const concatOp: Op<{ axis: number }> = {
  name: 'concat',
  shape: (shapes, { axis }) => {
    const [first] = shapes
    for (const shape of shapes) {
      const fits = shape.length === first.length && shape.every((dim, i) => i === axis || dim === first[i])
      if (!fits) throw new ShapeError(`concat: ${showShape(first)} and ${showShape(shape)} differ outside axis ${axis}`)
    }
    return first.map((dim, i) => (i === axis ? shapes.reduce((sum, shape) => sum + shape[axis], 0) : dim))
  },
  forward: ({ device, shapes, options: { axis }, inputs, output }) => {
    const { outer, inner } = splitAt(shapes[0], axis)
    device.run('concat', { outer, sizes: shapes.map((shape) => shape[axis]), inner }, inputs, [output])
  },
  gradients: [
    {
      saves: [],
      send: ({ shape, shapes, options: { axis }, dy }, target, piece) => {
        const strides = stridesOf(shape)
        const start = shapes.slice(0, piece).reduce((sum, before) => sum + before[axis], 0)
        target.run('stridedCopy', { shape: shapes[piece], strides, offset: start * strides[axis] }, [dy])
      },
    },
  ],
  linear: [0, 1],
  samples: [
    sample({ axis: 1 }, [[2, 3], grid], [[2, 1], grid], [[2, 2], grid]),
    sample({ axis: 0 }, [[1, 3], grid], [[2, 3], grid]),
  ],
}
/**
 * Joins tensors along one axis. Copies. Saves nothing.
 * @throws ShapeError     shapes that differ outside the axis
 * @throws ArgumentError  an empty list
 */
export const concat = define(
  concatOp,
  { tensors: TENSORS, axis: optional(NUMBER) },
  (tensors: readonly Tensor[], axis = 0) => {
    if (tensors.length === 0) throw new ArgumentError('concat: needs at least one tensor')
    return apply(concatOp, tensors, { axis: resolveAxis('concat', axis, tensors[0].rank) })
  },
)

const padOp: Op<{ before: readonly number[]; after: readonly number[]; value: number }> = {
  name: 'pad',
  shape: ([x], { before, after }) => x.map((dim, axis) => before[axis] + dim + after[axis]),
  settings: ({ value }) => ({ value }),
  forward: ({ device, shape, shapes: [x], options: { before, value }, inputs, output }) =>
    device.run('pad', { shape: x, before, outShape: shape, value }, inputs, [output]),
  gradients: [
    {
      saves: [],
      send: ({ shape, shapes: [x], options: { before }, dy }, target) => {
        const strides = stridesOf(shape)
        const offset = before.reduce((sum, count, axis) => sum + count * strides[axis], 0)
        target.run('stridedCopy', { shape: x, strides, offset }, [dy])
      },
    },
  ],
  linear: [0],
  samples: [sample({ before: [1, 0], after: [0, 2], value: 0.5 }, [[2, 3], grid])],
}
/**
 * x with `value` around it: widths[axis] = [before, after]. Copies. Saves nothing.
 * @throws ShapeError  not one pair of whole numbers, 0 or more, for each axis
 */
export const pad = define(
  padOp,
  { x: TENSOR, widths: LIST, value: optional(NUMBER) },
  (x: Tensor, widths: readonly (readonly [number, number])[], value = 0) => {
    const valid = widths.length === x.rank && widths.flat().every((width) => Number.isInteger(width) && width >= 0)
    if (!valid)
      throw new ShapeError(
        `pad: ${JSON.stringify(widths)} must give [before, after] for each axis of ${showShape(x.shape)}`,
      )
    return apply(padOp, [x], {
      before: widths.map(([before]) => before),
      after: widths.map(([, after]) => after),
      value,
    })
  },
)

const broadcastOp: Op<{ to: Shape }> = {
  name: 'broadcastTo',
  shape: ([x], { to }) => {
    checkShape('broadcastTo', to)
    if (sameShape(broadcastShapes('broadcastTo', x, to), to)) return to
    throw new ShapeError(`broadcastTo: ${showShape(x)} does not broadcast to ${showShape(to)}`)
  },
  forward: ({ device, shape, shapes: [x], inputs, output }) =>
    device.run('stridedCopy', { shape, strides: broadcastStrides(x, shape), offset: 0 }, inputs, [output]),
  gradients: [{ saves: [], send: ({ shape, shapes: [x], dy }, target) => sendSum(target, dy, shape, x) }],
  linear: [0],
  samples: [sample({ to: [2, 3, 4] }, [[3, 1], grid])],
}
/** x repeated to `shape`. Copies. Saves nothing. @throws ShapeError  x does not broadcast to `shape` */
export const broadcastTo = define(broadcastOp, { x: TENSOR, shape: LIST }, (x: Tensor, shape: Shape) =>
  apply(broadcastOp, [x], { to: shape }),
)
