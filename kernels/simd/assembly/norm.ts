/**
 * Batch, layer and group norm, which differ in their views of x, dy, y, dx (Normalization in kernels.ts):
 *
 *   x as [outer, groups, inner]                 mean, variance [groups]
 *   x as [runs, affineSize, affineInner]        gamma, beta, dgamma [affineSize]
 *   h = (x - mean) / sqrt(variance + eps), y = h gamma + beta
 *
 * The numbers of a group lie in runs of `inner`. The second view cuts a run into pieces. In a piece, either all numbers
 * have the same gamma (batch and group norm), or each number has its own and the gammas lie side by side (layer norm,
 * affineInner = 1). So the loop over a piece takes four numbers at a time with a few instructions for each load.
 *
 * A call computes groups first .. first + count - 1, so that threads can share a kernel. Addresses are those of the
 * whole operands, because the gamma of a number follows from its place.
 *
 * Sums are in double precision, for the reasons that reduce.ts gives. A variance takes two passes; the second finds the
 * numbers in a cache.
 */
import { inverseDeviation, sumsOfPiece } from './machine/deviations'
import { put, take } from './machine/lines'
import { addHigh, addLow, highPair, lowPair, sumOfLines, sumOfPair } from './machine/sums'

/** x [outer, groups, inner] -> mean, variance [groups] */
export function moments(
  first: i32, count: i32, x: usize, mean: usize, variance: usize, outer: i32, groups: i32, inner: i32,
): void {
  const runBytes = <usize>inner * 4
  const step = <usize>groups * runBytes
  const size = <f64>outer * <f64>inner
  for (let g = first; g < first + count; g++) {
    const run = x + <usize>g * runBytes
    const center = sumOfLines(run, outer, step, inner) / size
    store<f32>(mean + <usize>g * 4, <f32>center)
    store<f32>(variance + <usize>g * 4, <f32>(squaresOfLines(run, outer, step, inner, center) / size))
  }
}

/** The sum of (x - center)^2 over `runs` lines of n numbers. */
function squaresOfLines(x: usize, runs: i32, runStep: usize, n: i32, center: f64): f64 {
  const centers = f64x2.splat(center)
  let s0 = f64x2.splat(0)
  let s1 = s0
  let rest: f64 = 0
  for (; runs > 0; runs--) {
    let at = x
    let left = n
    for (; left >= 4; left -= 4) {
      const four = v128.load(at)
      const low = f64x2.sub(lowPair(four), centers)
      const high = f64x2.sub(highPair(four), centers)
      s0 = f64x2.add(s0, f64x2.mul(low, low))
      s1 = f64x2.add(s1, f64x2.mul(high, high))
      at += 16
    }
    for (; left > 0; left--) {
      const deviation = <f64>load<f32>(at) - center
      rest += deviation * deviation
      at += 4
    }
    x += runStep
  }
  return sumOfPair(f64x2.add(s0, s1)) + rest
}

/** The length of the piece that begins with number i, if `left` numbers of the run are left. */
@inline
function pieceLength(i: i32, left: i32, affineSize: i32, affineInner: i32): i32 {
  return min(left, affineInner == 1 ? affineSize - (i % affineSize) : affineInner - (i % affineInner))
}

/** The distance in bytes to the gamma of number i. */
@inline
function affineBytes(i: i32, affineSize: i32, affineInner: i32): usize {
  return <usize>((i / affineInner) % affineSize) * 4
}

/** x, mean, variance, gamma?, beta? (addresses, or 0) -> y */
export function normalize(
  first: i32, count: i32, x: usize, mean: usize, variance: usize, gamma: usize, beta: usize, y: usize,
  outer: i32, groups: i32, inner: i32, affineSize: i32, affineInner: i32, eps: f64,
): void {
  const each = gamma != 0 && affineInner == 1
  for (let o = 0; o < outer; o++) {
    let i = (o * groups + first) * inner
    for (let g = first; g < first + count; g++) {
      const center = v128.load_splat<f32>(mean + <usize>g * 4)
      const scale = inverseDeviation(variance + <usize>g * 4, eps)
      for (let left = inner; left > 0; ) {
        const n = pieceLength(i, left, affineSize, affineInner)
        const at = affineBytes(i, affineSize, affineInner)
        const from = x + <usize>i * 4
        const to = y + <usize>i * 4
        if (each) {
          normalizeEach(n, from, to, center, f32x4.splat(<f32>scale), gamma + at, beta + at)
        } else {
          const factor = gamma == 0 ? scale : scale * <f64>load<f32>(gamma + at)
          const offset: f32 = gamma == 0 ? 0 : load<f32>(beta + at)
          normalizeAll(n, from, to, center, f32x4.splat(<f32>factor), f32x4.splat(offset))
        }
        i += n
        left -= n
      }
    }
  }
}

function normalizeEach(n: i32, x: usize, y: usize, center: v128, scale: v128, gamma: usize, beta: usize): void {
  for (; n > 0; n -= 4) {
    const h = f32x4.mul(f32x4.sub(take(x, n), center), scale)
    put(y, f32x4.add(f32x4.mul(h, take(gamma, n)), take(beta, n)), n)
    x += 16
    y += 16
    gamma += 16
    beta += 16
  }
}

/**
 * Subtracts the mean before it multiplies: the product with a large mean would leave too few digits for the difference.
 */
