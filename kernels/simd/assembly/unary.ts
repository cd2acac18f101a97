/**
 * Functions of one tensor, and their gradients: y [n] = f(x), dx [n] = dy f'(s), where s is x or y, whichever the
 * derivative is written in. Constants p and q are those of the kernel table.
 *
 * A gradient that is 0 by choice is no product with 0, which an infinite dy would make NaN: Note [Zero by choice] in
 * kernels/reference/elementwise.ts. Nor is an f' that is beyond the numbers multiplied where dy f' is not: dy / x, not dy (1 / x).
 */
import { exp, log, log1p } from './machine/exp'
import { combine, combineFew, map, mapFew } from './machine/lines'
import { bell, decay, density, sigmoid, tail, tanh, within } from './machine/saturating'

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
@unmanaged class Abs {
  @inline apply(x: v128, _p: v128, _q: v128): v128 { return f32x4.abs(x) }
  @inline gradient(dy: v128, x: v128, _p: v128, _q: v128): v128 {
    const signed = v128.xor(dy, v128.and(x, f32x4.splat(-0.0)))
    // 0 at 0, NaN at NaN
    return v128.bitselect(signed, x, v128.or(f32x4.lt(x, zero()), f32x4.gt(x, zero())))
  }
}
@unmanaged class Sqrt {
  @inline apply(x: v128, _p: v128, _q: v128): v128 { return f32x4.sqrt(x) }
  @inline gradient(dy: v128, y: v128, _p: v128, _q: v128): v128 { return f32x4.div(dy, f32x4.add(y, y)) }
}
@unmanaged class Square {
  @inline apply(x: v128, _p: v128, _q: v128): v128 { return f32x4.mul(x, x) }
  @inline gradient(dy: v128, x: v128, _p: v128, _q: v128): v128 {
    const product = f32x4.mul(dy, x)
    return f32x4.add(product, product)
  }
}
/** pmax is its first operand where that is NaN: here x. */
@unmanaged class Relu {
  @inline apply(x: v128, _p: v128, _q: v128): v128 { return f32x4.pmax(x, zero()) }
  @inline gradient(dy: v128, y: v128, _p: v128, _q: v128): v128 { return v128.andnot(dy, f32x4.le(y, zero())) }
}
@unmanaged class LeakyRelu {
  @inline apply(x: v128, slope: v128, _q: v128): v128 {
    return v128.bitselect(x, f32x4.mul(slope, x), f32x4.gt(x, zero()))
  }
  @inline gradient(dy: v128, x: v128, slope: v128, _q: v128): v128 {
    const below = v128.and(f32x4.mul(slope, dy), f32x4.ne(slope, zero()))
    return v128.bitselect(dy, below, f32x4.gt(x, zero()))
  }
}
@unmanaged class Clamp {
  @inline apply(x: v128, low: v128, high: v128): v128 { return f32x4.pmin(f32x4.pmax(x, low), high) }
  @inline gradient(dy: v128, x: v128, low: v128, high: v128): v128 {
    return v128.and(dy, v128.and(f32x4.ge(x, low), f32x4.le(x, high)))
  }
}
@unmanaged class Affine {
  @inline apply(x: v128, a: v128, b: v128): v128 { return f32x4.add(f32x4.mul(a, x), b) }
  @inline gradient(dy: v128, _x: v128, a: v128, _b: v128): v128 { return f32x4.mul(a, dy) }
}

