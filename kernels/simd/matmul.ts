/**
 * Matrix products. Threads share a large product. In a batch of many or small products, each thread takes whole
 * products.
 */
import type { KernelParameters } from '../kernels.js'
import { listed } from '../strides.js'
import { MAX_THREADS, MULTIPLY_GRAIN } from './layout.js'
import { type Blocking, blocking } from './machine/blocking.js'
import type { SimdKernel } from './machine/kernel.js'

type Matmul = KernelParameters['matmul']

/**
 * With fewer multiply-adds, threads share a product badly: two threads make 64 x 64 x 64 faster by 1.3, 128 x 128 x 128
 * by 1.8.
 */
const SMALL = 1 << 19
/** With this many products all threads are busy to the end. */
const MANY = 2 * MAX_THREADS

/** Does each thread take whole products? */
const isDealt = ({ batch, m, n, k }: Matmul): boolean => batch > 1 && (batch >= MANY || m * n * k <= SMALL)

/**
 * The blocks of a product by one thread. Half the depth and half the height cost 0 to 5 % of its time; but every plan
 * must hold MAX_THREADS such workspaces, which are then 170 KB at most instead of 590.
 */
const alone = ({ m, n, k }: Matmul): Blocking => blocking(m, n, k, { slots: 1, maxDepth: 128, maxHeight: 64 })

/** The distance between neighbouring offsets; null if it is not always the same. */
function stepOf(offsets: readonly number[]): number | null {
  const step = offsets[1] - offsets[0]
  return offsets.every((offset, i) => offset === offsets[0] + i * step) ? step : null
}

export const matmul: SimdKernel<'matmul'> = {
  workspaceBytes(p) {
    const shared = blocking(p.m, p.n, p.k).bytes
    // Counted even where threads share large products, so that larger sizes never need less memory.
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
      const { bytes, depth, blockHeight } = alone(p)
      const steps = [fromA(stepA), fromB(stepB)]
      const operands = [a + fromA(offsetsA[0]), b + fromB(offsetsB[0]), y, ...steps, bias]
      assembly.inParts('matmulBatch', [batch, ...operands, m, n, k, ...flags, workspace, bytes, depth, blockHeight], {
        count: 0,
        steps: [0, ...steps, m * n * 4],
        grain: Math.ceil(MULTIPLY_GRAIN / (m * n * k)),
      })
      return
    }
    const { depth, blockHeight, slotCount } = blocking(m, n, k)
    for (let i = 0; i < batch; i++) {
      const [atA, atB] = [a + fromA(offsetsA[i]), b + fromB(offsetsB[i])]
      assembly.matmul(atA, atB, bias, y + i * m * n * 4, m, n, k, ...flags, workspace, depth, blockHeight, slotCount)
    }
  },
}
