/**
 * Max pooling: x, dx [planes, height, width], y, dy [planes, outHeight, outWidth].
 *
 * The maximum so far is compared with the numbers of its window in row-major order; a number that `beats` it takes its
 * place. So the first of equal numbers wins, and NaN wins, as in the plain loops, without a branch for the processor to
 * guess. The choices are made in the same way, and the gradient follows them.
 *
 * Most networks pool with windows of 2 x 2 side by side. Four of them are taken at once: eight numbers of the upper row
 * and eight of the lower row are shuffled into four vectors, one for each corner. All other windows: machine/pool-windows.ts.
 */
import { POOL_SIZES } from '../layout'
import { eachWindow, fillImages, loadFour, storeLanes } from './machine/pool-windows'
import { PoolSizes } from './machine/sizes'

/** x -> y */
export function maxPool(x: usize, y: usize, planes: i32): void {
  if (areQuarters()) eachQuarters<MaxOfQuarters>(x, y, planes)
  else eachWindow<Max>(x, y, 0, 0, planes)
}

/** x -> choices */
export function maxPoolChoices(x: usize, choices: usize, planes: i32): void {
  const p = changetype<PoolSizes>(POOL_SIZES)
  const quarters = areQuarters()
  for (; planes > 0; planes--) {
    open(choices)
    if (quarters) eachQuarters<ChoicesOfQuarters>(x, 0, 1)
    else eachWindow<Choices>(x, 0, 0, 0, 1)
    close()
    x += <usize>(p.height * p.width) * 4
    choices += <usize>p.choiceNumbers * 4
  }
}

/** dy, choices -> dx */
export function maxPoolGradient(dy: usize, choices: usize, dx: usize, planes: i32): void {
  const p = changetype<PoolSizes>(POOL_SIZES)
  const quarters = areQuarters()
  // With quarters every number is written, except an odd row or column at the end, which is in no window.
  if (!quarters || 2 * p.outHeight < p.height || 2 * p.outWidth < p.width) fillImages(dx, planes)
  for (; planes > 0; planes--) {
    open(choices)
    if (quarters) eachQuarters<GradientOfQuarters>(dx, dy, 1)
    else eachWindow<Gradient>(dx, dy, 0, 0, 1)
    dy += <usize>(p.outHeight * p.outWidth) * 4
    dx += <usize>(p.height * p.width) * 4
    choices += <usize>p.choiceNumbers * 4
  }
}

/** Are windows 2 x 2 side by side, none of them cut off, with at least two in a row, so that every vector can be whole? */
function areQuarters(): bool {
  const p = changetype<PoolSizes>(POOL_SIZES)
  const square = p.kernelHeight == 2 && p.kernelWidth == 2 && p.strideY == 2 && p.strideX == 2
  const whole = 2 * p.outHeight <= p.height && 2 * p.outWidth <= p.width
  const close = p.dilationY == 1 && p.dilationX == 1
  return square && close && whole && p.padY == 0 && p.padX == 0 && p.outWidth > 1
}

/** Does a candidate take the place of the best so far? NaN beats all but NaN. */
@inline
function beats(candidate: v128, best: v128): v128 {
  return v128.andnot(f32x4.eq(best, best), f32x4.ge(best, candidate))
}

/**
 * Visits four windows of 2 x 2 at a time: two side by side and the next two. If fewer than four are left at the end of a
 * row, some are visited twice: with one left, the last two windows twice; with two left, both twice; with three left, the
 * first two and the last two. For each two the visitor gets two addresses: of their upper row, and of their numbers in y or
 * dy.
 */
function eachQuarters<V>(image: usize, out: usize, planes: i32): void {
  const visitor = changetype<V>(0)
  const p = changetype<PoolSizes>(POOL_SIZES)
  const outWidth = p.outWidth
  const rowBytes = <usize>p.width * 4
  const imageBytes = <usize>p.height * rowBytes
  const last = outWidth - 2
  for (let plane = 0; plane < planes; plane++) {
    let upper = image
    for (let row = 0; row < p.outHeight; row++) {
      for (let column = 0; column < outWidth; column += 4) {
        const i = <usize>min(column, last)
        const j = <usize>min(column + 2, last)
        visitor.visit(upper + i * 8, upper + j * 8, rowBytes, out + i * 4, out + j * 4, outWidth - column)
      }
      upper += 2 * rowBytes
      out += <usize>outWidth * 4
    }
    image += imageBytes
  }
}

