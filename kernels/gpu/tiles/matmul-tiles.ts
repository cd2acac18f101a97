/**
 * Batched matrix product by tiles of 4 x 4 that stay in registers (registers.ts). A row of either operand must be whole
 * texels; an operand with other rows is copied first.
 */
import type { KernelParameters } from '../../kernels.js'
import { largestOf, listed, type Offsets } from '../../strides.js'
import { at, quotient } from '../machine/builtins.js'
import { AXES, inner, offsetsWalk } from '../machine/indexing.js'
import type { Four, Gpu, Helpers, Named, Program, Texels, Thread } from '../machine/program.js'
import { eachValue, packed } from '../machine/program.js'
import { fromPlanes, PLANE_PROGRAMS } from './planes.js'
import { addOuterProducts, addRows, END_BLOCK, fourFrom, registers } from './registers.js'

/** rows, columns: tiles along m and n */
const SIZES = ['rows', 'k', 'columns', 'bias'] as const
/** Distances, in values: in a from row to row and along k; in b along k and from column to column. */
const STRIDES = ['rowA', 'alongA', 'alongB', 'columnB'] as const
/** The first matrix of a, and the values of each matrix of a; the same for b. */
const STARTS = ['firstA', 'valuesA', 'firstB', 'valuesB'] as const
type Sizes = Named<typeof SIZES>
type Strides = Named<typeof STRIDES>
type Starts = Named<typeof STARTS>

/** Row and column of tile i, counted in tiles, and the positions at which its matrices of a and b begin. */
function place(
  i: number,
  sizes: Sizes,
  starts: Starts,
  batchA: Four,
  matricesA: Four,
  batchB: Four,
  matricesB: Four,
): Four {
  const rows = quotient(i, sizes.columns)
  const matrix = quotient(rows, sizes.rows)
  const startA = (starts.firstA + inner(matrix, batchA, matricesA)) * starts.valuesA
  const startB = (starts.firstB + inner(matrix, batchB, matricesB)) * starts.valuesB
  return [rows - matrix * sizes.rows, i - rows * sizes.columns, startA, startB]
}

/** The sum over k of one row of a and one column of b. */
function product(a: Texels, b: Texels, k: number, firstA: number, firstB: number, strides: Strides): number {
  let sum = 0.0
  for (let j = 0; j < k; j++) {
    sum = sum + at(a, firstA + j * strides.alongA) * at(b, firstB + j * strides.alongB)
  }
  return sum
}

/** Texel i of a plane [batch, rows, columns]. */
function tile(
  this: Thread,
  plane: number,
  a: Texels,
  b: Texels,
  bias: Texels,
  sizes: Sizes,
  strides: Strides,
  starts: Starts,
  batchA: Four,
  matricesA: Four,
  batchB: Four,
  matricesB: Four,
): Four {
  const own = place(this.thread.x, sizes, starts, batchA, matricesA, batchB, matricesB)
  const column = 4 * own[1]
  const first = own[2] + (4 * own[0] + plane) * strides.rowA
  const from = own[3] + column * strides.columnB
  const s0 = product(a, b, sizes.k, first, from, strides)
  const s1 = product(a, b, sizes.k, first, from + strides.columnB, strides)
  const s2 = product(a, b, sizes.k, first, from + 2 * strides.columnB, strides)
  const s3 = product(a, b, sizes.k, first, from + 3 * strides.columnB, strides)
  if (sizes.bias > 0) {
    return [s0 + at(bias, column), s1 + at(bias, column + 1), s2 + at(bias, column + 2), s3 + at(bias, column + 3)]
  }
  return [s0, s1, s2, s3]
}

/** GLSL of all planes. @param sums  adds to s0 to s3, from texels atA of a and atB of b on */
const planes = (sums: string): string =>
  registers(
    ['a', 'b', 'bias'],
    `
  vec4 own = place(i, user_sizes, user_starts, user_batchA, user_matricesA, user_batchB, user_matricesB);
  float row = own.x;
  float column = own.y;
  // in texels from here on
  float atA = 0.25 * own.z;
  float atB = 0.25 * own.w;
  vec4 strides = 0.25 * user_strides;
  int texels = int(user_sizes.k) >> 2;
  int rest = int(user_sizes.k) & 3;
  bvec4 counts = bvec4(rest > 0, rest > 1, rest > 2, false);
  if (user_sizes.bias > 0.0) t0 = t1 = t2 = t3 = BIAS(column);
  ${sums}`,
  )

