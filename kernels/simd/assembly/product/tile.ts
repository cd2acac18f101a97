/**
 * The register tile, in which products do all their multiplying:
 *
 *   a [k, rows], b [k, COLUMNS] (packed panels), start, c [rows, COLUMNS] (rows `stride` bytes apart)
 *   c = start + a^T b
 *
 * The tile of c stays in registers for the whole of k, so a step of k only loads. Each module has the tile that its
 * instructions make fastest on a machine with 16 vector registers:
 *
 *   baseline  2 x 16  Eight vectors of c, four of b and two numbers of a, spread over the lanes: eight multiplications and
 *                     eight additions keep a core busy in every cycle, and six loads fit beside that. More rows would
 *                     need more numbers of a, and loading and spreading a number takes an address computation that
 *                     loading a vector does not.
 *   relaxed   6 x 8   With fused multiply-add a step has half the instructions, which leaves room for that.
 *   wide      6 x 16  V8 fuses two neighbouring vectors into one of 256 bits (kernels/simd/wide.ts): twelve of c, two
 *                     of b and one of a. Without fusing, the 24 vectors of c would not fit.
 *
 * V8 decides the rest. It moves address arithmetic out of a `do while`, but not out of a `while`. Two steps at once
 * save half of the loop's own work, where a step is short; the `break` between them keeps V8 from loading the operands of
 * both steps before it multiplies, which would not fit the registers.
 *
 * Every element of c is one chain of sums in the order of k, at every place in a tile of any size. So its bits do not
 * depend on the cut into tiles, and `relaxed` and `wide` compute the same bits. The chain is no longer than a block of
 * k: the sums of earlier blocks are added afterwards (`addTile`), Note [Long sums] in machine/sums.ts. If they were
 * added here, after the loop, V8 would run out of registers and the loop would be slower by a tenth.
 */
import { multiplyAdd } from '../machine/multiply-add'
import { PAIRED } from '../machine/pairs'

/** The rows of most tiles, and the columns of all. */
const ROWS: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 2
export const COLUMNS: i32 = ASC_FEATURE_RELAXED_SIMD && !PAIRED ? 8 : 16

/** Bytes of a step of k in a panel of b, and of a row of the tile. */
export const COLUMNS_BYTES: usize = <usize>COLUMNS * 4

/** Rows that are packed at a time: those of a cache line. */
export const ROW_GROUP: i32 = 16

/**
 * The rows of the panel of a that begins with row `first` of `rows`. A group of rows has panels of 6, 6 and 4 rows, so
 * that its last panel is whole too; the last panel of all may have up to three rows that do not exist. All panels
 * together have at most `rows` rows, rounded up to a multiple of 4.
 */
export function panelRows(first: i32, rows: i32): i32 {
  if (ROWS == 2) return 2
  const left = min(ROW_GROUP - first % ROW_GROUP, rows - first)
  return left <= 4 || left == 7 || left == 8 ? 4 : 6
}

/**
 * @param rows  of the panel of a: `panelRows`
 * @param k  at least 1
 */
export function tile(
  rows: i32, k: i32, a: usize, b: usize, start: usize, startStride: usize, c: usize, stride: usize,
): void {
  if (ROWS == 2) steps(2, false, k, a, b, 0, start, startStride, c, stride)
  else if (rows == 6) steps(6, false, k, a, b, 0, start, startStride, c, stride)
  else steps(4, false, k, a, b, 0, start, startStride, c, stride)
}

/** The same, but step k finds its numbers of b at the distance list [k], and each row starts with one number. */
export function listedTile(rows: i32, k: i32, a: usize, b: usize, list: usize, start: usize, c: usize, stride: usize): void {
  if (ROWS == 2) steps(2, true, k, a, b, list, start, 4, c, stride)
  else if (rows == 6) steps(6, true, k, a, b, list, start, 4, c, stride)
  else steps(4, true, k, a, b, list, start, 4, c, stride)
}

/** c [rows, COLUMNS], rows `stride` bytes apart, += a tile whose rows follow each other */
export function addTile(rows: i32, c: usize, stride: usize, from: usize): void {
  do {
    for (let at: usize = 0; at < COLUMNS_BYTES; at += 32) {
      addFour(c + at, from + at)
      addFour(c + at + 16, from + at + 16)
    }
    c += stride
    from += COLUMNS_BYTES
  } while (--rows)
}

@inline
function addFour(to: usize, from: usize): void {
  v128.store(to, f32x4.add(v128.load(to), v128.load(from)))
}

/** Vector `column` of the start of a row: a number, or a row of numbers. */
@inline
function startOf(listed: bool, start: usize, column: usize): v128 {
  return listed ? v128.load_splat<f32>(start) : v128.load(start + column * 16)
}

/**
 * All tiles, written for the largest. `rows` and `listed` are constants at every call, so that the compiler leaves out
 * what is beyond a tile's rows and columns.
 */
