/** Dropout. Its mask is never stored: it follows from the position of an element in the mini-batch. */
import { DROPOUT_CALLS, type Drawing, type Dropout } from '../../kernels/dropout.js'
import type { Device } from '../device/device.js'
import { NUMBER, optional } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { TENSOR } from '../tensor/kinds.js'
import { sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { reshape } from './movement.js'
import { apply, define, type Op } from './op.js'
import { grid, sample } from './sample.js'

/** The numbers that determine a mask. */
export type DropoutKey = Omit<Dropout, 'size'>

/** @throws ArgumentError  a rate outside [0, 1) */
export function checkRate(op: string, rate: number): void {
  if (!(rate >= 0 && rate < 1)) throw new ArgumentError(`${op}: rate ${rate} is outside [0, 1)`)
}

/**
 * Call `use` with the next key. If `use` throws, the next call gets the same key again.
 * @param samples     how many samples get random numbers
 * @param sampleSize  how many of them each sample gets
 * @param calls       how many keys are used; their `call`s count up from the first
 * @throws ArgumentError  random numbers would repeat: Note [Counter of a mask] in kernels/dropout.ts
 */
export function nextKey<T>(
  op: string,
  device: Device,
  samples: number,
  sampleSize: number,
  use: (key: Omit<Drawing, 'size'>) => T,
  calls = 1,
): T {
  const { seed, step, call, firstSample } = device.step
  const end = (firstSample + samples) * sampleSize
  if (end > Number.MAX_SAFE_INTEGER || (end > 2 ** 32 && call + calls > DROPOUT_CALLS)) {
    throw new ArgumentError(
      `${op}: a mini-batch has ${end} elements under draw ${call} of its forward. Random numbers are drawn for up to 2^53 ` +
        `elements, and beyond 2^32 for the first ${DROPOUT_CALLS} draws: take a smaller batch`,
    )
  }
  const result = use({ seed, step, call, first: firstSample * sampleSize })
  device.step.call += calls
  return result
}

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
  samples: [sample({ rate: 0.5, seed: 1, step: 2, call: 3, first: 7 }, [[4, 5], grid])],
}
/**
 * y = x / (1 - rate) where an element is kept, else 0. Each element is kept with probability 1 - rate.
 *
 * The mask follows from (seed, step, number of the dropout within the forward, position in the mini-batch). Axis 0 is the
 * sample, so the mask is the same however the mini-batch is split.
 * @param x     any shape; at rate 0 the result shares the storage of x
 * @param rate  default 0.5
 * @throws ArgumentError  a rate outside [0, 1); a mini-batch so large that masks would repeat
 * Saves nothing: the gradient draws the mask again.
 */
export const dropout = define(dropoutOp, { x: TENSOR, rate: optional(NUMBER) }, (x: Tensor, rate = 0.5) => {
  checkRate('dropout', rate)
  if (rate === 0) return reshape(x, x.shape)
  const samples = x.shape[0] ?? 1
  return nextKey('dropout', x.device, samples, x.size / samples, (key) => apply(dropoutOp, [x], { ...key, rate }))
})
