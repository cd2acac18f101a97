/**
 * Dropout: y [n] = scale x where a random number of 24 bits, one for each position, is at least `threshold`, else 0.
 *
 * The numbers are those of Threefry-2x32-20 (kernels/reference/random.ts): for the key (seed, step) and the counter
 * (position / 2, call) two words, the first for the even position and the second for the odd. Four counters at a
 * time make eight numbers; each of the twenty rounds is an addition, a rotation and an exclusive or of four lanes.
 */
import { put, take } from './lines'

const PARITY: i32 = 0x1bd11bda

/** first: the position of x[0] */
export function dropout(
  n: i32, x: usize, y: usize, seed: i32, step: i32, call: i32, first: i32, threshold: i32, scale: f32,
): void {
  const scaling = f32x4.splat(scale)
  const least = i32x4.splat(threshold)
  let pair = i32x4.add(i32x4.splat(first >>> 1), i32x4(0, 1, 2, 3))
  let done = 8
  // The first position may be the second of its pair: then there are seven numbers for the first round.
  if (first & 1) done = 7
  while (n > 0) {
    let key0 = i32x4.splat(seed)
    let key1 = i32x4.splat(step)
    let key2 = i32x4.splat(PARITY ^ seed ^ step)
    let a = i32x4.add(v128.and(pair, i32x4.splat(0x7fffffff)), key0)
    let b = i32x4.add(i32x4.splat(call), key1)
    for (let injection = 1; ; injection++) {
      if (injection & 1) {
        a = i32x4.add(a, b)
        b = v128.xor(rotate(b, 13), a)
        a = i32x4.add(a, b)
        b = v128.xor(rotate(b, 15), a)
        a = i32x4.add(a, b)
        b = v128.xor(rotate(b, 26), a)
        a = i32x4.add(a, b)
        b = v128.xor(rotate(b, 6), a)
      } else {
        a = i32x4.add(a, b)
        b = v128.xor(rotate(b, 17), a)
        a = i32x4.add(a, b)
        b = v128.xor(rotate(b, 29), a)
        a = i32x4.add(a, b)
        b = v128.xor(rotate(b, 16), a)
        a = i32x4.add(a, b)
        b = v128.xor(rotate(b, 24), a)
      }
      a = i32x4.add(a, key1)
      b = i32x4.add(b, i32x4.add(key2, i32x4.splat(injection)))
      if (injection == 5) break
      const spent = key0
      key0 = key1
      key1 = key2
      key2 = spent
    }
    let low = v128.shuffle<i32>(a, b, 0, 4, 1, 5)
    let high = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
    if (done == 7) {
      low = v128.shuffle<i32>(low, high, 1, 2, 3, 4)
      high = v128.shuffle<i32>(high, high, 1, 2, 3, 3)
    }
    const left = min(n, done)
    put(y, keep(take(x, left), low, least, scaling), left)
    if (left > 4) put(y + 16, keep(take(x + 16, left - 4), high, least, scaling), left - 4)
    x += <usize>done * 4
    y += <usize>done * 4
    n -= done
    done = 8
    pair = i32x4.add(pair, i32x4.splat(4))
  }
}

@inline
function rotate(x: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(x, bits), i32x4.shr_u(x, 32 - bits))
}

@inline
function keep(x: v128, word: v128, least: v128, scale: v128): v128 {
  return v128.and(f32x4.mul(x, scale), i32x4.ge_s(i32x4.shr_u(word, 8), least))
}
