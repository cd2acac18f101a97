/**
 * Batched matrix product by tiles of 4 x 4 that stay in registers: a texel of each of four rows. 8 texels that are read
 * serve 64 multiplications, where a row by itself takes 20. The rows go to four planes (planes.ts).
 *
 * Rows of both operands must be whole texels; others are copied first, to rows that are.
 */
import type { KernelParameters } from '../../kernels.js'
import { largestOf, listed, type Offsets } from '../../offsets.js'
import { at, quotient } from '../machine/builtins.js'
import { AXES, inner, offsetsWalk } from '../machine/indexing.js'
import {
  type ArgumentKind,
  eachValue,
  type Four,
  type Gpu,
  type Program,
  type Texels,
  type Thread,
} from '../machine/program.js'
import { fromPlanes, PLANE_PROGRAMS } from './planes.js'

/** The sum over k of one row of a and one column of b. */
function product(a: Texels, b: Texels, k: number, firstA: number, firstB: number, strides: Four): number {
  let sum = 0.0
  for (let j = 0; j < k; j++) {
    sum = sum + at(a, firstA + j * strides[1]) * at(b, firstB + j * strides[2])
  }
  return sum
}

/**
 * Texel i of a plane [batch, m / 4, n / 4], sides rounded up.
 * @param sizes    m / 4, k, n / 4, 1 where there is a bias
 * @param strides  of a: from row to row and along k; of b: along k and from column to column
 * @param starts   first matrix of a and values of each, the same of b
 */
function tile(
  this: Thread,
  plane: number,
  a: Texels,
  b: Texels,
  bias: Texels,
  sizes: Four,
  strides: Four,
  starts: Four,
  batchA: Four,
  matricesA: Four,
  batchB: Four,
  matricesB: Four,
): Four {
  const rows = quotient(this.thread.x, sizes[2])
  const column = 4 * (this.thread.x - rows * sizes[2])
  const matrix = quotient(rows, sizes[0])
  const row = 4 * (rows - matrix * sizes[0]) + plane
  const first = (starts[0] + inner(matrix, batchA, matricesA)) * starts[1] + row * strides[0]
  const from = (starts[2] + inner(matrix, batchB, matricesB)) * starts[3] + column * strides[3]
  const s0 = product(a, b, sizes[1], first, from, strides)
  const s1 = product(a, b, sizes[1], first, from + strides[3], strides)
  const s2 = product(a, b, sizes[1], first, from + 2 * strides[3], strides)
  const s3 = product(a, b, sizes[1], first, from + 3 * strides[3], strides)
  if (sizes[3] > 0) {
    return [s0 + at(bias, column), s1 + at(bias, column + 1), s2 + at(bias, column + 2), s3 + at(bias, column + 3)]
  }
  return [s0, s1, s2, s3]
}

/** In the loop over texels: what 64 of them came to is put by. Note [Long sums] in index.ts. */
const BLOCK = 'if ((j & 63) == 63) { t0 += s0; t1 += s1; t2 += s2; t3 += s3; s0 = s1 = s2 = s3 = vec4(0.0); }'

/** GLSL of all planes: `sums` adds up s0 to s3, from texels `atA` of a and `atB` of b on. */
const planes = (sums: string): string => `
#define A(i) texelAt(user_a, widthA, inverseA, i)
#define B(i) texelAt(user_b, widthB, inverseB, i)
#define ROW(s, p) s += p.x * b0 + p.y * b1 + p.z * b2 + p.w * b3
#define DOTS(s, p) s += vec4(dot(p, b0), dot(p, b1), dot(p, b2), dot(p, b3))
#define OUTER(p, q) s0 += p.x * q; s1 += p.y * q; s2 += p.z * q; s3 += p.w * q
void planes(float i, out vec4 s0, out vec4 s1, out vec4 s2, out vec4 s3) {
  float widthA = float(user_aSize.x);
  float widthB = float(user_bSize.x);
  vec2 inverseA = intBitsToFloat(user_aDim.xy);
  vec2 inverseB = intBitsToFloat(user_bDim.xy);
  float rows = quotient(i, user_sizes.z);
  float column = i - rows * user_sizes.z;
  float matrix = quotient(rows, user_sizes.x);
  float row = rows - matrix * user_sizes.x;
  // in texels from here on
  vec4 strides = 0.25 * user_strides;
  float atA = 0.25 * (user_starts.x + inner(matrix, user_batchA, user_matricesA)) * user_starts.y;
  float atB = 0.25 * (user_starts.z + inner(matrix, user_batchB, user_matricesB)) * user_starts.w;
  int texels = int(user_sizes.y) >> 2;
  int rest = int(user_sizes.y) & 3;
  bvec4 counts = bvec4(rest > 0, rest > 1, rest > 2, false);
  vec4 t0 = user_sizes.w > 0.0
    ? texelAt(user_bias, float(user_biasSize.x), intBitsToFloat(user_biasDim.xy), column)
    : vec4(0.0);
  vec4 t1 = t0, t2 = t0, t3 = t0;
  s0 = s1 = s2 = s3 = vec4(0.0);
  ${sums}
  s0 += t0;
  s1 += t1;
  s2 += t2;
  s3 += t3;
}`