@inline
function steps(
  rows: i32, listed: bool, k: i32, a: usize, b: usize, list: usize, start: usize, startStride: usize, c: usize,
  stride: usize,
): void {
  let c00 = startOf(listed, start, 0), c01 = startOf(listed, start, 1), c02 = c00, c03 = c00
  let c10 = c00, c11 = c00, c12 = c00, c13 = c00, c20 = c00, c21 = c00, c22 = c00, c23 = c00
  let c30 = c00, c31 = c00, c32 = c00, c33 = c00, c40 = c00, c41 = c00, c42 = c00, c43 = c00
  let c50 = c00, c51 = c00, c52 = c00, c53 = c00
  if (COLUMNS == 16) { c02 = startOf(listed, start, 2); c03 = startOf(listed, start, 3) }
  start += startStride
  c10 = startOf(listed, start, 0); c11 = startOf(listed, start, 1)
  if (COLUMNS == 16) { c12 = startOf(listed, start, 2); c13 = startOf(listed, start, 3) }
  if (rows > 2) {
    start += startStride
    c20 = startOf(listed, start, 0); c21 = startOf(listed, start, 1)
    if (COLUMNS == 16) { c22 = startOf(listed, start, 2); c23 = startOf(listed, start, 3) }
    start += startStride
    c30 = startOf(listed, start, 0); c31 = startOf(listed, start, 1)
    if (COLUMNS == 16) { c32 = startOf(listed, start, 2); c33 = startOf(listed, start, 3) }
  }
  if (rows > 4) {
    start += startStride
    c40 = startOf(listed, start, 0); c41 = startOf(listed, start, 1)
    if (COLUMNS == 16) { c42 = startOf(listed, start, 2); c43 = startOf(listed, start, 3) }
    start += startStride
    c50 = startOf(listed, start, 0); c51 = startOf(listed, start, 1)
    if (COLUMNS == 16) { c52 = startOf(listed, start, 2); c53 = startOf(listed, start, 3) }
  }
  do {
    const from = listed ? b + load<i32>(list) : b
    const b0 = v128.load(from), b1 = v128.load(from, 16)
    const b2 = COLUMNS == 16 ? v128.load(from, 32) : b0
    const b3 = COLUMNS == 16 ? v128.load(from, 48) : b0
    const a0 = v128.load_splat<f32>(a)
    c00 = multiplyAdd(a0, b0, c00); c01 = multiplyAdd(a0, b1, c01)
    if (COLUMNS == 16) { c02 = multiplyAdd(a0, b2, c02); c03 = multiplyAdd(a0, b3, c03) }
    const a1 = v128.load_splat<f32>(a, 4)
    c10 = multiplyAdd(a1, b0, c10); c11 = multiplyAdd(a1, b1, c11)
    if (COLUMNS == 16) { c12 = multiplyAdd(a1, b2, c12); c13 = multiplyAdd(a1, b3, c13) }
    if (rows > 2) {
      const a2 = v128.load_splat<f32>(a, 8)
      c20 = multiplyAdd(a2, b0, c20); c21 = multiplyAdd(a2, b1, c21)
      if (COLUMNS == 16) { c22 = multiplyAdd(a2, b2, c22); c23 = multiplyAdd(a2, b3, c23) }
      const a3 = v128.load_splat<f32>(a, 12)
      c30 = multiplyAdd(a3, b0, c30); c31 = multiplyAdd(a3, b1, c31)
      if (COLUMNS == 16) { c32 = multiplyAdd(a3, b2, c32); c33 = multiplyAdd(a3, b3, c33) }
    }
    if (rows > 4) {
      const a4 = v128.load_splat<f32>(a, 16)
      c40 = multiplyAdd(a4, b0, c40); c41 = multiplyAdd(a4, b1, c41)
      if (COLUMNS == 16) { c42 = multiplyAdd(a4, b2, c42); c43 = multiplyAdd(a4, b3, c43) }
      const a5 = v128.load_splat<f32>(a, 20)
      c50 = multiplyAdd(a5, b0, c50); c51 = multiplyAdd(a5, b1, c51)
      if (COLUMNS == 16) { c52 = multiplyAdd(a5, b2, c52); c53 = multiplyAdd(a5, b3, c53) }
    }
    a += <usize>rows * 4
    if (listed) list += 4
    else b += COLUMNS_BYTES
    if (rows == 2 && !listed) {
      if (--k == 0) break
      const b4 = v128.load(b), b5 = v128.load(b, 16), b6 = v128.load(b, 32), b7 = v128.load(b, 48)
      const a2 = v128.load_splat<f32>(a)
      c00 = multiplyAdd(a2, b4, c00); c01 = multiplyAdd(a2, b5, c01)
      c02 = multiplyAdd(a2, b6, c02); c03 = multiplyAdd(a2, b7, c03)
      const a3 = v128.load_splat<f32>(a, 4)
      c10 = multiplyAdd(a3, b4, c10); c11 = multiplyAdd(a3, b5, c11)
      c12 = multiplyAdd(a3, b6, c12); c13 = multiplyAdd(a3, b7, c13)
      a += 8
      b += COLUMNS_BYTES
    }
  } while (--k)
  storeRow(c, c00, c01, c02, c03)
  storeRow(c + stride, c10, c11, c12, c13)
  if (rows > 2) {
    c += 2 * stride
    storeRow(c, c20, c21, c22, c23)
    storeRow(c + stride, c30, c31, c32, c33)
  }
  if (rows > 4) {
    c += 2 * stride
    storeRow(c, c40, c41, c42, c43)
    storeRow(c + stride, c50, c51, c52, c53)
  }
}

@inline
function storeRow(to: usize, c0: v128, c1: v128, c2: v128, c3: v128): void {
  v128.store(to, c0)
  v128.store(to, c1, 16)
  if (COLUMNS == 16) {
    v128.store(to, c2, 32)
    v128.store(to, c3, 48)
  }
}
