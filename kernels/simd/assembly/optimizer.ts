/**
 * The kernels of a commit: optimizer updates, and the sums that gather and measure gradients. All operands are [n];
 * outputs may be the inputs.
 *
 * Each kernel reads and writes everything once, four parameters at a time. It needs no other memory, because a commit
 * must not fail. SGD is as fast as memory. Adam divides and takes a root for each parameter, which keeps the divider
 * busy for about as long as its seven streams keep memory busy.
 */
import { CHEAP_GRAIN, MAX_THREADS, SQUARE_PARTS, SQUARE_SUMS, SQUARES } from '../layout'
import { combine, map, put, take } from './machine/lines'
import { parallel } from './machine/parallel'
import { sumOfFour } from './machine/sums'

/** y, x -> a y + b x; does not read y where a is 0 */
export function blend(n: i32, y: usize, x: usize, to: usize, a: f32, b: f32): void {
  if (a == 0) map<Scale>(n, x, to, f32x4.splat(b), f32x4.splat(0))
  else combine<Blend>(n, y, x, to, f32x4.splat(a), f32x4.splat(b), f32x4.splat(0))
}

@unmanaged class Scale {
  @inline apply(x: v128, factor: v128, _: v128): v128 { return f32x4.mul(factor, x) }
}

@unmanaged class Blend {
  @inline apply(y: v128, x: v128, a: v128, b: v128, _: v128): v128 {
    return f32x4.add(f32x4.mul(a, y), f32x4.mul(b, x))
  }
}

/**
 * Note [Sums in parts]
 *   The bits of a sum depend on the order of its additions. So its parts depend only on n: there are at most
 *   SQUARE_PARTS, each long enough to be worth handing to a thread. A commit has no workspace, so the sums of the parts
 *   are stored at the bottom of the memory (layout.ts).
 */
@unmanaged class Squares {
  x: usize
  n: i32
  part: i32
}

/** sum of x^2, in double precision */
export function sumOfSquares(n: i32, x: usize): f64 {
  const squares = changetype<Squares>(SQUARES)
  const part = max(CHEAP_GRAIN, (n + SQUARE_PARTS - 1) / SQUARE_PARTS)
  const parts = (n + part - 1) / part
  squares.x = x
  squares.n = n
  squares.part = part
  parallel(SQUARES, parts, MAX_THREADS, (shared, item, _slot) => {
    const all = changetype<Squares>(shared)
    const first = item * all.part
    store<f64>(SQUARE_SUMS + <usize>item * 8, sumPart(min(all.part, all.n - first), all.x + <usize>first * 4))
  })
  let total: f64 = 0
  for (let i = 0; i < parts; i++) total += load<f64>(SQUARE_SUMS + <usize>i * 8)
  return total
}

/** The squares are exact; four vectors hold two sums each. */
function sumPart(n: i32, x: usize): f64 {
  const zero = f64x2.splat(0)
  let s0 = zero, s1 = zero, s2 = zero, s3 = zero
  for (; n > 4; n -= 8) {
    const four = v128.load(x)
    const next = n >= 8 ? v128.load(x, 16) : take(x + 16, n - 4)
    s0 = addSquares(s0, four)
    s1 = addSquares(s1, v128.shuffle<f64>(four, four, 1, 0))
    s2 = addSquares(s2, next)
    s3 = addSquares(s3, v128.shuffle<f64>(next, next, 1, 0))
    x += 32
  }
  if (n > 0) {
    const four = take(x, n)
    s0 = addSquares(s0, four)
    s1 = addSquares(s1, v128.shuffle<f64>(four, four, 1, 0))
  }
  return sumOfFour(f64x2.add(s0, s1), f64x2.add(s2, s3))
}

@inline
function addSquares(sum: v128, pair: v128): v128 {
  const x = f64x2.promote_low_f32x4(pair)
  return f64x2.add(sum, f64x2.mul(x, x))
}

/** root^2 gradient: see clipRoot. */
@inline
function clipped(gradient: v128, root: v128): v128 {
  return f32x4.mul(root, f32x4.mul(root, gradient))
}

/** parameter, gradient -> parameter - learningRate (root^2 gradient + decay parameter) */
export function sgd(n: i32, parameter: usize, gradient: usize, to: usize, learningRate: f32, root: f32, decay: f32): void {
  combine<Descend>(
    n, parameter, gradient, to, f32x4.splat(learningRate), f32x4.splat(root), f32x4.splat(decay),
  )
}

@unmanaged class Descend {
  @inline apply(p: v128, gradient: v128, learningRate: v128, root: v128, decay: v128): v128 {
    const g = f32x4.add(clipped(gradient, root), f32x4.mul(decay, p))
    return f32x4.sub(p, f32x4.mul(learningRate, g))
  }
}

/** parameter, velocity, gradient -> parameter, velocity; the velocity gains `fresh` times the gradient */
export function sgdMomentum(
  n: i32, parameter: usize, velocity: usize, gradient: usize, toParameter: usize, toVelocity: usize,
  learningRate: f32, root: f32, decay: f32, momentum: f32, fresh: f32, nesterov: bool, first: bool,
): void {
  const learning = f32x4.splat(learningRate)
  const roots = f32x4.splat(root)
  const decaying = f32x4.splat(decay)
  const keeping = f32x4.splat(momentum)
  const taking = f32x4.splat(fresh)
  for (; n > 0; n -= 4) {
    const p = take(parameter, n)
    const g = f32x4.add(clipped(take(gradient, n), roots), f32x4.mul(decaying, p))
    const v = first ? g : f32x4.add(f32x4.mul(keeping, take(velocity, n)), f32x4.mul(taking, g))
    const direction = nesterov ? f32x4.add(g, f32x4.mul(keeping, v)) : v
    put(toVelocity, v, n)
    put(toParameter, f32x4.sub(p, f32x4.mul(learning, direction)), n)
    parameter += 16
    velocity += 16
    gradient += 16
    toParameter += 16
    toVelocity += 16
  }
}