/** Ends a block after 64 texels, within the loop over them. */
const BLOCK = `if ((j & 63) == 63) { ${END_BLOCK} }`

const readA = (place: string): string => `A(${place})`
const readB = (place: string): string => `B(${place})`
/** Values past the end of k are garbage: 0 takes their place. */
const masked = (texel: string): string => `mix(vec4(0.0), ${texel}, counts)`
const only = (texel: string, row: number): string => `(rest > ${row} ? ${texel} : vec4(0.0))`

const ROWS_OF_A = fourFrom('atA', 'strides.rowA').map(readA)
const ROWS_OF_B = fourFrom('atB', 'strides.alongB').map(readB)
const COLUMNS_OF_B = fourFrom('atB', 'strides.columnB').map(readB)

/** a [m, k], b [k, n]: a texel of each of four rows of a, and of four rows of b. */
const ROWS = planes(`
  atA += 4.0 * row * strides.rowA;
  atB += column;
  for (int j = 0; j < texels; j++) {${addRows('COMBINATION', ROWS_OF_B, ROWS_OF_A)}
    atA += 1.0;
    atB += 4.0 * strides.alongB;
    ${BLOCK}
  }
  if (rest > 0) {${addRows('COMBINATION', ROWS_OF_B.map(only), ROWS_OF_A.map(masked))}
  }`)

/** a [m, k], b [n, k]: a texel of each of four rows of both. */
const COLUMNS = planes(`
  atA += 4.0 * row * strides.rowA;
  atB += 4.0 * column * strides.columnB;
  for (int j = 0; j < texels; j++) {${addRows('DOTS', COLUMNS_OF_B, ROWS_OF_A)}
    atA += 1.0;
    atB += 1.0;
    ${BLOCK}
  }
  if (rest > 0) {${addRows('DOTS', COLUMNS_OF_B.map(masked), ROWS_OF_A.map(masked))}
  }`)

/** a [k, m], b [k, n]: a texel of the same row of both, four rows a round. */
const OUTER_PRODUCTS = planes(`
  atA += row;
  atB += column;
  for (int j = 0; j < texels; j++) {${addOuterProducts(fourFrom('atA', 'strides.alongA').map(readA), ROWS_OF_B)}
    atA += 4.0 * strides.alongA;
    atB += 4.0 * strides.alongB;
    ${BLOCK}
  }
  for (int j = 0; j < rest; j++) {${addOuterProducts(['A(atA)'], ['B(atB)'])}
    atA += strides.alongA;
    atB += strides.alongB;
  }`)

const BATCHES = ['four', 'four', 'four', 'four'] as const
const HELPERS: Helpers = {
  ...AXES,
  place: { source: place, kinds: ['number', SIZES, STARTS, ...BATCHES], returns: 'four' },
  product: { source: product, kinds: ['texels', 'texels', 'number', 'number', 'number', STRIDES] },
}
const tiles = (name: string, glsl: string): Program => ({
  name: `matmul, tiles ${name}`,
  source: tile,
  kinds: ['number', 'texels', 'texels', 'texels', SIZES, STRIDES, STARTS, ...BATCHES],
  helpers: HELPERS,
  planes: glsl,
})

const TILES = {
  rows: tiles('of rows', ROWS),
  columns: tiles('of columns', COLUMNS),
  outer: tiles('of outer products', OUTER_PRODUCTS),
}

/** Values of a row in the copy, of a row of x, rows of a matrix, values of a matrix. */
const COPY_SIZES = ['copied', 'width', 'rows', 'matrix'] as const
/** The strides of x. */
const COPY_STRIDES = ['row', 'column'] as const

/** Value i of a copy of x in rows of whole texels. */
function copyOf(i: number, x: Texels, sizes: Named<typeof COPY_SIZES>, strides: Named<typeof COPY_STRIDES>): number {
  const rows = quotient(i, sizes.copied)
  const column = i - rows * sizes.copied
  const matrix = quotient(rows, sizes.rows)
  if (column < sizes.width) {
    return at(x, matrix * sizes.matrix + (rows - matrix * sizes.rows) * strides.row + column * strides.column)
  }
  return 0.0
}
const COPIES = eachValue('matmul, whole texels', copyOf, ['texels', COPY_SIZES, COPY_STRIDES])

