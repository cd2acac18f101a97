/**
 * Batched matrix product, a texel of a row at a time, where rows are whole texels: every value that is read serves four
 * products, where matmul.ts reads two for one. Three programs, by how the operands are stored; n is a multiple of 4.
 */
import type { KernelParameters } from '../kernels.js'
import { AXES } from './indexing.js'
import type { ArgumentKind, Four, Program, Source, Texels, Thread } from './program.js'

declare function quotient(i: number, n: number): number
declare function at(x: Texels, i: number): number
declare function inner(i: number, shape: Four, strides: Four): number

/* sizes: m, k (in texels, but for a transposed a in values), n in texels, 1 where there is a bias */

/** a [m, k], b [k, n]: four values of a row of a, and as many rows of b. */
function ofRows(
  this: Thread,
  a: Texels,
  b: Texels,
  bias: Texels,
  sizes: Four,
  firstA: number,
  batchA: Four,
  matricesA: Four,
  firstB: number,
  batchB: Four,
  matricesB: Four,
): Four {
  const rows = quotient(this.thread.x, sizes[2])
  const column = this.thread.x - rows * sizes[2]
  const matrix = quotient(rows, sizes[0])
  const startA = ((firstA + inner(matrix, batchA, matricesA)) * sizes[0] + rows - matrix * sizes[0]) * sizes[1]
  const startB = (firstB + inner(matrix, batchB, matricesB)) * sizes[1] * 4 * sizes[2] + column
  let s0 = 0.0
  let s1 = 0.0
  let s2 = 0.0
  let s3 = 0.0
  for (let j = 0; j < sizes[1]; j++) {
    const v = a[startA + j]
    const at0 = startB + j * 4 * sizes[2]
    const w0 = b[at0]
    const w1 = b[at0 + sizes[2]]
    const w2 = b[at0 + 2 * sizes[2]]
    const w3 = b[at0 + 3 * sizes[2]]
    s0 = s0 + v[0] * w0[0] + v[1] * w1[0] + v[2] * w2[0] + v[3] * w3[0]
    s1 = s1 + v[0] * w0[1] + v[1] * w1[1] + v[2] * w2[1] + v[3] * w3[1]
    s2 = s2 + v[0] * w0[2] + v[1] * w1[2] + v[2] * w2[2] + v[3] * w3[2]
    s3 = s3 + v[0] * w0[3] + v[1] * w1[3] + v[2] * w2[3] + v[3] * w3[3]
  }
  if (sizes[3] > 0) {
    const more = bias[column]
    return [s0 + more[0], s1 + more[1], s2 + more[2], s3 + more[3]]
  }
  return [s0, s1, s2, s3]
}

/** a [m, k], b [n, k]: the same piece of a row of a and of four rows of b. */
function ofColumns(
  this: Thread,
  a: Texels,
  b: Texels,
  bias: Texels,
  sizes: Four,
  firstA: number,
  batchA: Four,
  matricesA: Four,
  firstB: number,
  batchB: Four,
  matricesB: Four,
): Four {
  const rows = quotient(this.thread.x, sizes[2])
  const column = this.thread.x - rows * sizes[2]
  const matrix = quotient(rows, sizes[0])
  const startA = ((firstA + inner(matrix, batchA, matricesA)) * sizes[0] + rows - matrix * sizes[0]) * sizes[1]
  const startB = ((firstB + inner(matrix, batchB, matricesB)) * sizes[2] + column) * 4 * sizes[1]
  let s0 = 0.0
  let s1 = 0.0
  let s2 = 0.0
  let s3 = 0.0
  for (let j = 0; j < sizes[1]; j++) {
    const v = a[startA + j]
    const at0 = startB + j
    const w0 = b[at0]
    const w1 = b[at0 + sizes[1]]
    const w2 = b[at0 + 2 * sizes[1]]
    const w3 = b[at0 + 3 * sizes[1]]
    s0 = s0 + v[0] * w0[0] + v[1] * w0[1] + v[2] * w0[2] + v[3] * w0[3]
    s1 = s1 + v[0] * w1[0] + v[1] * w1[1] + v[2] * w1[2] + v[3] * w1[3]
    s2 = s2 + v[0] * w2[0] + v[1] * w2[1] + v[2] * w2[2] + v[3] * w2[3]
    s3 = s3 + v[0] * w3[0] + v[1] * w3[1] + v[2] * w3[2] + v[3] * w3[3]
  }
  if (sizes[3] > 0) {
    const more = bias[column]
    return [s0 + more[0], s1 + more[1], s2 + more[2], s3 + more[3]]
  }
  return [s0, s1, s2, s3]
}

/** a [k, m], b [k, n]: one value of a column of a, and a texel of the same row of b. */
function ofOuterProducts(
  this: Thread,
  a: Texels,
  b: Texels,
  bias: Texels,
  sizes: Four,
  firstA: number,
  batchA: Four,
  matricesA: Four,
  firstB: number,
  batchB: Four,
  matricesB: Four,
): Four {
  const rows = quotient(this.thread.x, sizes[2])
  const column = this.thread.x - rows * sizes[2]
  const matrix = quotient(rows, sizes[0])
  const startA = (firstA + inner(matrix, batchA, matricesA)) * sizes[0] * sizes[1] + rows - matrix * sizes[0]
  const startB = (firstB + inner(matrix, batchB, matricesB)) * sizes[1] * sizes[2] + column
  let s0 = 0.0
  let s1 = 0.0
  let s2 = 0.0
  let s3 = 0.0
  for (let j = 0; j < sizes[1]; j++) {
    const v = at(a, startA + j * sizes[0])
    const w = b[startB + j * sizes[2]]
    s0 = s0 + v * w[0]
    s1 = s1 + v * w[1]
    s2 = s2 + v * w[2]
    s3 = s3 + v * w[3]
  }
  if (sizes[3] > 0) {
    const more = bias[column]
    return [s0 + more[0], s1 + more[1], s2 + more[2], s3 + more[3]]
  }
  return [s0, s1, s2, s3]
}

const KINDS: readonly ArgumentKind[] = [
  ...(['texels', 'texels', 'texels', 'four'] as const),
  ...(['number', 'four', 'four', 'number', 'four', 'four'] as const),
]

const program = (name: string, source: Source): Program => ({ name, source, kinds: KINDS, helpers: AXES })
const ROWS = program('matmul, texels', ofRows)
const COLUMNS = program('matmul, texels, b transposed', ofColumns)
const OUTER_PRODUCTS = program('matmul, texels, a transposed', ofOuterProducts)

export const TEXEL_PROGRAMS: readonly Program[] = [ROWS, COLUMNS, OUTER_PRODUCTS]

/** The program for such a product, and its `sizes`; null where rows are not whole texels. */
export function texelProduct(p: KernelParameters['matmul']): { program: Program; sizes: Four } | null {
  const { m, k, n, transposeA, transposeB } = p
  const bias = p.bias ? 1 : 0
  if (n % 4 !== 0 || (transposeA && transposeB) || (!transposeA && k % 4 !== 0)) return null
  if (transposeA) return { program: OUTER_PRODUCTS, sizes: [m, k, n / 4, bias] }
  return { program: transposeB ? COLUMNS : ROWS, sizes: [m, k / 4, n / 4, bias] }
}
