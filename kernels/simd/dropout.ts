/** Dropout: one call of assembly/dropout.ts, or two where the position passes a multiple of 2^32. */
import { DROPOUT_CALLS } from '../kernels.js'
import { DEAR_GRAIN } from './layout.js'
import type { SimdKernel } from './machine/kernel.js'

export const dropout: SimdKernel<'dropout'> = {
  run(assembly, { size, rate, seed, step, call, first }, [x], [y]) {
    // k / 2^24 >= rate, of whole numbers k
    const threshold = Math.ceil(rate * 2 ** 24)
    for (let done = 0; done < size; ) {
      // Note [Counter of a mask]: within a block of 2^32 positions the second word stays
      const block = Math.floor((first + done) / 2 ** 32)
      const count = Math.min(size - done, (block + 1) * 2 ** 32 - first - done)
      const counter = call + DROPOUT_CALLS * block
      const [from, to] = [x + 4 * done, y + 4 * done]
      const args = [count, from, to, seed, step, counter, first + done, threshold, 1 / (1 - rate)]
      // A part begins where it begins: its first position moves on with it.
      assembly.inParts('dropout', args, { count: 0, steps: [0, 4, 4, 0, 0, 0, 1], grain: DEAR_GRAIN })
      done += count
    }
  },
}
