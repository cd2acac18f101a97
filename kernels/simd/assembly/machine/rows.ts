/**
 * The loops of softmax, cross-entropy and attention over numbers that are normalised together. The numbers are walked
 * in vectors of four, in one of two ways:
 *
 *   inner = 1   a row: a vector holds four neighbouring numbers of it, and results are combined across the lanes
 *   inner > 1   up to four columns: a vector holds a number of each, and lanes are never combined
 *
 * Both are one loop over `vectors`, `stepOf` bytes apart. A vector takes up to four of the `left` numbers; in a row
 * fewer are left after each vector, in columns the number stays the same.
 */
import { firstLanes, maxAcross } from './across'
import { expOfShare } from './exp'
import { loadPart, put, take } from './lines'
import { addHigh, addLow, BLOCK, rounded, sumOfFour } from './sums'

/** The number of vectors in a row, or in up to four columns. */
@inline
export function vectors(size: i32, inner: i32): i32 {
  return inner == 1 ? (size + 3) >> 2 : size
}

/** The bytes from vector to vector. */
@inline
export function stepOf(inner: i32): usize {
  return inner == 1 ? 16 : <usize>inner * 4
}

/** The numbers left before the first vector. */
@inline
export function leftOf(size: i32, inner: i32, lanes: i32): i32 {
  return inner == 1 ? size : lanes
}

/** The number by which `left` falls after each vector. */
@inline
export function taken(inner: i32): i32 {
  return inner == 1 ? 4 : 0
}

/** Like `take`, but with `others` in the lanes beyond `left`. */
@inline
export function takeOr(others: v128, from: usize, left: i32): v128 {
  return left >= 4 ? v128.load(from) : v128.bitselect(loadPart(from, left), others, firstLanes(left))
}

/** The maximum. NaN does not count: it makes the sum of the exponentials NaN later. */
export function maximum(x: usize, size: i32, inner: i32, lanes: i32): v128 {
  const least = f32x4.splat(-Infinity)
  let max = least
  let left = leftOf(size, inner, lanes)
  for (let i = vectors(size, inner); i > 0; i--) {
    max = f32x4.pmax(max, takeOr(least, x, left))
    x += stepOf(inner)
    left -= taken(inner)
  }
  return inner == 1 ? maxAcross(max) : max
}

/** Stores y = exp(x - max), unless y is 0; returns the sum of the exponentials. */
export function exponentials(x: usize, y: usize, size: i32, inner: i32, lanes: i32, max: v128): v128 {
  const least = f32x4.splat(-Infinity)
  let low = f64x2.splat(0)
  let high = low
  let left = leftOf(size, inner, lanes)
  for (let i = vectors(size, inner); i > 0; i -= BLOCK) {
    let block = f32x4.splat(0)
    for (let j = min(i, BLOCK); j > 0; j--) {
      const power = expOfShare(f32x4.sub(takeOr(least, x, left), max))
      block = f32x4.add(block, power)
      if (y != 0) {
        put(y, power, left)
        y += stepOf(inner)
      }
      x += stepOf(inner)
      left -= taken(inner)
    }
    low = addLow(low, block)
    high = addHigh(high, block)
  }
  return totalOf(low, high, inner)
}

/** The total of a row in all lanes, or the total of each of four columns. */
@inline
export function totalOf(low: v128, high: v128, inner: i32): v128 {
  return inner == 1 ? f32x4.splat(<f32>sumOfFour(low, high)) : rounded(low, high)
}

export function divide(y: usize, size: i32, inner: i32, lanes: i32, total: v128): void {
  let left = leftOf(size, inner, lanes)
  for (let i = vectors(size, inner); i > 0; i--) {
    put(y, f32x4.div(take(y, left), total), left)
    y += stepOf(inner)
    left -= taken(inner)
  }
}

/**
 * dx = F.slope(dy, y, sum of F.term(dy, y)), times `scale` if F asks for it. F is a class without fields: lines.ts.
 */
export function slopes<F>(dy: usize, y: usize, dx: usize, size: i32, inner: i32, lanes: i32, scale: f32): void {
  const f = changetype<F>(0)
  const factor = f32x4.splat(scale)
  let left = leftOf(size, inner, lanes)
  let low = f64x2.splat(0)
  let high = low
  let at: usize = 0
  for (let i = vectors(size, inner); i > 0; i -= BLOCK) {
    let block = f32x4.splat(0)
    for (let j = min(i, BLOCK); j > 0; j--) {
      block = f32x4.add(block, f.term(dy + at, y + at, left))
      at += stepOf(inner)
      left -= taken(inner)
    }
    low = addLow(low, block)
    high = addHigh(high, block)
  }
  const total = totalOf(low, high, inner)
  left = leftOf(size, inner, lanes)
  at = 0
  for (let i = vectors(size, inner); i > 0; i--) {
    put(dx + at, f.slope(dy + at, y + at, left, total, factor), left)
    at += stepOf(inner)
    left -= taken(inner)
  }
}

/** The gradient of y = exp(x) / sum of exp(x): scale y (dy - sum of dy y). */
@unmanaged export class Shares {
  @inline term(dy: usize, y: usize, left: i32): v128 { return f32x4.mul(take(dy, left), take(y, left)) }
  @inline slope(dy: usize, y: usize, left: i32, total: v128, factor: v128): v128 {
    return f32x4.mul(f32x4.mul(factor, take(y, left)), f32x4.sub(take(dy, left), total))
  }
}
