/** The scores of a row of attention: scale and mask, and the maximum, in which NaN does not count. */
import { maxAcross } from './across'
import { put, take, takeApart } from './lines'
import { takeOr } from './rows'

/** Stores y = scale x; returns the maximum. */
export function scaled(x: usize, y: usize, n: i32, scale: f32): v128 {
  const factor = f32x4.splat(scale)
  let max = f32x4.splat(-Infinity)
  for (; n >= 4; n -= 4) {
    const s = f32x4.mul(v128.load(x), factor)
    max = f32x4.pmax(max, s)
    v128.store(y, s)
    x += 16
    y += 16
  }
  if (n > 0) {
    put(y, f32x4.mul(take(x, n), factor), n)
    max = f32x4.pmax(max, takeOr(max, y, n))
  }
  return maxAcross(max)
}

/** Stores y = scale x + mask; returns the maximum. */
export function masked(x: usize, y: usize, n: i32, scale: f32, mask: usize, maskKey: usize): v128 {
  const factor = f32x4.splat(scale)
  let max = f32x4.splat(-Infinity)
  for (; n > 0; n -= 4) {
    put(y, f32x4.add(f32x4.mul(take(x, n), factor), takeApart(mask, maskKey, n)), n)
    max = f32x4.pmax(max, takeOr(max, y, n))
    x += 16
    y += 16
    mask += 4 * maskKey
  }
  return maxAcross(max)
}
