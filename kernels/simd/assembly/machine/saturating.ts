/**
 * Functions that end in a straight line on both sides: tanh, the sigmoid, the distribution of the standard normal.
 * Their errors, in units in the last place (ulp), were counted over every thousandth float32 number unless the function
 * says otherwise; a test counts them over every ten thousandth.
 *
 * They take exponentials only of numbers that are not positive, so that none overflows. They divide once, after they
 * have selected numerator and denominator by lane. Where 1 minus a small number would lose digits, the small side has a
 * formula of its own.
 */
import { exp } from './exp'
import { multiplyAdd } from './multiply-add'

// Constants are loaded from memory, as in exp.ts.
const ONE = memory.data<f32>([1])
const MINUS_HALF = memory.data<f32>([-0.5])
const INVERSE_ROOT_2_PI = memory.data<f32>([0.3989422804014327])
/** Beyond these numbers both tails of the normal distribution are 0 in float32. */
const ENDS = memory.data<f32>([20, -20])
/** Keeps the first 12 binary digits of a number: their square is exact in float32. */
const HIGH_HALF = memory.data<i32>([0xfffff000])
const FOUR = memory.data<f32>([4])

@inline
function one(): v128 {
  return v128.load_splat<f32>(ONE)
}

/**
 * tanh x, to 1.06 ulp: counted over all 2^32 float32 numbers (`node dist/test/ulps.js tanh`).
 *
 *   |x| < 3/4   x - x z (3465 + 189 z + z^2) / (10395 + 4725 z + 210 z^2 + z^3), z = x^2
 *   others      1 - 2 / (e^(2 |x|) + 1), with the sign of x
 *
 * The first is the continued fraction x / (1 + z / (3 + z / (5 + z / (7 + z / (9 + z / 11))))), written as x and one
 * correction; for these x it is closer to tanh than float32 can tell.
 */
@inline
export function tanh(x: v128): v128 {
  const size = f32x4.abs(x)
  const z = f32x4.mul(x, x)
  const above = f32x4.mul(z, f32x4.add(f32x4.splat(3465), f32x4.mul(z, f32x4.add(f32x4.splat(189), z))))
  const below = f32x4.add(
    f32x4.splat(10395),
    f32x4.mul(z, f32x4.add(f32x4.splat(4725), f32x4.mul(z, f32x4.add(f32x4.splat(210), z)))),
  )
  const growth = f32x4.add(exp(f32x4.add(size, size)), one())
  const small = f32x4.lt(size, f32x4.splat(0.75))
  const missing = f32x4.div(
    v128.bitselect(f32x4.mul(above, size), f32x4.splat(2), small),
    v128.bitselect(below, growth, small),
  )
  const result = f32x4.sub(v128.bitselect(size, one(), small), missing)
  return v128.or(result, v128.and(x, f32x4.splat(-0.0)))
}

/** e^-|x|, from which both sides of a sigmoid are made. */
@inline
export function decay(x: v128): v128 {
  return exp(v128.or(x, f32x4.splat(-0.0)))
}

/**
 * 1 / (1 + e^-x), or e^x / (1 + e^x) where x < 0, to 2.41 ulp (`node dist/test/ulps.js sigmoid`).
 * @param decayed  decay(x)
 */
@inline
export function sigmoid(x: v128, decayed: v128): v128 {
  const numerator = v128.bitselect(decayed, one(), f32x4.lt(x, f32x4.splat(0)))
  return f32x4.div(numerator, f32x4.add(one(), decayed))
}

/** e^(-x^2 / 2), to 2 ulp: the rounding error of x^2, which may be above 1, is corrected. */
@inline
export function bell(x: v128): v128 {
  const square = f32x4.mul(x, x)
  const high = v128.and(x, v128.load_splat<i32>(HIGH_HALF))
  const low = f32x4.sub(x, high)
  const lost = f32x4.add(
    f32x4.add(f32x4.sub(f32x4.mul(high, high), square), f32x4.mul(f32x4.add(high, high), low)),
    f32x4.mul(low, low),
  )
  const half = v128.load_splat<f32>(MINUS_HALF)
  const power = exp(f32x4.mul(half, square))
  return f32x4.add(power, f32x4.mul(power, f32x4.mul(half, lost)))
}

/** The density of the standard normal distribution, from bell(x). */
@inline
export function density(belled: v128): v128 {
  return f32x4.mul(v128.load_splat<f32>(INVERSE_ROOT_2_PI), belled)
}

/** Coefficients of w^10 to w^0. */
const TAIL = memory.data<f32>([
  -7.615958219e-5, -7.008197917e-5, 6.909354341e-4, -2.970000929e-4, -5.001464154e-3, 1.793853775e-2,
  -3.219804522e-2, 2.860014825e-2, 1.399965728e-2, -9.670347234e-2, 4.720532061e-1,
])

/**
 * h(t), t >= 0: the standard normal distribution of -t is bell(t) h(t), to 4 ulp, and that of t is 1 - bell(t) h(t).
 *
 * It falls slowly from 1/2 to 0 like 1 / t. So (1 + t) h(t) is nearly constant. As a function of w = (t - 4) / (t + 4),
 * which takes all t to [-1, 1), it is a polynomial to 2^-28: its Chebyshev interpolation at 11 points on [0, 20]. The
 * form is that of Shepherd and Laframboise (Math. Comp. 36, 1981).
 */
@inline
export function tail(t: v128): v128 {
  const four = v128.load_splat<f32>(FOUR)
  const w = f32x4.div(f32x4.sub(t, four), f32x4.add(t, four))
  let p = v128.load_splat<f32>(TAIL)
  p = multiplyAdd(p, w, v128.load_splat<f32>(TAIL, 4))
  p = multiplyAdd(p, w, v128.load_splat<f32>(TAIL, 8))
  p = multiplyAdd(p, w, v128.load_splat<f32>(TAIL, 12))
  p = multiplyAdd(p, w, v128.load_splat<f32>(TAIL, 16))
  p = multiplyAdd(p, w, v128.load_splat<f32>(TAIL, 20))
  p = multiplyAdd(p, w, v128.load_splat<f32>(TAIL, 24))
  p = multiplyAdd(p, w, v128.load_splat<f32>(TAIL, 28))
  p = multiplyAdd(p, w, v128.load_splat<f32>(TAIL, 32))
  p = multiplyAdd(p, w, v128.load_splat<f32>(TAIL, 36))
  p = multiplyAdd(p, w, v128.load_splat<f32>(TAIL, 40))
  return f32x4.div(p, f32x4.add(one(), t))
}

/** x, limited to [-20, 20]; NaN stays. */
@inline
export function within(x: v128): v128 {
  return f32x4.pmax(f32x4.pmin(x, v128.load_splat<f32>(ENDS)), v128.load_splat<f32>(ENDS, 4))
}
