/**
 * The gradient of gamma in batch, layer and group norm, whose views norm.ts explains. The gradient of beta is a sum of
 * dy.
 */
import { take } from './machine/lines'
import { addHigh, addLow, putSum, putSums, putSums16 } from './machine/sums'
import { inverseDeviation, sumsOfPiece } from './machine/deviations'

/**
 * dy, x, mean, variance -> dgamma = sum of dy h, over runs of affineSize gammas with affineInner numbers each. A call
 * computes gammas first .. first + count - 1.
 */
export function normalizeScaleGradient(
  first: i32, count: i32, dy: usize, x: usize, mean: usize, variance: usize, dgamma: usize,
  outer: i32, groups: i32, inner: i32, affineSize: i32, affineInner: i32, eps: f64, accumulate: bool,
): void {
  const all = outer * groups * inner
  const run = affineSize * affineInner
  // The number of neighbouring gammas whose numbers are in one group, in every run: groups cut all runs at the same
  // places.
  const together = affineInner > 1 ? 1 : inner % run == 0 ? run : run % inner == 0 ? inner : 1
  for (let at = first; at < first + count; ) {
    const to = dgamma + <usize>at * 4
    const n = min(first + count - at, together - (at % together))
    if (n >= 16) {
      scaleGradientOf16(at, all, run, dy, x, mean, variance, to, groups, inner, eps, accumulate)
      at += 16
    } else if (together > 1) {
      scaleGradientOf4(at, min(n, 4), all, run, dy, x, mean, variance, to, groups, inner, eps, accumulate)
      at += min(n, 4)
    } else {
      const sum = scaleGradientOf1(at * affineInner, affineInner, all, run, dy, x, mean, variance, groups, inner, eps)
      putSum(to, sum, accumulate)
      at++
    }
  }
}

/** dy (x - center) scale, of four numbers */
@inline
function products(dy: usize, x: usize, center: v128, scale: v128, count: i32): v128 {
  return f32x4.mul(take(dy, count), f32x4.mul(f32x4.sub(take(x, count), center), scale))
}

/** The gradients of sixteen gammas side by side, whose numbers begin with number `at` of every run. */
function scaleGradientOf16(
  at: i32, all: i32, run: i32, dy: usize, x: usize, mean: usize, variance: usize, to: usize,
  groups: i32, inner: i32, eps: f64, accumulate: bool,
): void {
  const zero = f64x2.splat(0)
  let s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero, s5 = zero, s6 = zero, s7 = zero
  for (let i = at; i < all; i += run) {
    const g = <usize>((i / inner) % groups) * 4
    const center = v128.load_splat<f32>(mean + g)
    const scale = f32x4.splat(<f32>inverseDeviation(variance + g, eps))
    const d = dy + <usize>i * 4
    const v = x + <usize>i * 4
    const p0 = products(d, v, center, scale, 4)
    s0 = addLow(s0, p0)
    s1 = addHigh(s1, p0)
    const p1 = products(d + 16, v + 16, center, scale, 4)
    s2 = addLow(s2, p1)
    s3 = addHigh(s3, p1)
    const p2 = products(d + 32, v + 32, center, scale, 4)
    s4 = addLow(s4, p2)
    s5 = addHigh(s5, p2)
    const p3 = products(d + 48, v + 48, center, scale, 4)
    s6 = addLow(s6, p3)
    s7 = addHigh(s7, p3)
  }
  putSums16(to, s0, s1, s2, s3, s4, s5, s6, s7, accumulate)
}

function scaleGradientOf4(
  at: i32, count: i32, all: i32, run: i32, dy: usize, x: usize, mean: usize, variance: usize, to: usize,
  groups: i32, inner: i32, eps: f64, accumulate: bool,
): void {
  let low = f64x2.splat(0)
  let high = low
  for (let i = at; i < all; i += run) {
    const g = <usize>((i / inner) % groups) * 4
    const center = v128.load_splat<f32>(mean + g)
    const scale = f32x4.splat(<f32>inverseDeviation(variance + g, eps))
    const product = products(dy + <usize>i * 4, x + <usize>i * 4, center, scale, count)
    low = addLow(low, product)
    high = addHigh(high, product)
  }
  putSums(to, low, high, count, accumulate)
}

/** The gradient of the gamma with numbers start .. start + n - 1 of every run. */
function scaleGradientOf1(
  start: i32, n: i32, all: i32, run: i32, dy: usize, x: usize, mean: usize, variance: usize,
  groups: i32, inner: i32, eps: f64,
): f64 {
  let sum: f64 = 0
  for (; start < all; start += run) {
    let i = start
    for (let left = n; left > 0; ) {
      const piece = min(left, inner - (i % inner))
      const g = <usize>((i / inner) % groups) * 4
      const center = v128.load_splat<f32>(mean + g)
      const scale = f32x4.splat(<f32>inverseDeviation(variance + g, eps))
      const at = <usize>i * 4
      sum += f64x2.extract_lane(sumsOfPiece(piece, dy + at, x + at, center, scale, 0), 1)
      i += piece
      left -= piece
    }
  }
  return sum
}
