/** Softmax of attention scores, in parts by rows: assembly/attention.ts. */
import { listed } from '../strides.js'
import { BYTES, DEAR_GRAIN } from './layout.js'
import type { SimdKernel } from './machine/kernel.js'

export const attentionSoftmax: SimdKernel<'attentionSoftmax'> = {
  run(assembly, { batch, queries, keys, causal, scale, mask }, [scores, values = 0], [p]) {
    const row = keys * BYTES
    const sizes = [queries, keys, Number(causal), scale]
    const grain = Math.ceil(DEAR_GRAIN / keys)
    if (!mask) {
      const args = [scores, p, batch * queries, 0, ...sizes, 0, 0, 0]
      assembly.inParts('attentionSoftmax', args, { count: 2, steps: [row, row, 0, 1], grain })
      return
    }
    const maskRow = mask.strideQuery * BYTES
    const parts = { count: 2, steps: [row, row, 0, 1, 0, 0, 0, 0, maskRow], grain }
    listed(mask.starts).forEach((start, b) => {
      const before = b * queries * row
      const args = [scores + before, p + before, queries, 0, ...sizes]
      const maskArgs = [values + start * BYTES, maskRow, mask.strideKey * BYTES]
      assembly.inParts('attentionSoftmax', [...args, ...maskArgs], parts)
    })
  },
}

export const attentionSoftmaxGradient: SimdKernel<'attentionSoftmaxGradient'> = {
  run(assembly, { rows, size, scale }, [dp, p], [ds]) {
    const row = size * BYTES
    const parts = { count: 3, steps: [row, row, row], grain: Math.ceil(DEAR_GRAIN / size) }
    assembly.inParts('attentionSoftmaxGradient', [dp, p, ds, rows, size, scale], parts)
  },
}
