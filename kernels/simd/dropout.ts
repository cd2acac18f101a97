/** Random numbers and dropout: a call of assembly/machine/dropout.ts for each block of 2^32 positions that a tensor touches. */
import { DROPOUT_CALLS, type Drawing } from '../dropout.js'
import { DEAR_GRAIN } from './layout.js'
import type { SimdKernel } from './machine/kernel.js'

/** Visits the blocks. `done` numbers lie before a block, and `word` is the second word of Note [Counter of a mask]. */
function eachBlock(
  { size, call, first }: Drawing,
  visit: (block: { done: number; count: number; word: number; at: number }) => void,
): void {
  for (let done = 0; done < size; ) {
    // the second word is the same within a block of 2^32 positions
    const block = Math.floor((first + done) / 2 ** 32)
    const count = Math.min(size - done, (block + 1) * 2 ** 32 - first - done)
    visit({ done, count, word: call + DROPOUT_CALLS * block, at: first + done })
    done += count
  }
}

// From part to part the first position advances, like the addresses.

export const dropout: SimdKernel<'dropout'> = {
  run(assembly, p, [x], [y]) {
    // a value with the random number k of 24 bits is kept if k / 2^24 >= rate
    const threshold = Math.ceil(p.rate * 2 ** 24)
    eachBlock(p, ({ done, count, word, at }) => {
      const args = [count, x + 4 * done, y + 4 * done, p.seed, p.step, word, at, threshold, 1 / (1 - p.rate)]
      assembly.inParts('dropout', args, { count: 0, steps: [0, 4, 4, 0, 0, 0, 1], grain: DEAR_GRAIN })
    })
  },
}

export const uniform: SimdKernel<'uniform'> = {
  run(assembly, p, _, [y]) {
    eachBlock(p, ({ done, count, word, at }) => {
      const args = [count, y + 4 * done, p.seed, p.step, word, at]
      assembly.inParts('uniform', args, { count: 0, steps: [0, 4, 0, 0, 0, 1], grain: DEAR_GRAIN })
    })
  },
}
