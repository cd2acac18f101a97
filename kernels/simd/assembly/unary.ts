/**
 * Functions of one tensor, and their gradients: y [n] = f(x), dx [n] = dy f'(s), where s is x or y, whichever the
 * derivative is written in. Constants p and q are those of the kernel table. Each function of kernels/functions.ts is a
 * class here, exported under its own name, and its gradient under that name and `Gradient`; pow is in power.ts. A function
 * of two slopes has a mask, too: machine/masks.ts.
 *
 * A gradient that is 0 by choice is not a product with 0, which an infinite dy would make NaN: Note [Zero by choice] in
 * kernels/functions.ts. An f' that overflows is not a factor either, if dy f' does not overflow: dy / x, not dy (1 /
 * x).
 */
import { exp as exponential, log as logarithm, log1p } from './machine/exp'
import { combine, combineFew, map, mapFew } from './machine/lines'
import { maskOf } from './machine/masks'
import { bell, decay, density, sigmoid as logistic, tail, tanh as hyperbolicTangent, within } from './machine/saturating'

function apply<F>(n: i32, x: usize, y: usize, a: f32, b: f32): void {
  map<F>(n, x, y, f32x4.splat(a), f32x4.splat(b))
}

@unmanaged class Gradient<F> {
  @inline apply(dy: v128, s: v128, p: v128, q: v128, _r: v128): v128 { return changetype<F>(0).gradient(dy, s, p, q) }
}
function slope<F>(n: i32, dy: usize, s: usize, dx: usize, a: f32, b: f32): void {
  combine<Gradient<F>>(n, dy, s, dx, f32x4.splat(a), f32x4.splat(b), zero())
}

/** For functions that take long: lines.ts. */
function applyFew<F>(n: i32, x: usize, y: usize, a: f32, b: f32): void {
  mapFew<F>(n, x, y, f32x4.splat(a), f32x4.splat(b))
}
function slopeFew<F>(n: i32, dy: usize, s: usize, dx: usize, a: f32, b: f32): void {
  combineFew<Gradient<F>>(n, dy, s, dx, f32x4.splat(a), f32x4.splat(b), zero())
}

@inline
function one(): v128 {
  return f32x4.splat(1)
}

@inline
function zero(): v128 {
  return f32x4.splat(0)
}

@unmanaged class Neg {
  @inline apply(x: v128, _p: v128, _q: v128): v128 { return f32x4.neg(x) }
  @inline gradient(dy: v128, _x: v128, _p: v128, _q: v128): v128 { return f32x4.neg(dy) }
}
export function neg(n: i32, x: usize, y: usize, a: f32, b: f32): void { apply<Neg>(n, x, y, a, b) }
export function negGradient(n: i32, dy: usize, s: usize, dx: usize, a: f32, b: f32): void {
  slope<Neg>(n, dy, s, dx, a, b)
}

@unmanaged class Abs {
  @inline apply(x: v128, _p: v128, _q: v128): v128 { return f32x4.abs(x) }
  @inline gradient(dy: v128, x: v128, _p: v128, _q: v128): v128 {
    const signed = v128.xor(dy, v128.and(x, f32x4.splat(-0.0)))
    // 0 at 0, NaN at NaN
    return v128.bitselect(signed, x, v128.or(f32x4.lt(x, zero()), f32x4.gt(x, zero())))
  }
}
export function abs(n: i32, x: usize, y: usize, a: f32, b: f32): void { apply<Abs>(n, x, y, a, b) }
export function absGradient(n: i32, dy: usize, s: usize, dx: usize, a: f32, b: f32): void {
  slope<Abs>(n, dy, s, dx, a, b)
}

@unmanaged class Sqrt {
  @inline apply(x: v128, _p: v128, _q: v128): v128 { return f32x4.sqrt(x) }
  @inline gradient(dy: v128, y: v128, _p: v128, _q: v128): v128 { return f32x4.div(dy, f32x4.add(y, y)) }
}
export function sqrt(n: i32, x: usize, y: usize, a: f32, b: f32): void { apply<Sqrt>(n, x, y, a, b) }
export function sqrtGradient(n: i32, dy: usize, s: usize, dx: usize, a: f32, b: f32): void {
  slope<Sqrt>(n, dy, s, dx, a, b)
}

@unmanaged class Square {
  @inline apply(x: v128, _p: v128, _q: v128): v128 { return f32x4.mul(x, x) }
  @inline gradient(dy: v128, x: v128, _p: v128, _q: v128): v128 {
    const product = f32x4.mul(dy, x)
    return f32x4.add(product, product)
  }
}
export function square(n: i32, x: usize, y: usize, a: f32, b: f32): void { apply<Square>(n, x, y, a, b) }
export function squareGradient(n: i32, dy: usize, s: usize, dx: usize, a: f32, b: f32): void {
  slope<Square>(n, dy, s, dx, a, b)
}

