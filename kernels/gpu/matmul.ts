/** Batched matrix product: small ones here, every value by itself; others by tiles, tiles/matmul-tiles.ts. */
import type { KernelParameters } from '../kernels.js'
import { listed, type Offsets } from '../offsets.js'
import { at, quotient } from './machine/builtins.js'
import { PLAIN } from './machine/groups.js'
import { INDEXING, inner, offsetsWalk } from './machine/indexing.js'
import type { GpuKernel } from './machine/kernel.js'
import { type ArgumentKind, eachValue, type Four, LARGEST_TENSOR, type Texels } from './machine/program.js'
import { TILE_PROGRAMS, tileProduct, tileWorkspaces } from './tiles/matmul-tiles.js'

/**
 * Value i of [parts, batch, m, n]: a part of the terms of each value of y, every so many-th.
 * @param counts   values of y, parts
 * @param sizes    m, k, n, 1 where there is a bias
 * @param strides  of a: from row to row and along k; of b: along k and from column to column
 */
function productOf(
  i: number,
  a: Texels,
  b: Texels,
  bias: Texels,
  counts: Four,
  sizes: Four,
  strides: Four,
  firstA: number,
  batchA: Four,
  matricesA: Four,
  firstB: number,
  batchB: Four,
  matricesB: Four,
): number {
  const part = quotient(i, counts[0])
  const value = i - part * counts[0]
  const rows = quotient(value, sizes[2])
  const column = value - rows * sizes[2]
  const matrix = quotient(rows, sizes[0])
  const row = rows - matrix * sizes[0]
  const startA = (firstA + inner(matrix, batchA, matricesA)) * sizes[0] * sizes[1] + row * strides[0]
  const startB = (firstB + inner(matrix, batchB, matricesB)) * sizes[1] * sizes[2] + column * strides[3]
  let sum = 0.0
  if (sizes[3] > 0 && part < 1) {
    sum = at(bias, column)
  }
  let block = 0.0
  let left = 64.0
  for (let j = part; j < sizes[1]; j += counts[1]) {
    block = block + at(a, startA + j * strides[1]) * at(b, startB + j * strides[2])
    left = left - 1.0
    if (left < 1.0) {
      sum = sum + block
      block = 0.0
      left = 64.0
    }
  }
  return sum + block
}

type Product = KernelParameters['matmul']

const KINDS: readonly ArgumentKind[] = [
  ...(['texels', 'texels', 'texels'] as const),
  ...(['four', 'four', 'four', 'number', 'four', 'four', 'number', 'four', 'four'] as const),
]

const PRODUCTS = eachValue('matmul', productOf, KINDS, INDEXING.line)

function batchOf(offsets: Offsets): [number, Four, Four] {
  const { first, shape, strides } = offsetsWalk(listed(offsets))
  return [first, shape, strides]
}

/** Multiplications below which one program is faster than the two or more that tiles take. */
const FEWEST_FOR_TILES = 4096

/** Rounds that Mesa's software GL allows a program: for each of four values, and of tiles, which take four terms a round. */
const MOST_TERMS = 16383
const MOST_TERMS_OF_TILES = 4 * 65535

const partsOf = ({ k }: Product): number => Math.max(1, Math.ceil(k / MOST_TERMS))
const sizeOf = ({ batch, m, n }: Product): number => batch * m * n

/** What tiles need, or nothing where there are none. */
function tilesOf(p: Product): readonly number[] {
  if (sizeOf(p) * p.k < FEWEST_FOR_TILES || p.k > MOST_TERMS_OF_TILES) return []
  const sizes = tileWorkspaces(p)
  return sizes.every((size) => size <= LARGEST_TENSOR) ? sizes : []
}

function workspacesOf(p: Product): readonly number[] {
  const sizes = tilesOf(p)
  return sizes.length > 0 || partsOf(p) === 1 ? sizes : [partsOf(p) * sizeOf(p)]
}

export const matmul: GpuKernel<'matmul'> = {
  programs: [PRODUCTS, ...TILE_PROGRAMS],
  workspaces: workspacesOf,
  run(gpu, p, inputs, [y], workspaces) {
    if (tilesOf(p).length > 0) return tileProduct(gpu, p, inputs, y, workspaces)
    const { m, k, n } = p
    const [a, b, bias] = inputs
    const batch = [...batchOf(p.offsetsA), ...batchOf(p.offsetsB)]
    const [rowA, alongA] = p.transposeA ? [1, m] : [k, 1]
    const [alongB, columnB] = p.transposeB ? [1, k] : [n, 1]
    const [outputs, parts] = [sizeOf(p), partsOf(p)]
    const counts: Four = [outputs, parts, 0, 0]
    const sizes: Four = [m, k, n, p.bias ? 1 : 0]
    const strides: Four = [rowA, alongA, alongB, columnB]
    const [partial = y] = workspaces
    gpu.run(PRODUCTS, [a, b, p.bias ? bias : a, counts, sizes, strides, ...batch], partial)
    if (parts > 1) PLAIN.sum.run(gpu, { shape: [parts, outputs], reduced: [true, false] }, [partial], y)
  },
}
