/**
 * A matrix in memory as an operand of a product, and how it is packed into panels.
 *
 *   left operand:  lanes are rows,    panels [k, rows], rows = 2, 4 or 6 (tile.ts)
 *   right operand: lanes are columns, panels [k, COLUMNS]
 *
 * A panel holds, for one step of k after the other, the numbers that the tile needs at that step. So the tile reads
 * both panels from front to back. Packing reads each number once, the tile many times.
 *
 * `laneStride` and `stepStride` are the bytes from lane to lane and from step to step. One of them is 4: either the
 * lanes lie side by side and vectors are copied, or the steps do and blocks of 4 x 4 are transposed in registers.
 * A matrix stored transposed differs only in that these strides are exchanged. So one product serves all four cases.
 */
import { COLUMNS, COLUMNS_BYTES, panelRows, ROW_GROUP } from './tile'

@unmanaged
export class Matrix {
  base: usize
  laneStride: usize
  stepStride: usize

  /** Packs rows first .. first + count - 1, count <= ROW_GROUP, into panels; the last is filled up with zeros. */
  packRows(to: usize, first: i32, count: i32, step: i32, k: i32): void {
    const laneStride = this.laneStride
    const stepStride = this.stepStride
    let from = this.base + <usize>first * laneStride + <usize>step * stepStride
    if (laneStride == 4 && count == ROW_GROUP) {
      deal(to, from, stepStride, k)
      return
    }
    for (let row = 0; row < count; ) {
      const rows = panelRows(row, count)
      if (row + rows > count) pick(to, rows, from, count - row, laneStride, stepStride, k)
      else if (laneStride == 4) copyRows(to, rows, from, stepStride, k)
      else if (stepStride == 4) transposeRows(to, rows, from, laneStride, k)
      else pick(to, rows, from, rows, laneStride, stepStride, k)
      to += <usize>(rows * k) * 4
      from += <usize>rows * laneStride
      row += rows
    }
  }

  /** Packs columns first .. first + count - 1, count <= COLUMNS, into a panel, filled up with zeros. */
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

  /** Stores the places of columns first .. first + count - 1 of the result in their row, in bytes. */
  places(to: usize, first: i32, _count: i32): void {
    storeRamp(to, first * 4)
  }
}

/** Stores first, first + 4, .. first + 60: the places of sixteen columns side by side. */
export function storeRamp(to: usize, first: i32): void {
  const four = i32x4.add(i32x4.splat(first), i32x4(0, 4, 8, 12))
  v128.store(to, four)
  v128.store(to, i32x4.add(four, i32x4.splat(16)), 16)
  v128.store(to, i32x4.add(four, i32x4.splat(32)), 32)
  v128.store(to, i32x4.add(four, i32x4.splat(48)), 48)
}

/** Packs number by number, for lanes that are too few or too far apart for vectors. */
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

function copyRows(to: usize, rows: i32, from: usize, stride: usize, k: i32): void {
  do {
    if (rows >= 4) v128.store(to, v128.load(from))
    if (rows == 2) store<i64>(to, load<i64>(from))
    if (rows == 6) store<i64>(to, load<i64>(from, 16), 16)
    to += <usize>rows * 4
    from += stride
  } while (--k)
}

/**
 * Deals sixteen rows to their panels like cards: the cache line of a step is read once, however far away the next is.
 */
function deal(to: usize, from: usize, stride: usize, k: i32): void {
  if (panelRows(0, ROW_GROUP) == 2) dealPairs(to, <usize>k * 8, from, stride, k)
  else dealSixes(to, to + <usize>k * 24, to + <usize>k * 48, from, stride, k)
}

/** Eight panels of 2 rows. */
function dealPairs(to: usize, panelBytes: usize, from: usize, stride: usize, k: i32): void {
  do {
    let panel = to
    for (let lane = 0; lane < ROW_GROUP; lane += 4) {
      const four = v128.load(from + <usize>lane * 4)
      v128.store_lane<i64>(panel, four, 0)
      v128.store_lane<i64>(panel + panelBytes, four, 1)
      panel += 2 * panelBytes
    }
    to += 8
    from += stride
  } while (--k)
}

/** Panels of 6, 6 and 4 rows. */
function dealSixes(first: usize, second: usize, third: usize, from: usize, stride: usize, k: i32): void {
  do {
    const four = v128.load(from, 16)
    v128.store(first, v128.load(from))
    v128.store_lane<i64>(first, four, 0, 16)
    v128.store_lane<i64>(second, four, 1)
    v128.store(second, v128.load(from, 32), 8)
    v128.store(third, v128.load(from, 48))
    first += 24
    second += 24
    third += 16
    from += stride
  } while (--k)
}

function transposeRows(to: usize, rows: i32, from: usize, stride: usize, k: i32): void {
  const step = <usize>rows * 4
  if (rows >= 4) transpose(to, step, from, stride, k)
  if (rows == 2) transposePair(to, step, from, stride, k)
  if (rows == 6) transposePair(to + 16, step, from + 4 * stride, stride, k)
}

/** Transposes two lanes, `stride` bytes apart, into a panel whose steps are `step` bytes apart. */
function transposePair(to: usize, step: usize, from: usize, stride: usize, k: i32): void {
  const other = from + stride
  let i: usize = 0
  const end = <usize>k * 4
  for (; i + 16 <= end; i += 16) {
    storePair(to, step, v128.load(from + i), v128.load(other + i))
    to += 4 * step
  }
  for (; i < end; i += 4) {
    store<f32>(to, load<f32>(from + i))
    store<f32>(to, load<f32>(other + i), 4)
    to += step
  }
}

/** Transposes four lanes, `stride` bytes apart, into a panel whose steps are `step` bytes apart. */
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

/** Stores the rows of four columns w, x, y, z, `step` bytes apart. */
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

/** Stores the rows of two columns x, y, `step` bytes apart. */
@inline
export function storePair(to: usize, step: usize, x: v128, y: v128): void {
  const low = v128.shuffle<f32>(x, y, 0, 4, 1, 5)
  const high = v128.shuffle<f32>(x, y, 2, 6, 3, 7)
  v128.store_lane<i64>(to, low, 0)
  to += step
  v128.store_lane<i64>(to, low, 1)
  to += step
  v128.store_lane<i64>(to, high, 0)
  to += step
  v128.store_lane<i64>(to, high, 1)
}
