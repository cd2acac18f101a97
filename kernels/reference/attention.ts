/**
 * Softmax of attention scores [batch, queries, keys] along the keys, and its gradient. The products on either side of
 * it are `matmul`s.
 *
 * Both read a row before they write it, so that probabilities can overwrite scores, and one gradient the other. A row
 * in which every key is masked gives NaN, as in PyTorch.
 */
import type { Kernels } from '../kernels.js'
import { listed } from '../strides.js'

/** scores, mask? -> p = exp(s - max s) / sum exp(s - max s) with s = scale score + mask; 0 from `causal` keys on */
export const attentionSoftmax: Kernels['attentionSoftmax'] = (parameters, [scores, values], [p]) => {
  const { batch, queries, keys, scale, causal, mask } = parameters
  const starts = listed(mask?.starts ?? [])
  for (let b = 0, row = 0; b < batch; b++) {
    for (let query = 0; query < queries; query++, row += keys) {
      const seen = causal ? Math.min(query + 1, keys) : keys
      const start = mask ? starts[b] + query * mask.strideQuery : 0
      const step = mask ? mask.strideKey : 0
      let max = -Infinity
      for (let key = 0; key < seen; key++) {
        const s = scale * scores[row + key] + (mask ? values[start + key * step] : 0)
        p[row + key] = s
        if (s > max) max = s
      }
      let total = 0
      for (let key = 0; key < seen; key++) total += p[row + key] = Math.exp(p[row + key] - max)
      for (let key = 0; key < seen; key++) p[row + key] /= total
      for (let key = seen; key < keys; key++) p[row + key] = 0
    }
  }
}

/** dp, p -> dscores = scale p (dp - sum of dp p), from dp_i/ds_j = p_i ((i == j) - p_j) */
export const attentionSoftmaxGradient: Kernels['attentionSoftmaxGradient'] = ({ rows, size, scale }, [dp, p], [ds]) => {
  for (let row = 0; row < rows * size; row += size) {
    let total = 0
    for (let i = row; i < row + size; i++) total += dp[i] * p[i]
    for (let i = row; i < row + size; i++) ds[i] = scale * p[i] * (dp[i] - total)
  }
}
