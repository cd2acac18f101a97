/** Dropout: one call of assembly/dropout.ts. */
import type { SimdKernel } from './kernel.js'
import { DEAR_GRAIN } from './parts.js'

export const dropout: SimdKernel<'dropout'> = {
  run(assembly, { size, rate, seed, step, call, first }, [x], [y]) {
    // k / 2^24 >= rate, of whole numbers k
    const threshold = Math.ceil(rate * 2 ** 24)
    const args = [size, x, y, seed, step, call, first, threshold, 1 / (1 - rate)]
    // A part begins where it begins: its first position moves on with it.
    assembly.inParts('dropout', args, { count: 0, steps: [0, 4, 4, 0, 0, 0, 1], grain: DEAR_GRAIN })
  },
}
