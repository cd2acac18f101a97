/**
 * Products: matmul, batched and with transposes, and linear, its most common use.
 *
 * With y = a b: da = dy b^T, db = a^T dy. A transposed operand's gradient is the transposed product,
 * which the same kernel computes with the operands exchanged.
 */

import type { Offsets } from '../../kernels/strides.js'
import type { Storage } from '../device/storage.js'
import { BOOLEAN, options } from '../memory/arguments.js'
import { ShapeError } from '../tensor/errors.js'
import { MAYBE_TENSOR, TENSOR } from '../tensor/kinds.js'
import {
  broadcastShapes,
  broadcastStrides,
  offsetsOf,
  type Shape,
  sameShape,
  showShape,
  sizeOf,
  stridesOf,
} from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { apply, define, type Gradient, type Op } from './op.js'
import { grid, sample } from './sample.js'
import { sendSum } from './send.js'

export interface MatmulOptions {
  /** use a with its last two axes exchanged; default false */
  transposeA?: boolean
  /** use b with its last two axes exchanged; default false */
  transposeB?: boolean
}

interface Transposes {
  transposeA: boolean
  transposeB: boolean
}

/** One operand of a product: a matrix for each element of the batch, found by `offsets`. */
interface Factor {
  storage: Storage
  transposed: boolean
  offsets: Offsets
}

interface Plan {
  m: number
  k: number
  n: number
  batchShape: Shape
  /** for each element of the batch: the number of its matrix in a, b and y */
  offsetsA: Offsets
  offsetsB: Offsets
  offsetsY: Offsets
}

function plan([a, b]: readonly Shape[], { transposeA, transposeB }: Transposes): Plan {
  const fail = (why: string): never => {
    const flags = `${transposeA ? ', a transposed' : ''}${transposeB ? ', b transposed' : ''}`
    throw new ShapeError(`matmul: ${showShape(a)} and ${showShape(b)}${flags}: ${why}`)
  }
  if (a.length < 2 || b.length < 2) fail('both must have at least two axes')
  const [m, k] = transposeA ? [a.at(-1) ?? 0, a.at(-2) ?? 0] : [a.at(-2) ?? 0, a.at(-1) ?? 0]
  const [k2, n] = transposeB ? [b.at(-1) ?? 0, b.at(-2) ?? 0] : [b.at(-2) ?? 0, b.at(-1) ?? 0]
  if (k !== k2) fail(`the inner dims differ: ${k} against ${k2}`)
  const [batchA, batchB] = [a.slice(0, -2), b.slice(0, -2)]
  const batchShape = broadcastShapes('matmul', batchA, batchB)
  return {
    m,
    k,
    n,
    batchShape,
    offsetsA: offsetsOf(batchShape, broadcastStrides(batchA, batchShape)),
    offsetsB: offsetsOf(batchShape, broadcastStrides(batchB, batchShape)),
    offsetsY: offsetsOf(batchShape, stridesOf(batchShape)),
  }
}

/** The product of left and right, each of which may be stored transposed. */
function product(batchShape: Shape, m: number, k: number, n: number, left: Factor, right: Factor) {
  return {
    inputs: [left.storage, right.storage],
    parameters: {
      batch: sizeOf(batchShape),
      offsetsA: left.offsets,
      offsetsB: right.offsets,
      m,
      k,
      n,
      transposeA: left.transposed,
      transposeB: right.transposed,
      bias: false,
      accumulate: false,
    },
  }
}

function gradient(side: 0 | 1): Gradient<Transposes> {
  return {
    saves: [1 - side],
    send: ({ device, options, shapes, shape, dy, input, workspace }, target) => {
      const { m, k, n, batchShape, offsetsA, offsetsB, offsetsY } = plan(shapes, options)
      const { transposeA, transposeB } = options
      const y: Factor = { storage: dy, transposed: false, offsets: offsetsY }
      const turn = (factor: Factor): Factor => ({ ...factor, transposed: !factor.transposed })
      const other: Factor =
        side === 0
          ? { storage: input(1), transposed: transposeB, offsets: offsetsB }
          : { storage: input(0), transposed: transposeA, offsets: offsetsA }
      // da = dy b^T (m x k), db = a^T dy (k x n); for an operand that is stored transposed, the transpose
      const call =
        side === 0
          ? transposeA
            ? product(batchShape, k, n, m, other, turn(y))
            : product(batchShape, m, n, k, y, turn(other))
          : transposeB
            ? product(batchShape, n, m, k, turn(y), other)
            : product(batchShape, k, m, n, turn(other), y)
      const own = shapes[side]
      const fullShape = [...batchShape, ...own.slice(-2)]
      if (sameShape(own, fullShape) || sizeOf(own) === sizeOf(fullShape)) {
        target.run('matmul', call.parameters, call.inputs)
        return
      }
      const full = workspace(sizeOf(batchShape) * sizeOf(own.slice(-2)))
      device.run('matmul', call.parameters, call.inputs, [full])
      sendSum(target, full, [...shape.slice(0, -2), ...own.slice(-2)], own)
    },
  }
}

