/**
 * The transforms of Winograd's F(2 x 2, 3 x 3), whose matrices winograd.ts shows. A place is one of the 16 numbers of a
 * transformed tile, and `place` the bytes from a place to the next.
 */

/** Rows of the image that do not exist, filters of rows that do not exist, and the start of sums. */
export const ZEROS: usize = memory.data(64)

/** G g G': from nine numbers, `tap` bytes apart, to sixteen, `place` bytes apart. */
export function transformFilter(to: usize, place: usize, from: usize, tap: usize): void {
  for (let column: usize = 0; column < 3; column++) {
    // the columns of G g stand where the places 0, 1, 2 of each row will be
    const g0 = load<f32>(from)
    const g1 = load<f32>(from + 3 * tap)
    const g2 = load<f32>(from + 6 * tap)
    const outer: f32 = 0.5 * (g0 + g2)
    const inner: f32 = 0.5 * g1
    store<f32>(to + column * place, g0)
    store<f32>(to + (4 + column) * place, outer + inner)
    store<f32>(to + (8 + column) * place, outer - inner)
    store<f32>(to + (12 + column) * place, g2)
    from += tap
  }
  for (let row = 0; row < 4; row++) {
    const g0 = load<f32>(to)
    const g1 = load<f32>(to + place)
    const g2 = load<f32>(to + 2 * place)
    const outer: f32 = 0.5 * (g0 + g2)
    const inner: f32 = 0.5 * g1
    store<f32>(to + place, outer + inner)
    store<f32>(to + 2 * place, outer - inner)
    store<f32>(to + 3 * place, g2)
    to += 4 * place
  }
}

/**
 * A row of B' d, which is the sum or the difference of two rows of d, times B: four places. Four tiles have ten pixels in a
 * row; the first of each are the even ones of pixels 0 to 7, the third those of pixels 2 to 9.
 */
@inline
export function transformRow(
  to: usize, place: usize, first: usize, a: usize, b: usize, m0: v128, m2: v128, m4: v128, m6: v128, sum: bool,
): void {
  const v0 = combined(a, b, 0, m0, sum)
  const v4 = combined(a, b, 16, m4, sum)
  const v2 = combined(a, b, 8, m2, sum)
  const v6 = combined(a, b, 24, m6, sum)
  const t0 = v128.shuffle<f32>(v0, v4, 0, 2, 4, 6)
  const t1 = v128.shuffle<f32>(v0, v4, 1, 3, 5, 7)
  const t2 = v128.shuffle<f32>(v2, v6, 0, 2, 4, 6)
  const t3 = v128.shuffle<f32>(v2, v6, 1, 3, 5, 7)
  to += first * place
  v128.store(to, f32x4.sub(t0, t2))
  v128.store(to + place, f32x4.add(t1, t2))
  v128.store(to + 2 * place, f32x4.sub(t2, t1))
  v128.store(to + 3 * place, f32x4.sub(t1, t3))
}

/** Four numbers of the sum or the difference of two rows, 0 outside the image. */
@inline
function combined(a: usize, b: usize, at: usize, mask: v128, sum: bool): v128 {
  const left = v128.load(a + at)
  const right = v128.load(b + at)
  return v128.and(sum ? f32x4.add(left, right) : f32x4.sub(left, right), mask)
}

/** Copies the ten pixels of a row from column x on that exist. */
export function copyPixels(to: usize, from: usize, x: i32, width: i32): void {
  for (let column = 0; column < 10; column++) {
    const at = <usize>column * 4
    store<f32>(to + at, from != ZEROS && <u32>(x + column) < <u32>width ? load<f32>(from + at) : 0)
  }
}

/** The first row of A', or the second, times a column of m, whose numbers lie four places apart. */
@inline
export function summed(m: usize, place: usize): v128 {
  return f32x4.add(f32x4.add(v128.load(m), v128.load(m + 4 * place)), v128.load(m + 8 * place))
}
@inline
export function difference(m: usize, place: usize): v128 {
  return f32x4.sub(f32x4.sub(v128.load(m + 4 * place), v128.load(m + 8 * place)), v128.load(m + 12 * place))
}

/** A row of A' m times A: the left and the right outputs of four tiles. Stores the first `bytes` of them. */
@inline
export function storeRow(
  to: usize, bytes: usize, start: v128, m0: v128, m1: v128, m2: v128, m3: v128, slot: usize,
): void {
  const left = f32x4.add(start, f32x4.add(f32x4.add(m0, m1), m2))
  const right = f32x4.add(start, f32x4.sub(f32x4.sub(m1, m2), m3))
  const low = v128.shuffle<f32>(left, right, 0, 4, 1, 5)
  const high = v128.shuffle<f32>(left, right, 2, 6, 3, 7)
  if (bytes >= 32) {
    v128.store(to, low)
    v128.store(to, high, 16)
  } else {
    v128.store(slot, low)
    v128.store(slot, high, 16)
    memory.copy(to, slot, bytes)
  }
}
