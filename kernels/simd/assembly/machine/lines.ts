/**
 * Loops over lines of numbers, four at a time. The operation f is the method `apply` of a class without fields: the
 * compiler inlines it into the loop, but would not inline a function that is passed as a value.
 *
 *   map        y [n] = f(x, p, q), with constants p and q
 *   combine    y [n] = f(a, b, p, q, r), with constants p, q and r
 *   broadcast  y [rows, n] = f(a, b); rows and numbers of a and b lie at the distances in PLANE_STEPS
 *
 * A loop over a cheap operation is as fast as memory. Each round takes sixteen numbers, so that counting costs little
 * compared with loads and stores.
 *
 * The last one to three numbers of a line are loaded and stored one by one. Nothing beyond the line is read or written,
 * because memory may end there. Every number is read before its place is written, so y can be x or a.
 */
import { PLANE_STEPS } from '../../layout'
import { PAIRED } from './pairs'
import { PlaneSteps } from './sizes'

/** Loads one to three numbers; the other lanes are zero. */
export function loadPart(from: usize, count: i32): v128 {
  return loadApart(from, 4, count)
}

/** Stores the first one to three lanes. */
export function storePart(to: usize, part: v128, count: i32): void {
  v128.store_lane<f32>(to, part, 0)
  if (count > 1) v128.store_lane<f32>(to, part, 1, 4)
  if (count > 2) v128.store_lane<f32>(to, part, 2, 8)
}

/** Loads one to four numbers, `step` bytes apart; the other lanes are zero. */
export function loadApart(from: usize, step: usize, count: i32): v128 {
  let four = v128.load_zero<f32>(from)
  if (count > 1) four = v128.load_lane<f32>(from + step, four, 1)
  if (count > 2) four = v128.load_lane<f32>(from + 2 * step, four, 2)
  if (count > 3) four = v128.load_lane<f32>(from + 3 * step, four, 3)
  return four
}

/** Loads the next four numbers of a line, or the last `left` if fewer than four are left. */
@inline
export function take(from: usize, left: i32): v128 {
  return left >= 4 ? v128.load(from) : loadPart(from, left)
}

@inline
export function put(to: usize, four: v128, left: i32): void {
  if (left >= 4) v128.store(to, four)
  else storePart(to, four, left)
}

/** Like `take`, for numbers `step` bytes apart. */
@inline
export function takeApart(from: usize, step: usize, left: i32): v128 {
  if (step == 0) return v128.load_splat<f32>(from)
  if (step == 4 && left >= 4) return v128.load(from)
  return loadApart(from, step, left)
}

export function map<F>(n: i32, x: usize, y: usize, p: v128, q: v128): void {
  const f = changetype<F>(0)
  for (; n >= 16; n -= 16) {
    v128.store(y, f.apply(v128.load(x), p, q))
    v128.store(y, f.apply(v128.load(x, 16), p, q), 16)
    v128.store(y, f.apply(v128.load(x, 32), p, q), 32)
    v128.store(y, f.apply(v128.load(x, 48), p, q), 48)
    x += 64
    y += 64
  }
  mapFew<F>(n, x, y, p, q)
}

/** Like `map`, but four at a time, for slow functions, which have enough instructions to overlap. */
export function mapFew<F>(n: i32, x: usize, y: usize, p: v128, q: v128): void {
  const f = changetype<F>(0)
  if (PAIRED) {
    for (; n >= 8; n -= 8) {
      const low = f.apply(v128.load(x), p, q)
      const high = f.apply(v128.load(x, 16), p, q)
      v128.store(y, low)
      v128.store(y, high, 16)
      x += 32
      y += 32
    }
  }
  for (; n > 0; n -= 4) {
    put(y, f.apply(take(x, n), p, q), n)
    x += 16
    y += 16
  }
}

export function combine<F>(n: i32, a: usize, b: usize, y: usize, p: v128, q: v128, r: v128): void {
  const f = changetype<F>(0)
  for (; n >= 16; n -= 16) {
    v128.store(y, f.apply(v128.load(a), v128.load(b), p, q, r))
    v128.store(y, f.apply(v128.load(a, 16), v128.load(b, 16), p, q, r), 16)
    v128.store(y, f.apply(v128.load(a, 32), v128.load(b, 32), p, q, r), 32)
    v128.store(y, f.apply(v128.load(a, 48), v128.load(b, 48), p, q, r), 48)
    a += 64
    b += 64
    y += 64
  }
  combineFew<F>(n, a, b, y, p, q, r)
}

export function combineFew<F>(n: i32, a: usize, b: usize, y: usize, p: v128, q: v128, r: v128): void {
  const f = changetype<F>(0)
  if (PAIRED) {
    for (; n >= 8; n -= 8) {
      const low = f.apply(v128.load(a), v128.load(b), p, q, r)
      const high = f.apply(v128.load(a, 16), v128.load(b, 16), p, q, r)
      v128.store(y, low)
      v128.store(y, high, 16)
      a += 32
      b += 32
      y += 32
    }
  }
  for (; n > 0; n -= 4) {
    put(y, f.apply(take(a, n), take(b, n), p, q, r), n)
    a += 16
    b += 16
    y += 16
  }
}

export function broadcast<F>(a: usize, b: usize, y: usize, rows: i32, n: i32): void {
  const steps = changetype<PlaneSteps>(PLANE_STEPS)
  const stepA = steps.a
  const stepB = steps.b
  for (; rows > 0; rows--) {
    if (stepA == 4 && stepB == 4) broadcastNone<F>(n, a, b, y)
    else broadcastAny<F>(n, a, stepA, b, stepB, y)
    a += steps.rowA
    b += steps.rowB
    y += <usize>n * 4
  }
}

function broadcastNone<F>(n: i32, a: usize, b: usize, y: usize): void {
  const f = changetype<F>(0)
  for (; n >= 16; n -= 16) {
    v128.store(y, f.apply(v128.load(a), v128.load(b)))
    v128.store(y, f.apply(v128.load(a, 16), v128.load(b, 16)), 16)
    v128.store(y, f.apply(v128.load(a, 32), v128.load(b, 32)), 32)
    v128.store(y, f.apply(v128.load(a, 48), v128.load(b, 48)), 48)
    a += 64
    b += 64
    y += 64
  }
  for (; n > 0; n -= 4) {
    put(y, f.apply(take(a, n), take(b, n)), n)
    a += 16
    b += 16
    y += 16
  }
}

function broadcastAny<F>(n: i32, a: usize, stepA: usize, b: usize, stepB: usize, y: usize): void {
  const f = changetype<F>(0)
  for (; n > 0; n -= 4) {
    put(y, f.apply(takeApart(a, stepA, n), takeApart(b, stepB, n)), n)
    a += 4 * stepA
    b += 4 * stepB
    y += 16
  }
}