const matmulOp: Op<Transposes> = {
  name: 'matmul',
  shape: (shapes, options) => {
    const { m, n, batchShape } = plan(shapes, options)
    return [...batchShape, m, n]
  },
  forward: ({ device, options, shapes, inputs: [a, b], output }) => {
    const { m, k, n, batchShape, offsetsA, offsetsB } = plan(shapes, options)
    const { inputs, parameters } = product(
      batchShape,
      m,
      k,
      n,
      { storage: a, transposed: options.transposeA, offsets: offsetsA },
      { storage: b, transposed: options.transposeB, offsets: offsetsB },
    )
    device.run('matmul', parameters, inputs, [output])
  },
  gradients: [gradient(0), gradient(1)],
  linear: [0, 1],
  samples: [
    sample({ transposeA: false, transposeB: false }, [[2, 3], grid], [[3, 4], grid]),
    sample({ transposeA: true, transposeB: true }, [[3, 2], grid], [[4, 3], grid]),
    sample({ transposeA: false, transposeB: true }, [[2, 1, 2, 3], grid], [[4, 5, 3], grid]),
    sample({ transposeA: true, transposeB: false }, [[2, 3, 2], grid], [[3, 4], grid]),
  ],
}
/**
 * Matrix product: y[..., i, j] = sum over p of a[..., i, p] b[..., p, j].
 * @param a  [..., m, k], or [..., k, m] with transposeA
 * @param b  [..., k, n], or [..., n, k] with transposeB; leading axes broadcast
 * @returns  [..., m, n]
 * @throws ShapeError  fewer than two axes, inner dims that differ, leading axes that do not broadcast
 * Saves each operand if the other needs a gradient.
 */
export const matmul = define(
  matmulOp,
  { a: TENSOR, b: TENSOR, options: options<MatmulOptions>({ transposeA: BOOLEAN, transposeB: BOOLEAN }) },
  (a: Tensor, b: Tensor, { transposeA = false, transposeB = false }: MatmulOptions = {}) =>
    apply(matmulOp, [a, b], { transposeA, transposeB }),
)

/** The sizes of the product [m, k] x [n, k]^T: m is the product of the leading axes of x, k is `in`, n is `out`. */
function linearSizes([x, w, bias]: readonly Shape[]) {
  const fail = (why: string): never => {
    throw new ShapeError(`linear: input ${showShape(x)} and weight ${showShape(w)}: ${why}`)
  }
  if (w.length !== 2) fail('the weight must be [out, in]')
  const [n, k] = w
  if (x.length < 1 || x.at(-1) !== k) fail(`the input's last axis must be ${k}`)
  if (bias && !sameShape(bias, [n])) fail(`the bias ${showShape(bias)} must be [${n}]`)
  return { m: sizeOf(x) / k, k, n }
}

const ONE_MATRIX = { batch: 1, offsetsA: [0], offsetsB: [0], accumulate: false }

const linearOp: Op<Record<never, never>> = {
  name: 'linear',
  shape: (shapes) => [...shapes[0].slice(0, -1), linearSizes(shapes).n],
  forward: ({ device, shapes, inputs, output }) =>
    device.run(
      'matmul',
      { transposeA: false, transposeB: true, bias: inputs.length === 3, ...linearSizes(shapes), ...ONE_MATRIX },
      inputs,
      [output],
    ),
  gradients: [
    {
      // dx = dy w: [m, n] x [n, k]
      saves: [1],
      send: ({ shapes, dy, input }, target) => {
        const { m, k, n } = linearSizes(shapes)
        const parameters = { m, k: n, n: k, transposeA: false, transposeB: false, bias: false, ...ONE_MATRIX }
        target.run('matmul', parameters, [dy, input(1)])
      },
    },
    {
      // dw = dy^T x: [n, m] x [m, k]
      saves: [0],
      send: ({ shapes, dy, input }, target) => {
        const { m, k, n } = linearSizes(shapes)
        const parameters = { m: n, k: m, n: k, transposeA: true, transposeB: false, bias: false, ...ONE_MATRIX }
        target.run('matmul', parameters, [dy, input(0)])
      },
    },
    { saves: [], send: ({ dy, shape, shapes }, target) => sendSum(target, dy, shape, shapes[2]) },
  ],
  linear: [0, 1, 2],
  samples: [sample({}, [[2, 3], grid], [[4, 3], grid], [[4], grid]), sample({}, [[2, 5, 3], grid], [[4, 3], grid])],
}
/**
 * y = x w^T + bias.
 * @param x     [..., in]
 * @param w     [out, in], as PyTorch stores it
 * @param bias  [out], or null
 * @returns     [..., out]
 * @throws ShapeError  sizes that do not match
 * Saves x if w needs a gradient, and w if x does.
 */
export const linear = define(
  linearOp,
  { x: TENSOR, w: TENSOR, bias: MAYBE_TENSOR },
  (x: Tensor, w: Tensor, bias?: Tensor | null) => apply(linearOp, bias ? [x, w, bias] : [x, w], {}),
)
