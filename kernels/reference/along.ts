/** Kernels along one axis of [outer, size, inner]: sums so far, products, and choices by index. */
import type { Kernels, Rows } from '../kernels.js'

/** The place of the first value of each group. */
function eachStart({ outer, size, inner }: Rows, visit: (group: number, start: number) => void): void {
  for (let o = 0; o < outer; o++) for (let j = 0; j < inner; j++) visit(o * inner + j, o * size * inner + j)
}

export const cumulativeSum: Kernels['cumulativeSum'] = (p, [x], [y]) => {
  const last = (p.size - 1) * p.inner
  eachStart(p, (_, start) => {
    let sum = 0
    for (let i = 0; i <= last; i += p.inner) {
      const at = start + (p.reverse ? last - i : i)
      sum += x[at]
      y[at] = sum
    }
  })
}

export const product: Kernels['product'] = (p, [x], [y]) => {
  eachStart(p, (group, start) => {
    let result = 1
    for (let c = 0; c < p.size; c++) result *= x[start + c * p.inner]
    y[group] = result
  })
}

/** First the product of all values before a value, then times all values after it. Nothing is divided, so values may be 0. */
export const productGradient: Kernels['productGradient'] = (p, [dy, x], [dx]) => {
  eachStart(p, (group, start) => {
    let before = 1
    for (let c = 0, at = start; c < p.size; c++, at += p.inner) {
      dx[at] = before
      before *= x[at]
    }
    let after = 1
    for (let c = p.size - 1; c >= 0; c--) {
      const at = start + c * p.inner
      dx[at] *= after * dy[group]
      after *= x[at]
    }
  })
}

const isPlace = (index: number, size: number) => Number.isInteger(index) && index >= 0 && index < size

export const gather: Kernels['gather'] = (p, [x, index], [y]) => {
  const { size, inner, count } = p
  for (let o = 0; o < p.outer; o++) {
    for (let n = 0; n < count * inner; n++) {
      const at = o * count * inner + n
      y[at] = isPlace(index[at], size) ? x[(o * size + index[at]) * inner + (n % inner)] : Number.NaN
    }
  }
}

export const gatherGradient: Kernels['gatherGradient'] = (p, [dy, index], [dx]) => {
  const { size, inner, count } = p
  dx.fill(0)
  for (let o = 0; o < p.outer; o++) {
    for (let n = 0; n < count * inner; n++) {
      const at = o * count * inner + n
      if (isPlace(index[at], size)) dx[(o * size + index[at]) * inner + (n % inner)] += dy[at]
    }
  }
}
