/** Batched matrix product: here every output value by itself; where rows are whole texels, by matmulTexels.ts. */
import { INDEXING, offsetsWalk } from './indexing.js'
import type { GpuKernel } from './kernel.js'
import { TEXEL_PROGRAMS, texelProduct } from './matmulTexels.js'
import type { ArgumentKind, Four, Program, Texels, Thread } from './program.js'

declare function quotient(i: number, n: number): number
declare function at(x: Texels, i: number): number
declare function inner(i: number, shape: Four, strides: Four): number
declare function product(
  i: number,
  a: Texels,
  b: Texels,
  bias: Texels,
  sizes: Four,
  strides: Four,
  firstA: number,
  batchA: Four,
  matricesA: Four,
  firstB: number,
  batchB: Four,
  matricesB: Four,
): number

/**
 * Value i of y [batch, m, n].
 * @param sizes    m, k, n, 1 where there is a bias
 * @param strides  of a: from row to row and along k; of b: along k and from column to column
 */
function productOf(
  i: number,
  a: Texels,
  b: Texels,
  bias: Texels,
  sizes: Four,
  strides: Four,
  firstA: number,
  batchA: Four,
  matricesA: Four,
  firstB: number,
  batchB: Four,
  matricesB: Four,
): number {
  const rows = quotient(i, sizes[2])
  const column = i - rows * sizes[2]
  const matrix = quotient(rows, sizes[0])
  const row = rows - matrix * sizes[0]
  const startA = (firstA + inner(matrix, batchA, matricesA)) * sizes[0] * sizes[1] + row * strides[0]
  const startB = (firstB + inner(matrix, batchB, matricesB)) * sizes[1] * sizes[2] + column * strides[3]
  let sum = 0.0
  if (sizes[3] > 0) {
    sum = at(bias, column)
  }
  for (let j = 0; j < sizes[1]; j++) {
    sum = sum + at(a, startA + j * strides[1]) * at(b, startB + j * strides[2])
  }
  return sum
}

function products(
  this: Thread,
  a: Texels,
  b: Texels,
  bias: Texels,
  sizes: Four,
  strides: Four,
  firstA: number,
  batchA: Four,
  matricesA: Four,
  firstB: number,
  batchB: Four,
  matricesB: Four,
): Four {
  const i = this.thread.x * 4
  return [
    product(i, a, b, bias, sizes, strides, firstA, batchA, matricesA, firstB, batchB, matricesB),
    product(i + 1, a, b, bias, sizes, strides, firstA, batchA, matricesA, firstB, batchB, matricesB),
    product(i + 2, a, b, bias, sizes, strides, firstA, batchA, matricesA, firstB, batchB, matricesB),
    product(i + 3, a, b, bias, sizes, strides, firstA, batchA, matricesA, firstB, batchB, matricesB),
  ]
}

const KINDS: readonly ArgumentKind[] = [
  ...(['texels', 'texels', 'texels'] as const),
  ...(['four', 'four', 'number', 'four', 'four', 'number', 'four', 'four'] as const),
]

const PRODUCTS: Program = {
  name: 'matmul',
  source: products,
  kinds: KINDS,
  helpers: { ...INDEXING.line, product: { source: productOf, kinds: ['number', ...KINDS] } },
}

function batchOf(offsets: readonly number[]): [number, Four, Four] {
  const { first, shape, strides } = offsetsWalk(offsets)
  return [first, shape, strides]
}

export const matmul: GpuKernel<'matmul'> = {
  programs: [PRODUCTS, ...TEXEL_PROGRAMS],
  run(gpu, p, [a, b, bias], [y]) {
    const { m, k, n } = p
    const operands = [a, b, p.bias ? bias : a]
    const batch = [...batchOf(p.offsetsA), ...batchOf(p.offsetsB)]
    const texels = texelProduct(p)
    if (texels) return gpu.run(texels.program, [...operands, texels.sizes, ...batch], y)
    const [rowA, alongA] = p.transposeA ? [1, m] : [k, 1]
    const [alongB, columnB] = p.transposeB ? [1, k] : [n, 1]
    gpu.run(PRODUCTS, [...operands, [m, k, n, p.bias ? 1 : 0], [rowA, alongA, alongB, columnB], ...batch], y)
  },
}
