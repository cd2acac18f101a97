/**
 * Masks: a bit for each number, `bits` of them in one, the first the lowest. The condition is the method `isOne` of a class
 * without fields: lines.ts.
 */
import { put, take } from './lines'

/** s -> mask, `count` numbers. @param left  numbers of s from here on */
export function maskOf<F>(count: i32, bits: i32, left: i32, s: usize, mask: usize, a: f32, b: f32): void {
  const f = changetype<F>(0)
  const p = f32x4.splat(a)
  const q = f32x4.splat(b)
  for (; count > 0; count--) {
    let number = 0
    if (left >= bits) {
      for (let i = 0; i < bits; i += 8) {
        const first = i32x4.bitmask(f.isOne(v128.load(s), p, q))
        number |= (first | (i32x4.bitmask(f.isOne(v128.load(s, 16), p, q)) << 4)) << i
        s += 32
      }
    } else {
      for (let i = 0; i < left; i += 4) number |= i32x4.bitmask(f.isOne(take(s + <usize>i * 4, left - i), p, q)) << i
      number &= (1 << left) - 1
    }
    store<f32>(mask, <f32>number)
    mask += 4
    left -= bits
  }
}

/** dy, mask -> dx, `count` numbers of the mask. @param left  numbers of dy from here on */
export function maskGradient(count: i32, bits: i32, left: i32, dy: usize, mask: usize, dx: usize, slope: f32): void {
  const slopes = f32x4.splat(slope)
  for (; count > 0; count--) {
    let number = i32x4.splat(<i32>load<f32>(mask))
    const here = min(bits, left)
    let i = 0
    for (; i + 8 <= here; i += 8) {
      v128.store(dx, sloped(v128.load(dy), number, i32x4(1, 2, 4, 8), slopes))
      v128.store(dx, sloped(v128.load(dy, 16), number, i32x4(16, 32, 64, 128), slopes), 16)
      number = i32x4.shr_u(number, 8)
      dy += 32
      dx += 32
    }
    for (; i < here; i += 4) {
      put(dx, sloped(take(dy, here - i), number, i32x4(1, 2, 4, 8), slopes), here - i)
      number = i32x4.shr_u(number, 4)
      dy += 16
      dx += 16
    }
    mask += 4
    left -= bits
  }
}

/** dy where the bit of the lane is set, else slope dy, or 0 for a slope of 0. */
@inline
function sloped(dy: v128, number: v128, lanes: v128, slopes: v128): v128 {
  const isSet = i32x4.eq(v128.and(number, lanes), lanes)
  const other = v128.and(f32x4.mul(slopes, dy), f32x4.ne(slopes, f32x4.splat(0)))
  return v128.bitselect(dy, other, isSet)
}
