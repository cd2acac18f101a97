/** Shared parts of the norm kernels: the scale of a group, and sums over a piece of it. */
import { take } from './lines'
import { addHigh, addLow, sumOfPair } from './sums'

@inline
export function inverseDeviation(variance: usize, eps: f64): f64 {
  return 1 / sqrt<f64>(<f64>load<f32>(variance) + eps)
}

/** The sums of d and of d (x - center) scale, where d is dy gamma [n], or dy where gamma is 0. */
export function sumsOfPiece(n: i32, dy: usize, x: usize, center: v128, scale: v128, gamma: usize): v128 {
  const zero = f64x2.splat(0)
  let s0 = zero, s1 = zero, p0 = zero, p1 = zero
  for (; n > 0; n -= 4) {
    let d = take(dy, n)
    if (gamma != 0) {
      d = f32x4.mul(d, take(gamma, n))
      gamma += 16
    }
    const product = f32x4.mul(d, f32x4.mul(f32x4.sub(take(x, n), center), scale))
    s0 = addLow(s0, d)
    s1 = addHigh(s1, d)
    p0 = addLow(p0, product)
    p1 = addHigh(p1, product)
    dy += 16
    x += 16
  }
  return f64x2(sumOfPair(f64x2.add(s0, s1)), sumOfPair(f64x2.add(p0, p1)))
}