/**
 * parameter, m, v, gradient -> parameter, m, v. fresh1 = 1 - beta1 and fresh2 = 1 - beta2. decay is added to the
 * gradient, shrink is the factor of decoupled weight decay. stepSize contains the correction of m; `correction` is the root
 * of the correction of v.
 */
export function adam(
  n: i32, parameter: usize, m: usize, v: usize, gradient: usize, toParameter: usize, toM: usize, toV: usize,
  root: f32, decay: f32, shrink: f32, beta1: f32, fresh1: f32, beta2: f32, fresh2: f32,
  stepSize: f32, correction: f32, eps: f32,
): void {
  const roots = f32x4.splat(root)
  const decaying = f32x4.splat(decay)
  const shrinking = f32x4.splat(shrink)
  const keeping1 = f32x4.splat(beta1)
  const taking1 = f32x4.splat(fresh1)
  const keeping2 = f32x4.splat(beta2)
  const taking2 = f32x4.splat(fresh2)
  const stepping = f32x4.splat(stepSize)
  const correcting = f32x4.splat(1 / correction)
  const epsilon = f32x4.splat(eps)
  for (; n > 0; n -= 4) {
    const p = take(parameter, n)
    const g = f32x4.add(clipped(take(gradient, n), roots), f32x4.mul(decaying, p))
    const first = f32x4.add(f32x4.mul(keeping1, take(m, n)), f32x4.mul(taking1, g))
    const second = f32x4.add(f32x4.mul(keeping2, take(v, n)), f32x4.mul(f32x4.mul(taking2, g), g))
    put(toM, first, n)
    put(toV, second, n)
    const size = f32x4.add(f32x4.mul(f32x4.sqrt(second), correcting), epsilon)
    put(toParameter, f32x4.sub(f32x4.mul(shrinking, p), f32x4.div(f32x4.mul(stepping, first), size)), n)
    parameter += 16
    m += 16
    v += 16
    gradient += 16
    toParameter += 16
    toM += 16
    toV += 16
  }
}

/**
 * parameter, square, mean, velocity, gradient -> parameter, square, mean, velocity; fresh = 1 - alpha. The mean is read and
 * written only if `centered`, and the velocity only with momentum.
 */
export function rmsprop(
  n: i32, parameter: usize, square: usize, mean: usize, velocity: usize, gradient: usize,
  toParameter: usize, toSquare: usize, toMean: usize, toVelocity: usize,
  root: f32, decay: f32, learningRate: f32, alpha: f32, fresh: f32, eps: f32, momentum: f32, centered: bool,
): void {
  const roots = f32x4.splat(root)
  const decaying = f32x4.splat(decay)
  const learning = f32x4.splat(learningRate)
  const keeping = f32x4.splat(alpha)
  const taking = f32x4.splat(fresh)
  const epsilon = f32x4.splat(eps)
  const moving = f32x4.splat(momentum)
  for (; n > 0; n -= 4) {
    const p = take(parameter, n)
    const g = f32x4.add(clipped(take(gradient, n), roots), f32x4.mul(decaying, p))
    const second = f32x4.add(f32x4.mul(keeping, take(square, n)), f32x4.mul(f32x4.mul(taking, g), g))
    let spread = second
    if (centered) {
      const first = f32x4.add(f32x4.mul(keeping, take(mean, n)), f32x4.mul(taking, g))
      spread = f32x4.max(f32x4.splat(0), f32x4.sub(second, f32x4.mul(first, first)))
      put(toMean, first, n)
    }
    let step = f32x4.div(g, f32x4.add(f32x4.sqrt(spread), epsilon))
    if (momentum != 0) {
      step = f32x4.add(f32x4.mul(moving, take(velocity, n)), step)
      put(toVelocity, step, n)
    }
    put(toSquare, second, n)
    put(toParameter, f32x4.sub(p, f32x4.mul(learning, step)), n)
    parameter += 16
    square += 16
    mean += 16
    velocity += 16
    gradient += 16
    toParameter += 16
    toSquare += 16
    toMean += 16
    toVelocity += 16
  }
}

/**
 * Stores the root of the sum as [scale, ratio]: scale is the float32 number nearest to the root, so ratio is near 1, or
 * 0 if the sum is 0.
 */
export function storeNorm(sum: f64, to: usize): void {
  const norm = sqrt<f64>(sum)
  const scale = max<f64>(LEAST_SCALE, min<f64>(f32.MAX_VALUE, norm))
  store<f32>(to, <f32>scale)
  store<f32>(to + 4, <f32>(norm / <f64><f32>scale))
}

/** 2^-126 */
const LEAST_SCALE: f64 = <f64>f32.MIN_NORMAL_VALUE

/**
 * The root of min(1, maxNorm / (norm + 1e-6)). Gradients are multiplied by it twice, because the factor itself may be
 * too small for float32.
 */
export function clipRoot(norm: usize, maxNorm: f64): f64 {
  return min<f64>(1, sqrt<f64>(maxNorm / (<f64>load<f32>(norm) * <f64>load<f32>(norm + 4) + 1e-6)))
}