/** pmax returns its first operand if that is NaN: here x. */
@unmanaged class Relu {
  @inline apply(x: v128, _p: v128, _q: v128): v128 { return f32x4.pmax(x, zero()) }
  @inline gradient(dy: v128, y: v128, p: v128, q: v128): v128 { return v128.and(dy, this.isOne(y, p, q)) }
  @inline isOne(y: v128, _p: v128, _q: v128): v128 { return v128.not(f32x4.le(y, zero())) }
}
export function relu(n: i32, x: usize, y: usize, a: f32, b: f32): void { apply<Relu>(n, x, y, a, b) }
export function reluGradient(n: i32, dy: usize, s: usize, dx: usize, a: f32, b: f32): void {
  slope<Relu>(n, dy, s, dx, a, b)
}
export function reluMask(count: i32, bits: i32, left: i32, s: usize, mask: usize, a: f32, b: f32): void {
  maskOf<Relu>(count, bits, left, s, mask, a, b)
}

@unmanaged class LeakyRelu {
  @inline apply(x: v128, slope: v128, _q: v128): v128 {
    return v128.bitselect(x, f32x4.mul(slope, x), f32x4.gt(x, zero()))
  }
  @inline gradient(dy: v128, x: v128, slope: v128, _q: v128): v128 {
    const below = v128.and(f32x4.mul(slope, dy), f32x4.ne(slope, zero()))
    return v128.bitselect(dy, below, this.isOne(x, slope, slope))
  }
  @inline isOne(x: v128, _p: v128, _q: v128): v128 { return f32x4.gt(x, zero()) }
}
export function leakyRelu(n: i32, x: usize, y: usize, a: f32, b: f32): void { apply<LeakyRelu>(n, x, y, a, b) }
export function leakyReluGradient(n: i32, dy: usize, s: usize, dx: usize, a: f32, b: f32): void {
  slope<LeakyRelu>(n, dy, s, dx, a, b)
}
export function leakyReluMask(count: i32, bits: i32, left: i32, s: usize, mask: usize, a: f32, b: f32): void {
  maskOf<LeakyRelu>(count, bits, left, s, mask, a, b)
}

@unmanaged class Clamp {
  @inline apply(x: v128, low: v128, high: v128): v128 { return f32x4.pmin(f32x4.pmax(x, low), high) }
  @inline gradient(dy: v128, x: v128, low: v128, high: v128): v128 {
    return v128.and(dy, this.isOne(x, low, high))
  }
  @inline isOne(x: v128, low: v128, high: v128): v128 { return v128.and(f32x4.ge(x, low), f32x4.le(x, high)) }
}
export function clamp(n: i32, x: usize, y: usize, a: f32, b: f32): void { apply<Clamp>(n, x, y, a, b) }
export function clampGradient(n: i32, dy: usize, s: usize, dx: usize, a: f32, b: f32): void {
  slope<Clamp>(n, dy, s, dx, a, b)
}
export function clampMask(count: i32, bits: i32, left: i32, s: usize, mask: usize, a: f32, b: f32): void {
  maskOf<Clamp>(count, bits, left, s, mask, a, b)
}

@unmanaged class Affine {
  @inline apply(x: v128, a: v128, b: v128): v128 { return f32x4.add(f32x4.mul(a, x), b) }
  @inline gradient(dy: v128, _x: v128, a: v128, _b: v128): v128 { return f32x4.mul(a, dy) }
}
export function affine(n: i32, x: usize, y: usize, a: f32, b: f32): void { apply<Affine>(n, x, y, a, b) }
export function affineGradient(n: i32, dy: usize, s: usize, dx: usize, a: f32, b: f32): void {
  slope<Affine>(n, dy, s, dx, a, b)
}

@unmanaged class Exp {
  @inline apply(x: v128, _p: v128, _q: v128): v128 { return exponential(x) }
  @inline gradient(dy: v128, y: v128, _p: v128, _q: v128): v128 { return f32x4.mul(dy, y) }
}
export function exp(n: i32, x: usize, y: usize, a: f32, b: f32): void { applyFew<Exp>(n, x, y, a, b) }
export function expGradient(n: i32, dy: usize, s: usize, dx: usize, a: f32, b: f32): void {
  slope<Exp>(n, dy, s, dx, a, b)
}

@unmanaged class Log {
  @inline apply(x: v128, _p: v128, _q: v128): v128 { return logarithm(x) }
  @inline gradient(dy: v128, x: v128, _p: v128, _q: v128): v128 { return f32x4.div(dy, x) }
}
export function log(n: i32, x: usize, y: usize, a: f32, b: f32): void { applyFew<Log>(n, x, y, a, b) }
export function logGradient(n: i32, dy: usize, s: usize, dx: usize, a: f32, b: f32): void {
  slope<Log>(n, dy, s, dx, a, b)
}

