/**
 * Max pooling: x, dx [planes, height, width], y, dy [planes, outHeight, outWidth].
 *
 * A maximum so far meets the numbers of its window in row-major order, and a number that `beats` it takes its place:
 * the first of equal numbers wins, and NaN wins, as in the plain loops, without a branch for the processor to guess.
 * The choices are made in the same way, and the gradient follows them.
 *
 * Most networks pool with windows of 2 x 2 side by side. Four of them are taken at once: eight numbers of the upper row
 * and eight of the lower row are shuffled into four vectors, one for each corner. The last vector of a row is moved
 * left until it is whole; outputs that are computed twice come out the same. All other windows, choices and gradients:
 * machine/pool-windows.ts.
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
  for (; planes > 0; planes--) {
    open(choices)
    eachWindow<Choices>(x, 0, 0, 0, 1)
    close()
    x += <usize>(p.height * p.width) * 4
    choices += <usize>p.choiceNumbers * 4
  }
}

/** dy, choices -> dx */
export function maxPoolGradient(dy: usize, choices: usize, dx: usize, planes: i32): void {
  const p = changetype<PoolSizes>(POOL_SIZES)
  fillImages(dx, planes)
  for (; planes > 0; planes--) {
    open(choices)
    eachWindow<Gradient>(dx, dy, 0, 0, 1)
    dy += <usize>(p.outHeight * p.outWidth) * 4
    dx += <usize>(p.height * p.width) * 4
    choices += <usize>p.choiceNumbers * 4
  }
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
 * visitor gets a vector for each corner of the windows, and for either two the address of their numbers in y.
 */
function eachQuarters<V>(x: usize, out: usize, planes: i32): void {
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
        visitor.visit(upperLeft, upperRight, lowerLeft, lowerRight, out + i * 4, out + j * 4)
      }
      upper += 2 * rowBytes
      out += <usize>outWidth * 4
    }
    x += imageBytes
  }
}

@unmanaged class MaxOfQuarters {
  @inline visit(
    best: v128, upperRight: v128, lowerLeft: v128, lowerRight: v128, y0: usize, y1: usize,
  ): void {
    best = v128.bitselect(upperRight, best, beats(upperRight, best))
    best = v128.bitselect(lowerLeft, best, beats(lowerLeft, best))
    best = v128.bitselect(lowerRight, best, beats(lowerRight, best))
    v128.store64_lane(y0, best, 0)
    v128.store64_lane(y1, best, 1)
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

/** The choices of a plane, one after the other: the number at hand, its address, and the next free or unread bit. */
let number: i32 = 0
let address: usize = 0
let bit: i32 = 0

@inline
function open(choices: usize): void {
  number = 0
  address = choices
  bit = 0
}

@inline
function append(choice: i32): void {
  const p = changetype<PoolSizes>(POOL_SIZES)
  number |= choice << bit
  bit += p.choiceBits
  if (bit == p.choiceEnd) close()
}

@inline
function close(): void {
  if (bit == 0) return
  store<f32>(address, <f32>number)
  open(address + 4)
}

@inline
function next(): i32 {
  const p = changetype<PoolSizes>(POOL_SIZES)
  if (bit == 0) number = <i32>load<f32>(address)
  const choice = (number >> bit) & ((1 << p.choiceBits) - 1)
  bit += p.choiceBits
  if (bit == p.choiceEnd) open(address + 4)
  return choice
}

@unmanaged class Choices {
  @inline visit(
    window: usize, step: i32, lanes: i32, done: i32, rows: i32, columns: i32, rowBytes: usize, _out: usize,
    _shift: usize, _divisor: i32,
  ): void {
    let best = loadFour(window, step)
    let where = i32x4.splat(0)
    let place = 0
    for (; rows > 0; rows--) {
      const end = window + <usize>columns * 4
      for (let i = window; i < end; i += 4) {
        const candidate = loadFour(i, step)
        const better = beats(candidate, best)
        best = v128.bitselect(candidate, best, better)
        where = v128.bitselect(i32x4.splat(place), where, better)
        place++
      }
      window += rowBytes
    }
    if (done < 1) append(i32x4.extract_lane(where, 0))
    if (lanes == 1) return
    if (done < 2) append(i32x4.extract_lane(where, 1))
    if (done < 3) append(i32x4.extract_lane(where, 2))
    append(i32x4.extract_lane(where, 3))
  }
}

@unmanaged class Gradient {
  /** `window` lies in dx */
  @inline visit(
    window: usize, step: i32, lanes: i32, done: i32, _rows: i32, columns: i32, rowBytes: usize, out: usize,
    _shift: usize, _divisor: i32,
  ): void {
    for (let lane = done; lane < lanes; lane++) {
      let at = window + lane * step
      let column = next()
      for (; column >= columns; column -= columns) at += rowBytes
      at += <usize>column * 4
      store<f32>(at, load<f32>(at) + load<f32>(out + <usize>lane * 4))
    }
  }
}
