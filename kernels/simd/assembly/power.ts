/**
 * Powers with a constant exponent: y [n] = x^e = 2^(e log2 x), dx [n] = dy e x^(e - 1). And the tanh approximation of gelu, x
 * sigmoid(2 u), which needs the same exponential.
 *
 * The work is in double precision, two lanes at a time: the product multiplies the error of the logarithm by up to 150,
 * and float32 has no digits to spare. Logarithm and exponential are power series, cut off where the remainder is below
 * 2^-40. Only y and dx are rounded to float32: x^(e - 1) alone may overflow it.
 *
 *   log2 x = e + 2 / log 2 (s + s^3 / 3 + s^5 / 5 + ...), x = 2^e m, s = (m - 1) / (m + 1), |s| < 0.172
 *   2^z    = 2^n (1 + r + r^2 / 2! + ...), n = round z, r = (z - n) log 2, |r| < 0.347
 */
import { put, take } from './machine/lines'
import { highPair, lowPair } from './machine/sums'

/** 2 / (k log 2), k = 15, 13, ... 1 */
const LOG2 = memory.data<f64>([
  0.19235933878519512, 0.2219530832136867, 0.2623081892525388, 0.3205988979753252,
  0.41219858311113244, 0.5770780163555853, 0.9617966939259757, 2.8853900817779268,
])
/** 1 / k!, k = 11, 10, ... 2 */
const EXP = memory.data<f64>([
  2.505210838544172e-8, 2.7557319223985888e-7, 2.7557319223985893e-6, 2.48015873015873e-5, 1.984126984126984e-4,
  1.388888888888889e-3, 8.333333333333333e-3, 4.1666666666666664e-2, 0.16666666666666666, 0.5,
])

/** The bits of the square root of 1/2, and a mask for the digits of a double. */
const ROOT_HALF_BITS: i64 = 0x3fe6a09e667f3bcd
const DIGITS: i64 = 0x000fffffffffffff
/** 1.5 * 2^52: a double of this size has no digits after the point. */
const ROUNDER: f64 = 6755399441055744
/** 2^END and 2^-END, even times dy, are infinity and 0 in float32, but are still normal numbers in double precision. */
const END: f64 = 800

export function pow(n: i32, x: usize, y: usize, exponent: f64, _b: f32): void {
  for (; n > 0; n -= 4) {
    put(y, powerOf(take(x, n), exponent, f32x4.splat(1), 1), n)
    x += 16
    y += 16
  }
}

export function powGradient(n: i32, dy: usize, x: usize, dx: usize, exponent: f64, _b: f32): void {
  for (; n > 0; n -= 4) {
    put(dx, powerOf(take(x, n), exponent - 1, take(dy, n), exponent), n)
    dy += 16
    x += 16
    dx += 16
  }
}

/** c factor x^exponent, with the corner cases of JavaScript's **. The exponent is neither infinite nor 0. */
@inline
function powerOf(x: v128, exponent: f64, c: v128, factor: f64): v128 {
  const size = f32x4.abs(x)
  const factors = f64x2.splat(factor)
  const low = f64x2.mul(f64x2.mul(lowPair(c), factors), powerOfPair(lowPair(size), exponent))
  const high = f64x2.mul(f64x2.mul(highPair(c), factors), powerOfPair(highPair(size), exponent))
  const result = joined(low, high)
  const whole = Math.floor(exponent) == exponent
  const odd = whole && Math.floor(exponent / 2) != exponent / 2
  if (odd) return v128.xor(result, v128.and(x, f32x4.splat(-0.0)))
  if (whole) return result
  const negative = v128.and(f32x4.lt(x, f32x4.splat(0)), f32x4.lt(size, f32x4.splat(Infinity)))
  return v128.or(result, negative)
}

/** The polynomial in x whose coefficients are the first eight numbers of `table`, from the highest power down. */
@inline
function ofEight(table: usize, x: v128): v128 {
  let p = v128.load_splat<f64>(table)
  p = f64x2.add(f64x2.mul(p, x), v128.load_splat<f64>(table, 8))
  p = f64x2.add(f64x2.mul(p, x), v128.load_splat<f64>(table, 16))
  p = f64x2.add(f64x2.mul(p, x), v128.load_splat<f64>(table, 24))
  p = f64x2.add(f64x2.mul(p, x), v128.load_splat<f64>(table, 32))
  p = f64x2.add(f64x2.mul(p, x), v128.load_splat<f64>(table, 40))
  p = f64x2.add(f64x2.mul(p, x), v128.load_splat<f64>(table, 48))
  p = f64x2.add(f64x2.mul(p, x), v128.load_splat<f64>(table, 56))
  return p
}

/**
 * x^exponent, x >= 0. Only 0 and Infinity give 0 and Infinity: any other power is limited to [2^-END, 2^END].
 */
