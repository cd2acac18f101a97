/**
 * Random numbers, and dropout. A number is a function of (seed, step, call, position). So a mask needs no storage, because the
 * gradient draws it again, and nothing depends on how a mini-batch is split into micro-batches.
 */
import { DROPOUT_CALLS, type Drawing } from '../../dropout.js'
import type { Kernels } from '../../kernels.js'
import { threefry } from './threefry.js'

/** Visits each place with its uniform number in [0, 1), of 24 bits. */
function eachUniform({ size, seed, step, call, first }: Drawing, visit: (i: number, uniform: number) => void): void {
  let words: readonly number[] = []
  for (let i = 0; i < size; i++) {
    const index = first + i
    const lane = index & 1
    // Note [Counter of a mask]; >>> takes the position modulo 2^32
    const block = Math.floor(index / 2 ** 32)
    if (i === 0 || lane === 0) words = threefry(seed, step, index >>> 1, call + DROPOUT_CALLS * block)
    visit(i, (words[lane] >>> 8) / 2 ** 24)
  }
}

export const uniform: Kernels['uniform'] = (p, _, [y]) =>
  eachUniform(p, (i, uniform) => {
    y[i] = uniform
  })

/** x -> y = kept x / (1 - rate): kept where the uniform number is at least the rate. */
export const dropout: Kernels['dropout'] = (p, [x], [y]) => {
  const scale = 1 / (1 - p.rate)
  eachUniform(p, (i, uniform) => {
    y[i] = uniform >= p.rate ? x[i] * scale : 0
  })
}
