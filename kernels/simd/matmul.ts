/**
 * Matrix products. Threads share a large one; of a batch of many or small ones, each thread takes some.
 */
import type { KernelParameters } from '../kernels.js'
import { listed } from '../offsets.js'
import { MAX_THREADS, MULTIPLY_GRAIN } from './layout.js'
import { type Blocking, blocking } from './machine/blocking.js'
import type { SimdKernel } from './machine/kernel.js'

type Matmul = KernelParameters['matmul']

/** Multiply-adds below which threads get in each other's way: two gain 1.3 in a product of 64 x 64 x 64, 1.8 at 128. */
const SMALL = 1 << 19
/** So many products keep all threads busy to the end. */
const MANY = 2 * MAX_THREADS

/** Does each thread take products of its own? */
const isDealt = ({ batch, m, n, k }: Matmul): boolean => batch > 1 && (batch >= MANY || m * n * k <= SMALL)

/**
 * Half the depth and half the height cost 0 to 5 %; but four such workspaces, which every plan must hold, are at most
 * 170 KB or so, instead of 590. Where a product that threads share needs less than that, the plan still grows.
 */
const alone = ({ m, n, k }: Matmul): Blocking => blocking(m, n, k, { slots: 1, maxDepth: 128, maxHeight: 64 })

/** What each offset is from the one before, or null where that is not always the same. */
function stepOf(offsets: readonly number[]): number | null {
  const step = offsets[1] - offsets[0]
  return offsets.every((offset, i) => offset === offsets[0] + i * step) ? step : null
}

export const matmul: SimdKernel<'matmul'> = {
  workspaceBytes(p) {
    const shared = blocking(p.m, p.n, p.k).bytes
    // For the few large ones too, that growing sizes never need less.
    return p.batch > 1 ? Math.max(shared, MAX_THREADS * alone(p).bytes) : shared
  },

  run(assembly, p, [a, b, bias = 0], [y], workspace) {
    const { m, n, k, batch } = p
    const flags = [Number(p.transposeA), Number(p.transposeB), Number(p.accumulate)] as const
    const fromA = (offset: number) => offset * m * k * 4
    const fromB = (offset: number) => offset * k * n * 4
    const [offsetsA, offsetsB] = [listed(p.offsetsA), listed(p.offsetsB)]
    const [stepA, stepB] = [stepOf(offsetsA), stepOf(offsetsB)]
    if (isDealt(p) && stepA !== null && stepB !== null) {
      const { bytes, depth, height } = alone(p)
      const steps = [fromA(stepA), fromB(stepB)]
      const operands = [a + fromA(offsetsA[0]), b + fromB(offsetsB[0]), y, ...steps, bias]
      assembly.inParts('matmulBatch', [batch, ...operands, m, n, k, ...flags, workspace, bytes, depth, height], {
        count: 0,
        steps: [0, ...steps, m * n * 4],
        grain: Math.ceil(MULTIPLY_GRAIN / (m * n * k)),
      })
      return
    }
    const { depth, height, slots } = blocking(m, n, k)
    for (let i = 0; i < batch; i++) {
      const [atA, atB] = [a + fromA(offsetsA[i]), b + fromB(offsetsB[i])]
      assembly.matmul(atA, atB, bias, y + i * m * n * 4, m, n, k, ...flags, workspace, depth, height, slots)
    }
  },
}
