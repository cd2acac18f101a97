/**
 * Step 4, the register tile: c [m, n] = a [m, k] b [k, n], 2 rows by 16 columns of c at a time, read where they lie.
 *
 *   m a multiple of 2, n of 16
 *
 * Eight vectors of c stay in registers for the whole of k. A step loads four vectors of b and two numbers of a, and
 * multiplies each number with each vector: 1.3 multiply-adds for each load, where a dot product has half of one. The
 * eight sums do not wait for each other.
 */
export function tiles(a: usize, b: usize, c: usize, m: i32, n: i32, k: i32, _workspace: usize): void {
  for (let j = 0; j < n; j += 16) {
    for (let i = 0; i < m; i += 2) {
      const column = <usize>j * 4
      tile(a + <usize>(i * k) * 4, <usize>k * 4, b + column, c + <usize>(i * n) * 4 + column, <usize>n * 4, k)
    }
  }
}

function tile(a: usize, strideA: usize, b: usize, c: usize, stride: usize, k: i32): void {
  let c00 = f32x4.splat(0)
  let c01 = f32x4.splat(0)
  let c02 = f32x4.splat(0)
  let c03 = f32x4.splat(0)
  let c10 = f32x4.splat(0)
  let c11 = f32x4.splat(0)
  let c12 = f32x4.splat(0)
  let c13 = f32x4.splat(0)
  do {
    const b0 = v128.load(b)
    const b1 = v128.load(b, 16)
    const b2 = v128.load(b, 32)
    const b3 = v128.load(b, 48)
    const a0 = v128.load_splat<f32>(a)
    c00 = f32x4.add(c00, f32x4.mul(a0, b0))
    c01 = f32x4.add(c01, f32x4.mul(a0, b1))
    c02 = f32x4.add(c02, f32x4.mul(a0, b2))
    c03 = f32x4.add(c03, f32x4.mul(a0, b3))
    const a1 = v128.load_splat<f32>(a + strideA)
    c10 = f32x4.add(c10, f32x4.mul(a1, b0))
    c11 = f32x4.add(c11, f32x4.mul(a1, b1))
    c12 = f32x4.add(c12, f32x4.mul(a1, b2))
    c13 = f32x4.add(c13, f32x4.mul(a1, b3))
    a += 4
    b += stride
  } while (--k)
  v128.store(c, c00)
  v128.store(c, c01, 16)
  v128.store(c, c02, 32)
  v128.store(c, c03, 48)
  v128.store(c + stride, c10)
  v128.store(c + stride, c11, 16)
  v128.store(c + stride, c12, 32)
  v128.store(c + stride, c13, 48)
}
