/**
 * Sums and maxima over two axes of x, runs and the n numbers of each run: y [kept] = old y? + scale f(x).
 *
 *   sumLines, maxLines      the n numbers of a run lie side by side: [N, C, H, W] -> [C], or the rows of a matrix
 *   sumColumns, maxColumns  the outputs lie side by side: [N, C] -> [C]
 *
 * Vectors run along the axis whose numbers lie side by side. Sums are in double precision, like those of the plain
 * loops: this costs nothing if x comes from memory, and if x comes from a cache it costs less than equally accurate
 * sums in single precision. An addition takes three or four cycles and two can start in each cycle, so several sums run
 * at a time: four vectors of them in lines, and eight in columns, which are the sixteen numbers of a cache line.
 */
import { COLUMN_GROUP } from '../layout'
import { addHigh, addLow, highPair, lowPair, putSum, putSums, sumOfLines } from './machine/sums'

/** Outputs are keptStep bytes apart in x, and runs are runStep bytes apart. */
export function sumLines(
  x: usize, y: usize, kept: i32, keptStep: usize, runs: i32, runStep: usize, n: i32, scale: f64, accumulate: bool,
): void {
  for (; kept > 0; kept--) {
    putSum(y, scale * sumOfLines(x, runs, runStep, n), accumulate)
    x += keptStep
    y += 4
  }
}

export function maxLines(
  x: usize, y: usize, kept: i32, keptStep: usize, runs: i32, runStep: usize, n: i32, scale: f64, accumulate: bool,
): void {
  for (; kept > 0; kept--) {
    putSum(y, scale * maxOfLines(x, runs, runStep, n), accumulate)
    x += keptStep
    y += 4
  }
}

function maxOfLines(x: usize, runs: i32, runStep: usize, n: i32): f64 {
  let m0 = f32x4.splat(-Infinity)
  let m1 = m0
  for (; runs > 0; runs--) {
    let at = x
    let left = n
    for (; left >= 8; left -= 8) {
      m0 = f32x4.max(m0, v128.load(at))
      m1 = f32x4.max(m1, v128.load(at, 16))
      at += 32
    }
    for (; left > 0; left--) {
      m0 = f32x4.max(m0, v128.load_splat<f32>(at))
      at += 4
    }
    x += runStep
  }
  m0 = f32x4.max(m0, m1)
  return max<f32>(
    max<f32>(f32x4.extract_lane(m0, 0), f32x4.extract_lane(m0, 1)),
    max<f32>(f32x4.extract_lane(m0, 2), f32x4.extract_lane(m0, 3)),
  )
}

/** The n numbers of a run are rowStep bytes apart, and runs are runStep bytes apart. */
export function sumColumns(
  x: usize, y: usize, kept: i32, runs: i32, runStep: usize, n: i32, rowStep: usize, scale: f64, accumulate: bool,
): void {
  for (; kept >= COLUMN_GROUP; kept -= COLUMN_GROUP) {
    sumOf16(x, y, runs, runStep, n, rowStep, scale, accumulate)
    x += 64
    y += 64
  }
  for (; kept >= 4; kept -= 4) {
    sumOf4(x, y, runs, runStep, n, rowStep, scale, accumulate)
    x += 16
    y += 16
  }
  for (; kept > 0; kept--) {
    putSum(y, scale * sumOfColumn(x, runs, runStep, n, rowStep), accumulate)
    x += 4
    y += 4
  }
}

export function maxColumns(
  x: usize, y: usize, kept: i32, runs: i32, runStep: usize, n: i32, rowStep: usize, scale: f64, accumulate: bool,
): void {
  for (; kept >= 4; kept -= 4) {
    maxOf4(x, y, runs, runStep, n, rowStep, scale, accumulate)
    x += 16
    y += 16
  }
  for (; kept > 0; kept--) {
    putSum(y, scale * maxOfColumn(x, runs, runStep, n, rowStep), accumulate)
    x += 4
    y += 4
  }
}

function sumOf16(
  x: usize, y: usize, runs: i32, runStep: usize, n: i32, rowStep: usize, scale: f64, accumulate: bool,
): void {
  const zero = f64x2.splat(0)
  let s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero, s5 = zero, s6 = zero, s7 = zero
  for (; runs > 0; runs--) {
    let at = x
    for (let left = n; left > 0; left--) {
      const a = v128.load(at)
      s0 = addLow(s0, a)
      s1 = addHigh(s1, a)
      const b = v128.load(at, 16)
      s2 = addLow(s2, b)
      s3 = addHigh(s3, b)
      const c = v128.load(at, 32)
      s4 = addLow(s4, c)
      s5 = addHigh(s5, c)
      const d = v128.load(at, 48)
      s6 = addLow(s6, d)
      s7 = addHigh(s7, d)
      at += rowStep
    }
    x += runStep
  }
  finish(y, s0, s1, scale, accumulate)
  finish(y + 16, s2, s3, scale, accumulate)
  finish(y + 32, s4, s5, scale, accumulate)
  finish(y + 48, s6, s7, scale, accumulate)
}

/** Sums even and odd rows separately, so that four sums run at a time here too. */
function sumOf4(
  x: usize, y: usize, runs: i32, runStep: usize, n: i32, rowStep: usize, scale: f64, accumulate: bool,
): void {
  const zero = f64x2.splat(0)
  let s0 = zero, s1 = zero, s2 = zero, s3 = zero
  for (; runs > 0; runs--) {
    let at = x
    for (let left = n; left > 0; left -= 2) {
      const a = v128.load(at)
      s0 = addLow(s0, a)
      s1 = addHigh(s1, a)
      if (left == 1) break
      const b = v128.load(at + rowStep)
      s2 = addLow(s2, b)
      s3 = addHigh(s3, b)
      at += 2 * rowStep
    }
    x += runStep
  }
  finish(y, f64x2.add(s0, s2), f64x2.add(s1, s3), scale, accumulate)
}

function maxOf4(
  x: usize, y: usize, runs: i32, runStep: usize, n: i32, rowStep: usize, scale: f64, accumulate: bool,
): void {
  let four = f32x4.splat(-Infinity)
  for (; runs > 0; runs--) {
    let at = x
    for (let left = n; left > 0; left--) {
      four = f32x4.max(four, v128.load(at))
      at += rowStep
    }
    x += runStep
  }
  finish(y, lowPair(four), highPair(four), scale, accumulate)
}

/** Scales, adds and rounds four results. */
@inline
function finish(y: usize, low: v128, high: v128, scale: f64, accumulate: bool): void {
  const scaling = f64x2.splat(scale)
  putSums(y, f64x2.mul(scaling, low), f64x2.mul(scaling, high), 4, accumulate)
}

function sumOfColumn(x: usize, runs: i32, runStep: usize, n: i32, rowStep: usize): f64 {
  let sum: f64 = 0
  for (; runs > 0; runs--) {
    let at = x
    for (let left = n; left > 0; left--) {
      sum += load<f32>(at)
      at += rowStep
    }
    x += runStep
  }
  return sum
}

function maxOfColumn(x: usize, runs: i32, runStep: usize, n: i32, rowStep: usize): f64 {
  let most: f32 = -Infinity
  for (; runs > 0; runs--) {
    let at = x
    for (let left = n; left > 0; left--) {
      most = max<f32>(most, load<f32>(at))
      at += rowStep
    }
    x += runStep
  }
  return most
}
