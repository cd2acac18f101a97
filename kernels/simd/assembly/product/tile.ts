/**
 * The register tile, in which products do all their multiplying:
 *
 *   a [k, ROWS], b [k, COLUMNS] (packed panels), start, c [ROWS, COLUMNS] (rows `stride` bytes apart)
 *   c = start + a^T b
 *
 * The machine has 16 vector registers of 4 floats. Eight of them hold the tile of c for the whole of k, so a step of k
 * only loads. With 2 x 16, four vectors of b and two numbers of a, spread over the lanes, feed eight multiplications
 * and eight additions. A core that multiplies two vectors and adds two in a cycle is then busy in every cycle, and six
 * loads fit beside that. A 4 x 8 tile would need more numbers of a, and loading and spreading a number takes an address
 * computation that loading a vector does not. With fused multiply-add a step has eight instructions instead of sixteen,
 * which leaves room for that: 4 x 8 needs six loads as well, and its two vectors of b do not depend on each other.
 *
 * V8 decides the rest. It moves address arithmetic out of a `do while`, but not out of a `while`. Two steps at once
 * save half of the loop's own work; the `break` between them keeps V8 from loading the operands of both steps before it
 * multiplies, which would not fit the registers.
 *
 * Every element of c is one chain of sums in the order of k, at every place in the tile. So its bits do not depend on
 * the cut into tiles. The chain is no longer than a block of k: the sums of earlier blocks are added afterwards
 * (`addTile`), Note [Long sums] in machine/sums.ts. If they were added here, after the loop, V8 would run out of
 * registers and the loop would be slower by a tenth.
 */

export const ROWS: i32 = ASC_FEATURE_RELAXED_SIMD ? 4 : 2
export const COLUMNS: i32 = ASC_FEATURE_RELAXED_SIMD ? 8 : 16

/** Bytes of a step of k in each panel; a row of the tile has COLUMNS_BYTES too. */
export const ROWS_BYTES: usize = <usize>ROWS * 4
export const COLUMNS_BYTES: usize = <usize>COLUMNS * 4

/** @param k at least 1 */
export function tile(k: i32, a: usize, b: usize, start: usize, startStride: usize, c: usize, stride: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) tile4x8(k, a, b, start, startStride, c, stride)
  else tile2x16(k, a, b, start, startStride, c, stride)
}

/** c [ROWS, COLUMNS], rows `stride` bytes apart, += a tile whose rows follow each other */
export function addTile(c: usize, stride: usize, from: usize): void {
  addFour(c, from)
  addFour(c + 16, from + 16)
  if (COLUMNS == 16) {
    addFour(c + 32, from + 32)
    addFour(c + 48, from + 48)
  }
  c += stride
  from += COLUMNS_BYTES
  addFour(c, from)
  addFour(c + 16, from + 16)
  if (COLUMNS == 16) {
    addFour(c + 32, from + 32)
    addFour(c + 48, from + 48)
    return
  }
  c += stride
  addFour(c, from + 32)
  addFour(c + 16, from + 48)
  c += stride
  addFour(c, from + 64)
  addFour(c + 16, from + 80)
}

@inline
function addFour(to: usize, from: usize): void {
  v128.store(to, f32x4.add(v128.load(to), v128.load(from)))
}

@inline
export function multiplyAdd(a: v128, b: v128, sum: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, sum) : f32x4.add(sum, f32x4.mul(a, b))
}

/** A row of a tile 2 x 16, and of a tile 4 x 8. */
@inline
export function storeRow(to: usize, c0: v128, c1: v128, c2: v128, c3: v128): void {
  storeHalf(to, c0, c1)
  storeHalf(to + 32, c2, c3)
}

@inline
export function storeHalf(to: usize, c0: v128, c1: v128): void {
  v128.store(to, c0)
  v128.store(to, c1, 16)
}

function tile2x16(k: i32, a: usize, b: usize, start: usize, startStride: usize, c: usize, stride: usize): void {
  const start1 = start + startStride
  let c00 = v128.load(start)
  let c01 = v128.load(start, 16)
  let c02 = v128.load(start, 32)
  let c03 = v128.load(start, 48)
  let c10 = v128.load(start1)
  let c11 = v128.load(start1, 16)
  let c12 = v128.load(start1, 32)
  let c13 = v128.load(start1, 48)
  do {
    const b0 = v128.load(b)
    const b1 = v128.load(b, 16)
    const b2 = v128.load(b, 32)
    const b3 = v128.load(b, 48)
    const a0 = v128.load_splat<f32>(a)
    c00 = multiplyAdd(a0, b0, c00)
    c01 = multiplyAdd(a0, b1, c01)
    c02 = multiplyAdd(a0, b2, c02)
    c03 = multiplyAdd(a0, b3, c03)
    const a1 = v128.load_splat<f32>(a, 4)
    c10 = multiplyAdd(a1, b0, c10)
    c11 = multiplyAdd(a1, b1, c11)
    c12 = multiplyAdd(a1, b2, c12)
    c13 = multiplyAdd(a1, b3, c13)
    if (--k == 0) break
    const b4 = v128.load(b, 64)
    const b5 = v128.load(b, 80)
    const b6 = v128.load(b, 96)
    const b7 = v128.load(b, 112)
    const a2 = v128.load_splat<f32>(a, 8)
    c00 = multiplyAdd(a2, b4, c00)
    c01 = multiplyAdd(a2, b5, c01)
    c02 = multiplyAdd(a2, b6, c02)
    c03 = multiplyAdd(a2, b7, c03)
    const a3 = v128.load_splat<f32>(a, 12)
    c10 = multiplyAdd(a3, b4, c10)
    c11 = multiplyAdd(a3, b5, c11)
    c12 = multiplyAdd(a3, b6, c12)
    c13 = multiplyAdd(a3, b7, c13)
    a += 16
    b += 128
  } while (--k)
  storeRow(c, c00, c01, c02, c03)
  storeRow(c + stride, c10, c11, c12, c13)
}

function tile4x8(k: i32, a: usize, b: usize, start: usize, startStride: usize, c: usize, stride: usize): void {
  const start1 = start + startStride
  const start2 = start1 + startStride
  const start3 = start2 + startStride
  let c00 = v128.load(start)
  let c01 = v128.load(start, 16)
  let c10 = v128.load(start1)
  let c11 = v128.load(start1, 16)
  let c20 = v128.load(start2)
  let c21 = v128.load(start2, 16)
  let c30 = v128.load(start3)
  let c31 = v128.load(start3, 16)
  do {
    const b0 = v128.load(b)
    const b1 = v128.load(b, 16)
    const a0 = v128.load_splat<f32>(a)
    c00 = f32x4.relaxed_madd(a0, b0, c00)
    c01 = f32x4.relaxed_madd(a0, b1, c01)
    const a1 = v128.load_splat<f32>(a, 4)
    c10 = f32x4.relaxed_madd(a1, b0, c10)
    c11 = f32x4.relaxed_madd(a1, b1, c11)
    const a2 = v128.load_splat<f32>(a, 8)
    c20 = f32x4.relaxed_madd(a2, b0, c20)
    c21 = f32x4.relaxed_madd(a2, b1, c21)
    const a3 = v128.load_splat<f32>(a, 12)
    c30 = f32x4.relaxed_madd(a3, b0, c30)
    c31 = f32x4.relaxed_madd(a3, b1, c31)
    a += 16
    b += 32
  } while (--k)
  storeHalf(c, c00, c01)
  storeHalf(c + stride, c10, c11)
  storeHalf(c + 2 * stride, c20, c21)
  storeHalf(c + 3 * stride, c30, c31)
}
