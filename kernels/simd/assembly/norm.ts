/**
 * Batch, layer and group norm: one family under different views of x, dy, y, dx (see Normalization in kernels.ts).
 *
 *   x as [outer, groups, inner]                 mean, variance [groups]
 *   x as [runs, affineSize, affineInner]        gamma, beta, dgamma [affineSize]
 *   h = (x - mean) / sqrt(variance + eps), y = h gamma + beta
 *
 * A group's numbers lie in runs of `inner`. Both views at once cut a run into pieces in which either one gamma holds
 * (batch and group norm), or each number has its own and they lie side by side (layer norm, affineInner = 1). In a
 * piece nothing changes but the numbers: four at a time, a few instructions for each load.
 *
 * A call does the groups from `first` on, `count` of them, or as many gammas: nothing is shared between those but what
 * is read, so threads take them apart. Addresses are those of the whole operands, because gamma follows from the place.
 *
 * Sums are in double precision, as those of reduce.ts and for its reasons; a variance in two passes, of which the
 * second finds in a cache what the first one left there.
 */
import { put, take } from './machine/lines'
import { putSums, sumOfLines } from './reduce'
import { addHigh, addLow, highPair, lowPair } from './machine/sums'

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

@inline
function sumOfPair(pair: v128): f64 {
  return f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1)
}

@inline
function inverseDeviation(variance: usize, eps: f64): f64 {
  return 1 / sqrt<f64>(<f64>load<f32>(variance) + eps)
}

/** How long the piece is that begins with number i, of whose run `left` are left; and which gamma it begins with. */
@inline
function pieceLength(i: i32, left: i32, affineSize: i32, affineInner: i32): i32 {
  return min(left, affineInner == 1 ? affineSize - (i % affineSize) : affineInner - (i % affineInner))
}

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

/** The mean is subtracted before the product: where it is large, the product has no digits left for what differs. */
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
 * dx = (dh - average(dh) - h average(dh h)) / sqrt(variance + eps), dh = dy gamma. As a sum of three products of which
 * dy, 1 and h are one factor, the other is found once for each group or piece. Where mean and variance are `fixed` the
 * first is all there is: x is not looked at, and may be infinite.
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
    // of dh, and of dh h
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

/** The sums of dy and of dy (x - center) scale, where dy is first multiplied by gamma [n] unless that is 0. */
function sumsOfPiece(n: i32, dy: usize, x: usize, center: v128, scale: v128, gamma: usize): v128 {
  let s0 = f64x2.splat(0)
  let s1 = s0
  let p0 = s0
  let p1 = s0
  for (; n > 0; n -= 4) {
    let d = take(dy, n)
    if (gamma != 0) {
      d = f32x4.mul(d, take(gamma, n))
      gamma += 16
    }
    const product = f32x4.mul(d, f32x4.mul(f32x4.sub(take(x, n), center), scale))
    s0 = addLow(s0, d)
    s1 = addHigh(s1, d)
    p0 = addLow(p0, product)
    p1 = addHigh(p1, product)
    dy += 16
    x += 16
  }
  return f64x2(sumOfPair(f64x2.add(s0, s1)), sumOfPair(f64x2.add(p0, p1)))
}

/** dx = factor dy (gamma) - average - slope (x - center) scale */
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

/** dx = factor dy (gamma) */
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

/** dy, x, mean, variance -> dgamma = sum of dy h, over runs of affineSize gammas with affineInner numbers each */
export function normalizeScaleGradient(
  first: i32, count: i32, dy: usize, x: usize, mean: usize, variance: usize, dgamma: usize,
  outer: i32, groups: i32, inner: i32, affineSize: i32, affineInner: i32, eps: f64, accumulate: bool,
): void {
  const all = outer * groups * inner
  const run = affineSize * affineInner
  // Gammas of a run in one group, whichever run it is: groups end with runs or within them, always at the same places.
  const together = affineInner > 1 ? 1 : inner % run == 0 ? run : run % inner == 0 ? inner : 1
  for (let at = first; at < first + count; ) {
    const to = dgamma + <usize>at * 4
    const n = min(first + count - at, together - (at % together))
    if (n >= 16) {
      scaleGradientOf16(at, all, run, dy, x, mean, variance, to, groups, inner, eps, accumulate)
      at += 16
    } else if (together > 1) {
      scaleGradientOf4(at, min(n, 4), all, run, dy, x, mean, variance, to, groups, inner, eps, accumulate)
      at += min(n, 4)
    } else {
      const sum = scaleGradientOf1(at * affineInner, affineInner, all, run, dy, x, mean, variance, groups, inner, eps)
      store<f32>(to, <f32>(accumulate ? <f64>load<f32>(to) + sum : sum))
      at++
    }
  }
}

