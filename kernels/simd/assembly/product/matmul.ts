/** Matrix products: y [m, n] = old y? + bias? [n] + a [m, k] b [k, n]. */
import { Matrix } from './matrix'
import { ownSlot } from '../machine/parallel'
import { Blocks, LEFT, multiply, Result, RIGHT } from './product'

/** transposeA: a is stored as [k, m]; transposeB: b is stored as [n, k]; bias is an address, or 0 */
export function matmul(
  a: usize, b: usize, bias: usize, y: usize, m: i32, n: i32, k: i32,
  transposeA: bool, transposeB: bool, accumulate: bool,
  workspace: usize, depth: i32, height: i32, slots: i32,
): void {
  const left = changetype<Matrix>(workspace + LEFT)
  left.base = a
  left.laneStride = transposeA ? 4 : <usize>k * 4
  left.stepStride = transposeA ? <usize>m * 4 : 4

  const right = changetype<Matrix>(workspace + RIGHT)
  right.base = b
  right.laneStride = transposeB ? <usize>k * 4 : 4
  right.stepStride = transposeB ? 4 : <usize>n * 4

  const result = Result.at(workspace)
  result.base = y
  result.stride = <usize>n * 4
  result.accumulate = accumulate
  result.columnBias = bias
  result.rowBias = 0

  Blocks.open(workspace, depth, height, 0, 0, slots)
  multiply<Matrix, Matrix>(workspace, m, n, k)
}

/**
 * `batch` products by this thread alone, in its own part of the workspace. The operands of neighbouring products are
 * stepA, stepB and 4 m n bytes apart.
 */
export function matmulBatch(
  batch: i32, a: usize, b: usize, y: usize, stepA: usize, stepB: usize, bias: usize, m: i32, n: i32, k: i32,
  transposeA: bool, transposeB: bool, accumulate: bool,
  workspace: usize, workspaceBytes: usize, depth: i32, height: i32,
): void {
  workspace += ownSlot() * workspaceBytes
  for (; batch > 0; batch--) {
    matmul(a, b, bias, y, m, n, k, transposeA, transposeB, accumulate, workspace, depth, height, 1)
    a += stepA
    b += stepB
    y += <usize>(m * n) * 4
  }
}
