/**
 * Batched matrix products on WebGPU, by tiles that stay in registers (wgsl-tile.ts). A thread writes its tile where it
 * belongs, so there are no planes, and it reads values one by one, so operands need not be copied. The value-by-value
 * program of product.ts is the definition.
 */
import type { KernelParameters } from '../../kernels.js'
import { listed } from '../../strides.js'
import { AXES, offsetsWalk } from '../machine/indexing.js'
import { type Gpu, packed, type TileProgram } from '../machine/program.js'
import { each, type Size, sharedRows, sums, threadsOf, timeOf } from './wgsl-tile.js'

/** rows, columns, terms and tiles */
const EXTENTS = ['m', 'n', 'k', 'tiles'] as const
const STRIDES = ['rowA', 'alongA', 'columnB', 'alongB'] as const
const STARTS = ['firstA', 'valuesA', 'firstB', 'valuesB'] as const
/** Strides of y, and of the bias; both strides of the bias are 0 if there is none. */
const RESULT = ['rowY', 'columnY', 'rowBias', 'columnBias'] as const

const SIZES: readonly Size[] = [
  [8, 8],
  [4, 4],
]

function tile(size: Size): TileProgram {
  const [rows, columns] = size
  return {
    name: `matmul, tiles of ${rows} x ${columns}`,
    kinds: ['texels', 'texels', 'texels', EXTENTS, STRIDES, STARTS, RESULT, 'four', 'four', 'four', 'four'],
    parameters: [
      ...['a', 'b', 'bias', 'extents', 'strides', 'starts', 'result'],
      ...['batchA', 'matricesA', 'batchB', 'matricesB'],
    ],
    helpers: AXES,
    wgsl: (quads) => {
      const { places, row, loads } = sharedRows(quads, rows, (place) => `a[${place}]`)
      const { begin, add, endBlock, end, columns: four } = sums(size)
      return `
  let across = (extents.n + ${4 * columns - 1}) / ${4 * columns} * 4;
  let down = (extents.m + ${rows - 1}) / ${rows};
  let i = min(thread, extents.tiles - 4 + lane);
  let row = i / across % down * ${rows};
  let column = i % across * ${columns};
  let matrix = i / across / down;
  let startA = (starts.firstA + i32(fn_inner(f32(matrix), vec4f(batchA), vec4f(matricesA)))) * starts.valuesA;
  let startB = (starts.firstB + i32(fn_inner(f32(matrix), vec4f(batchB), vec4f(matricesB)))) * starts.valuesB;
  ${each(places, (r) => `var at${r} = startA + min(row + ${row(r)}, extents.m - 1) * strides.rowA;`)}
  ${each(columns, (c) => `var from${c} = startB + min(column + ${c}, extents.n - 1) * strides.columnB;`)}
  ${begin}
  for (var j = 0; j < extents.k; j++) {
    ${loads} ${each(places, (r) => `at${r} += strides.alongA;`)}
    ${four((c) => `b[from${c}]`)} ${each(columns, (c) => `from${c} += strides.alongB;`)}
    ${add}
    if ((j & 63) == 63) { ${endBlock} }
  }
  ${endBlock}
  if (thread >= extents.tiles) { return; }
  let to = matrix * extents.m * extents.n;
  ${end(`if (row + r < extents.m && column + c < extents.n) {
        let biased = (row + r) * result.rowBias + (column + c) * result.columnBias;
        let y = to + (row + r) * result.rowY + (column + c) * result.columnY;
        output[y] = value + select(0.0, bias[biased], result.rowBias + result.columnBias > 0);
      }`)}`
    },
  }
}

const TILES = SIZES.map(tile)

export const WGSL_PRODUCT_PROGRAMS: readonly TileProgram[] = TILES

type Product = KernelParameters['matmul']

export function wgslProduct<Operand>(
  gpu: Gpu<Operand>,
  p: Product,
  [a, b, bias]: readonly Operand[],
  y: Operand,
): void {
  const { batch, k } = p
  // the product, or that of the transposed operands, whichever fills tiles better
  const choices = SIZES.flatMap((size, j) =>
    [false, true].map((turns) => {
      const [m, n] = turns ? [p.n, p.m] : [p.m, p.n]
      const threads = batch * threadsOf(m, n, size)
      return { turns, m, n, threads, time: timeOf(threads, size), program: TILES[j] }
    }),
  )
  const { turns, m, n, threads, program } = choices.reduce((best, next) => (next.time < best.time ? next : best))
  const sideA = { row: p.transposeA ? 1 : k, along: p.transposeA ? p.m : 1 }
  const sideB = { row: p.transposeB ? k : 1, along: p.transposeB ? 1 : p.n }
  const walkA = offsetsWalk(listed(p.offsetsA))
  const walkB = offsetsWalk(listed(p.offsetsB))
  const ofA = { x: a, side: sideA, walk: walkA, values: p.m * k }
  const ofB = { x: b, side: sideB, walk: walkB, values: k * p.n }
  const [one, other] = turns ? [ofB, ofA] : [ofA, ofB]
  const biased = Number(p.bias)
  gpu.runTiles(
    program,
    [
      ...[one.x, other.x, p.bias ? bias : a],
      packed(EXTENTS, { m, n, k, tiles: threads }),
      packed(STRIDES, {
        rowA: one.side.row,
        alongA: one.side.along,
        columnB: other.side.row,
        alongB: other.side.along,
      }),
      packed(STARTS, { firstA: one.walk.first, valuesA: one.values, firstB: other.walk.first, valuesB: other.values }),
      turns ? [1, m, biased, 0] : [n, 1, 0, biased],
      ...[one.walk.shape, one.walk.strides, other.walk.shape, other.walk.strides],
    ],
    y,
    threads,
  )
}
