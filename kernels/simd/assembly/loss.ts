/**
 * Losses by element of prediction, target [rows, size], as a mean for each row; their gradients; and the weighted mean
 * of rows, with which every loss ends.
 *
 *   squaredError                  (p - t)^2
 *   binaryCrossEntropyWithLogits  max(p, 0) - p t + log(1 + e^-|p|), which does not overflow for any p; an infinite p
 *                                 costs 0 if t is 0 or 1 on the same side, else infinity
 *
 * One pass, four elements at a time. The gradient of a row with weight 0 is exactly 0, whatever numbers the row holds.
 */
import { firstLanes } from './machine/across'
import { log1p } from './machine/exp'
import { loadPart, put, take } from './machine/lines'
import { decay, sigmoid } from './machine/saturating'
import { addHigh, addLow, BLOCK, sumOfFour } from './machine/sums'

@unmanaged class SquaredError {
  @inline loss(p: v128, t: v128): v128 {
    const difference = f32x4.sub(p, t)
    return f32x4.mul(difference, difference)
  }

  @inline gradient(scale: v128, p: v128, t: v128): v128 {
    const product = f32x4.mul(scale, f32x4.sub(p, t))
    return f32x4.add(product, product)
  }
}

@unmanaged class BinaryCrossEntropyWithLogits {
  @inline loss(p: v128, t: v128): v128 {
    const zero = f32x4.splat(0)
    // max(p, 0) - p t = share |p|, and 0 for a share of 0, even if |p| is infinite.
    const share = v128.bitselect(f32x4.sub(f32x4.splat(1), t), t, f32x4.gt(p, zero))
    const line = v128.and(f32x4.mul(share, f32x4.abs(p)), f32x4.ne(share, zero))
    return f32x4.add(line, log1p(decay(p)))
  }

  @inline gradient(scale: v128, p: v128, t: v128): v128 {
    return f32x4.mul(scale, f32x4.sub(sigmoid(p, decay(p)), t))
  }
}

/** prediction, target -> losses [rows] */
export function squaredErrorRows(prediction: usize, target: usize, losses: usize, rows: i32, size: i32): void {
  lossRows<SquaredError>(prediction, target, losses, rows, size)
}

export function binaryCrossEntropyWithLogitsRows(
  prediction: usize, target: usize, losses: usize, rows: i32, size: i32,
): void {
  lossRows<BinaryCrossEntropyWithLogits>(prediction, target, losses, rows, size)
}

function lossRows<F>(p: usize, t: usize, losses: usize, rows: i32, size: i32): void {
  const f = changetype<F>(0)
  for (; rows > 0; rows--) {
    let low = f64x2.splat(0)
    let high = low
    for (let i = size >> 2; i > 0; i -= BLOCK) {
      let block = f32x4.splat(0)
      for (let j = min(i, BLOCK); j > 0; j--) {
        block = f32x4.add(block, f.loss(v128.load(p), v128.load(t)))
        p += 16
        t += 16
      }
      low = addLow(low, block)
      high = addHigh(high, block)
    }
    const left = size & 3
    if (left > 0) {
      const rest = v128.and(f.loss(loadPart(p, left), loadPart(t, left)), firstLanes(left))
      low = addLow(low, rest)
      high = addHigh(high, rest)
      p += <usize>left * 4
      t += <usize>left * 4
    }
    store<f32>(losses, <f32>(sumOfFour(low, high) / <f64>size))
    losses += 4
  }
}

/** dy (scalar), total (scalar), prediction, target, weights [rows] -> dprediction */
export function squaredErrorGradient(
  dy: usize, total: usize, prediction: usize, target: usize, weights: usize, dprediction: usize, rows: i32, size: i32,
): void {
  lossGradient<SquaredError>(dy, total, prediction, target, weights, dprediction, rows, size)
}

export function binaryCrossEntropyWithLogitsGradient(
  dy: usize, total: usize, prediction: usize, target: usize, weights: usize, dprediction: usize, rows: i32, size: i32,
): void {
  lossGradient<BinaryCrossEntropyWithLogits>(dy, total, prediction, target, weights, dprediction, rows, size)
}

function lossGradient<F>(
  dy: usize, total: usize, p: usize, t: usize, weights: usize, dp: usize, rows: i32, size: i32,
): void {
  const totalWeight = load<f32>(total)
  const rowBytes = <usize>size * 4
  for (; rows > 0; rows--) {
    const weight = load<f32>(weights)
    if (weight == 0 || totalWeight == 0) {
      memory.fill(dp, 0, rowBytes)
    } else {
      const scale = f32x4.splat(<f32>(<f64>load<f32>(dy) * <f64>weight / <f64>totalWeight / <f64>size))
      rowGradient<F>(p, t, dp, size, scale)
    }
    p += rowBytes
    t += rowBytes
    dp += rowBytes
    weights += 4
  }
}

function rowGradient<F>(p: usize, t: usize, dp: usize, size: i32, scale: v128): void {
  const f = changetype<F>(0)
  for (let left = size; left > 0; left -= 4) {
    put(dp, f.gradient(scale, take(p, left), take(t, left)), left)
    p += 16
    t += 16
    dp += 16
  }
}

/**
 * losses [rows], weights [rows] -> mean, total (scalars). In double precision: the numbers are few, and they are the
 * loss of a step.
 */
export function weightedMean(losses: usize, weights: usize, mean: usize, total: usize, rows: i32): void {
  let sum: f64 = 0
  let count: f64 = 0
  for (; rows > 0; rows--) {
    const weight = <f64>load<f32>(weights)
    if (weight != 0) {
      sum += weight * <f64>load<f32>(losses)
      count += weight
    }
    losses += 4
    weights += 4
  }
  store<f32>(mean, count == 0 ? 0 : <f32>(sum / count))
  store<f32>(total, <f32>count)
}
