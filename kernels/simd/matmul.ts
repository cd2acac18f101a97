/** Matrix products: each of the batch is one call of assembly/matmul.ts. */
import { blocking } from './blocking.js'
import type { SimdKernel } from './kernel.js'

export const matmul: SimdKernel<'matmul'> = {
  workspaceBytes: ({ m, n, k }) => blocking(m, n, k).bytes,

  run(assembly, p, [a, b, bias = 0], [y], workspace) {
    const { m, n, k } = p
    const { depth, height, slots } = blocking(m, n, k)
    const flags = [Number(p.transposeA), Number(p.transposeB), Number(p.accumulate)] as const
    for (let i = 0; i < p.batch; i++) {
      const atA = a + p.offsetsA[i] * m * k * 4
      const atB = b + p.offsetsB[i] * k * n * 4
      assembly.matmul(atA, atB, bias, y + i * m * n * 4, m, n, k, ...flags, workspace, depth, height, slots)
    }
  },
}
