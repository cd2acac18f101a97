/**
 * Note [Long sums]
 *   A chain of n additions in float32 may be wrong by n roundings of its sum, 2^-24 each: in a sum of 2^20 equal
 *   numbers the second or third digit is wrong. So no kernel adds more than some hundred numbers in a chain. It sums
 *   blocks from zero and then adds the blocks, so that both chains are short:
 *
 *     products     a block of k, as packing cuts it (product.ts), or 256 taps (direct.ts)
 *     other sums   at most BLOCK vectors, and the blocks in double precision, which then costs nothing; or all numbers in
 *                  double precision, where memory is slower anyway (reduce.ts)
 *
 *   The cut of a sum depends only on sizes. test/tolerances.ts states the bounds, and test/sums.test.ts checks them for
 *   all kernels.
 */

import { put, take } from './lines'

/** The largest number of numbers, or vectors, in a chain of additions. */
export const BLOCK: i32 = 64

@inline
export function lowPair(four: v128): v128 {
  return f64x2.promote_low_f32x4(four)
}

@inline
export function highPair(four: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f64>(four, four, 1, 0))
}

/** Adds the lower two of four numbers to two sums in double precision; `addHigh` adds the upper two. */
@inline
export function addLow(sums: v128, four: v128): v128 {
  return f64x2.add(sums, lowPair(four))
}

@inline
export function addHigh(sums: v128, four: v128): v128 {
  return f64x2.add(sums, highPair(four))
}

/** The four sums in single precision. */
@inline
export function rounded(low: v128, high: v128): v128 {
  return v128.shuffle<f64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2)
}

@inline
export function sumOfPair(pair: v128): f64 {
  return f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1)
}

@inline
export function sumOfFour(low: v128, high: v128): f64 {
  return sumOfPair(f64x2.add(low, high))
}

/** y = old y? + sum */
@inline
export function putSum(y: usize, sum: f64, accumulate: bool): void {
  store<f32>(y, <f32>(accumulate ? load<f32>(y) + sum : sum))
}

/** y [count] = old y? + sums, count at most 4 */
export function putSums(y: usize, low: v128, high: v128, count: i32, accumulate: bool): void {
  if (accumulate) {
    const old = take(y, count)
    low = addLow(low, old)
    high = addHigh(high, old)
  }
  put(y, rounded(low, high), count)
}

/** y [16] = old y? + sums */
@inline
export function putSums16(
  y: usize, s0: v128, s1: v128, s2: v128, s3: v128, s4: v128, s5: v128, s6: v128, s7: v128, accumulate: bool,
): void {
  putSums(y, s0, s1, 4, accumulate)
  putSums(y + 16, s2, s3, 4, accumulate)
  putSums(y + 32, s4, s5, 4, accumulate)
  putSums(y + 48, s6, s7, 4, accumulate)
}

/** The sum of `runs` lines of n numbers, runStep bytes apart. */
export function sumOfLines(x: usize, runs: i32, runStep: usize, n: i32): f64 {
  const zero = f64x2.splat(0)
  let s0 = zero, s1 = zero, s2 = zero, s3 = zero
  for (; runs > 0; runs--) {
    let at = x
    let left = n
    for (; left >= 8; left -= 8) {
      const four = v128.load(at)
      const next = v128.load(at, 16)
      s0 = addLow(s0, four)
      s1 = addHigh(s1, four)
      s2 = addLow(s2, next)
      s3 = addHigh(s3, next)
      at += 32
    }
    for (; left > 0; left -= 4) {
      const four = take(at, left)
      s0 = addLow(s0, four)
      s1 = addHigh(s1, four)
      at += 16
    }
    x += runStep
  }
  return sumOfFour(f64x2.add(s0, s1), f64x2.add(s2, s3))
}
