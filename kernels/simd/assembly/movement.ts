/**
 * Kernels that move numbers: fill [n], and copies x -> y [outer, inner, rows, n] between any strides. Slices,
 * permutations, padding and concatenation consist of such copies. [rows, n] is a plane.
 *
 * Lines that lie together are copied as they are. If the rows of x lie together instead, as in a transpose, blocks
 * of 4 x 4 are transposed in registers: they are read along x and written along y, in vectors. A read with a stride
 * would use one number of each cache line, and the line would have left the cache before its next number is read.
 */
import { loadApart, put, take } from './machine/lines'
import { storeTransposed } from './product/matrix'

export function fill(n: i32, y: usize, value: f32): void {
  const four = f32x4.splat(value)
  for (; n >= 16; n -= 16) {
    v128.store(y, four)
    v128.store(y, four, 16)
    v128.store(y, four, 32)
    v128.store(y, four, 48)
    y += 64
  }
  for (; n > 0; n -= 4) {
    put(y, four, n)
    y += 16
  }
}

/** Lines of at least this length are left to memory.copy: a call of it costs as much as copying some 300 bytes here. */
const LONG_LINE: i32 = 256

/**
 * Copies planes first .. first + planes - 1 of [outer, inner]. outerX .. innerY are the bytes from plane to plane along
 * the two axes.
 */
export function copyPlanes(
  x: usize, y: usize, first: i32, planes: i32, inner: i32, outerX: usize, outerY: usize, innerX: usize, innerY: usize,
  rows: i32, n: i32, rowX: usize, rowY: usize, step: usize,
): void {
  for (let plane = first; plane < first + planes; plane++) {
    const o = <usize>(plane / inner)
    const i = <usize>(plane % inner)
    copyPlane(x + o * outerX + i * innerX, y + o * outerY + i * innerY, rows, n, rowX, rowY, step)
  }
}

/** The numbers of y lie side by side, those of x step bytes apart; rows are rowX and rowY bytes apart. */
function copyPlane(x: usize, y: usize, rows: i32, n: i32, rowX: usize, rowY: usize, step: usize): void {
  if (step != 4 && rowX == 4) return transposePlane(x, y, rows, n, rowY, step)
  for (; rows > 0; rows--) {
    if (step == 4) copyLine(x, y, n)
    else if (step == 0) fill(n, y, load<f32>(x))
    else pickLine(x, y, n, step)
    x += rowX
    y += rowY
  }
}

function copyLine(x: usize, y: usize, n: i32): void {
  if (n >= LONG_LINE) {
    memory.copy(y, x, <usize>n * 4)
    return
  }
  for (; n > 0; n -= 4) {
    put(y, take(x, n), n)
    x += 16
    y += 16
  }
}

function pickLine(x: usize, y: usize, n: i32, step: usize): void {
  for (; n > 0; n -= 4) {
    put(y, loadApart(x, step, n), n)
    x += 4 * step
    y += 16
  }
}

/** x is [n, rows], its lines `step` bytes apart. */
function transposePlane(x: usize, y: usize, rows: i32, n: i32, rowY: usize, step: usize): void {
  for (; rows >= 4; rows -= 4) {
    let from = x
    let to = y
    let left = n
    for (; left >= 4; left -= 4) {
      const from1 = from + step
      const from2 = from1 + step
      const from3 = from2 + step
      storeTransposed(to, rowY, v128.load(from), v128.load(from1), v128.load(from2), v128.load(from3))
      from += 4 * step
      to += 16
    }
    if (left > 0) {
      for (let row: usize = 0; row < 4; row++) put(to + row * rowY, loadApart(from + row * 4, step, left), left)
    }
    x += 16
    y += 4 * rowY
  }
  for (; rows > 0; rows--) {
    pickLine(x, y, n, step)
    x += 4
    y += rowY
  }
}
