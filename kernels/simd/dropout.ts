/** Dropout: a call of assembly/machine/dropout.ts for each block of 2^32 positions that a tensor touches. */
import { DROPOUT_CALLS } from '../dropout.js'
import { DEAR_GRAIN } from './layout.js'
import type { SimdKernel } from './machine/kernel.js'

export const dropout: SimdKernel<'dropout'> = {
  run(assembly, { size, rate, seed, step, call, first }, [x], [y]) {
    // a value with the random number k of 24 bits is kept if k / 2^24 >= rate
    const threshold = Math.ceil(rate * 2 ** 24)
    for (let done = 0; done < size; ) {
      // Note [Counter of a mask]: the second word is the same within a block of 2^32 positions
      const block = Math.floor((first + done) / 2 ** 32)
      const count = Math.min(size - done, (block + 1) * 2 ** 32 - first - done)
      const counter = call + DROPOUT_CALLS * block
      const [from, to] = [x + 4 * done, y + 4 * done]
      const args = [count, from, to, seed, step, counter, first + done, threshold, 1 / (1 - rate)]
      // From part to part the first position advances, like the addresses.
      assembly.inParts('dropout', args, { count: 0, steps: [0, 4, 4, 0, 0, 0, 1], grain: DEAR_GRAIN })
      done += count
    }
  },
}