@inline
function powerOfPair(x: v128, exponent: f64): v128 {
  const shifted = i64x2.sub(x, i64x2.splat(ROOT_HALF_BITS))
  const power = f64x2.convert_low_i32x4_s(i32x4.shr_s(v128.shuffle<i32>(shifted, shifted, 1, 3, 1, 3), 20))
  const m = i64x2.add(v128.and(shifted, i64x2.splat(DIGITS)), i64x2.splat(ROOT_HALF_BITS))
  const s = f64x2.div(f64x2.sub(m, f64x2.splat(1)), f64x2.add(m, f64x2.splat(1)))
  const z = f64x2.mul(s, s)
  const series = ofEight(LOG2, z)
  let logarithm = f64x2.add(power, f64x2.mul(series, s))
  // log x = x for infinity and NaN, -infinity for 0
  logarithm = v128.bitselect(logarithm, x, f64x2.lt(x, f64x2.splat(Infinity)))
  logarithm = v128.bitselect(f64x2.splat(-Infinity), logarithm, f64x2.eq(x, f64x2.splat(0)))

  const product = f64x2.mul(f64x2.splat(exponent), logarithm)
  return powerOfTwo(product)
}

/** 2^z, limited to [2^-END, 2^END]; only an infinite z gives 0 or Infinity. */
@inline
function powerOfTwo(z: v128): v128 {
  const wanted = f64x2.pmax(f64x2.pmin(z, f64x2.splat(END)), f64x2.splat(-END))
  const rounded = f64x2.add(wanted, f64x2.splat(ROUNDER))
  const r = f64x2.mul(f64x2.sub(wanted, f64x2.sub(rounded, f64x2.splat(ROUNDER))), f64x2.splat(0.6931471805599453))
  let p = ofEight(EXP, r)
  p = f64x2.add(f64x2.mul(p, r), v128.load_splat<f64>(EXP, 64))
  p = f64x2.add(f64x2.mul(p, r), v128.load_splat<f64>(EXP, 72))
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1))
  p = f64x2.add(f64x2.mul(p, r), f64x2.splat(1))
  const scale = i64x2.shl(i64x2.add(rounded, i64x2.splat(1023)), 52)
  const infinite = f64x2.eq(f64x2.abs(z), f64x2.splat(Infinity))
  return v128.bitselect(f64x2.max(z, f64x2.splat(0)), f64x2.mul(p, scale), infinite)
}

/** -2 sqrt(2 / pi) log2 e */
const BEND: f64 = -2.302208198144325
const CUBE: f64 = 0.044715

/** e^-2u for u = sqrt(2 / pi) (x + CUBE x^3); Infinity above 2^END */
// a call: inlined four times it would make the package larger
function bent(x: v128): v128 {
  const cubic = f64x2.add(f64x2.splat(1), f64x2.mul(f64x2.splat(CUBE), f64x2.mul(x, x)))
  const z = f64x2.mul(f64x2.mul(f64x2.splat(BEND), x), cubic)
  return v128.bitselect(f64x2.splat(Infinity), powerOfTwo(z), f64x2.gt(z, f64x2.splat(END)))
}

/** x / (1 + e^-2u) */
@inline
function geluTanhOfPair(x: v128): v128 {
  return f64x2.div(x, f64x2.add(f64x2.splat(1), bent(x)))
}

/** dy s (1 + x (1 - s) 2 u'), s = 1 / (1 + e^-2u), 2 u' = 2 sqrt(2 / pi) (1 + 3 CUBE x^2) */
@inline
function geluTanhSlope(dy: v128, x: v128): v128 {
  const decayed = bent(x)
  const share = f64x2.div(f64x2.splat(1), f64x2.add(f64x2.splat(1), decayed))
  const square = f64x2.mul(x, x)
  const steep = f64x2.mul(
    f64x2.splat(1.5957691216057308),
    f64x2.add(f64x2.splat(1), f64x2.mul(f64x2.splat(3 * CUBE), square)),
  )
  const rest = f64x2.sub(f64x2.splat(1), share)
  return f64x2.mul(dy, f64x2.mul(share, f64x2.add(f64x2.splat(1), f64x2.mul(f64x2.mul(x, rest), steep))))
}

@inline
function joined(low: v128, high: v128): v128 {
  return v128.shuffle<f64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2)
}

/** The tanh approximation of gelu, whose tail keeps its digits only if u has more than float32 has. */
export function geluTanh(n: i32, x: usize, y: usize, _a: f32, _b: f32): void {
  for (; n > 0; n -= 4) {
    const four = take(x, n)
    put(y, joined(geluTanhOfPair(lowPair(four)), geluTanhOfPair(highPair(four))), n)
    x += 16
    y += 16
  }
}

export function geluTanhGradient(n: i32, dy: usize, x: usize, dx: usize, _a: f32, _b: f32): void {
  for (; n > 0; n -= 4) {
    const four = take(x, n)
    const given = take(dy, n)
    put(dx, joined(geluTanhSlope(lowPair(given), lowPair(four)), geluTanhSlope(highPair(given), highPair(four))), n)
    dy += 16
    x += 16
    dx += 16
  }
}
