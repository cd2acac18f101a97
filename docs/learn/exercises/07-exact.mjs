/** The exercises of chapter 7. Try them: npm run learn -- 7 */

/**
 * The statistics of two parts together. `squares` is the sum of (x - mean)^2 over the part. A part can be empty: then all three
 * are 0.
 * @param {{ count: number, mean: number, squares: number }} a
 * @param {{ count: number, mean: number, squares: number }} b
 * @returns {{ count: number, mean: number, squares: number }}
 */
export function merge(a, b) {
  throw new Error('TODO: combine the statistics')
}

/**
 * The gradient of h = (x - mean) / deviation towards x, where mean and deviation = sqrt(variance + eps) are those of all
 * micro-batches together (the variance divides by the count). Two passes over the micro-batches make the totals; a last one uses
 * them.
 * @param {number[][]} parts  the x of each micro-batch
 * @param {number[][]} dys    the gradient towards h, in the same form
 * @returns {number[][]}      the gradient towards x, in the same form
 */
export function normGradient(parts, dys, eps) {
  throw new Error('TODO: dx = (dy - mean(dy) - h mean(dy h)) / deviation')
}
