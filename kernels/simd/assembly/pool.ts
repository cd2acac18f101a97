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
 * Of all other windows four side by side are visited at once, a lane each, tap after tap. Maxima are chosen as above,
 * their places with them; what the gradients of overlapping windows add to an input, they add one by one.
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
 * Every window, clipped to its plane: `V` has visit(window, step, lanes, done, rows, columns, rowBytes, out, shift, divisor).
 *
 * Four windows side by side that lie within the width of the plane are visited at once, `step` bytes apart. The last
 * four of a row are moved left to where they are whole, and the first `done` of them have been visited. A window over an
 * edge, or in a row of less than four, is visited alone: then there is 1 lane, and step is 0, so that all
 * four vectors' lanes see that window. `window` is the address of the first number, `out` that of its number in y or dy.
 */
function eachWindow<V>(
  image: usize, out: usize, shift: usize, divisor: i32,
  planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, padY: i32, padX: i32,
): void {
  const visitor = changetype<V>(0)
  const rowBytes = <usize>width * 4
  // columns of y whose windows are within the plane's width: from `whole` to before `clipped`
  const whole = (padX + strideX - 1) / strideX
  const clipped = width + padX < kernelWidth ? 0 : min(outWidth, (width + padX - kernelWidth) / strideX + 1)
  const four = clipped - 4
  for (let plane = 0; plane < planes; plane++) {
    for (let row = 0; row < outHeight; row++) {
      const top = row * strideY - padY
      const y0 = max(top, 0)
      const rows = min(top + kernelHeight, height) - y0
      const from = image + <usize>y0 * rowBytes
      let column = 0
      while (column < outWidth) {
        if (four >= whole && column >= whole && column < clipped) {
          const first = min(column, four)
          const window = from + <usize>(first * strideX - padX) * 4
          const at = out + <usize>first * 4
          visitor.visit(window, strideX * 4, 4, column - first, rows, kernelWidth, rowBytes, at, shift, divisor)
          column = first + 4
        } else {
          const left = column * strideX - padX
          const x0 = max(left, 0)
          const columns = min(left + kernelWidth, width) - x0
          visitor.visit(from + <usize>x0 * 4, 0, 1, 0, rows, columns, rowBytes, out + <usize>column * 4, shift, divisor)
          column++
        }
      }
      out += <usize>outWidth * 4
    }
    image += <usize>height * rowBytes
  }
}

/** Four numbers, `step` bytes apart: no number beyond them is read. */
@inline
function loadFour(at: usize, step: i32): v128 {
  if (step == 8) return v128.shuffle<f32>(v128.load(at), v128.load(at, 12), 0, 2, 5, 7)
  if (step == 4) return v128.load(at)
  if (step == 0) return v128.load_splat<f32>(at)
  let four = v128.load_zero<f32>(at)
  four = v128.load_lane<f32>(at + step, four, 1)
  four = v128.load_lane<f32>(at + 2 * step, four, 2)
  return v128.load_lane<f32>(at + 3 * step, four, 3)
}

/**
 * Adds each lane to a number of its own. One by one, even where they lie side by side: the next tap's four overlap
 * them, and a processor waits for a stored vector of which it is to load a part.
 */
@inline
function addLanes(at0: usize, at1: usize, at2: usize, at3: usize, lanes: i32, four: v128): void {
  add(at0, f32x4.extract_lane(four, 0))
  if (lanes == 1) return
  add(at1, f32x4.extract_lane(four, 1))
  add(at2, f32x4.extract_lane(four, 2))
  add(at3, f32x4.extract_lane(four, 3))
}

@inline
function add(at: usize, value: f32): void {
  store<f32>(at, load<f32>(at) + value)
}

@inline
function storeLanes(at: usize, lanes: i32, four: v128): void {
  if (lanes == 4) v128.store(at, four)
  else v128.store32_lane(at, four, 0)
}

/** dy of the lanes that have not been visited, and zero. */
@inline
function loadNew(dy: usize, lanes: i32, done: i32): v128 {
  if (lanes == 1) return v128.load_zero<f32>(dy)
  return v128.and(v128.load(dy), i32x4.ge_s(i32x4(0, 1, 2, 3), i32x4.splat(done)))
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
    /** where, from the first number of each window */
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

@unmanaged class Average {
  @inline visit(
    window: usize, step: i32, lanes: i32, _done: i32, rows: i32, columns: i32, rowBytes: usize, out: usize,
    _shift: usize, divisor: i32,
  ): void {
    const count = f64x2.splat(<f64>(divisor == 0 ? rows * columns : divisor))
    let low = f64x2.splat(0)
    let high = f64x2.splat(0)
    for (; rows > 0; rows--) {
      const end = window + <usize>max(columns, 0) * 4
      for (let i = window; i < end; i += 4) {
        const four = loadFour(i, step)
        low = f64x2.add(low, f64x2.promote_low_f32x4(four))
        high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<f32>(four, four, 2, 3, 2, 3)))
      }
      window += rowBytes
    }
    const two = f32x4.demote_f64x2_zero(f64x2.div(low, count))
    const others = f32x4.demote_f64x2_zero(f64x2.div(high, count))
    storeLanes(out, lanes, v128.shuffle<f32>(two, others, 0, 1, 4, 5))
  }
}

@unmanaged class AverageGradient {
  @inline visit(
    window: usize, step: i32, lanes: i32, done: i32, rows: i32, columns: i32, rowBytes: usize, out: usize,
    _shift: usize, divisor: i32,
  ): void {
    const count = f32x4.splat(<f32>(divisor == 0 ? rows * columns : divisor))
    const share = f32x4.div(loadNew(out, lanes, done), count)
    for (; rows > 0; rows--) {
      const end = window + <usize>max(columns, 0) * 4
      for (let i = window; i < end; i += 4) addLanes(i, i + step, i + 2 * step, i + 3 * step, lanes, share)
      window += rowBytes
    }
  }
}
