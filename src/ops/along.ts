/** Ops along one axis: sums so far, products, and choices by index. */
import { NUMBER } from '../memory/arguments.js'
import { ShapeError } from '../tensor/errors.js'
import { TENSOR } from '../tensor/kinds.js'
import { checkIndices } from '../tensor/range.js'
import { resolveAxis, type Shape, showShape, sizeOf, splitAt } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { apply, define, type Op } from './op.js'
import {
  type Axes,
  alongOne,
  type BesideAxes,
  REDUCE,
  type Reduced,
  type ReduceOptions,
  reducedShape,
} from './reduction.js'
import { grid, index as indices, nonzero, sample } from './sample.js'

const cumsumOp: Op<{ axis: number }> = {
  name: 'cumsum',
  shape: ([x]) => x,
  forward: ({ device, shape, options: { axis }, inputs, output }) =>
    device.run('cumulativeSum', { reverse: false, ...splitAt(shape, axis) }, inputs, [output]),
  gradients: [
    {
      saves: [],
      send: ({ shape, options: { axis }, dy }, target) =>
        target.run('cumulativeSum', { reverse: true, ...splitAt(shape, axis) }, [dy]),
    },
  ],
  linear: [0],
  samples: [sample({ axis: 1 }, [[2, 5, 3], grid]), sample({ axis: 0 }, [[4], grid])],
}
/** The sums so far along one axis: y[i] = x[0] + ... + x[i]. Saves nothing. @throws ShapeError  an axis outside the rank */
export const cumsum = define(cumsumOp, { x: TENSOR, axis: NUMBER }, (x: Tensor, axis: number) =>
  apply(cumsumOp, [x], { axis: resolveAxis('cumsum', axis, x.rank) }),
)

const rowsOf = (x: Shape, { axes }: Reduced) => {
  const [axis] = typeof axes === 'number' ? [axes] : (axes ?? [])
  return axis === undefined ? { outer: 1, size: sizeOf(x), inner: 1 } : splitAt(x, axis < 0 ? axis + x.length : axis)
}

const prodOp: Op<Reduced> = {
  name: 'prod',
  shape: ([x], options) => reducedShape('prod', x, options),
  forward: ({ device, shapes: [x], options, inputs, output }) =>
    device.run('product', rowsOf(x, options), inputs, [output]),
  gradients: [
    {
      saves: [0],
      send: ({ shapes: [x], options, dy, input }, target) =>
        target.run('productGradient', rowsOf(x, options), [dy, input(0)]),
    },
  ],
  samples: [
    sample({ keepDims: false }, [[5], nonzero]),
    sample({ axes: 1, keepDims: true }, [[2, 4, 3], nonzero]),
    sample({ axes: [-1], keepDims: false }, [[2, 3], grid]),
  ],
}
/**
 * The product along one axis, or without `axes` of all elements. The gradient of each element is dy times the product of the others,
 * also where elements are 0.
 * @throws ShapeError     an axis outside the rank
 * @throws ArgumentError  more than one axis
 * Saves x.
 */
export const prod = define(
  prodOp,
  REDUCE,
  (x: Tensor, axes?: Axes | ReduceOptions, options?: BesideAxes<ReduceOptions>) =>
    apply(prodOp, [x], alongOne('prod', axes, options)),
)

const gatherOp: Op<{ axis: number }> = {
  name: 'gather',
  shape: ([x, index], { axis }) => {
    if (index.length === x.length && index.every((dim, i) => i === axis || dim === x[i])) return index
    throw new ShapeError(`gather: ${showShape(x)} and the index ${showShape(index)} differ outside axis ${axis}`)
  },
  forward: ({ device, shapes: [x, index], options: { axis }, inputs, output }) =>
    device.run('gather', { count: index[axis], ...splitAt(x, axis) }, inputs, [output]),
  gradients: [
    {
      saves: [1],
      send: ({ shapes: [x, index], options: { axis }, dy, input }, target) =>
        target.run('gatherGradient', { count: index[axis], ...splitAt(x, axis) }, [dy, input(1)]),
    },
    null,
  ],
  linear: [0],
  samples: [
    sample({ axis: 1 }, [[2, 4, 3], grid], [[2, 5, 3], indices(4)]),
    sample({ axis: 0 }, [[3], grid], [[2], indices(3)]),
  ],
}
/**
 * y[i, k, j] = x[i, index[i, k, j], j] along the axis; for the same place of every row, use `embedding` or `slice`.
 * @param index  the shape of x, with any length along the axis; whole numbers in [0, length of the axis). Those that `tensor` made are
 *               checked here; any other number gives NaN
 * @throws ShapeError     shapes that differ outside the axis, an axis outside the rank
 * @throws ArgumentError  an index out of range, where it is known
 * Saves the index, which has no gradient.
 */
export const gather = define(
  gatherOp,
  { x: TENSOR, axis: NUMBER, index: TENSOR },
  (x: Tensor, axis: number, index: Tensor) => {
    const at = resolveAxis('gather', axis, x.rank)
    checkIndices('gather', 'indices', index, x.shape[at])
    return apply(gatherOp, [x, index], { axis: at })
  },
)
