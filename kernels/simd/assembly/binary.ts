/**
 * Functions of two tensors, and choices among three: y [rows, n], operands broadcast by strides (lines.ts).
 *
 * Most of them are single instructions on four lanes, rounded as the plain loops round. Comparisons make masks of all
 * ones or all zeros. `and` turns a mask into 1 or 0, or keeps or drops a number: a NaN that is dropped leaves no trace.
 */
import { PLANE_STEPS } from '../layout'
import { broadcast, put, takeApart } from './machine/lines'
import { PlaneSteps } from './machine/sizes'
import { highPair, lowPair } from './machine/sums'

@inline
function one(): v128 {
  return f32x4.splat(1)
}

@unmanaged class Add { @inline apply(a: v128, b: v128): v128 { return f32x4.add(a, b) } }
@unmanaged class Sub { @inline apply(a: v128, b: v128): v128 { return f32x4.sub(a, b) } }
@unmanaged class Mul { @inline apply(a: v128, b: v128): v128 { return f32x4.mul(a, b) } }
@unmanaged class Div { @inline apply(a: v128, b: v128): v128 { return f32x4.div(a, b) } }
/** NaN where either number is NaN. */
@unmanaged class Maximum { @inline apply(a: v128, b: v128): v128 { return f32x4.max(a, b) } }
@unmanaged class Minimum { @inline apply(a: v128, b: v128): v128 { return f32x4.min(a, b) } }
@unmanaged class Less { @inline apply(a: v128, b: v128): v128 { return v128.and(f32x4.lt(a, b), one()) } }
@unmanaged class LessEqual { @inline apply(a: v128, b: v128): v128 { return v128.and(f32x4.le(a, b), one()) } }
@unmanaged class Greater { @inline apply(a: v128, b: v128): v128 { return v128.and(f32x4.gt(a, b), one()) } }
@unmanaged class GreaterEqual { @inline apply(a: v128, b: v128): v128 { return v128.and(f32x4.ge(a, b), one()) } }
@unmanaged class Equal { @inline apply(a: v128, b: v128): v128 { return v128.and(f32x4.eq(a, b), one()) } }
@unmanaged class NotEqual { @inline apply(a: v128, b: v128): v128 { return v128.and(f32x4.ne(a, b), one()) } }
@unmanaged class KeepWhere {
  @inline apply(a: v128, b: v128): v128 { return v128.and(a, f32x4.ne(b, f32x4.splat(0))) }
}
@unmanaged class KeepUnless {
  @inline apply(a: v128, b: v128): v128 { return v128.and(a, f32x4.eq(b, f32x4.splat(0))) }
}

/** a, b -> y */
export function add(a: usize, b: usize, y: usize, rows: i32, n: i32): void { broadcast<Add>(a, b, y, rows, n) }
export function sub(a: usize, b: usize, y: usize, rows: i32, n: i32): void { broadcast<Sub>(a, b, y, rows, n) }
export function mul(a: usize, b: usize, y: usize, rows: i32, n: i32): void { broadcast<Mul>(a, b, y, rows, n) }
export function div(a: usize, b: usize, y: usize, rows: i32, n: i32): void { broadcast<Div>(a, b, y, rows, n) }
export function maximum(a: usize, b: usize, y: usize, rows: i32, n: i32): void { broadcast<Maximum>(a, b, y, rows, n) }
export function minimum(a: usize, b: usize, y: usize, rows: i32, n: i32): void { broadcast<Minimum>(a, b, y, rows, n) }
export function less(a: usize, b: usize, y: usize, rows: i32, n: i32): void { broadcast<Less>(a, b, y, rows, n) }
export function lessEqual(a: usize, b: usize, y: usize, rows: i32, n: i32): void {
  broadcast<LessEqual>(a, b, y, rows, n)
}
export function greater(a: usize, b: usize, y: usize, rows: i32, n: i32): void { broadcast<Greater>(a, b, y, rows, n) }
export function greaterEqual(a: usize, b: usize, y: usize, rows: i32, n: i32): void {
  broadcast<GreaterEqual>(a, b, y, rows, n)
}
export function equal(a: usize, b: usize, y: usize, rows: i32, n: i32): void { broadcast<Equal>(a, b, y, rows, n) }
export function notEqual(a: usize, b: usize, y: usize, rows: i32, n: i32): void {
  broadcast<NotEqual>(a, b, y, rows, n)
}
export function keepWhere(a: usize, b: usize, y: usize, rows: i32, n: i32): void {
  broadcast<KeepWhere>(a, b, y, rows, n)
}
export function keepUnless(a: usize, b: usize, y: usize, rows: i32, n: i32): void {
  broadcast<KeepUnless>(a, b, y, rows, n)
}

