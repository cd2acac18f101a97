/** The exercises of chapter 1. Try them: npm run learn -- 1 */
import { backward, record, Value } from '../autograd.mjs'

/**
 * tanh of a value, as one operation on the tape. d tanh(a) = (1 - tanh(a)^2) da.
 * @param {Value} a
 * @returns {Value}
 */
export function tanh(a) {
  // `exp` in autograd.mjs is an operation of the same kind
  throw new Error('TODO: record tanh with its gradient')
}

/**
 * The line y = slope x + offset that is nearest to the points, by gradient descent from 0 and 0: in each step
 * compute the mean of the squared errors, go backward, and move both numbers by -rate times their gradients.
 * @param {[number, number][]} points
 * @returns {{ slope: number, offset: number }}
 */
export function fitLine(points, { steps, rate }) {
  throw new Error('TODO: fit a line')
}