/** The left corners of four windows in a row, and the right ones. */
@inline
function lefts(x0: usize, x1: usize): v128 {
  return v128.shuffle<f32>(v128.load(x0), v128.load(x1), 0, 2, 4, 6)
}
@inline
function rights(x0: usize, x1: usize): v128 {
  return v128.shuffle<f32>(v128.load(x0), v128.load(x1), 1, 3, 5, 7)
}

@unmanaged class MaxOfQuarters {
  @inline visit(x0: usize, x1: usize, rowBytes: usize, y0: usize, y1: usize, _left: i32): void {
    let best = lefts(x0, x1)
    const upperRight = rights(x0, x1)
    best = v128.bitselect(upperRight, best, beats(upperRight, best))
    const lowerLeft = lefts(x0 + rowBytes, x1 + rowBytes)
    best = v128.bitselect(lowerLeft, best, beats(lowerLeft, best))
    const lowerRight = rights(x0 + rowBytes, x1 + rowBytes)
    best = v128.bitselect(lowerRight, best, beats(lowerRight, best))
    v128.store64_lane(y0, best, 0)
    v128.store64_lane(y1, best, 1)
  }
}

@unmanaged class ChoicesOfQuarters {
  @inline visit(x0: usize, x1: usize, rowBytes: usize, _y0: usize, _y1: usize, left: i32): void {
    let best = lefts(x0, x1)
    const upperRight = rights(x0, x1)
    const second = beats(upperRight, best)
    best = v128.bitselect(upperRight, best, second)
    const lowerLeft = lefts(x0 + rowBytes, x1 + rowBytes)
    const third = beats(lowerLeft, best)
    best = v128.bitselect(lowerLeft, best, third)
    const fourth = beats(rights(x0 + rowBytes, x1 + rowBytes), best)
    const low = i32x4.bitmask(v128.or(fourth, v128.andnot(second, third)))
    const high = i32x4.bitmask(v128.or(fourth, third))
    const four = spread(low) | (spread(high) << 1)
    if (left >= 4) append(four, 8)
    else if (left == 3) append((four & 15) | ((four >> 6) << 4), 6)
    else if (left == 2) append(four & 15, 4)
    else append((four >> 2) & 3, 2)
  }
}

/** Four bits with a bit of 0 behind each. */
@inline
function spread(four: i32): i32 {
  const pairs = (four | (four << 2)) & 0x33
  return (pairs | (pairs << 1)) & 0x55
}

/** The last four choices of quarters that were read. */
let choicesBefore: i32 = 0

@unmanaged class GradientOfQuarters {
  @inline visit(dx0: usize, dx1: usize, rowBytes: usize, dy0: usize, dy1: usize, left: i32): void {
    let four: i32
    if (left >= 4) {
      four = next(8)
      choicesBefore = four
    } else if (left == 3) {
      const three = next(6)
      four = (three & 15) | ((three >> 2) << 4)
    } else {
      const two = left == 2 ? next(4) : (choicesBefore >> 6) | (next(2) << 2)
      four = two | (two << 4)
    }
    const choices = v128.and(i32x4.splat(four), i32x4(3, 12, 48, 192))
    const dy = v128.load64_lane(dy1, v128.load64_zero(dy0), 1)
    const d1 = v128.and(dy, i32x4.eq(choices, i32x4.splat(0)))
    const d2 = v128.and(dy, i32x4.eq(choices, i32x4(1, 4, 16, 64)))
    const d3 = v128.and(dy, i32x4.eq(choices, i32x4(2, 8, 32, 128)))
    const d4 = v128.and(dy, i32x4.eq(choices, i32x4(3, 12, 48, 192)))
    v128.store(dx0, v128.shuffle<f32>(d1, d2, 0, 4, 1, 5))
    v128.store(dx1, v128.shuffle<f32>(d1, d2, 2, 6, 3, 7))
    v128.store(dx0 + rowBytes, v128.shuffle<f32>(d3, d4, 0, 4, 1, 5))
    v128.store(dx1 + rowBytes, v128.shuffle<f32>(d3, d4, 2, 6, 3, 7))
  }
}

