/**
 * Masks: a bit for each number. One number of a mask holds `bits` of them, the first as the lowest. The condition is the
 * method `isOne` of a class without fields: lines.ts.
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
  const zero = f32x4.eq(slopes, f32x4.splat(0))
  // a shift by a variable keeps V8 from making the constants again for every vector
  const nibble = bits / 6
  const lanes0 = i32x4(1, 2, 4, 8)
  const lanes1 = i32x4.shl(lanes0, nibble)
  const lanes2 = i32x4.shl(lanes1, nibble)
  const lanes3 = i32x4.shl(lanes2, nibble)
  const lanes4 = i32x4.shl(lanes3, nibble)
  const lanes5 = i32x4.shl(lanes4, nibble)
  for (; count > 0 && left >= bits; count--) {
    const number = i32x4.splat(<i32>load<f32>(mask))
    if (slope == 0) {
      v128.store(dx, kept(v128.load(dy), number, lanes0))
      v128.store(dx, kept(v128.load(dy, 16), number, lanes1), 16)
      v128.store(dx, kept(v128.load(dy, 32), number, lanes2), 32)
      v128.store(dx, kept(v128.load(dy, 48), number, lanes3), 48)
      v128.store(dx, kept(v128.load(dy, 64), number, lanes4), 64)
      v128.store(dx, kept(v128.load(dy, 80), number, lanes5), 80)
    } else {
      v128.store(dx, sloped(v128.load(dy), number, lanes0, slopes, zero))
      v128.store(dx, sloped(v128.load(dy, 16), number, lanes1, slopes, zero), 16)
      v128.store(dx, sloped(v128.load(dy, 32), number, lanes2, slopes, zero), 32)
      v128.store(dx, sloped(v128.load(dy, 48), number, lanes3, slopes, zero), 48)
      v128.store(dx, sloped(v128.load(dy, 64), number, lanes4, slopes, zero), 64)
      v128.store(dx, sloped(v128.load(dy, 80), number, lanes5, slopes, zero), 80)
    }
    dy += 96
    dx += 96
    mask += 4
    left -= bits
  }
  // the last number of a mask may hold fewer bits
  if (count <= 0) return
  let number = i32x4.splat(<i32>load<f32>(mask))
  for (; left > 0; left -= 4) {
    put(dx, sloped(take(dy, left), number, lanes0, slopes, zero), left)
    number = i32x4.shr_u(number, 4)
    dy += 16
    dx += 16
  }
}

/** dy where the bit of the lane is set, else 0 */
@inline
function kept(dy: v128, number: v128, lanes: v128): v128 {
  return v128.and(dy, i32x4.eq(v128.and(number, lanes), lanes))
}

/** dy where the bit of the lane is set, else slope dy, or 0 for a slope of 0 (`zero`). */
@inline
function sloped(dy: v128, number: v128, lanes: v128, slopes: v128, zero: v128): v128 {
  const isSet = i32x4.eq(v128.and(number, lanes), lanes)
  return v128.bitselect(dy, v128.andnot(f32x4.mul(slopes, dy), zero), isSet)
}
