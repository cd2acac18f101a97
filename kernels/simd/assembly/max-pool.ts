/**
 * Max pooling: x, dx [planes, height, width], y, dy [planes, outHeight, outWidth].
 *
 * A maximum so far meets the numbers of its window in row-major order, and a number that `beats` it takes its place:
 * the first of equal numbers wins, and NaN wins, as in the plain loops, without a branch for the processor to guess.
 * The gradient makes the same choice and gives dy to the number taken last.
 *
 * Most networks pool with windows of 2 x 2 side by side. Four of them are taken at once: eight numbers of the upper row
 * and eight of the lower row are shuffled into four vectors, one for each corner. The last vector of a row is moved
 * left until it is whole; outputs that are computed twice come out the same. All other windows:
 * machine/pool-windows.ts.
 */
import { POOL_SIZES } from '../layout'
import { addLanes, eachWindow, fillImages, loadFour, loadNew, storeLanes } from './machine/pool-windows'
import { PoolSizes } from './machine/sizes'

/** x -> y */
export function maxPool(x: usize, y: usize, planes: i32): void {
  if (areQuarters()) eachQuarters<MaxOfQuarters>(x, y, 0, planes)
  else eachWindow<Max>(x, y, 0, 0, planes)
}

/** dy, x -> dx */
export function maxPoolGradient(dy: usize, x: usize, dx: usize, planes: i32): void {
  const p = changetype<PoolSizes>(POOL_SIZES)
  const quarters = areQuarters()
  // Of quarters every number is written, but for an odd row or column at the end, which is in no window.
  if (!quarters || 2 * p.outHeight < p.height || 2 * p.outWidth < p.width) fillImages(dx, planes)
  if (quarters) eachQuarters<MaxOfQuartersGradient>(x, dy, dx - x, planes)
  else eachWindow<MaxGradient>(x, dy, dx - x, 0, planes)
}

/** Are windows 2 x 2 side by side, with at least two in a row, so that every vector can be whole? */
function areQuarters(): bool {
  const p = changetype<PoolSizes>(POOL_SIZES)
  const square = p.kernelHeight == 2 && p.kernelWidth == 2 && p.strideY == 2 && p.strideX == 2
  return square && p.padY == 0 && p.padX == 0 && p.outWidth > 1
}

/** Does a candidate take the place of the best so far? NaN beats all but NaN. */
@inline
function beats(candidate: v128, best: v128): v128 {
  return v128.andnot(f32x4.eq(best, best), f32x4.ge(best, candidate))
}

/**
 * Visits four windows of 2 x 2 at a time: two side by side and the next two; at the end of a row the same two again. The
 * visitor gets a vector for each corner of the windows. For either two it gets the address of their numbers in y or dy,
 * and that of their upper row in x, moved by `shift`.
 */
function eachQuarters<V>(x: usize, out: usize, shift: usize, planes: i32): void {
  const visitor = changetype<V>(0)
  const p = changetype<PoolSizes>(POOL_SIZES)
  const outHeight = p.outHeight
  const outWidth = p.outWidth
  const rowBytes = <usize>p.width * 4
  const imageBytes = <usize>p.height * rowBytes
  const last = outWidth - 2
  for (let plane = 0; plane < planes; plane++) {
    let upper = x
    for (let row = 0; row < outHeight; row++) {
      const lower = upper + rowBytes
      for (let column = 0; column < outWidth; column += 4) {
        const i = <usize>min(column, last)
        const j = <usize>min(column + 2, last)
        const a = v128.load(upper + i * 8)
        const b = v128.load(upper + j * 8)
        const c = v128.load(lower + i * 8)
        const d = v128.load(lower + j * 8)
        const upperLeft = v128.shuffle<f32>(a, b, 0, 2, 4, 6)
        const upperRight = v128.shuffle<f32>(a, b, 1, 3, 5, 7)
        const lowerLeft = v128.shuffle<f32>(c, d, 0, 2, 4, 6)
        const lowerRight = v128.shuffle<f32>(c, d, 1, 3, 5, 7)
        const to = upper + shift
        visitor.visit(
          upperLeft, upperRight, lowerLeft, lowerRight, out + i * 4, out + j * 4, to + i * 8, to + j * 8, rowBytes,
        )
      }
      upper += 2 * rowBytes
      out += <usize>outWidth * 4
    }
    x += imageBytes
  }
}

