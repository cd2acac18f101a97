/**
 * Dropout: y [n] = scale x where a random number of 24 bits, one for each position, is at least `threshold`, else 0. And these
 * random numbers themselves, divided by 2^24.
 *
 * The random numbers are those of Threefry-2x32-20 (kernels/reference/machine/threefry.ts). The key (seed, step) and
 * the counter (position / 2, call) give two words, one for the even position and one for the odd; `call` is the second
 * word of Note [Counter of a mask] (kernels/dropout.ts). Each of the twenty rounds adds, rotates and xors in four lanes,
 * and needs the result of the round before. So two vectors of counters, which give sixteen numbers, run side by side.
 */
import { put, take } from './lines'

const PARITY: i32 = 0x1bd11bda

/** @param first  the position of x[0] */
export function dropout(
  n: i32, x: usize, y: usize, seed: i32, step: i32, call: i32, first: i32, threshold: i32, scale: f32,
): void {
  draw<Kept>(n, x, y, seed, step, call, first, i32x4.splat(threshold), f32x4.splat(scale))
}

/** @param first  the position of y[0] */
export function uniform(n: i32, y: usize, seed: i32, step: i32, call: i32, first: i32): void {
  const none = i32x4.splat(0)
  draw<Uniform>(n, y, y, seed, step, call, first, none, none)
}

@unmanaged class Kept {
  @inline apply(x: usize, left: i32, word: v128, least: v128, scale: v128): v128 {
    return v128.and(f32x4.mul(take(x, left), scale), i32x4.ge_s(i32x4.shr_u(word, 8), least))
  }
}

@unmanaged class Uniform {
  @inline apply(_x: usize, _left: i32, word: v128, _least: v128, _scale: v128): v128 {
    return f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(word, 8)), f32x4.splat(1 / 16777216.0))
  }
}

/** y = f(x, the random number of its position), where f is the `apply` of F. */
function draw<F>(
  n: i32, x: usize, y: usize, seed: i32, step: i32, call: i32, first: i32, least: v128, scaling: v128,
): void {
  const f = changetype<F>(0)
  let pair = i32x4.add(i32x4.splat(first >>> 1), i32x4(0, 1, 2, 3))
  // If the first position is odd, the first step has 15 numbers.
  const odd = first & 1
  let done = 16 - odd
  while (n > 0) {
    let key0 = i32x4.splat(seed)
    let key1 = i32x4.splat(step)
    let key2 = i32x4.splat(PARITY ^ seed ^ step)
    let a = i32x4.add(counter(pair), key0)
    let c = i32x4.add(counter(i32x4.add(pair, i32x4.splat(4))), key0)
    let b = i32x4.add(i32x4.splat(call), key1)
    let d = b
    for (let injection = 1; ; injection++) {
      if (injection & 1) {
        a = i32x4.add(a, b)
        c = i32x4.add(c, d)
        b = turn(b, 13, a)
        d = turn(d, 13, c)
        a = i32x4.add(a, b)
        c = i32x4.add(c, d)
        b = turn(b, 15, a)
        d = turn(d, 15, c)
        a = i32x4.add(a, b)
        c = i32x4.add(c, d)
        b = turn(b, 26, a)
        d = turn(d, 26, c)
        a = i32x4.add(a, b)
        c = i32x4.add(c, d)
        b = turn(b, 6, a)
        d = turn(d, 6, c)
      } else {
        a = i32x4.add(a, b)
        c = i32x4.add(c, d)
        b = turn(b, 17, a)
        d = turn(d, 17, c)
        a = i32x4.add(a, b)
        c = i32x4.add(c, d)
        b = turn(b, 29, a)
        d = turn(d, 29, c)
        a = i32x4.add(a, b)
        c = i32x4.add(c, d)
        b = turn(b, 16, a)
        d = turn(d, 16, c)
        a = i32x4.add(a, b)
        c = i32x4.add(c, d)
        b = turn(b, 24, a)
        d = turn(d, 24, c)
      }
      a = i32x4.add(a, key1)
      c = i32x4.add(c, key1)
      const injected = i32x4.add(key2, i32x4.splat(injection))
      b = i32x4.add(b, injected)
      d = i32x4.add(d, injected)
      if (injection == 5) break
      const spent = key0
      key0 = key1
      key1 = key2
      key2 = spent
    }
    let w0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5)
    let w1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
    let w2 = v128.shuffle<i32>(c, d, 0, 4, 1, 5)
    let w3 = v128.shuffle<i32>(c, d, 2, 6, 3, 7)
    if (done == 15) {
      w0 = v128.shuffle<i32>(w0, w1, 1, 2, 3, 4)
      w1 = v128.shuffle<i32>(w1, w2, 1, 2, 3, 4)
      w2 = v128.shuffle<i32>(w2, w3, 1, 2, 3, 4)
      w3 = v128.shuffle<i32>(w3, w3, 1, 2, 3, 3)
    }
    const left = min(n, done)
    put(y, f.apply(x, left, w0, least, scaling), left)
    if (left > 4) put(y + 16, f.apply(x + 16, left - 4, w1, least, scaling), left - 4)
    if (left > 8) put(y + 32, f.apply(x + 32, left - 8, w2, least, scaling), left - 8)
    if (left > 12) put(y + 48, f.apply(x + 48, left - 12, w3, least, scaling), left - 12)
    x += <usize>done * 4
    y += <usize>done * 4
    n -= done
    done = 16
    pair = i32x4.add(pair, i32x4.splat(8))
  }
}

/** The counter of a pair: its lowest 31 bits. */
@inline
function counter(pair: v128): v128 {
  return v128.and(pair, i32x4.splat(0x7fffffff))
}

/** The second half of a round: b rotated, then xor a. The first half is a + b. */
@inline
function turn(b: v128, bits: i32, a: v128): v128 {
  return v128.xor(rotate(b, bits), a)
}

@inline
function rotate(x: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(x, bits), i32x4.shr_u(x, 32 - bits))
}