@unmanaged class Exp {
  @inline apply(x: v128, _p: v128, _q: v128): v128 { return exp(x) }
  @inline gradient(dy: v128, y: v128, _p: v128, _q: v128): v128 { return f32x4.mul(dy, y) }
}
@unmanaged class Log {
  @inline apply(x: v128, _p: v128, _q: v128): v128 { return log(x) }
  @inline gradient(dy: v128, x: v128, _p: v128, _q: v128): v128 { return f32x4.div(dy, x) }
}
@unmanaged class Sigmoid {
  @inline apply(x: v128, _p: v128, _q: v128): v128 { return sigmoid(x, decay(x)) }
  @inline gradient(dy: v128, y: v128, _p: v128, _q: v128): v128 {
    return f32x4.mul(dy, f32x4.mul(y, f32x4.sub(one(), y)))
  }
}
@unmanaged class Tanh {
  @inline apply(x: v128, _p: v128, _q: v128): v128 { return tanh(x) }
  /** As 1 - y^2 it would have lost digits where y is near 1. */
  @inline gradient(dy: v128, y: v128, _p: v128, _q: v128): v128 {
    return f32x4.mul(dy, f32x4.mul(f32x4.sub(one(), y), f32x4.add(one(), y)))
  }
}
/** x Phi(x), and Phi(x) + x phi(x), of the distribution and the density of the standard normal. */
@unmanaged class Gelu {
  @inline apply(x: v128, _p: v128, _q: v128): v128 {
    const near = within(x)
    const belled = bell(near)
    const share = tail(f32x4.abs(near))
    // The bell comes last: it may be so small that a product with less than x loses digits.
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
/**
 * To 3.2 ulp: counted over all x with 2^-31 <= |x| < 87. Below -87 e^x is subnormal and has lost digits, which x shifts
 * up: at worst 52 ulp of the least numbers, near -104 (`node dist/test/ulps.js silu`, over all numbers, prints these).
 */
@unmanaged class Silu {
  @inline apply(x: v128, _p: v128, _q: v128): v128 { return f32x4.mul(x, sigmoid(x, decay(x))) }
  @inline gradient(dy: v128, x: v128, _p: v128, _q: v128): v128 {
    const decayed = decay(x)
    const rest = sigmoid(f32x4.neg(x), decayed)
    return f32x4.mul(dy, f32x4.mul(sigmoid(x, decayed), f32x4.add(one(), f32x4.mul(x, rest))))
  }
}
/** To 2 ulp (`node dist/test/ulps.js softplus`). */
@unmanaged class Softplus {
  @inline apply(x: v128, _p: v128, _q: v128): v128 {
    return f32x4.add(f32x4.pmax(x, zero()), log1p(decay(x)))
  }
  @inline gradient(dy: v128, x: v128, _p: v128, _q: v128): v128 { return f32x4.mul(dy, sigmoid(x, decay(x))) }
}

/** x -> y; `name` counts as kernels/simd/elementwise.ts does */
export function unary(name: i32, n: i32, x: usize, y: usize, a: f32, b: f32): void {
  const p = f32x4.splat(a)
  const q = f32x4.splat(b)
  switch (name) {
    case 0: return map<Neg>(n, x, y, p, q)
    case 1: return map<Abs>(n, x, y, p, q)
    case 2: return map<Sqrt>(n, x, y, p, q)
    case 3: return map<Square>(n, x, y, p, q)
    case 4: return map<Relu>(n, x, y, p, q)
    case 5: return map<LeakyRelu>(n, x, y, p, q)
    case 6: return map<Clamp>(n, x, y, p, q)
    case 7: return map<Affine>(n, x, y, p, q)
    case 8: return mapFew<Exp>(n, x, y, p, q)
    case 9: return mapFew<Log>(n, x, y, p, q)
    case 10: return mapFew<Sigmoid>(n, x, y, p, q)
    case 11: return mapFew<Tanh>(n, x, y, p, q)
    case 12: return mapFew<Gelu>(n, x, y, p, q)
    case 13: return mapFew<Silu>(n, x, y, p, q)
    case 14: return mapFew<Softplus>(n, x, y, p, q)
  }
}

@unmanaged class Gradient<F> {
  @inline apply(dy: v128, s: v128, p: v128, q: v128, _r: v128): v128 { return changetype<F>(0).gradient(dy, s, p, q) }
}

/** dy, s -> dx */
export function unaryGradient(name: i32, n: i32, dy: usize, s: usize, dx: usize, a: f32, b: f32): void {
  const p = f32x4.splat(a)
  const q = f32x4.splat(b)
  const r = f32x4.splat(0)
  switch (name) {
    case 0: return combine<Gradient<Neg>>(n, dy, s, dx, p, q, r)
    case 1: return combine<Gradient<Abs>>(n, dy, s, dx, p, q, r)
    case 2: return combine<Gradient<Sqrt>>(n, dy, s, dx, p, q, r)
    case 3: return combine<Gradient<Square>>(n, dy, s, dx, p, q, r)
    case 4: return combine<Gradient<Relu>>(n, dy, s, dx, p, q, r)
    case 5: return combine<Gradient<LeakyRelu>>(n, dy, s, dx, p, q, r)
    case 6: return combine<Gradient<Clamp>>(n, dy, s, dx, p, q, r)
    case 7: return combine<Gradient<Affine>>(n, dy, s, dx, p, q, r)
    case 8: return combine<Gradient<Exp>>(n, dy, s, dx, p, q, r)
    case 9: return combine<Gradient<Log>>(n, dy, s, dx, p, q, r)
    case 10: return combine<Gradient<Sigmoid>>(n, dy, s, dx, p, q, r)
    case 11: return combine<Gradient<Tanh>>(n, dy, s, dx, p, q, r)
    case 12: return combineFew<Gradient<Gelu>>(n, dy, s, dx, p, q, r)
    case 13: return combineFew<Gradient<Silu>>(n, dy, s, dx, p, q, r)
    case 14: return combineFew<Gradient<Softplus>>(n, dy, s, dx, p, q, r)
  }
}