/** dy (x - center) scale, of four numbers */
@inline
function products(dy: usize, x: usize, center: v128, scale: v128, count: i32): v128 {
  return f32x4.mul(take(dy, count), f32x4.mul(f32x4.sub(take(x, count), center), scale))
}

/** Of gammas that lie side by side, from number `at` of every run on. */
function scaleGradientOf16(
  at: i32, all: i32, run: i32, dy: usize, x: usize, mean: usize, variance: usize, to: usize,
  groups: i32, inner: i32, eps: f64, accumulate: bool,
): void {
  let s0 = f64x2.splat(0)
  let s1 = s0
  let s2 = s0
  let s3 = s0
  let s4 = s0
  let s5 = s0
  let s6 = s0
  let s7 = s0
  for (let i = at; i < all; i += run) {
    const g = <usize>((i / inner) % groups) * 4
    const center = v128.load_splat<f32>(mean + g)
    const scale = f32x4.splat(<f32>inverseDeviation(variance + g, eps))
    const d = dy + <usize>i * 4
    const v = x + <usize>i * 4
    const p0 = products(d, v, center, scale, 4)
    s0 = addLow(s0, p0)
    s1 = addHigh(s1, p0)
    const p1 = products(d + 16, v + 16, center, scale, 4)
    s2 = addLow(s2, p1)
    s3 = addHigh(s3, p1)
    const p2 = products(d + 32, v + 32, center, scale, 4)
    s4 = addLow(s4, p2)
    s5 = addHigh(s5, p2)
    const p3 = products(d + 48, v + 48, center, scale, 4)
    s6 = addLow(s6, p3)
    s7 = addHigh(s7, p3)
  }
  putSums(to, s0, s1, 4, accumulate)
  putSums(to + 16, s2, s3, 4, accumulate)
  putSums(to + 32, s4, s5, 4, accumulate)
  putSums(to + 48, s6, s7, 4, accumulate)
}

function scaleGradientOf4(
  at: i32, count: i32, all: i32, run: i32, dy: usize, x: usize, mean: usize, variance: usize, to: usize,
  groups: i32, inner: i32, eps: f64, accumulate: bool,
): void {
  let low = f64x2.splat(0)
  let high = low
  for (let i = at; i < all; i += run) {
    const g = <usize>((i / inner) % groups) * 4
    const center = v128.load_splat<f32>(mean + g)
    const scale = f32x4.splat(<f32>inverseDeviation(variance + g, eps))
    const product = products(dy + <usize>i * 4, x + <usize>i * 4, center, scale, count)
    low = addLow(low, product)
    high = addHigh(high, product)
  }
  putSums(to, low, high, count, accumulate)
}

/** Of the gamma whose numbers are `start` to `start` + n - 1 of every run. */
function scaleGradientOf1(
  start: i32, n: i32, all: i32, run: i32, dy: usize, x: usize, mean: usize, variance: usize,
  groups: i32, inner: i32, eps: f64,
): f64 {
  let sum: f64 = 0
  for (; start < all; start += run) {
    let i = start
    for (let left = n; left > 0; ) {
      const piece = min(left, inner - (i % inner))
      const g = <usize>((i / inner) % groups) * 4
      const center = v128.load_splat<f32>(mean + g)
      const scale = f32x4.splat(<f32>inverseDeviation(variance + g, eps))
      const at = <usize>i * 4
      sum += f64x2.extract_lane(sumsOfPiece(piece, dy + at, x + at, center, scale, 0), 1)
      i += piece
      left -= piece
    }
  }
  return sum
}
