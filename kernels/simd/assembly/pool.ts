/**
 * Pooling over windows of planes: x, dx [planes, height, width], y, dy [planes, outHeight, outWidth].
 *
 * Windows of 2 x 2 side by side, which is what most networks pool with, are taken four at a time: eight numbers of the
 * upper row and eight of the lower one, shuffled into four vectors, one for each corner. A vector of the
 * maxima so far meets one corner after the other in row-major order, and a corner is taken where it `beats` them: the first
 * of equal ones wins, and NaN wins, as in the plain loops, without a branch that a processor would have to
 * guess. The gradient makes the same choice and hands dy to the corner taken last. A row's last vector is moved
 * left to where it is whole: what it does twice comes out the same.
 *
 * All other windows are walked number by number, but for the calls it costs like the plain loops in C.
 */

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
    // Inputs in no window: an odd row or column at the end.
    if (2 * outHeight < height || 2 * outWidth < width) memory.fill(dx, 0, <usize>(planes * height * width) * 4)
    maxOfQuartersGradient(dy, x, dx, planes, height, width, outHeight, outWidth)
    return
  }
  memory.fill(dx, 0, <usize>(planes * height * width) * 4)
  eachWindow<MaxGradient>(
    x, dy, dx - x, 0, planes, height, width, outHeight, outWidth, kernelHeight, kernelWidth, strideY, strideX, padY, padX,
  )
}

/** x -> y; the sum of a window is divided by `divisor`, or where that is 0 by the count of its numbers */
export function averagePool(
  x: usize, y: usize, divisor: i32,
  planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, padY: i32, padX: i32,
): void {
  eachWindow<Average>(
    x, y, 0, divisor, planes, height, width, outHeight, outWidth, kernelHeight, kernelWidth, strideY, strideX, padY, padX,
  )
}

/** dy -> dx */
export function averagePoolGradient(
  dy: usize, dx: usize, divisor: i32,
  planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, padY: i32, padX: i32,
): void {
  memory.fill(dx, 0, <usize>(planes * height * width) * 4)
  eachWindow<AverageGradient>(
    dx, dy, 0, divisor, planes, height, width, outHeight, outWidth, kernelHeight, kernelWidth, strideY, strideX, padY, padX,
  )
}

/** Two outputs of a row at least: then every vector can be whole. */
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
        // Two outputs and two more; where the row ends, the same ones again.
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
        // What is left of dy goes from the last corner to the first.
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

/**
 * Every window, clipped to its plane: `V` has visit(window, rows, columns, rowBytes, out, shift, divisor), where
 * `window` is the address of its first number, `out` that of its number in y or dy; shift and divisor are handed on.
 */
function eachWindow<V>(
  image: usize, out: usize, shift: usize, divisor: i32,
  planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, padY: i32, padX: i32,
): void {
  const visitor = changetype<V>(0)
  const rowBytes = <usize>width * 4
  for (let plane = 0; plane < planes; plane++) {
    for (let row = 0; row < outHeight; row++) {
      const top = row * strideY - padY
      const y0 = max(top, 0)
      const rows = min(top + kernelHeight, height) - y0
      for (let column = 0; column < outWidth; column++) {
        const left = column * strideX - padX
        const x0 = max(left, 0)
        const columns = min(left + kernelWidth, width) - x0
        visitor.visit(image + <usize>(y0 * width + x0) * 4, rows, columns, rowBytes, out, shift, divisor)
        out += 4
      }
    }
    image += <usize>height * rowBytes
  }
}

/**
 * Where the first maximum of a window is, or 0 if there is nothing in it. Chosen by address, which a processor does
 * without a branch: guessing which of nine numbers is the greatest goes wrong too often.
 */
@inline
function firstMaximum(window: usize, rows: i32, columns: i32, rowBytes: usize): usize {
  if (rows <= 0 || columns <= 0) return 0
  let at = window
  for (; rows > 0; rows--) {
    const end = window + <usize>columns * 4
    for (let i = window; i < end; i += 4) {
      const best = load<f32>(at)
      const candidate = load<f32>(i)
      at = select<usize>(i, at, i32(!(best >= candidate)) & i32(best == best))
    }
    window += rowBytes
  }
  return at
}

@unmanaged class Max {
  @inline visit(window: usize, rows: i32, columns: i32, rowBytes: usize, out: usize, _shift: usize, _divisor: i32): void {
    const at = firstMaximum(window, rows, columns, rowBytes)
    store<f32>(out, at == 0 ? -Infinity : load<f32>(at))
  }
}

@unmanaged class MaxGradient {
  /** `shift` leads from x to dx */
  @inline visit(window: usize, rows: i32, columns: i32, rowBytes: usize, out: usize, shift: usize, _divisor: i32): void {
    const at = firstMaximum(window, rows, columns, rowBytes)
    if (at != 0) store<f32>(at + shift, load<f32>(at + shift) + load<f32>(out))
  }
}

@unmanaged class Average {
  @inline visit(window: usize, rows: i32, columns: i32, rowBytes: usize, out: usize, _shift: usize, divisor: i32): void {
    const count = divisor == 0 ? rows * columns : divisor
    let total: f64 = 0
    for (; rows > 0; rows--) {
      const end = window + <usize>max(columns, 0) * 4
      for (let i = window; i < end; i += 4) total += <f64>load<f32>(i)
      window += rowBytes
    }
    store<f32>(out, <f32>(total / <f64>count))
  }
}

@unmanaged class AverageGradient {
  @inline visit(window: usize, rows: i32, columns: i32, rowBytes: usize, out: usize, _shift: usize, divisor: i32): void {
    const share = load<f32>(out) / <f32>(divisor == 0 ? rows * columns : divisor)
    for (; rows > 0; rows--) {
      const end = window + <usize>max(columns, 0) * 4
      for (let i = window; i < end; i += 4) store<f32>(i, load<f32>(i) + share)
      window += rowBytes
    }
  }
}
