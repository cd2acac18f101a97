/**
 * Exponential and logarithm of four numbers at once. Their largest errors over all 2^32 float32 numbers, in units in
 * the last place (`node dist/test/ulps.js exp log`): exp 0.96, or 0.98 with fused multiply-add; log 0.83 with and
 * without.
 *
 * Both split a number into a power of two, which is exact, and a small remainder, for which
 * a polynomial (for log that of Cephes' logf) gives all the digits of float32. There are no tables, and branches only
 * for numbers whose logarithm no network asks for. So lanes stay together, and the steps of several vectors overlap.
 *
 * Constants are loaded from memory, because V8 would build each of them from integers in every round of a loop.
 */

import { multiplyAdd, subtractProduct } from './multiply-add'

/** Beyond these numbers e^x is infinity, or 0. */
const LARGEST = memory.data<v128>([f32x4.splat(89)], 16)
const LEAST = memory.data<v128>([f32x4.splat(-104)], 16)
const LEAST_OF_SHARE = memory.data<v128>([f32x4.splat(-87)], 16)
const LOG2_E = memory.data<v128>([f32x4.splat(1.44269504088896341)], 16)
/** log 2 in two parts: the first has 9 bits, so that its products with small integers are exact. */
const LOG_2_HIGH = memory.data<v128>([f32x4.splat(0.693359375)], 16)
const LOG_2_LOW = memory.data<v128>([f32x4.splat(-2.12194440e-4)], 16)
/** 1.5 * 2^23: a float32 of this size has no digits after the point, so its lowest bits are a whole number. */
const ROUNDER = memory.data<v128>([f32x4.splat(12582912)], 16)
const ONE = memory.data<v128>([f32x4.splat(1)], 16)
const EXPONENT_OF_ONE = memory.data<v128>([i32x4.splat(127)], 16)

/**
 * Coefficients of (e^r - 1 - r) / r^2 on [-0.347, 0.347], minimax: each was rounded to float32 before the next was
 * fitted.
 */
const E2 = memory.data<v128>([f32x4.splat(0.5)], 16)
const E3 = memory.data<v128>([f32x4.splat(1.666666567e-1)], 16)
const E4 = memory.data<v128>([f32x4.splat(4.166646302e-2)], 16)
const E5 = memory.data<v128>([f32x4.splat(8.333571255e-3)], 16)
const E6 = memory.data<v128>([f32x4.splat(1.393508981e-3)], 16)
const E7 = memory.data<v128>([f32x4.splat(1.973950851e-4)], 16)

/**
 * e^x, to 1 ulp, even where it is subnormal: 2^n e^r with n = round(x / log 2) and r = x - n log 2 in [-0.35, 0.35].
 * The power of two is multiplied in two halves, because 2^n may overflow where the product does not.
 */
@inline
export function exp(x: v128): v128 {
  // With the operands in this order a NaN stays a NaN.
  x = f32x4.pmax(f32x4.pmin(x, v128.load(LARGEST)), v128.load(LEAST))
  const rounder = v128.load(ROUNDER)
  const rounded = multiplyAdd(x, v128.load(LOG2_E), rounder)
  const p = expOfRest(x, f32x4.sub(rounded, rounder))
  const power = i32x4.sub(rounded, rounder)
  const half = i32x4.shr_s(power, 1)
  return f32x4.mul(f32x4.mul(p, powerOfTwo(half)), powerOfTwo(i32x4.sub(power, half)))
}

/** e^x for shares of 1, x <= 0 or little more: faster, and 0 where it would be subnormal. */
@inline
export function expOfShare(x: v128): v128 {
  const least = v128.load(LEAST_OF_SHARE)
  const tiny = f32x4.lt(x, least)
  x = f32x4.pmax(x, least)
  const rounder = v128.load(ROUNDER)
  const rounded = multiplyAdd(x, v128.load(LOG2_E), rounder)
  const power = f32x4.mul(expOfRest(x, f32x4.sub(rounded, rounder)), powerOfTwo(i32x4.sub(rounded, rounder)))
  return v128.andnot(power, tiny)
}

/** e^r, with r = x - n log 2 */
@inline
function expOfRest(x: v128, n: v128): v128 {
  const r = subtractProduct(subtractProduct(x, n, v128.load(LOG_2_HIGH)), n, v128.load(LOG_2_LOW))
  let p = multiplyAdd(v128.load(E7), r, v128.load(E6))
  p = multiplyAdd(p, r, v128.load(E5))
  p = multiplyAdd(p, r, v128.load(E4))
  p = multiplyAdd(p, r, v128.load(E3))
  p = multiplyAdd(p, r, v128.load(E2))
  return f32x4.add(multiplyAdd(p, f32x4.mul(r, r), r), v128.load(ONE))
}

