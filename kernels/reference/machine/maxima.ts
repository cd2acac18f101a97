/** The maximum of numbers, and the maximum and total of a row for softmax and cross-entropy. */
import type { Floats } from '../../kernels.js'

/** Does `candidate` replace `best` in a search for the first maximum? NaN beats every other number. */
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
