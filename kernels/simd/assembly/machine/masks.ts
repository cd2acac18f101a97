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
    const here = min(bits, left)
    let number = 0
    for (let i = 0; i < here; i += 4) {
      number |= i32x4.bitmask(f.isOne(take(s, here - i), p, q)) << i
      s += 16
    }
    // the last four may be fewer
    store<f32>(mask, <f32>(number & ((1 << here) - 1)))
    mask += 4
    left -= bits
  }
}

/** dy, mask -> dx, `count` numbers of the mask. @param left  numbers of dy from here on */
export function maskGradient(count: i32, bits: i32, left: i32, dy: usize, mask: usize, dx: usize, slope: f32): void {
  const slopes = f32x4.splat(slope)
  const sloped = f32x4.ne(slopes, f32x4.splat(0))
  const lanes = i32x4(1, 2, 4, 8)
  for (; count > 0; count--) {
    const here = min(bits, left)
    const number = <i32>load<f32>(mask)
    for (let i = 0; i < here; i += 4) {
      const isSet = i32x4.eq(v128.and(i32x4.splat(number >> i), lanes), lanes)
      const four = take(dy, here - i)
      put(dx, v128.bitselect(four, v128.and(f32x4.mul(slopes, four), sloped), isSet), here - i)
      dy += 16
      dx += 16
    }
    mask += 4
    left -= bits
  }
}
