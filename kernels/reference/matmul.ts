/**
 * Batched matrix product, with either side stored transposed. Not here: broadcasting a batch, which the op turns into
 * offsets.
 */
import type { Kernels } from '../kernels.js'
import { listed } from '../strides.js'

/** a [m, k], b [k, n], bias? [n] -> y [batch, m, n] */
export const matmul: Kernels['matmul'] = (p, [a, b, bias], [y]) => {
  const [offsetsA, offsetsB] = [listed(p.offsetsA), listed(p.offsetsB)]
  const { batch, m, k, n } = p
  const [rowA, columnA] = p.transposeA ? [1, m] : [k, 1]
  const [rowB, columnB] = p.transposeB ? [1, k] : [n, 1]
  for (let i = 0; i < batch; i++) {
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < n; column++) {
        const startA = offsetsA[i] * m * k + row * rowA
        const startB = offsetsB[i] * k * n + column * columnB
        const at = (i * m + row) * n + column
        let sum = p.bias ? bias[column] : 0
        if (p.accumulate) sum += y[at]
        for (let j = 0; j < k; j++) sum += a[startA + j * columnA] * b[startB + j * rowB]
        y[at] = sum
      }
    }
  }
}
