/** A choice between two tensors, element by element. The three inputs are broadcast to the shape of y. */
import { OPERAND, TENSOR } from '../tensor/kinds.js'
import { broadcastShapes, broadcastStrides, sizeOf, stridesOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { apply, define, type Gradient, type Op } from './op.js'
import { asTensor, type Operand } from './operand.js'
import { bits, grid, sample } from './sample.js'
import { sendSum } from './send.js'

const none: Record<never, never> = {}
type None = typeof none

/** The gradient of one branch: dy where that branch was chosen, else 0, summed over the broadcast axes. */
function branch(side: 1 | 2, f: 'keepWhere' | 'keepUnless'): Gradient<None> {
  return {
    saves: [0],
    send: ({ device, dy, shape, shapes, input, workspace }, target) => {
      const full = workspace(sizeOf(shape))
      const strides = { stridesA: stridesOf(shape), stridesB: broadcastStrides(shapes[0], shape) }
      device.run('binary', { function: f, shape, ...strides }, [dy, input(0)], [full])
      sendSum(target, full, shape, shapes[side])
    },
  }
}

const whereOp: Op<None> = {
  name: 'where',
  shape: ([condition, a, b]) => broadcastShapes('where', broadcastShapes('where', condition, a), b),
  forward: ({ device, shape, shapes, inputs, output }) => {
    const [stridesCondition, stridesA, stridesB] = shapes.map((own) => broadcastStrides(own, shape))
    device.run('select', { shape, stridesCondition, stridesA, stridesB }, inputs, [output])
  },
  gradients: [null, branch(1, 'keepWhere'), branch(2, 'keepUnless')],
  linear: [1, 2],
  samples: [
    sample(none, [[2, 3], bits], [[2, 3], grid], [[2, 3], grid]),
    sample(none, [[3], bits], [[2, 1], grid], [[], grid]),
  ],
}

/** a where the condition is not 0, else b; all three broadcast. The condition gets no gradient. Saves the condition. */
export const where = define(
  whereOp,
  { condition: TENSOR, a: OPERAND, b: OPERAND },
  (condition: Tensor, a: Operand, b: Operand) => {
    const on = (operand: Operand): Tensor => asTensor('where', condition.device, operand)
    return apply(whereOp, [condition, on(a), on(b)], none)
  },
)
