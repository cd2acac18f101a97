/**
 * The windows of max and average pooling, four side by side at once, a lane each. Where windows overlap, gradients are
 * added to each input one by one.
 */
import { POOL_SIZES } from '../../layout'
import { PoolSizes } from './sizes'

/**
 * Visits every window, clipped to its plane. The visitor `V` has
 *
 *   visit(window, step, tap, lanes, done, rows, columns, rowBytes, out, shift, divisor)
 *
 * `window` is the address of the first number of the window, and `out` the address of its number in y or dy. The window
 * has `rows` rows of `columns` numbers; the numbers are `tap` bytes apart, the rows `rowBytes`. `shift` and `divisor` are
 * passed on.
 *
 * Four windows side by side, `step` bytes apart, are visited at once where all of them lie within the width of the
 * plane. The last four windows of a row begin further left, so that there are four; the first `done` of them have been
 * visited before. A window over an edge, or in a row of fewer than four windows, is visited alone: then `lanes` is 1,
 * and `step` is 0, so that all four lanes see that window.
 */
export function eachWindow<V>(image: usize, out: usize, shift: usize, divisor: i32, planes: i32): void {
  const visitor = changetype<V>(0)
  const p = changetype<PoolSizes>(POOL_SIZES)
  const height = p.height
  const width = p.width
  const outHeight = p.outHeight
  const outWidth = p.outWidth
  const kernelHeight = p.kernelHeight
  const kernelWidth = p.kernelWidth
  const strideY = p.strideY
  const strideX = p.strideX
  const padY = p.padY
  const padX = p.padX
  const dilationY = p.dilationY
  const dilationX = p.dilationX
  const extentY = dilationY * (kernelHeight - 1) + 1
  const extentX = dilationX * (kernelWidth - 1) + 1
  const rowBytes = <usize>width * 4
  const lineBytes = rowBytes * dilationY
  const tap = dilationX * 4
  // The windows of columns whole .. clipped - 1 of y lie within the width of the plane.
  const whole = (padX + strideX - 1) / strideX
  const clipped = width + padX < extentX ? 0 : min(outWidth, (width + padX - extentX) / strideX + 1)
  const four = clipped - 4
  for (let plane = 0; plane < planes; plane++) {
    for (let row = 0; row < outHeight; row++) {
      const top = row * strideY - padY
      const y0 = inside(top, dilationY)
      const rows = (min(top + extentY, height) - y0 + dilationY - 1) / dilationY
      const from = image + <usize>y0 * rowBytes
      let column = 0
      while (column < outWidth) {
        if (four >= whole && column >= whole && column < clipped) {
          const first = min(column, four)
          const window = from + <usize>(first * strideX - padX) * 4
          const at = out + <usize>first * 4
          visitor.visit(window, strideX * 4, tap, 4, column - first, rows, kernelWidth, lineBytes, at, shift, divisor)
          column = first + 4
        } else {
          const left = column * strideX - padX
          const x0 = inside(left, dilationX)
          const columns = (min(left + extentX, width) - x0 + dilationX - 1) / dilationX
          const at = out + <usize>column * 4
          visitor.visit(from + <usize>x0 * 4, 0, tap, 1, 0, rows, columns, lineBytes, at, shift, divisor)
          column++
        }
      }
      out += <usize>outWidth * 4
    }
    image += <usize>height * rowBytes
  }
}

/** The first of `from`, from + step, ... that is not below 0. */
@inline
function inside(from: i32, step: i32): i32 {
  return from < 0 ? from + ((step - 1 - from) / step) * step : from
}

/** Fills images with zeros, to which gradients are added. */
export function fillImages(dx: usize, planes: i32): void {
  const p = changetype<PoolSizes>(POOL_SIZES)
  memory.fill(dx, 0, <usize>(planes * p.height * p.width) * 4)
}

/** Four numbers, `step` bytes apart; reads no others. */
@inline
export function loadFour(at: usize, step: i32): v128 {
  if (step == 8) return v128.shuffle<f32>(v128.load(at), v128.load(at, 12), 0, 2, 5, 7)
  if (step == 4) return v128.load(at)
  if (step == 0) return v128.load_splat<f32>(at)
  let four = v128.load_zero<f32>(at)
  four = v128.load_lane<f32>(at + step, four, 1)
  four = v128.load_lane<f32>(at + 2 * step, four, 2)
  return v128.load_lane<f32>(at + 3 * step, four, 3)
}

/**
 * Adds each lane to the number at its address. It adds one by one even where the four lie side by side: the four of the
 * next tap overlap them, and a processor that loads part of a vector it has just stored has to wait.
 */
@inline
export function addLanes(at0: usize, at1: usize, at2: usize, at3: usize, lanes: i32, four: v128): void {
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
export function storeLanes(at: usize, lanes: i32, four: v128): void {
  if (lanes == 4) v128.store(at, four)
  else v128.store32_lane(at, four, 0)
}

/** dy of the lanes that have not been visited before, 0 in the others. */
@inline
export function loadNew(dy: usize, lanes: i32, done: i32): v128 {
  if (lanes == 1) return v128.load_zero<f32>(dy)
  return v128.and(v128.load(dy), i32x4.ge_s(i32x4(0, 1, 2, 3), i32x4.splat(done)))
}
