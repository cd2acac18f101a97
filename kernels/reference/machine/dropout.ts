/**
 * Dropout. Its mask is a function of (seed, step, call, position). So the mask needs no storage, because the gradient
 * draws it again, and it does not depend on how a mini-batch is split into micro-batches.
 */
import { DROPOUT_CALLS } from '../../dropout.js'
import type { Kernels } from '../../kernels.js'
import { threefry } from './threefry.js'

/** x -> y = kept x / (1 - rate): kept where a uniform number in [0, 1), of 24 bits, is at least the rate. */
export const dropout: Kernels['dropout'] = ({ size, rate, seed, step, call, first }, [x], [y]) => {
  const scale = 1 / (1 - rate)
  let words: readonly number[] = []
  for (let i = 0; i < size; i++) {
    const index = first + i
    const lane = index & 1
    // Note [Counter of a mask]; >>> takes the position modulo 2^32
    const block = Math.floor(index / 2 ** 32)
    if (i === 0 || lane === 0) words = threefry(seed, step, index >>> 1, call + DROPOUT_CALLS * block)
    const uniform = (words[lane] >>> 8) / 2 ** 24
    y[i] = uniform >= rate ? x[i] * scale : 0
  }
}
