/** Batched matrix product: small ones here, every value by itself; others by tiles, matmulTiles.ts. */
import type { KernelParameters } from '../kernels.js'
import { INDEXING, offsetsWalk } from './indexing.js'
import type { GpuKernel } from './kernel.js'
import { TILE_PROGRAMS, tileProduct, tileWorkspaces } from './matmulTiles.js'
import { type ArgumentKind, eachValue, type Four, LARGEST_TENSOR, type Texels } from './program.js'

declare function quotient(i: number, n: number): number
declare function at(x: Texels, i: number): number
declare function inner(i: number, shape: Four, strides: Four): number

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

const KINDS: readonly ArgumentKind[] = [
  ...(['texels', 'texels', 'texels'] as const),
  ...(['four', 'four', 'number', 'four', 'four', 'number', 'four', 'four'] as const),
]

const PRODUCTS = eachValue('matmul', productOf, KINDS, INDEXING.line)

function batchOf(offsets: readonly number[]): [number, Four, Four] {
  const { first, shape, strides } = offsetsWalk(offsets)
  return [first, shape, strides]
}

/** Multiplications below which one program is faster than the two or more that tiles take. */
const FEWEST_FOR_TILES = 4096

/** What tiles need, or nothing where there are none. */
function workspacesOf(p: KernelParameters['matmul']): readonly number[] {
  if (p.offsetsA.length * p.m * p.k * p.n < FEWEST_FOR_TILES) return []
  const sizes = tileWorkspaces(p)
  return sizes.every((size) => size <= LARGEST_TENSOR) ? sizes : []
}

export const matmul: GpuKernel<'matmul'> = {
  programs: [PRODUCTS, ...TILE_PROGRAMS],
  workspaces: workspacesOf,
  run(gpu, p, inputs, [y], workspaces) {
    if (workspaces.length > 0) return tileProduct(gpu, p, inputs, y, workspaces)
    const { m, k, n } = p
    const [a, b, bias] = inputs
    const batch = [...batchOf(p.offsetsA), ...batchOf(p.offsetsB)]
    const [rowA, alongA] = p.transposeA ? [1, m] : [k, 1]
    const [alongB, columnB] = p.transposeB ? [1, k] : [n, 1]
    const sizes: Four = [m, k, n, p.bias ? 1 : 0]
    gpu.run(PRODUCTS, [a, b, p.bias ? bias : a, sizes, [rowA, alongA, alongB, columnB], ...batch], y)
  },
}
