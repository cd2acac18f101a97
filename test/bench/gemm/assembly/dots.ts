/**
 * Step 3, vectors: c [m, n] = a [m, k] b [k, n], every element a dot product of two rows, four products at a time.
 *
 *   k a multiple of 4; workspace [n, k], for b transposed, so that its columns become rows
 */
export function dots(a: usize, b: usize, c: usize, m: i32, n: i32, k: i32, workspace: usize): void {
  transpose(workspace, b, n, k)
  const rowBytes = <usize>k * 4
  for (let i = 0; i < m; i++) {
    let column = workspace
    for (let j = 0; j < n; j++) {
      store<f32>(c, dot(a, column, rowBytes))
      column += rowBytes
      c += 4
    }
    a += rowBytes
  }
}

/** One sum for each lane: every addition waits for the one before. */
function dot(x: usize, y: usize, bytes: usize): f32 {
  let sum = f32x4.splat(0)
  for (let at: usize = 0; at < bytes; at += 16) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(x + at), v128.load(y + at)))
  }
  const low = f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1)
  return low + f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3)
}

function transpose(to: usize, from: usize, n: i32, k: i32): void {
  for (let row = 0; row < k; row++) {
    let at = to + <usize>row * 4
    for (let column = 0; column < n; column++) {
      store<f32>(at, load<f32>(from))
      at += <usize>k * 4
      from += 4
    }
  }
}