/** dy, a, b -> the gradient towards a or b */
@unmanaged class DivA {
  @inline apply(dy: v128, _a: v128, b: v128): v128 { return f32x4.div(dy, b) }
}
/** In double precision, because b^2 or dy / b may overflow float32 although -dy a / b^2 does not. */
@unmanaged class DivB {
  @inline apply(dy: v128, a: v128, b: v128): v128 {
    const low = this.pair(lowPair(dy), lowPair(a), lowPair(b))
    const high = this.pair(highPair(dy), highPair(a), highPair(b))
    return v128.shuffle<f64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2)
  }
  @inline pair(dy: v128, a: v128, b: v128): v128 {
    return f64x2.div(f64x2.mul(f64x2.neg(dy), a), f64x2.mul(b, b))
  }
}
/** Half of dy where a equals b, nothing where the other operand was chosen, and all of dy elsewhere, NaN included. */
@unmanaged class WhereNotLess {
  @inline apply(dy: v128, a: v128, b: v128): v128 { return share(dy, f32x4.eq(a, b), f32x4.lt(a, b)) }
}
@unmanaged class WhereNotGreater {
  @inline apply(dy: v128, a: v128, b: v128): v128 { return share(dy, f32x4.eq(a, b), f32x4.gt(a, b)) }
}
@inline
function share(dy: v128, tie: v128, other: v128): v128 {
  const half = f32x4.mul(dy, f32x4.splat(0.5))
  return v128.andnot(v128.bitselect(half, dy, tie), other)
}

/** condition, a, b -> y */
@unmanaged class Select {
  @inline apply(condition: v128, a: v128, b: v128): v128 {
    return v128.bitselect(a, b, f32x4.ne(condition, f32x4.splat(0)))
  }
}

export function divA(dy: usize, a: usize, b: usize, dx: usize, rows: i32, n: i32): void {
  broadcast3<DivA>(dy, a, b, dx, rows, n)
}
export function divB(dy: usize, a: usize, b: usize, dx: usize, rows: i32, n: i32): void {
  broadcast3<DivB>(dy, a, b, dx, rows, n)
}
export function whereNotLess(dy: usize, a: usize, b: usize, dx: usize, rows: i32, n: i32): void {
  broadcast3<WhereNotLess>(dy, a, b, dx, rows, n)
}
export function whereNotGreater(dy: usize, a: usize, b: usize, dx: usize, rows: i32, n: i32): void {
  broadcast3<WhereNotGreater>(dy, a, b, dx, rows, n)
}

export function select(condition: usize, a: usize, b: usize, y: usize, rows: i32, n: i32): void {
  broadcast3<Select>(condition, a, b, y, rows, n)
}

function broadcast3<F>(a: usize, b: usize, c: usize, y: usize, rows: i32, n: i32): void {
  const steps = changetype<PlaneSteps>(PLANE_STEPS)
  for (; rows > 0; rows--) {
    broadcastLine<F>(n, a, steps.a, b, steps.b, c, steps.c, y)
    a += steps.rowA
    b += steps.rowB
    c += steps.rowC
    y += <usize>n * 4
  }
}

function broadcastLine<F>(
  n: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, stepC: usize, y: usize,
): void {
  const f = changetype<F>(0)
  for (; n > 0; n -= 4) {
    put(y, f.apply(takeApart(a, stepA, n), takeApart(b, stepB, n), takeApart(c, stepC, n)), n)
    a += 4 * stepA
    b += 4 * stepB
    c += 4 * stepC
    y += 16
  }
}
