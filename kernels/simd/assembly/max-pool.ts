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
import { addLanes, eachWindow, loadFour, loadNew, storeLanes } from './machine/pool-windows'

/** x -> y */
export function maxPool(
  x: usize, y: usize,
  planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, padY: i32, padX: i32,
): void {
  if (areQuarters(outWidth, kernelHeight, kernelWidth, strideY, strideX, padY, padX)) {
    maxOfQuarters(x, y, planes, height, width, outHeight, outWidth)
    return
  }
  eachWindow<Max>(
    x, y, 0, 0, planes, height, width, outHeight, outWidth, kernelHeight, kernelWidth, strideY, strideX, padY, padX,
  )
}

/** dy, x -> dx */
export function maxPoolGradient(
  dy: usize, x: usize, dx: usize,
  planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, padY: i32, padX: i32,
): void {
  if (areQuarters(outWidth, kernelHeight, kernelWidth, strideY, strideX, padY, padX)) {
    // An odd row or column at the end is in no window.
    if (2 * outHeight < height || 2 * outWidth < width) memory.fill(dx, 0, <usize>(planes * height * width) * 4)
    maxOfQuartersGradient(dy, x, dx, planes, height, width, outHeight, outWidth)
    return
  }
  memory.fill(dx, 0, <usize>(planes * height * width) * 4)
  eachWindow<MaxGradient>(
    x, dy, dx - x, 0, planes, height, width, outHeight, outWidth, kernelHeight, kernelWidth, strideY, strideX, padY, padX,
  )
}

/** Are windows 2 x 2 side by side, with at least two in a row, so that every vector can be whole? */
function areQuarters(
  outWidth: i32, kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, padY: i32, padX: i32,
): bool {
  return kernelHeight == 2 && kernelWidth == 2 && strideY == 2 && strideX == 2 && padY == 0 && padX == 0 && outWidth > 1
}

/** Does a candidate take the place of the best so far? NaN beats all but NaN. */
@inline
function beats(candidate: v128, best: v128): v128 {
  return v128.andnot(f32x4.eq(best, best), f32x4.ge(best, candidate))
}

function maxOfQuarters(
  x: usize, y: usize, planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32,
): void {
  const rowBytes = <usize>width * 4
  const last = outWidth - 2
  for (let plane = 0; plane < planes; plane++) {
    let upper = x
    for (let row = 0; row < outHeight; row++) {
      const lower = upper + rowBytes
      for (let column = 0; column < outWidth; column += 4) {
        // Two outputs and the next two; at the end of a row, the same two again.
        const i = <usize>min(column, last)
        const j = <usize>min(column + 2, last)
        const a = v128.load(upper + i * 8)
        const b = v128.load(upper + j * 8)
        const c = v128.load(lower + i * 8)
        const d = v128.load(lower + j * 8)
        let best = v128.shuffle<f32>(a, b, 0, 2, 4, 6)
        const upperRight = v128.shuffle<f32>(a, b, 1, 3, 5, 7)
        const lowerLeft = v128.shuffle<f32>(c, d, 0, 2, 4, 6)
        const lowerRight = v128.shuffle<f32>(c, d, 1, 3, 5, 7)
        best = v128.bitselect(upperRight, best, beats(upperRight, best))
        best = v128.bitselect(lowerLeft, best, beats(lowerLeft, best))
        best = v128.bitselect(lowerRight, best, beats(lowerRight, best))
        v128.store64_lane(y + i * 4, best, 0)
        v128.store64_lane(y + j * 4, best, 1)
      }
      upper += 2 * rowBytes
      y += <usize>outWidth * 4
    }
    x += <usize>height * rowBytes
  }
}

function maxOfQuartersGradient(
  dy: usize, x: usize, dx: usize, planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32,
): void {
  const rowBytes = <usize>width * 4
  const last = outWidth - 2
  for (let plane = 0; plane < planes; plane++) {
    let upper = x
    let to = dx
    for (let row = 0; row < outHeight; row++) {
      const lower = upper + rowBytes
      const toLower = to + rowBytes
      for (let column = 0; column < outWidth; column += 4) {
        const i = <usize>min(column, last)
        const j = <usize>min(column + 2, last)
        const a = v128.load(upper + i * 8)
        const b = v128.load(upper + j * 8)
        const c = v128.load(lower + i * 8)
        const d = v128.load(lower + j * 8)
        let best = v128.shuffle<f32>(a, b, 0, 2, 4, 6)
        const upperRight = v128.shuffle<f32>(a, b, 1, 3, 5, 7)
        const lowerLeft = v128.shuffle<f32>(c, d, 0, 2, 4, 6)
        const lowerRight = v128.shuffle<f32>(c, d, 1, 3, 5, 7)
        const second = beats(upperRight, best)
        best = v128.bitselect(upperRight, best, second)
        const third = beats(lowerLeft, best)
        best = v128.bitselect(lowerLeft, best, third)
        const fourth = beats(lowerRight, best)
        // From the last corner to the first: dy goes to a corner that was taken, unless a later one was.
        let left = v128.load64_lane(dy + j * 4, v128.load64_zero(dy + i * 4), 1)
        const d4 = v128.and(left, fourth)
        left = v128.andnot(left, fourth)
        const d3 = v128.and(left, third)
        left = v128.andnot(left, third)
        const d2 = v128.and(left, second)
        const d1 = v128.andnot(left, second)
        v128.store(to + i * 8, v128.shuffle<f32>(d1, d2, 0, 4, 1, 5))
        v128.store(to + j * 8, v128.shuffle<f32>(d1, d2, 2, 6, 3, 7))
        v128.store(toLower + i * 8, v128.shuffle<f32>(d3, d4, 0, 4, 1, 5))
        v128.store(toLower + j * 8, v128.shuffle<f32>(d3, d4, 2, 6, 3, 7))
      }
      upper += 2 * rowBytes
      to += 2 * rowBytes
      dy += <usize>outWidth * 4
    }
    x += <usize>height * rowBytes
    dx += <usize>height * rowBytes
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
