/** Average pooling: x, dx [planes, height, width], y, dy [planes, outHeight, outWidth]. */
import { addLanes, eachWindow, fillImages, loadFour, loadNew, storeLanes } from './machine/pool-windows'
import { addHigh, addLow, rounded } from './machine/sums'

/** x -> y; the sum of a window is divided by `divisor`, or by the count of its numbers where `divisor` is 0 */
export function averagePool(x: usize, y: usize, planes: i32, divisor: i32): void {
  eachWindow<Average>(x, y, 0, divisor, planes)
}

/** dy -> dx */
export function averagePoolGradient(dy: usize, dx: usize, planes: i32, divisor: i32): void {
  fillImages(dx, planes)
  eachWindow<AverageGradient>(dx, dy, 0, divisor, planes)
}

@unmanaged class Average {
  @inline visit(
    window: usize, step: i32, _tap: i32, lanes: i32, _done: i32, rows: i32, columns: i32, rowBytes: usize, out: usize,
    _shift: usize, divisor: i32,
  ): void {
    const count = f64x2.splat(<f64>(divisor == 0 ? rows * columns : divisor))
    let low = f64x2.splat(0)
    let high = low
    for (; rows > 0; rows--) {
      const end = window + <usize>max(columns, 0) * 4
      for (let i = window; i < end; i += 4) {
        const four = loadFour(i, step)
        low = addLow(low, four)
        high = addHigh(high, four)
      }
      window += rowBytes
    }
    storeLanes(out, lanes, rounded(f64x2.div(low, count), f64x2.div(high, count)))
  }
}

@unmanaged class AverageGradient {
  @inline visit(
    window: usize, step: i32, _tap: i32, lanes: i32, done: i32, rows: i32, columns: i32, rowBytes: usize, out: usize,
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