@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, v128.load(EXPONENT_OF_ONE)), 23)
}

const LEAST_NORMAL = memory.data<v128>([f32x4.splat(1.17549435e-38)], 16)
const INFINITE = memory.data<v128>([f32x4.splat(Infinity)], 16)
/** 2^23 makes every subnormal number normal. */
const LIFT = memory.data<v128>([f32x4.splat(8388608)], 16)
const LOG_LIFT = memory.data<v128>([f32x4.splat(15.942385152878742)], 16)
const ROOT_HALF_BITS = memory.data<v128>([i32x4.splat(0x3f3504f3)], 16)
const HALF = memory.data<v128>([f32x4.splat(0.5)], 16)

const L3 = memory.data<v128>([f32x4.splat(3.3333331174e-1)], 16)
const L4 = memory.data<v128>([f32x4.splat(-2.4999993993e-1)], 16)
const L5 = memory.data<v128>([f32x4.splat(2.0000714765e-1)], 16)
const L6 = memory.data<v128>([f32x4.splat(-1.6668057665e-1)], 16)
const L7 = memory.data<v128>([f32x4.splat(1.4249322787e-1)], 16)
const L8 = memory.data<v128>([f32x4.splat(-1.2420140846e-1)], 16)
const L9 = memory.data<v128>([f32x4.splat(1.1676998740e-1)], 16)
const L10 = memory.data<v128>([f32x4.splat(-1.1514610310e-1)], 16)
const L11 = memory.data<v128>([f32x4.splat(7.0376836292e-2)], 16)

/** log x, to 1 ulp; -Infinity at 0, NaN below. */
@inline
export function log(x: v128): v128 {
  const common = v128.and(f32x4.ge(x, v128.load(LEAST_NORMAL)), f32x4.lt(x, v128.load(INFINITE)))
  return i32x4.all_true(common) ? logNormal(x) : logAny(x)
}

/** x = 2^n (1 + r), 1 + r in [sqrt(1/2), sqrt(2)): log x = n log 2 + r - r^2 / 2 + r^3 (1/3 - r / 4 + ...). */
@inline
function logNormal(x: v128): v128 {
  const power = i32x4.shr_s(i32x4.sub(x, v128.load(ROOT_HALF_BITS)), 23)
  const n = f32x4.convert_i32x4_s(power)
  const r = f32x4.sub(i32x4.sub(x, i32x4.shl(power, 23)), v128.load(ONE))
  const square = f32x4.mul(r, r)
  let p = multiplyAdd(v128.load(L11), r, v128.load(L10))
  p = multiplyAdd(p, r, v128.load(L9))
  p = multiplyAdd(p, r, v128.load(L8))
  p = multiplyAdd(p, r, v128.load(L7))
  p = multiplyAdd(p, r, v128.load(L6))
  p = multiplyAdd(p, r, v128.load(L5))
  p = multiplyAdd(p, r, v128.load(L4))
  p = multiplyAdd(p, r, v128.load(L3))
  const small = multiplyAdd(n, v128.load(LOG_2_LOW), f32x4.mul(f32x4.mul(p, r), square))
  return multiplyAdd(n, v128.load(LOG_2_HIGH), f32x4.add(r, subtractProduct(small, v128.load(HALF), square)))
}

/** The logarithm of any number, including zero, negative, subnormal and infinite numbers and NaN. */
function logAny(x: v128): v128 {
  const tiny = f32x4.lt(x, v128.load(LEAST_NORMAL))
  const lifted = v128.bitselect(f32x4.mul(x, v128.load(LIFT)), x, tiny)
  const positive = f32x4.sub(logNormal(lifted), v128.and(tiny, v128.load(LOG_LIFT)))
  // The root of a negative number is NaN, and the root keeps NaN and infinity.
  const zero = f32x4.eq(x, f32x4.splat(0))
  const others = f32x4.sub(f32x4.sqrt(x), v128.and(zero, v128.load(INFINITE)))
  const ordinary = v128.and(f32x4.gt(x, f32x4.splat(0)), f32x4.lt(x, v128.load(INFINITE)))
  return v128.bitselect(positive, others, ordinary)
}

/** log(1 + x) for x >= 0, to 2 ulp: the derivative corrects for the part of x that is lost when 1 + x is rounded. */
@inline
export function log1p(x: v128): v128 {
  const one = v128.load(ONE)
  const sum = f32x4.add(one, x)
  const lost = f32x4.sub(x, f32x4.sub(sum, one))
  return f32x4.add(log(sum), f32x4.div(lost, sum))
}
