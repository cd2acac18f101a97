/**
 * Cross-entropy of logits [outer, classes, inner] with targets [outer, inner], and its gradient.
 *
 *   loss = (1 - s) (logTotal - (x_target - max)) + s (logTotal - mean of x - max), s the label smoothing
 *   dx   = dy weight / total weight (exp(x - max) / sum of exp - wanted), wanted = (1 - s) [c = target] + s / classes
 *
 * The logits are walked as machine/rows.ts describes, a row or four columns at a time; only the gradient is as large as
 * they are. The target is found by comparing its number with the number of each class. So no address is ever computed
 * from a target, and a target that is not a class gives NaN.
 */
import { orAcross } from './machine/across'
import { log } from './machine/exp'
import { put, take } from './machine/lines'
import { exponentials, leftOf, maximum, stepOf, taken, takeOr, totalOf, vectors } from './machine/rows'
import { addHigh, addLow, BLOCK } from './machine/sums'

/** logits, targets, weights? (an address, or 0) -> losses [outer, inner], counts [outer, inner] */
export function crossEntropyRows(
  logits: usize, targets: usize, weights: usize, losses: usize, counts: usize,
  outer: i32, classes: i32, inner: i32, ignoreIndex: f32, smoothing: f32,
): void {
  const ignored = f32x4.splat(ignoreIndex)
  for (let o = 0; o < outer; o++) {
    const weight = weights == 0 ? f32x4.splat(1) : v128.load_splat<f32>(weights + <usize>o * 4)
    for (let i = 0; i < inner; i += 4) {
      const x = logits + <usize>i * 4
      const lanes = min(4, inner - i)
      const target = targetOf(targets, inner, lanes)
      const max = maximum(x, classes, inner, lanes)
      const logTotal = log(exponentials(x, 0, classes, inner, lanes, max))
      let loss = f32x4.sub(logTotal, f32x4.sub(targetLogit(x, classes, inner, lanes, target), max))
      if (smoothing > 0) {
        const all = f32x4.sub(logTotal, meanAbove(x, classes, inner, lanes, max))
        loss = f32x4.add(f32x4.mul(f32x4.splat(1 - smoothing), loss), f32x4.mul(f32x4.splat(smoothing), all))
      }
      const counted = f32x4.ne(target, ignored)
      put(losses, v128.and(loss, counted), lanes)
      put(counts, v128.and(weight, counted), lanes)
      targets += <usize>lanes * 4
      losses += <usize>lanes * 4
      counts += <usize>lanes * 4
    }
    logits += <usize>(classes * inner) * 4
  }
}

/** dy (scalar), total (scalar), logits, targets, weights? (an address, or 0) -> dlogits */
export function crossEntropyGradient(
  dy: usize, total: usize, logits: usize, targets: usize, weights: usize, dlogits: usize,
  outer: i32, classes: i32, inner: i32, ignoreIndex: f32, smoothing: f32,
): void {
  const ignored = f32x4.splat(ignoreIndex)
  const totalWeight = load<f32>(total)
  for (let o = 0; o < outer; o++) {
    const weight: f32 = weights == 0 ? 1 : load<f32>(weights + <usize>o * 4)
    const scale = f32x4.splat(<f32>(<f64>load<f32>(dy) * <f64>weight / <f64>totalWeight))
    const someWeight = i32x4.splat(weight != 0 && totalWeight != 0 ? -1 : 0)
    for (let i = 0; i < inner; i += 4) {
      const x = logits + <usize>i * 4
      const dx = dlogits + <usize>i * 4
      const lanes = min(4, inner - i)
      const target = targetOf(targets, inner, lanes)
      const max = maximum(x, classes, inner, lanes)
      const sum = exponentials(x, dx, classes, inner, lanes, max)
      const shared = v128.bitselect(sum, f32x4.splat(NaN), isClass(target, classes))
      const counted = v128.and(someWeight, f32x4.ne(target, ignored))
      subtractWanted(dx, classes, inner, lanes, target, smoothing, shared, scale, counted)
      targets += <usize>lanes * 4
    }
    logits += <usize>(classes * inner) * 4
    dlogits += <usize>(classes * inner) * 4
  }
}

/** dx holds exponentials. It becomes scale (dx / sum - wanted) where the target counts, and 0 elsewhere. */
function subtractWanted(
  dx: usize, classes: i32, inner: i32, lanes: i32,
  target: v128, smoothing: f32, sum: v128, scale: v128, counted: v128,
): void {
  const certain = f32x4.splat(1 - smoothing)
  const everywhere = f32x4.splat(smoothing / <f32>classes)
  let numbers = firstNumbers(inner)
  let left = leftOf(classes, inner, lanes)
  for (let i = vectors(classes, inner); i > 0; i--) {
    const wanted = f32x4.add(v128.and(certain, f32x4.eq(numbers, target)), everywhere)
    const difference = f32x4.sub(f32x4.div(take(dx, left), sum), wanted)
    put(dx, v128.and(f32x4.mul(scale, difference), counted), left)
    dx += stepOf(inner)
    left -= taken(inner)
    numbers = f32x4.add(numbers, nextNumbers(inner))
  }
}

@inline
function targetOf(targets: usize, inner: i32, lanes: i32): v128 {
  return inner == 1 ? v128.load_splat<f32>(targets) : take(targets, lanes)
}

@inline
function isClass(target: v128, classes: i32): v128 {
  const inRange = v128.and(f32x4.ge(target, f32x4.splat(0)), f32x4.lt(target, f32x4.splat(<f32>classes)))
  return v128.and(inRange, f32x4.eq(target, f32x4.nearest(target)))
}

/** The numbers of the classes in the first vector. */
@inline
function firstNumbers(inner: i32): v128 {
  return inner == 1 ? f32x4(0, 1, 2, 3) : f32x4.splat(0)
}

@inline
function nextNumbers(inner: i32): v128 {
  return f32x4.splat(inner == 1 ? 4 : 1)
}

/** The logit of the target; NaN if the target is not a class. */
function targetLogit(x: usize, classes: i32, inner: i32, lanes: i32, target: v128): v128 {
  let numbers = firstNumbers(inner)
  let logit = f32x4.splat(0)
  let left = leftOf(classes, inner, lanes)
  for (let i = vectors(classes, inner); i > 0; i--) {
    logit = v128.or(logit, v128.and(take(x, left), f32x4.eq(numbers, target)))
    x += stepOf(inner)
    left -= taken(inner)
    numbers = f32x4.add(numbers, nextNumbers(inner))
  }
  return v128.bitselect(inner == 1 ? orAcross(logit) : logit, f32x4.splat(NaN), isClass(target, classes))
}

/** The mean of x - max. */
function meanAbove(x: usize, classes: i32, inner: i32, lanes: i32, max: v128): v128 {
  let low = f64x2.splat(0)
  let high = low
  let left = leftOf(classes, inner, lanes)
  for (let i = vectors(classes, inner); i > 0; i -= BLOCK) {
    let block = f32x4.splat(0)
    for (let j = min(i, BLOCK); j > 0; j--) {
      block = f32x4.add(block, f32x4.sub(takeOr(max, x, left), max))
      x += stepOf(inner)
      left -= taken(inner)
    }
    low = addLow(low, block)
    high = addHigh(high, block)
  }
  return f32x4.div(totalOf(low, high, inner), f32x4.splat(<f32>classes))
}
