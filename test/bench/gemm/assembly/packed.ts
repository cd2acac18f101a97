/**
 * Step 5, packing: the tile of step 4 reads panels, which hold the numbers in the order in which it needs them.
 *
 *   m a multiple of 2, n of 16; workspace [m, k] for all of a in panels of 2 rows, then [k, 16] for a panel of b
 *
 * The loop of the tile is the library's, with two steps of k at a time; no block is cut to fit a cache yet.
 */
import { tile } from '../../../../kernels/simd/assembly/product/tile'

export function packed(a: usize, b: usize, c: usize, m: i32, n: i32, k: i32, workspace: usize): void {
  const rowBytes = <usize>n * 4
  const panel = workspace + <usize>(m * k) * 4
  const zeros = panel + <usize>k * 64
  memory.fill(zeros, 0, 64)
  for (let i = 0; i < m; i += 2) packRows(workspace + <usize>(i * k) * 4, a + <usize>(i * k) * 4, k)
  for (let j = 0; j < n; j += 16) {
    const column = <usize>j * 4
    packColumns(panel, b + column, rowBytes, k)
    for (let i = 0; i < m; i += 2) {
      tile(2, k, workspace + <usize>(i * k) * 4, panel, zeros, 0, c + <usize>i * rowBytes + column, rowBytes)
    }
  }
}

/** Packs two rows, interleaved. */
function packRows(to: usize, from: usize, k: i32): void {
  const other = from + <usize>k * 4
  for (let at: usize = 0; at < <usize>k * 4; at += 4) {
    store<f32>(to, load<f32>(from + at))
    store<f32>(to, load<f32>(other + at), 4)
    to += 8
  }
}

/** Packs sixteen columns: one cache line of each row. */
function packColumns(to: usize, from: usize, stride: usize, k: i32): void {
  do {
    v128.store(to, v128.load(from))
    v128.store(to, v128.load(from, 16), 16)
    v128.store(to, v128.load(from, 32), 32)
    v128.store(to, v128.load(from, 48), 48)
    to += 64
    from += stride
  } while (--k)
}