export const TILE_PROGRAMS: readonly Program[] = [...Object.values(TILES), COPIES, ...PLANE_PROGRAMS]

/** An operand as tiles read it. */
interface Packing {
  /** must it be copied? */
  readonly packs: boolean
  readonly matrices: number
  readonly rows: number
  /** values of a row that count */
  readonly width: number
  /** the strides before it is copied */
  readonly strides: Named<typeof COPY_STRIDES>
}

const wholeTexels = (values: number): number => 4 * Math.ceil(values / 4)

const packedSize = ({ matrices, rows, width }: Packing): number => matrices * rows * wholeTexels(width)

function packing(offsets: Offsets, rows: number, width: number, transposes: boolean): Packing {
  const strides = transposes ? { row: 1, column: rows } : { row: width, column: 1 }
  return { packs: transposes || width % 4 !== 0, matrices: 1 + largestOf(offsets), rows, width, strides }
}

type Product = KernelParameters['matmul']

/** Does the product use outer products? Not if both operands are transposed: then the copy transposes a. */
const isOuter = ({ transposeA, transposeB }: Product): boolean => transposeA && !transposeB

function packings(p: Product): readonly [Packing, Packing] {
  const { m, k, n, offsetsA, offsetsB, transposeA, transposeB } = p
  return [
    isOuter(p) ? packing(offsetsA, k, m, false) : packing(offsetsA, m, k, transposeA),
    transposeB ? packing(offsetsB, n, k, false) : packing(offsetsB, k, n, false),
  ]
}

/** Sizes in values: four planes, and the operands that are copied. */
export function tileWorkspaces(p: Product): readonly number[] {
  const plane = p.batch * Math.ceil(p.m / 4) * wholeTexels(p.n)
  const copies = packings(p).filter(({ packs }) => packs)
  return [plane, plane, plane, plane, ...copies.map(packedSize)]
}

export function tileProduct<Operand>(
  gpu: Gpu<Operand>,
  p: Product,
  [a, b, bias]: readonly Operand[],
  y: Operand,
  workspaces: readonly Operand[],
): void {
  const planes = workspaces.slice(0, 4)
  const copies = workspaces.slice(4)
  const copied = (x: Operand, { packs, rows, width, strides }: Packing): Operand => {
    const copy = packs ? copies.shift() : undefined
    if (copy === undefined) return x
    const sizes = packed(COPY_SIZES, { copied: wholeTexels(width), width, rows, matrix: rows * width })
    gpu.run(COPIES, [x, sizes, packed(COPY_STRIDES, strides)], copy)
    return copy
  }
  const [packingA, packingB] = packings(p)
  const [widthA, widthB] = [wholeTexels(packingA.width), wholeTexels(packingB.width)]
  const walkA = offsetsWalk(listed(p.offsetsA))
  const walkB = offsetsWalk(listed(p.offsetsB))
  const outer = isOuter(p)
  const [rows, columns] = [Math.ceil(p.m / 4), Math.ceil(p.n / 4)]
  const sizes = packed(SIZES, { rows, k: p.k, columns, bias: p.bias })
  const strides = packed(STRIDES, {
    rowA: outer ? 1 : widthA,
    alongA: outer ? widthA : 1,
    alongB: p.transposeB ? 1 : widthB,
    columnB: p.transposeB ? widthB : 1,
  })
  const starts = packed(STARTS, {
    firstA: walkA.first,
    valuesA: packingA.rows * widthA,
    firstB: walkB.first,
    valuesB: packingB.rows * widthB,
  })
  const batches = [walkA.shape, walkA.strides, walkB.shape, walkB.strides]
  const operands = [copied(a, packingA), copied(b, packingB), p.bias ? bias : a]
  const program = outer ? TILES.outer : p.transposeB ? TILES.columns : TILES.rows
  gpu.runPlanes(program, [...operands, sizes, strides, starts, ...batches], planes)
  const inPlanes = [0, rows * 4 * columns, 4 * columns] as const
  fromPlanes(gpu, { groups: p.batch, rows: p.m, columns: p.n, strides: inPlanes }, planes, y)
}
