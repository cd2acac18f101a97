/** The largest values along an axis, made of other ops: each is found by `argmax`, and left out of the next search. */
import { checkArgument, NUMBER, optional } from '../memory/arguments.js'
import { ArgumentError, showValue } from '../memory/errors.js'
import { arange } from '../tensor/arange.js'
import { full } from '../tensor/create.js'
import { TENSOR } from '../tensor/kinds.js'
import { resolveAxis, showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { gather } from './along.js'
import { equal } from './binary.js'
import { argmax } from './extremes.js'
import { concat, reshape } from './movement.js'
import { withTemporaries } from './temporaries.js'
import { clamp } from './unary.js'
import { detach } from './views.js'
import { where } from './where.js'

/** The least finite numbers: values below become these, because -Infinity marks what has been found. */
const LEAST = { 4: -3.4028234663852886e38, 8: -Number.MAX_VALUE } as const

/**
 * The k largest values along one axis, -1 by default, the largest first, and their places: `[values, indices]`. Among equal
 * values the first place comes first; NaN counts as the largest, as in PyTorch.
 * @returns two tensors of the shape of x, with k along the axis
 * @throws ShapeError     an axis outside the rank
 * @throws ArgumentError  a k that is not a whole number from 1 to the length of the axis
 * The gradient of the values goes to the places where they were found; the indices have none. Saves the indices. Searches k times,
 * so it is for a small k.
 */
export function topk(x: Tensor, k: number, axis = -1): [values: Tensor, indices: Tensor] {
  checkArgument('topk', 'x', x, TENSOR)
  checkArgument('topk', 'k', k, NUMBER)
  checkArgument('topk', 'axis', axis, optional(NUMBER))
  const at = resolveAxis('topk', axis, x.rank)
  const length = x.shape[at]
  if (!Number.isInteger(k) || k < 1 || k > length) {
    throw new ArgumentError(
      `topk: k is ${showValue(k)}; along axis ${at} of ${showShape(x.shape)} it must be from 1 to ${length}`,
    )
  }
  return withTemporaries((temporary) => {
    const numbers = temporary(arange(x.device, length))
    const places = temporary(
      reshape(
        numbers,
        x.shape.map((dim, i) => (i === at ? dim : 1)),
      ),
    )
    let left = temporary(clamp(temporary(detach(x)), LEAST[x.device.elementBytes], Number.POSITIVE_INFINITY))
    const out = temporary(full(x.device, [], Number.NEGATIVE_INFINITY))
    const found: Tensor[] = []
    for (let i = 0; i < k; i++) {
      const next = temporary(argmax(left, at, { keepDims: true }))
      found.push(next)
      if (i < k - 1) left = temporary(where(temporary(equal(places, next)), out, left))
    }
    const indices = concat(found, at)
    return [gather(x, at, indices), indices]
  })
}
