/** Ops of two tensors, element by element. The inputs are broadcast to the shape of y. */

import type { BinaryFunction, BinaryWithGradient } from '../../kernels/functions.js'
import { OPERAND } from '../tensor/kinds.js'
import { broadcastShapes, broadcastStrides, sameShape, stridesOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { apply, type Call, define, type Gradient, type Op, type OpFunction } from './op.js'
import { asTensors, type Operand } from './operand.js'
import { type Domain, grid, nonzero, offGrid, positive, sample } from './sample.js'
import { sendSum, sendUnbroadcast } from './send.js'

const none: Record<never, never> = {}
type None = typeof none

/** Strides to read both inputs in the output's shape. */
const broadcast = ({ shape, shapes: [a, b] }: Call<None>) => ({
  shape,
  stridesA: broadcastStrides(a, shape),
  stridesB: broadcastStrides(b, shape),
})

/** The gradient of input `side` is dy times the other input. */
function product(side: 0 | 1): Gradient<None> {
  const other = 1 - side
  return {
    saves: [other],
    send: (call, target) => {
      const { shape, shapes, dy, input } = call
      const strides = { stridesA: stridesOf(shape), stridesB: broadcastStrides(shapes[other], shape) }
      const parameters = { function: 'mul', shape, ...strides } as const
      sendUnbroadcast(call, target, side, 'overwrite', 'binary', parameters, [dy, input(other)])
    },
  }
}

/** The gradient of input `side` is +-dy. */
function passed(side: 0 | 1, sign: 1 | -1): Gradient<None> {
  return {
    saves: [],
    send: ({ dy, shape, shapes }, target) => {
      if (sign === 1 && sameShape(shapes[side], shape)) target.pass(dy)
      else sendSum(target, dy, shape, shapes[side], sign)
    },
  }
}

/** The gradient of input `side` needs both inputs, or for a dividend only the divisor. */
function ofBoth(side: 0 | 1, f: BinaryWithGradient): Gradient<None> {
  const first = side === 0 && f === 'div' ? 1 : 0
  return {
    saves: first === 1 ? [1] : [0, 1],
    send: (call, target) => {
      const { dy, input } = call
      const parameters = { function: f, side, ...broadcast(call) }
      sendUnbroadcast(call, target, side, 'run', 'binaryGradient', parameters, [dy, input(first), input(1)])
    },
  }
}

function binary(
  name: BinaryFunction,
  gradients: readonly (Gradient<None> | null)[],
  [a, b]: readonly [Domain, Domain],
  linear: readonly number[] = [],
): OpFunction<(a: Operand, b: Operand) => Tensor> {
  const op: Op<None> = {
    name,
    shape: ([a, b]) => broadcastShapes(name, a, b),
    forward: (call) => call.device.run('binary', { function: name, ...broadcast(call) }, call.inputs, [call.output]),
    gradients,
    linear,
    samples: [
      sample(none, [[2, 3], a], [[2, 3], b]),
      sample(none, [[2, 1, 3], a], [[4, 1], b]),
      sample(none, [[], a], [[3], b]),
    ],
  }
  return define(op, { a: OPERAND, b: OPERAND }, (a: Operand, b: Operand) => apply(op, asTensors(name, a, b), none))
}

/** a + b, broadcast. Saves nothing. */
export const add = binary('add', [passed(0, 1), passed(1, 1)], [grid, grid], [0, 1])
/** a - b, broadcast. Saves nothing. */
export const sub = binary('sub', [passed(0, 1), passed(1, -1)], [grid, grid], [0, 1])
/** a b, broadcast. Saves each input if the other needs a gradient. */
export const mul = binary('mul', [product(0), product(1)], [grid, grid], [0, 1])
/** a / b, broadcast. Saves b, and a if b needs a gradient. */
export const div = binary('div', [ofBoth(0, 'div'), ofBoth(1, 'div')], [grid, nonzero], [0])
/** The larger of a and b, broadcast; at a tie each has half the gradient. Saves both. */
export const maximum = binary('maximum', [ofBoth(0, 'maximum'), ofBoth(1, 'maximum')], [grid, offGrid])
/** The smaller of a and b, broadcast; at a tie each has half the gradient. Saves both. */
export const minimum = binary('minimum', [ofBoth(0, 'minimum'), ofBoth(1, 'minimum')], [grid, offGrid])
/** a^b, broadcast: like `pow`, with a tensor of exponents. Saves both. */
export const power = binary('power', [ofBoth(0, 'power'), ofBoth(1, 'power')], [positive, grid])

const comparison = (name: BinaryFunction) => binary(name, [null], [grid, grid])
/** 1 where a < b, else 0. Comparisons have no gradient. */
export const less = comparison('less')
/** 1 where a <= b, else 0. */
export const lessEqual = comparison('lessEqual')
/** 1 where a > b, else 0. */
export const greater = comparison('greater')
/** 1 where a >= b, else 0. */
export const greaterEqual = comparison('greaterEqual')
/** 1 where a = b, else 0. */
export const equal = comparison('equal')
/** 1 where a differs from b, else 0. */
export const notEqual = comparison('notEqual')