/** What is read past the end of k is garbage, and does not count. */
const masked = (texel: string): string => `mix(vec4(0.0), ${texel}, counts)`
const only = (row: number, texel: string): string => `(rest > ${row} ? ${texel} : vec4(0.0))`

/** a [m, k], b [k, n]: a texel of each of four rows of a, and of four rows of b. */
const ROWS = planes(`
  float step = strides.x;
  atA += 4.0 * row * step;
  atB += column;
  for (int j = 0; j < texels; j++) {
    vec4 b0 = B(atB);
    vec4 b1 = B(atB + strides.z);
    vec4 b2 = B(atB + 2.0 * strides.z);
    vec4 b3 = B(atB + 3.0 * strides.z);
    vec4 p = A(atA);
    ROW(s0, p);
    p = A(atA + step);
    ROW(s1, p);
    p = A(atA + 2.0 * step);
    ROW(s2, p);
    p = A(atA + 3.0 * step);
    ROW(s3, p);
    atA += 1.0;
    atB += 4.0 * strides.z;
    ${BLOCK}
  }
  if (rest > 0) {
    vec4 b0 = B(atB);
    vec4 b1 = ${only(1, 'B(atB + strides.z)')};
    vec4 b2 = ${only(2, 'B(atB + 2.0 * strides.z)')};
    vec4 b3 = vec4(0.0);
    vec4 p = ${masked('A(atA)')};
    ROW(s0, p);
    p = ${masked('A(atA + step)')};
    ROW(s1, p);
    p = ${masked('A(atA + 2.0 * step)')};
    ROW(s2, p);
    p = ${masked('A(atA + 3.0 * step)')};
    ROW(s3, p);
  }`)

const dots = (load: (texel: string) => string): string => `
    vec4 b0 = ${load('B(atB)')};
    vec4 b1 = ${load('B(atB + strides.w)')};
    vec4 b2 = ${load('B(atB + 2.0 * strides.w)')};
    vec4 b3 = ${load('B(atB + 3.0 * strides.w)')};
    vec4 p = ${load('A(atA)')};
    DOTS(s0, p);
    p = ${load('A(atA + strides.x)')};
    DOTS(s1, p);
    p = ${load('A(atA + 2.0 * strides.x)')};
    DOTS(s2, p);
    p = ${load('A(atA + 3.0 * strides.x)')};
    DOTS(s3, p);`

/** a [m, k], b [n, k]: a texel of each of four rows of both. */
const COLUMNS = planes(`
  atA += 4.0 * row * strides.x;
  atB += 4.0 * column * strides.w;
  for (int j = 0; j < texels; j++) {${dots((texel) => texel)}
    atA += 1.0;
    atB += 1.0;
    ${BLOCK}
  }
  if (rest > 0) {${dots(masked)}
  }`)

/** a [k, m], b [k, n]: a texel of the same row of both, four rows a round. */
const OUTER_PRODUCTS = planes(`
  atA += row;
  atB += column;
  for (int j = 0; j < texels; j++) {
    vec4 p0 = A(atA), p1 = A(atA + strides.y), p2 = A(atA + 2.0 * strides.y), p3 = A(atA + 3.0 * strides.y);
    vec4 q0 = B(atB), q1 = B(atB + strides.z), q2 = B(atB + 2.0 * strides.z), q3 = B(atB + 3.0 * strides.z);
    OUTER(p0, q0);
    OUTER(p1, q1);
    OUTER(p2, q2);
    OUTER(p3, q3);
    atA += 4.0 * strides.y;
    atB += 4.0 * strides.z;
    ${BLOCK}
  }
  for (int j = 0; j < rest; j++) {
    vec4 p = A(atA);
    vec4 q = B(atB);
    OUTER(p, q);
    atA += strides.y;
    atB += strides.z;
  }`)

