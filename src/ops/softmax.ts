/** Softmax and its logarithm along one axis. For a loss, use crossEntropy, which stores no probabilities. */
import { NUMBER, optional } from '../memory/arguments.js'
import { TENSOR } from '../tensor/kinds.js'
import { resolveAxis, splitAt } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { apply, define, type Op } from './op.js'
import { grid, sample } from './sample.js'

function softmaxOp(name: 'softmax' | 'logSoftmax'): Op<{ axis: number }> {
  const log = name === 'logSoftmax'
  return {
    name,
    shape: ([x]) => x,
    forward: ({ device, shape, options: { axis }, inputs, output }) =>
      device.run('softmax', { log, ...splitAt(shape, axis) }, inputs, [output]),
    gradients: [
      {
        // softmax: dx = y (dy - sum of dy y); logSoftmax: dx = dy - e^y sum of dy
        saves: ['output'],
        send: ({ shape, options: { axis }, dy, output }, target) =>
          target.run('softmaxGradient', { log, ...splitAt(shape, axis) }, [dy, output()]),
      },
    ],
    samples: [
      sample({ axis: 1 }, [[3, 4], grid]),
      sample({ axis: 1 }, [[2, 3, 4], grid]),
      sample({ axis: 0 }, [[3, 2], grid]),
    ],
  }
}

const plainOp = softmaxOp('softmax')
/**
 * y = e^(x - max x) / sum e^(x - max x).
 * @param axis  default -1
 * @throws ShapeError  axis outside [-rank, rank)
 * Saves y.
 */
export const softmax = define(plainOp, { x: TENSOR, axis: optional(NUMBER) }, (x: Tensor, axis = -1) =>
  apply(plainOp, [x], { axis: resolveAxis('softmax', axis, x.rank) }),
)

const logOp = softmaxOp('logSoftmax')
/** y = x - max x - log sum e^(x - max x): the logarithm of softmax. Axis and errors are those of softmax. Saves y. */
export const logSoftmax = define(logOp, { x: TENSOR, axis: optional(NUMBER) }, (x: Tensor, axis = -1) =>
  apply(logOp, [x], { axis: resolveAxis('logSoftmax', axis, x.rank) }),
)
