/**
 * A matrix in memory as an operand of a product, and how it is packed into panels.
 *
 *   left operand:  lanes are rows,    panels [k, ROWS]
 *   right operand: lanes are columns, panels [k, COLUMNS]
 *
 * A panel holds, for one step of k after the other, the numbers that the tile wants at that step: the tile then reads
 * both panels from front to back. Packing looks at each number once, the tile at each many times.
 *
 * `laneStride` and `stepStride` are the bytes from lane to lane and from step to step. One of them is 4: either the
 * lanes lie side by side and vectors are copied, or the steps do and blocks of 4 x 4 are transposed in registers.
 * A matrix stored transposed has the strides exchanged, nothing else; that is why NN, NT, TN and TT are one product.
 */
import { COLUMNS, COLUMNS_BYTES, ROWS, ROWS_BYTES } from './tile'

/** Rows that are packed at a time: a cache line of them. */
export const ROW_GROUP: i32 = 16

@unmanaged
export class Matrix {
  base: usize
  laneStride: usize
  stepStride: usize

  /** Panels of rows first .. first + count - 1, count <= ROW_GROUP; what is missing in the last panel is zero. */
  packRows(to: usize, first: i32, count: i32, step: i32, k: i32): void {
    const laneStride = this.laneStride
    const stepStride = this.stepStride
    let from = this.base + <usize>first * laneStride + <usize>step * stepStride
    const panelBytes = <usize>k * ROWS_BYTES
    if (laneStride == 4 && count == ROW_GROUP) {
      deal(to, panelBytes, from, stepStride, k)
      return
    }
    for (; count >= ROWS; count -= ROWS) {
      if (laneStride == 4) copyRows(to, from, stepStride, k)
      else if (stepStride == 4) transposeRows(to, from, laneStride, k)
      else pick(to, ROWS, from, ROWS, laneStride, stepStride, k)
      to += panelBytes
      from += <usize>ROWS * laneStride
    }
    if (count > 0) pick(to, ROWS, from, count, laneStride, stepStride, k)
  }

  /** The panel of columns first .. first + count - 1, count <= COLUMNS; what is missing is zero. */
  packColumns(to: usize, first: i32, count: i32, step: i32, k: i32, _scratch: usize): void {
    const laneStride = this.laneStride
    const stepStride = this.stepStride
    const from = this.base + <usize>first * laneStride + <usize>step * stepStride
    if (count < COLUMNS) {
      pick(to, COLUMNS, from, count, laneStride, stepStride, k)
    } else if (laneStride == 4) {
      copyColumns(to, from, stepStride, k)
    } else {
      for (let lane = 0; lane < COLUMNS; lane += 4) {
        transpose(to + <usize>lane * 4, COLUMNS_BYTES, from + <usize>lane * laneStride, laneStride, k)
      }
    }
  }

  /** Called before a block of steps. */
  prepare(_step: i32, _k: i32): void {}

  /** Where columns first .. first + count - 1 of the result lie in their row, in bytes. */
  places(to: usize, first: i32, _count: i32): void {
    storeRamp(to, first * 4)
  }
}

/** Sixteen numbers, each 4 more than the one before: the places of columns side by side. */
export function storeRamp(to: usize, first: i32): void {
  const four = i32x4.add(i32x4.splat(first), i32x4(0, 4, 8, 12))
  v128.store(to, four)
  v128.store(to, i32x4.add(four, i32x4.splat(16)), 16)
  v128.store(to, i32x4.add(four, i32x4.splat(32)), 32)
  v128.store(to, i32x4.add(four, i32x4.splat(48)), 48)
}

/** One number after the other: for what is too few or too far apart for vectors. */
function pick(to: usize, width: i32, from: usize, lanes: i32, laneStride: usize, stepStride: usize, k: i32): void {
  for (let i = 0; i < k; i++) {
    let at = from
    for (let lane = 0; lane < width; lane++) {
      store<f32>(to, lane < lanes ? load<f32>(at) : 0)
      to += 4
      at += laneStride
    }
    from += stepStride
  }
}

