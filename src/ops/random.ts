/** Dropout, whose mask is never stored: it follows from where in the mini-batch an element is. */
import { sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { checkRate, type DropoutKey, nextKey } from './dropout-key.js'
import { reshape } from './movement.js'
import { apply, define, type Op } from './op.js'
import { grid } from './sample.js'

const dropoutOp: Op<DropoutKey> = {
  name: 'dropout',
  shape: ([x]) => x,
  settings: ({ rate }) => ({ rate }),
  forward: ({ device, shape, options, inputs, output }) =>
    device.run('dropout', { size: sizeOf(shape), ...options }, inputs, [output]),
  // the same mask and scale, on dy
  gradients: [
    {
      saves: [],
      send: ({ shape, options, dy }, target) => target.overwrite('dropout', { size: sizeOf(shape), ...options }, [dy]),
    },
  ],
  linear: [0],
  samples: [{ inputs: [[[4, 5], grid]], options: { rate: 0.5, seed: 1, step: 2, call: 3, first: 7 } }],
}
/**
 * y = x / (1 - rate) where kept, else 0; each element is kept with probability 1 - rate.
 *
 * Which elements are kept follows from (seed, step, number of the dropout within the forward, position in
 * the mini-batch): axis 0 is the sample, so the mask is the same however the mini-batch is cut.
 * @param x     any shape; at rate 0 the result shares its storage
 * @param rate  default 0.5
 * @throws ArgumentError  a rate outside [0, 1); a mini-batch so large that masks would repeat
 * Saves nothing: its gradient draws the mask again.
 */
export const dropout = define(dropoutOp, (x: Tensor, rate = 0.5) => {
  checkRate('dropout', rate)
  if (rate === 0) return reshape(x, x.shape)
  const samples = x.shape[0] ?? 1
  return nextKey(x.device, rate, samples, x.size / samples, (key) => apply(dropoutOp, [x], key))
})
