/**
 * Batched matrix products, for all kernels that need one. This file computes small products, value by value;
 * matmul-tiles.ts, or on WebGPU wgsl-product.ts, computes the others.
 */
import type { KernelParameters } from '../../kernels.js'
import { listed, type Offsets } from '../../strides.js'
import { at, quotient } from '../machine/builtins.js'
import { PLAIN } from '../machine/groups.js'
import { AXES, inner, offsetsWalk } from '../machine/indexing.js'
import {
  eachValue,
  type Four,
  type Gpu,
  type GpuApi,
  LARGEST_TENSOR,
  type Named,
  packed,
  type Texels,
} from '../machine/program.js'
import { TILE_PROGRAMS, tileProduct, tileWorkspaces } from './matmul-tiles.js'
import { WGSL_PRODUCT_PROGRAMS, wgslProduct } from './wgsl-product.js'

const COUNTS = ['outputs', 'parts'] as const
const SIZES = ['m', 'k', 'n', 'bias'] as const
const STRIDES = ['rowA', 'alongA', 'alongB', 'columnB'] as const

/**
 * Value i of [parts, batch, m, n]. Part p of a value of y is the sum of its terms p, p + parts, ...
 * @param strides  of a: from row to row and along k; of b: along k and from column to column
 */
function productOf(
  i: number,
  a: Texels,
  b: Texels,
  bias: Texels,
  counts: Named<typeof COUNTS>,
  sizes: Named<typeof SIZES>,
  strides: Named<typeof STRIDES>,
  firstA: number,
  batchA: Four,
  matricesA: Four,
  firstB: number,
  batchB: Four,
  matricesB: Four,
): number {
  const part = quotient(i, counts.outputs)
  const value = i - part * counts.outputs
  const rows = quotient(value, sizes.n)
  const column = value - rows * sizes.n
  const matrix = quotient(rows, sizes.m)
  const row = rows - matrix * sizes.m
  const startA = (firstA + inner(matrix, batchA, matricesA)) * sizes.m * sizes.k + row * strides.rowA
  const startB = (firstB + inner(matrix, batchB, matricesB)) * sizes.k * sizes.n + column * strides.columnB
  let sum = 0.0
  if (sizes.bias > 0 && part < 1) {
    sum = at(bias, column)
  }
  let block = 0.0
  let left = 64.0
  for (let j = part; j < sizes.k; j += counts.parts) {
    block = block + at(a, startA + j * strides.alongA) * at(b, startB + j * strides.alongB)
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

const OPERANDS = ['texels', 'texels', 'texels'] as const
const BATCH = ['number', 'four', 'four'] as const
const KINDS = [...OPERANDS, COUNTS, SIZES, STRIDES, ...BATCH, ...BATCH] as const
const PRODUCTS = eachValue('matmul', productOf, KINDS, AXES)

function batchOf(offsets: Offsets): [number, Four, Four] {
  const { first, shape, strides } = offsetsWalk(listed(offsets))
  return [first, shape, strides]
}

/** With fewer multiplications, one program is faster than the two or more that tiles need. */
const FEWEST_FOR_TILES = 4096

/**
 * Mesa's software GL ends a program after 65,535 rounds. Four values take four rounds for each term, and a tile takes
 * one round for four terms.
 */
const MOST_TERMS = 16383
const MOST_TERMS_OF_TILES = 4 * 65535

const partsOf = ({ k }: Product): number => Math.max(1, Math.ceil(k / MOST_TERMS))
const sizeOf = ({ batch, m, n }: Product): number => batch * m * n

/** Is it computed by tiles? On WebGPU they take no workspace, and any number of terms. */
const isLarge = (p: Product): boolean => sizeOf(p) * p.k >= FEWEST_FOR_TILES

/** The workspaces of tiles; empty if the product is not computed by tiles. */
function tilesOf(p: Product): readonly number[] {
  if (!isLarge(p) || p.k > MOST_TERMS_OF_TILES) return []
  const sizes = tileWorkspaces(p)
  return sizes.every((size) => size <= LARGEST_TENSOR) ? sizes : []
}

/** The sizes, in values, of the workspaces of a product. */
export function productWorkspaces(p: Product, api: GpuApi): readonly number[] {
  if (api === 'webgpu' && isLarge(p)) return []
  const sizes = tilesOf(p)
  return sizes.length > 0 || partsOf(p) === 1 ? sizes : [partsOf(p) * sizeOf(p)]
}

export const PRODUCT_PROGRAMS = [PRODUCTS, ...TILE_PROGRAMS, ...WGSL_PRODUCT_PROGRAMS]

export function runProduct<Operand>(
  gpu: Gpu<Operand>,
  p: Product,
  inputs: readonly Operand[],
  y: Operand,
  workspaces: readonly Operand[],
): void {
  if (gpu.api === 'webgpu' && isLarge(p)) {
    wgslProduct(gpu, p, inputs, y)
    return
  }
  if (tilesOf(p).length > 0) {
    tileProduct(gpu, p, inputs, y, workspaces)
    return
  }
  const { m, k, n } = p
  const [a, b, bias] = inputs
  const batch = [...batchOf(p.offsetsA), ...batchOf(p.offsetsB)]
  const [rowA, alongA] = p.transposeA ? [1, m] : [k, 1]
  const [alongB, columnB] = p.transposeB ? [1, k] : [n, 1]
  const [outputs, parts] = [sizeOf(p), partsOf(p)]
  const strides = packed(STRIDES, { rowA, alongA, alongB, columnB })
  const sizes = [packed(COUNTS, { outputs, parts }), packed(SIZES, p), strides]
  const [partial = y] = workspaces
  gpu.run(PRODUCTS, [a, b, p.bias ? bias : a, ...sizes, ...batch], partial)
  if (parts > 1) PLAIN.sum.run(gpu, { shape: [parts, outputs], reduced: [true, false] }, [partial], y)
}
