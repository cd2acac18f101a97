/**
 * Attention, and the softmax of its scores [batch, queries, keys] along the keys.
 *
 * The softmax and its gradient read a row before they write it, so that probabilities can overwrite scores, and the
 * gradient of the scores that of the probabilities. A row in which every key is masked gives NaN, as in PyTorch.
 */
import type { Attention } from '../attention.js'
import type { Floats, Kernels } from '../kernels.js'
import { listed } from '../strides.js'
import { dropout } from './machine/dropout.js'

/** One query: its sample, its row among all, and how many keys it sees. */
interface Query {
  readonly b: number
  readonly row: number
  readonly seen: number
}

/** Calls `use` for every query, with its scores of the keys that it sees: scale q k^T + mask. */
function eachQuery(
  p: Attention,
  [q, k, values]: readonly Floats[],
  use: (query: Query, scores: Float64Array) => void,
): void {
  const { batch, queries, keys, depth, scale, causal, mask } = p
  const starts = listed(mask?.starts ?? [])
  for (let b = 0, row = 0; b < batch; b++) {
    for (let query = 0; query < queries; query++, row++) {
      const seen = causal ? Math.min(query + 1, keys) : keys
      const scores = new Float64Array(seen)
      for (let key = 0; key < seen; key++) {
        const s = scale * product(q, row * depth, k, (b * keys + key) * depth, depth)
        scores[key] = s + (mask ? values[starts[b] + query * mask.strideQuery + key * mask.strideKey] : 0)
      }
      use({ b, row, seen }, scores)
    }
  }
}

function product(a: Floats, startA: number, b: Floats, startB: number, size: number): number {
  let sum = 0
  for (let i = 0; i < size; i++) sum += a[startA + i] * b[startB + i]
  return sum
}

/** y += factor x, for `size` numbers */
function addTimes(y: Floats, startY: number, factor: number, x: Floats, startX: number, size: number): void {
  for (let i = 0; i < size; i++) y[startY + i] += factor * x[startX + i]
}

/** dropout of a row of probabilities, or of their gradients */
function dropped({ dropout: key, keys }: Attention, { row, seen }: Query, values: Floats): Floats {
  if (!key) return values
  const kept = new Float64Array(seen)
  dropout({ ...key, size: seen, first: key.first + row * keys }, [values], [kept])
  return kept
}

export const attention: Kernels['attention'] = (p, [q, k, v, mask], [y, logSumExp]) => {
  const { keys, width } = p
  const sums = new Float64Array(y.length)
  eachQuery(p, [q, k, mask], (query, scores) => {
    const max = scores.reduce((a, b) => Math.max(a, b))
    const exponentials = scores.map((s) => Math.exp(s - max))
    const total = exponentials.reduce((a, b) => a + b)
    const { b, row, seen } = query
    const shares = dropped(p, query, exponentials)
    for (let key = 0; key < seen; key++) {
      addTimes(sums, row * width, shares[key] / total, v, (b * keys + key) * width, width)
    }
    logSumExp[row] = max === -Infinity ? max : max + Math.log(total)
  })
  y.set(sums)
}

export const attentionGradient: Kernels['attentionGradient'] = (p, [dy, q, k, v, y, logSumExp, mask], [dq, dk, dv]) => {
  const { keys, depth, width, scale } = p
  const [sumsQ, sumsK, sumsV] = [dq, dk, dv].map(({ length }) => new Float64Array(length))
  eachQuery(p, [q, k, mask], (query, scores) => {
    const { b, row, seen } = query
    const shares = scores.map((s) => Math.exp(s - logSumExp[row]))
    const slopes = scores.map((_, key) => product(dy, row * width, v, (b * keys + key) * width, width))
    const [keptShares, keptSlopes] = [dropped(p, query, shares), dropped(p, query, slopes)]
    const mean = product(dy, row * width, y, row * width, width)
    for (let key = 0; key < seen; key++) {
      const own = b * keys + key
      const ds = scale * shares[key] * (keptSlopes[key] - mean)
      addTimes(sumsQ, row * depth, ds, k, own * depth, depth)
      addTimes(sumsK, own * depth, ds, q, row * depth, depth)
      addTimes(sumsV, own * width, keptShares[key], dy, row * width, width)
    }
  })
  dq.set(sumsQ)
  dk.set(sumsK)
  dv.set(sumsV)
}

/**
 * scores, mask? -> p = exp(s - max s) / sum exp(s - max s) with s = scale score + mask; 0 for keys after the query if
 * `causal`
 */
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
