/**
 * Softmax and its logarithm along the middle axis of [outer, size, inner].
 *
 * The maximum is subtracted first, so that no exponential overflows. A row of nothing but -Infinity gives NaN, as in
 * PyTorch. Not here: cross-entropy, which never stores the probabilities (loss.ts).
 */
import type { Kernels } from '../kernels.js'
import { softmaxScale } from './machine/maxima.js'

/** x -> y = exp(x - max) / total, or x - max - log(total) */
export const softmax: Kernels['softmax'] = ({ outer, size, inner, log }, [x], [y]) => {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const start = o * size * inner + i
      const { max, total } = softmaxScale(x, start, size, inner)
      const logTotal = Math.log(total)
      for (let c = 0, at = start; c < size; c++, at += inner) {
        y[at] = log ? x[at] - max - logTotal : Math.exp(x[at] - max) / total
      }
    }
  }
}

/**
 * softmax: dx = y (dy - sum of dy y), from dy_i/dx_j = y_i ((i == j) - y_j).
 * logarithm: dx = dy - exp(y) sum of dy, from dy_i/dx_j = (i == j) - exp(y_j).
 */
export const softmaxGradient: Kernels['softmaxGradient'] = ({ outer, size, inner, log }, [dy, y], [dx]) => {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const start = o * size * inner + i
      let total = 0
      for (let c = 0, at = start; c < size; c++, at += inner) total += log ? dy[at] : dy[at] * y[at]
      for (let c = 0, at = start; c < size; c++, at += inner) {
        dx[at] = log ? dy[at] - Math.exp(y[at]) * total : y[at] * (dy[at] - total)
      }
    }
  }
}