function copyColumns(to: usize, from: usize, stride: usize, k: i32): void {
  do {
    v128.store(to, v128.load(from))
    v128.store(to, v128.load(from, 16), 16)
    if (COLUMNS == 16) {
      v128.store(to, v128.load(from, 32), 32)
      v128.store(to, v128.load(from, 48), 48)
    }
    to += COLUMNS_BYTES
    from += stride
  } while (--k)
}

function copyRows(to: usize, from: usize, stride: usize, k: i32): void {
  do {
    if (ROWS == 4) v128.store(to, v128.load(from))
    else store<i64>(to, load<i64>(from))
    to += ROWS_BYTES
    from += stride
  } while (--k)
}

/** Sixteen rows to their panels like cards: each step's cache line is read once, however far the next one is. */
function deal(to: usize, panelBytes: usize, from: usize, stride: usize, k: i32): void {
  do {
    let panel = to
    for (let lane = 0; lane < ROW_GROUP; lane += 4) {
      const four = v128.load(from + <usize>lane * 4)
      if (ROWS == 4) {
        v128.store(panel, four)
        panel += panelBytes
      } else {
        v128.store_lane<i64>(panel, four, 0)
        v128.store_lane<i64>(panel + panelBytes, four, 1)
        panel += 2 * panelBytes
      }
    }
    to += ROWS_BYTES
    from += stride
  } while (--k)
}

function transposeRows(to: usize, from: usize, stride: usize, k: i32): void {
  if (ROWS == 4) {
    transpose(to, ROWS_BYTES, from, stride, k)
    return
  }
  const other = from + stride
  let i: usize = 0
  const end = <usize>k * 4
  for (; i + 16 <= end; i += 16) {
    const x = v128.load(from + i)
    const y = v128.load(other + i)
    v128.store(to, v128.shuffle<f32>(x, y, 0, 4, 1, 5))
    v128.store(to, v128.shuffle<f32>(x, y, 2, 6, 3, 7), 16)
    to += 32
  }
  for (; i < end; i += 4) {
    store<f32>(to, load<f32>(from + i))
    store<f32>(to, load<f32>(other + i), 4)
    to += 8
  }
}

/** Four lanes, `stride` bytes apart, into a panel whose steps are `step` bytes apart. */
function transpose(to: usize, step: usize, from: usize, stride: usize, k: i32): void {
  const from1 = from + stride
  const from2 = from1 + stride
  const from3 = from2 + stride
  let i: usize = 0
  const end = <usize>k * 4
  for (; i + 16 <= end; i += 16) {
    storeTransposed(to, step, v128.load(from + i), v128.load(from1 + i), v128.load(from2 + i), v128.load(from3 + i))
    to += 4 * step
  }
  for (; i < end; i += 4) {
    store<f32>(to, load<f32>(from + i))
    store<f32>(to, load<f32>(from1 + i), 4)
    store<f32>(to, load<f32>(from2 + i), 8)
    store<f32>(to, load<f32>(from3 + i), 12)
    to += step
  }
}

/** Vectors w, x, y, z are columns of four; their rows go to `to`, `step` bytes apart. */
@inline
export function storeTransposed(to: usize, step: usize, w: v128, x: v128, y: v128, z: v128): void {
  const wx = v128.shuffle<f32>(w, x, 0, 4, 1, 5)
  const yz = v128.shuffle<f32>(y, z, 0, 4, 1, 5)
  const wx2 = v128.shuffle<f32>(w, x, 2, 6, 3, 7)
  const yz2 = v128.shuffle<f32>(y, z, 2, 6, 3, 7)
  v128.store(to, v128.shuffle<f32>(wx, yz, 0, 1, 4, 5))
  to += step
  v128.store(to, v128.shuffle<f32>(wx, yz, 2, 3, 6, 7))
  to += step
  v128.store(to, v128.shuffle<f32>(wx2, yz2, 0, 1, 4, 5))
  to += step
  v128.store(to, v128.shuffle<f32>(wx2, yz2, 2, 3, 6, 7))
}