const KINDS: readonly ArgumentKind[] = [
  ...(['number', 'texels', 'texels', 'texels'] as const),
  ...(['four', 'four', 'four', 'four', 'four', 'four', 'four'] as const),
]

const tiles = (name: string, glsl: string): Program => ({
  name: `matmul, tiles ${name}`,
  source: tile,
  kinds: KINDS,
  helpers: {
    ...AXES,
    product: { source: product, kinds: ['texels', 'texels', 'number', 'number', 'number', 'four'] },
  },
  planes: glsl,
})

const TILES = {
  rows: tiles('of rows', ROWS),
  columns: tiles('of columns', COLUMNS),
  outer: tiles('of outer products', OUTER_PRODUCTS),
}

/**
 * Value i of a copy in rows of whole texels.
 * @param sizes    values of a row in the copy, values that count, rows of a matrix, values of a matrix
 * @param strides  from row to row and from value to value
 */
function packedOf(i: number, x: Texels, sizes: Four, strides: Four): number {
  const rows = quotient(i, sizes[0])
  const column = i - rows * sizes[0]
  const matrix = quotient(rows, sizes[2])
  if (column < sizes[1]) {
    return at(x, matrix * sizes[3] + (rows - matrix * sizes[2]) * strides[0] + column * strides[1])
  }
  return 0.0
}
const PACK = eachValue('matmul, whole texels', packedOf, ['texels', 'four', 'four'])

export const TILE_PROGRAMS: readonly Program[] = [...Object.values(TILES), PACK, ...PLANE_PROGRAMS]

/** An operand as tiles read it. */
interface Packing {
  /** must it be copied? */
  readonly packs: boolean
  readonly matrices: number
  readonly rows: number
  /** values of a row that count */
  readonly width: number
  /** from row to row and from value to value before it is copied */
  readonly strides: readonly [number, number]
}

const wholeTexels = (values: number): number => 4 * Math.ceil(values / 4)

const packedSize = ({ matrices, rows, width }: Packing): number => matrices * rows * wholeTexels(width)

function packing(offsets: Offsets, rows: number, width: number, transposes: boolean): Packing {
  const strides: [number, number] = transposes ? [1, rows] : [width, 1]
  return { packs: transposes || width % 4 !== 0, matrices: 1 + largestOf(offsets), rows, width, strides }
}

type Product = KernelParameters['matmul']

/** Two transposed operands are not read as they are: a is transposed by the copy. */
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
  return [
    plane,
    plane,
    plane,
    plane,
    ...packings(p)
      .filter(({ packs }) => packs)
      .map(packedSize),
  ]
}

export function tileProduct<Operand>(
  gpu: Gpu<Operand>,
  p: Product,
  [a, b, bias]: readonly Operand[],
  y: Operand,
  workspaces: readonly Operand[],
): void {
  const { m, k, n } = p
  const copies = workspaces.slice(4)
  const packed = (x: Operand, { packs, rows, width, strides }: Packing): Operand => {
    const copy = copies[0]
    if (!packs || copy === undefined) return x
    copies.shift()
    gpu.run(PACK, [x, [wholeTexels(width), width, rows, rows * width], [...strides, 0, 0]], copy)
    return copy
  }
  const [packingA, packingB] = packings(p)
  const operands = [packed(a, packingA), packed(b, packingB)]
  const [rowA, rowB] = [packingA, packingB].map(({ width }) => wholeTexels(width))
  const [walkA, walkB] = [p.offsetsA, p.offsetsB].map((offsets) => offsetsWalk(listed(offsets)))
  const outer = isOuter(p)
  const program = outer ? TILES.outer : p.transposeB ? TILES.columns : TILES.rows
  const [rows, columns] = [Math.ceil(m / 4), Math.ceil(n / 4)]
  const planes = workspaces.slice(0, 4)
  gpu.runPlanes(
    program,
    [
      ...[...operands, p.bias ? bias : a],
      [rows, k, columns, p.bias ? 1 : 0],
      [
        ...(outer ? ([1, rowA] as const) : ([rowA, 1] as const)),
        ...(p.transposeB ? ([1, rowB] as const) : ([rowB, 1] as const)),
      ],
      [walkA.first, packingA.rows * rowA, walkB.first, packingB.rows * rowB],
      ...[walkA.shape, walkA.strides, walkB.shape, walkB.strides],
    ],
    planes,
  )
  const strides = [0, rows * 4 * columns, 4 * columns] as const
  fromPlanes(gpu, { groups: p.batch, rows: m, columns: n, strides }, planes, y)
}
