/** The exercises of chapter 3. Try them: npm run learn -- 3 */
import { defineOp } from 'sluice'

/**
 * An op made by defineOp: softsign(x) = x / (1 + |x|). Its gradient is dy / (1 + |x|)^2, and it saves x.
 * @returns {(x: import('sluice').Tensor) => import('sluice').Tensor}
 */
export function makeSoftsign() {
  // `cube` in the chapter is an op of the same kind; tensors have abs(), add(), square(), div()
  throw new Error('TODO: return defineOp({ ... })')
}

/**
 * How wrong a gradient is: for each element of x, the central difference quotient of f with h = 1e-5, against the
 * element of gradient(x). Returns the largest |quotient - gradient| / max(1, |quotient|).
 * @param {(x: number[]) => number} f
 * @param {(x: number[]) => number[]} gradient
 * @param {number[]} x  stays as it is
 * @returns {number}
 */
export function gradientError(f, gradient, x) {
  throw new Error('TODO: compare with difference quotients')
}
