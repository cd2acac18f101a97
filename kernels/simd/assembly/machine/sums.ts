/**
 * Note [Long sums]
 *   A chain of n additions in float32 may be wrong by n roundings of its sum, 2^-24 each: of 2^20 equal numbers the second
 *   or third digit is wrong. So no kernel adds more than some hundred numbers in a chain. Of two levels, blocks that are
 *   summed from zero and then added, both chains are short:
 *
 *     products     a block of k at a time, as packing cuts it (product.ts); of one convolution's taps BLOCK (direct.ts)
 *     other sums   BLOCK vectors at a time at most, and the blocks in double precision, which then costs nothing; or all
 *                  of them in double precision, where memory is waited for anyway (reduce.ts)
 *
 *   How a sum is cut follows from sizes alone. test/tolerances.ts states the bounds, test/sums.test.ts holds all
 *   kernels to them.
 */

/** Numbers, or vectors of them, that are added in a chain. */
export const BLOCK: i32 = 64

@inline
export function lowPair(four: v128): v128 {
  return f64x2.promote_low_f32x4(four)
}

@inline
export function highPair(four: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f64>(four, four, 1, 0))
}

/** Adds to four sums in double precision, two in each of two vectors. */
@inline
export function addLow(sums: v128, four: v128): v128 {
  return f64x2.add(sums, lowPair(four))
}

@inline
export function addHigh(sums: v128, four: v128): v128 {
  return f64x2.add(sums, highPair(four))
}

/** The four in single precision. */
@inline
export function rounded(low: v128, high: v128): v128 {
  return v128.shuffle<f64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2)
}

/** All four together. */
@inline
export function sumOfFour(low: v128, high: v128): f64 {
  const pair = f64x2.add(low, high)
  return f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1)
}
