/**
 * Softmax and its logarithm along the middle axis of x, y, dy, dx [outer, size, inner]: machine/rows.ts.
 *
 * A row is read three times: for its maximum, for its exponentials and for the division, the last two times from a
 * cache. The exponentials take most of the time. They are computed once, and wait in y until their sum is known.
 */
import { exp, log } from './machine/exp'
import { put, take } from './machine/lines'
import { divide, exponentials, leftOf, maximum, Shares, slopes, stepOf, taken, vectors } from './machine/rows'

/** x -> y */
export function softmax(x: usize, y: usize, outer: i32, size: i32, inner: i32, logarithm: bool): void {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i += 4) {
      const at = <usize>i * 4
      const lanes = min(4, inner - i)
      const max = maximum(x + at, size, inner, lanes)
      const total = exponentials(x + at, logarithm ? 0 : y + at, size, inner, lanes, max)
      if (logarithm) logarithms(x + at, y + at, size, inner, lanes, max, log(total))
      else divide(y + at, size, inner, lanes, total)
    }
    x += <usize>(size * inner) * 4
    y += <usize>(size * inner) * 4
  }
}

/** y = x - max - logTotal */
function logarithms(x: usize, y: usize, size: i32, inner: i32, lanes: i32, max: v128, logTotal: v128): void {
  let left = leftOf(size, inner, lanes)
  for (let i = vectors(size, inner); i > 0; i--) {
    put(y, f32x4.sub(f32x4.sub(take(x, left), max), logTotal), left)
    x += stepOf(inner)
    y += stepOf(inner)
    left -= taken(inner)
  }
}

/** dy, y -> dx = y (dy - sum of dy y), or for the logarithm dy - exp(y) sum of dy */
export function softmaxGradient(
  dy: usize, y: usize, dx: usize, outer: i32, size: i32, inner: i32, logarithm: bool,
): void {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i += 4) {
      const at = <usize>i * 4
      const lanes = min(4, inner - i)
      if (logarithm) slopes<Logarithms>(dy + at, y + at, dx + at, size, inner, lanes, 1)
      else slopes<Shares>(dy + at, y + at, dx + at, size, inner, lanes, 1)
    }
    dy += <usize>(size * inner) * 4
    y += <usize>(size * inner) * 4
    dx += <usize>(size * inner) * 4
  }
}

/** dy - exp(y) sum of dy */
@unmanaged class Logarithms {
  @inline term(dy: usize, _y: usize, left: i32): v128 { return take(dy, left) }
  @inline slope(dy: usize, y: usize, left: i32, total: v128, _factor: v128): v128 {
    return f32x4.sub(take(dy, left), f32x4.mul(exp(take(y, left)), total))
  }
}
