/** Which number is the maximum, and what softmax and cross-entropy find out about a row. */
import type { Floats } from '../../kernels.js'

/** Does `candidate` take the place of `best` in a search for the first maximum? NaN beats all but NaN. */
export function beats(candidate: number, best: number): boolean {
  return candidate > best || (Number.isNaN(candidate) && !Number.isNaN(best))
}

/** max and sum of exp(x - max) over `size` elements of x, `step` apart. */
export function softmaxScale(x: Floats, start: number, size: number, step: number): { max: number; total: number } {
  let max = -Infinity
  for (let c = 0; c < size; c++) if (x[start + c * step] > max) max = x[start + c * step]
  let total = 0
  for (let c = 0; c < size; c++) total += Math.exp(x[start + c * step] - max)
  return { max, total }
}