@unmanaged class Sigmoid {
  @inline apply(x: v128, _p: v128, _q: v128): v128 { return logistic(x, decay(x)) }
  @inline gradient(dy: v128, y: v128, _p: v128, _q: v128): v128 {
    return f32x4.mul(dy, f32x4.mul(y, f32x4.sub(one(), y)))
  }
}
export function sigmoid(n: i32, x: usize, y: usize, a: f32, b: f32): void { applyFew<Sigmoid>(n, x, y, a, b) }
export function sigmoidGradient(n: i32, dy: usize, s: usize, dx: usize, a: f32, b: f32): void {
  slope<Sigmoid>(n, dy, s, dx, a, b)
}

@unmanaged class Tanh {
  @inline apply(x: v128, _p: v128, _q: v128): v128 { return hyperbolicTangent(x) }
  /** The form 1 - y^2 would lose digits where y is near 1. */
  @inline gradient(dy: v128, y: v128, _p: v128, _q: v128): v128 {
    return f32x4.mul(dy, f32x4.mul(f32x4.sub(one(), y), f32x4.add(one(), y)))
  }
}
export function tanh(n: i32, x: usize, y: usize, a: f32, b: f32): void { applyFew<Tanh>(n, x, y, a, b) }
export function tanhGradient(n: i32, dy: usize, s: usize, dx: usize, a: f32, b: f32): void {
  slope<Tanh>(n, dy, s, dx, a, b)
}

/** x Phi(x), and Phi(x) + x phi(x), of the distribution and the density of the standard normal. */
@unmanaged class Gelu {
  @inline apply(x: v128, _p: v128, _q: v128): v128 {
    const near = within(x)
    const belled = bell(near)
    const share = tail(f32x4.abs(near))
    // The bell is multiplied last: it may be so small that its product with a factor below x loses digits.
    const left = f32x4.mul(f32x4.mul(x, share), belled)
    const right = f32x4.mul(x, f32x4.sub(one(), f32x4.mul(share, belled)))
    return v128.bitselect(left, right, f32x4.lt(x, zero()))
  }
  @inline gradient(dy: v128, x: v128, _p: v128, _q: v128): v128 {
    const near = within(x)
    const belled = bell(near)
    const left = f32x4.mul(tail(f32x4.abs(near)), belled)
    const distribution = v128.bitselect(left, f32x4.sub(one(), left), f32x4.lt(x, zero()))
    return f32x4.mul(dy, f32x4.add(distribution, f32x4.mul(x, density(belled))))
  }
}
export function gelu(n: i32, x: usize, y: usize, a: f32, b: f32): void { applyFew<Gelu>(n, x, y, a, b) }
export function geluGradient(n: i32, dy: usize, s: usize, dx: usize, a: f32, b: f32): void {
  slopeFew<Gelu>(n, dy, s, dx, a, b)
}

/**
 * To 3.2 ulp: counted over all x with 2^-31 <= |x| < 87. Below -87 e^x is subnormal and has lost digits, which x shifts
 * up: at worst 52 ulp of the smallest numbers, near -104 (`node dist/test/ulps.js silu`, over all numbers, prints
 * these).
 */
@unmanaged class Silu {
  @inline apply(x: v128, _p: v128, _q: v128): v128 { return f32x4.mul(x, logistic(x, decay(x))) }
  @inline gradient(dy: v128, x: v128, _p: v128, _q: v128): v128 {
    const decayed = decay(x)
    const rest = logistic(f32x4.neg(x), decayed)
    return f32x4.mul(dy, f32x4.mul(logistic(x, decayed), f32x4.add(one(), f32x4.mul(x, rest))))
  }
}
export function silu(n: i32, x: usize, y: usize, a: f32, b: f32): void { applyFew<Silu>(n, x, y, a, b) }
export function siluGradient(n: i32, dy: usize, s: usize, dx: usize, a: f32, b: f32): void {
  slopeFew<Silu>(n, dy, s, dx, a, b)
}

/** To 2 ulp (`node dist/test/ulps.js softplus`). */
@unmanaged class Softplus {
  @inline apply(x: v128, _p: v128, _q: v128): v128 {
    return f32x4.add(f32x4.pmax(x, zero()), log1p(decay(x)))
  }
  @inline gradient(dy: v128, x: v128, _p: v128, _q: v128): v128 { return f32x4.mul(dy, logistic(x, decay(x))) }
}
export function softplus(n: i32, x: usize, y: usize, a: f32, b: f32): void { applyFew<Softplus>(n, x, y, a, b) }
export function softplusGradient(n: i32, dy: usize, s: usize, dx: usize, a: f32, b: f32): void {
  slopeFew<Softplus>(n, dy, s, dx, a, b)
}