@unmanaged class MaxOfQuarters {
  @inline visit(
    best: v128, upperRight: v128, lowerLeft: v128, lowerRight: v128, y0: usize, y1: usize, _x0: usize, _x1: usize,
    _rowBytes: usize,
  ): void {
    best = v128.bitselect(upperRight, best, beats(upperRight, best))
    best = v128.bitselect(lowerLeft, best, beats(lowerLeft, best))
    best = v128.bitselect(lowerRight, best, beats(lowerRight, best))
    v128.store64_lane(y0, best, 0)
    v128.store64_lane(y1, best, 1)
  }
}

@unmanaged class MaxOfQuartersGradient {
  /** From the last corner to the first: dy goes to a corner that was taken, unless a later one was. */
  @inline visit(
    best: v128, upperRight: v128, lowerLeft: v128, lowerRight: v128, dy0: usize, dy1: usize, dx0: usize, dx1: usize,
    rowBytes: usize,
  ): void {
    const second = beats(upperRight, best)
    best = v128.bitselect(upperRight, best, second)
    const third = beats(lowerLeft, best)
    best = v128.bitselect(lowerLeft, best, third)
    const fourth = beats(lowerRight, best)
    let left = v128.load64_lane(dy1, v128.load64_zero(dy0), 1)
    const d4 = v128.and(left, fourth)
    left = v128.andnot(left, fourth)
    const d3 = v128.and(left, third)
    left = v128.andnot(left, third)
    const d2 = v128.and(left, second)
    const d1 = v128.andnot(left, second)
    v128.store(dx0, v128.shuffle<f32>(d1, d2, 0, 4, 1, 5))
    v128.store(dx1, v128.shuffle<f32>(d1, d2, 2, 6, 3, 7))
    v128.store(dx0 + rowBytes, v128.shuffle<f32>(d3, d4, 0, 4, 1, 5))
    v128.store(dx1 + rowBytes, v128.shuffle<f32>(d3, d4, 2, 6, 3, 7))
  }
}

@unmanaged class Max {
  @inline visit(
    window: usize, step: i32, lanes: i32, _done: i32, rows: i32, columns: i32, rowBytes: usize, out: usize,
    _shift: usize, _divisor: i32,
  ): void {
    let best = f32x4.splat(-Infinity)
    for (; rows > 0; rows--) {
      const end = window + <usize>max(columns, 0) * 4
      for (let i = window; i < end; i += 4) {
        const candidate = loadFour(i, step)
        best = v128.bitselect(candidate, best, beats(candidate, best))
      }
      window += rowBytes
    }
    storeLanes(out, lanes, best)
  }
}

@unmanaged class MaxGradient {
  /** `shift` leads from x to dx */
  @inline visit(
    window: usize, step: i32, lanes: i32, done: i32, rows: i32, columns: i32, rowBytes: usize, out: usize,
    shift: usize, _divisor: i32,
  ): void {
    if (rows <= 0 || columns <= 0) return
    const first = window
    let best = loadFour(window, step)
    /** bytes from the first number of each window to its maximum */
    let where = i32x4.splat(0)
    do {
      const end = window + <usize>columns * 4
      for (let i = window; i < end; i += 4) {
        const candidate = loadFour(i, step)
        const better = beats(candidate, best)
        best = v128.bitselect(candidate, best, better)
        where = v128.bitselect(i32x4.splat(<i32>(i - first)), where, better)
      }
      window += rowBytes
    } while (--rows)
    const dx = first + shift
    const dx0 = dx + i32x4.extract_lane(where, 0)
    const dx1 = dx + step + i32x4.extract_lane(where, 1)
    const dx2 = dx + 2 * step + i32x4.extract_lane(where, 2)
    const dx3 = dx + 3 * step + i32x4.extract_lane(where, 3)
    addLanes(dx0, dx1, dx2, dx3, lanes, loadNew(out, lanes, done))
  }
}