@unmanaged class Max {
  @inline visit(
    window: usize, step: i32, tap: i32, lanes: i32, _done: i32, rows: i32, columns: i32, rowBytes: usize, out: usize,
    _shift: usize, _divisor: i32,
  ): void {
    let best = f32x4.splat(-Infinity)
    for (; rows > 0; rows--) {
      const end = window + <usize>(max(columns, 0) * tap)
      for (let i = window; i < end; i += tap) {
        const candidate = loadFour(i, step)
        best = v128.bitselect(candidate, best, beats(candidate, best))
      }
      window += rowBytes
    }
    storeLanes(out, lanes, best)
  }
}

/**
 * The choices of a plane are written, or read, one after the other. `buffer` holds `bits` bits that are not yet stored, or
 * not yet used; `address` is that of the next number.
 */
let buffer: u64 = 0
let bits: i32 = 0
let address: usize = 0

@inline
function open(choices: usize): void {
  buffer = 0
  bits = 0
  address = choices
}

/** One choice, or several at once, of `count` bits together. */
@inline
function append(choices: i32, count: i32): void {
  buffer |= <u64>choices << bits
  bits += count
  const end = changetype<PoolSizes>(POOL_SIZES).choiceEnd
  if (bits < end) return
  store<f32>(address, <f32>(<i32>(buffer & ((1 << end) - 1))))
  address += 4
  buffer >>= end
  bits -= end
}

@inline
function close(): void {
  if (bits > 0) store<f32>(address, <f32>(<i32>buffer))
}

@inline
function next(count: i32): i32 {
  if (bits < count) {
    buffer |= <u64>(<i32>load<f32>(address)) << bits
    bits += changetype<PoolSizes>(POOL_SIZES).choiceEnd
    address += 4
  }
  const choices = <i32>buffer & ((1 << count) - 1)
  buffer >>= count
  bits -= count
  return choices
}

@unmanaged class Choices {
  @inline visit(
    window: usize, step: i32, tap: i32, lanes: i32, done: i32, rows: i32, columns: i32, rowBytes: usize, _out: usize,
    _shift: usize, _divisor: i32,
  ): void {
    const count = changetype<PoolSizes>(POOL_SIZES).choiceBits
    let best = loadFour(window, step)
    let where = i32x4.splat(0)
    let place = 0
    for (; rows > 0; rows--) {
      const end = window + <usize>(columns * tap)
      for (let i = window; i < end; i += tap) {
        const candidate = loadFour(i, step)
        const better = beats(candidate, best)
        best = v128.bitselect(candidate, best, better)
        where = v128.bitselect(i32x4.splat(place), where, better)
        place++
      }
      window += rowBytes
    }
    if (done < 1) append(i32x4.extract_lane(where, 0), count)
    if (lanes == 1) return
    if (done < 2) append(i32x4.extract_lane(where, 1), count)
    if (done < 3) append(i32x4.extract_lane(where, 2), count)
    append(i32x4.extract_lane(where, 3), count)
  }
}

@unmanaged class Gradient {
  /** `window` lies in dx */
  @inline visit(
    window: usize, step: i32, tap: i32, lanes: i32, done: i32, _rows: i32, columns: i32, rowBytes: usize, out: usize,
    _shift: usize, _divisor: i32,
  ): void {
    const count = changetype<PoolSizes>(POOL_SIZES).choiceBits
    for (let lane = done; lane < lanes; lane++) {
      let at = window + lane * step
      let column = next(count)
      for (; column >= columns; column -= columns) at += rowBytes
      at += <usize>(column * tap)
      store<f32>(at, load<f32>(at) + load<f32>(out + <usize>lane * 4))
    }
  }
}