function normalizeAll(n: i32, x: usize, y: usize, center: v128, factor: v128, offset: v128): void {
  for (; n > 0; n -= 4) {
    put(y, f32x4.add(f32x4.mul(f32x4.sub(take(x, n), center), factor), offset), n)
    x += 16
    y += 16
  }
}

/**
 * dy, x, mean, variance, gamma? (an address, or 0) -> dx
 *
 * dx = (dh - average(dh) - h average(dh h)) / sqrt(variance + eps), dh = dy gamma. This is a sum of dy, 1 and h, each
 * times a factor that is found once for each group or piece. If mean and variance are `fixed`, dx is the product with
 * dy alone: x is not read, and may even be infinite.
 */
export function normalizeGradient(
  first: i32, count: i32, dy: usize, x: usize, mean: usize, variance: usize, gamma: usize, dx: usize,
  outer: i32, groups: i32, inner: i32, affineSize: i32, affineInner: i32, eps: f64, fixed: bool,
): void {
  const each = gamma != 0 && affineInner == 1
  const size = <f64>outer * <f64>inner
  for (let g = first; g < first + count; g++) {
    const center = v128.load_splat<f32>(mean + <usize>g * 4)
    const scale = inverseDeviation(variance + <usize>g * 4, eps)
    const scales = f32x4.splat(<f32>scale)
    // the sums of dh and of dh h
    let sums = f64x2.splat(0)
    for (let o = 0; o < outer && !fixed; o++) {
      let i = (o * groups + g) * inner
      for (let left = inner; left > 0; ) {
        const n = pieceLength(i, left, affineSize, affineInner)
        const at = affineBytes(i, affineSize, affineInner)
        const start = <usize>i * 4
        const sum = sumsOfPiece(n, dy + start, x + start, center, scales, each ? gamma + at : 0)
        const factor: f64 = each || gamma == 0 ? 1 : load<f32>(gamma + at)
        sums = f64x2.add(sums, f64x2.mul(sum, f64x2.splat(factor)))
        i += n
        left -= n
      }
    }
    const average = f32x4.splat(<f32>((scale * f64x2.extract_lane(sums, 0)) / size))
    const slope = f32x4.splat(<f32>((scale * f64x2.extract_lane(sums, 1)) / size))
    for (let o = 0; o < outer; o++) {
      let i = (o * groups + g) * inner
      for (let left = inner; left > 0; ) {
        const n = pieceLength(i, left, affineSize, affineInner)
        const at = affineBytes(i, affineSize, affineInner)
        const start = <usize>i * 4
        const factor = each || gamma == 0 ? scale : scale * <f64>load<f32>(gamma + at)
        const factors = f32x4.splat(<f32>factor)
        const own = each ? gamma + at : 0
        if (fixed) scalePiece(n, dy + start, dx + start, factors, own)
        else gradientOfPiece(n, dy + start, x + start, dx + start, center, scales, factors, average, slope, own)
        i += n
        left -= n
      }
    }
  }
}

/**
 * dy, x, mean, variance, sum, lean, gamma? (an address, or 0) -> dx, where x and dy are parts of groups of `size` values: the
 * sums of dy and of dy h over whole groups are given. One gamma for each group.
 */
export function normalizePartGradient(
  first: i32, count: i32, dy: usize, x: usize, mean: usize, variance: usize, sum: usize, lean: usize, gamma: usize,
  dx: usize, outer: i32, groups: i32, inner: i32, eps: f64, size: f64,
): void {
  for (let g = first; g < first + count; g++) {
    const at = <usize>g * 4
    const center = v128.load_splat<f32>(mean + at)
    const scale = inverseDeviation(variance + at, eps)
    const factor = gamma == 0 ? scale : scale * <f64>load<f32>(gamma + at)
    const scales = f32x4.splat(<f32>scale)
    const factors = f32x4.splat(<f32>factor)
    const average = f32x4.splat(<f32>(factor * <f64>load<f32>(sum + at) / size))
    const slope = f32x4.splat(<f32>(factor * <f64>load<f32>(lean + at) / size))
    for (let o = 0; o < outer; o++) {
      const start = <usize>((o * groups + g) * inner) * 4
      gradientOfPiece(inner, dy + start, x + start, dx + start, center, scales, factors, average, slope, 0)
    }
  }
}

/** dx = factor dy gamma? - average - slope (x - center) scale */
function gradientOfPiece(
  n: i32, dy: usize, x: usize, dx: usize, center: v128, scale: v128, factor: v128, average: v128, slope: v128,
  gamma: usize,
): void {
  for (; n > 0; n -= 4) {
    let d = f32x4.mul(take(dy, n), factor)
    if (gamma != 0) {
      d = f32x4.mul(d, take(gamma, n))
      gamma += 16
    }
    const h = f32x4.mul(f32x4.sub(take(x, n), center), scale)
    put(dx, f32x4.sub(f32x4.sub(d, average), f32x4.mul(h, slope)), n)
    dy += 16
    x += 16
    dx += 16
  }
}

/** dx = factor dy gamma? */
function scalePiece(n: i32, dy: usize, dx: usize, factor: v128, gamma: usize): void {
  for (; n > 0; n -= 4) {
    let d = f32x4.mul(take(dy, n), factor)
    if (gamma != 0) {
      d = f32x4.mul(d, take(gamma, n))
      gamma += 16
    }
    put(dx, d, n)
    dy += 16
    dx += 16
  }
}
