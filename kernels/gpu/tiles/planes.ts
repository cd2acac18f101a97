/**
 * A program writes one texel, but can do so at the same place in up to four textures. So a tile of four rows goes to
 * four planes: row r of every tile to plane r. Then the programs of this file put the rows in order. To write a row
 * twice costs little compared with the reads that compute it.
 */
import { at, quotient } from '../machine/builtins.js'
import type { Four, Gpu, Helpers, Named, Program, Texels, Thread } from '../machine/program.js'
import { eachValue, packed } from '../machine/program.js'

const SIZES = ['columns', 'rows', 'groups'] as const
/** The distances in a plane from batch to batch, group to group, tile to tile. */
const STRIDES = ['batch', 'group', 'tile'] as const
type Sizes = Named<typeof SIZES>
type Strides = Named<typeof STRIDES>

/** The position of element i of y [batch, groups, rows, columns]: its plane, and its place there. */
function place(i: number, sizes: Sizes, strides: Strides): Four {
  const rows = quotient(i, sizes.columns)
  const groups = quotient(rows, sizes.rows)
  const batch = quotient(groups, sizes.groups)
  const row = rows - groups * sizes.rows
  const tile = Math.floor(row * 0.25)
  const column = i - rows * sizes.columns
  const from = batch * strides.batch + (groups - batch * sizes.groups) * strides.group + tile * strides.tile + column
  return [row - 4 * tile, from, 0, 0]
}

/** Texel i of y, if a row of y consists of whole texels. Sizes and strides count texels. */
function texelOfPlanes(
  this: Thread,
  p0: Texels,
  p1: Texels,
  p2: Texels,
  p3: Texels,
  sizes: Sizes,
  strides: Strides,
): Four {
  const from = place(this.thread.x, sizes, strides)
  if (from[0] < 1) {
    const v = p0[from[1]]
    return [v[0], v[1], v[2], v[3]]
  }
  if (from[0] < 2) {
    const v = p1[from[1]]
    return [v[0], v[1], v[2], v[3]]
  }
  if (from[0] < 3) {
    const v = p2[from[1]]
    return [v[0], v[1], v[2], v[3]]
  }
  const v = p3[from[1]]
  return [v[0], v[1], v[2], v[3]]
}

/** Value i of y, for any rows. Sizes and strides count values. */
function valueOfPlanes(
  i: number,
  p0: Texels,
  p1: Texels,
  p2: Texels,
  p3: Texels,
  sizes: Sizes,
  strides: Strides,
): number {
  const from = place(i, sizes, strides)
  if (from[0] < 1) {
    return at(p0, from[1])
  }
  if (from[0] < 2) {
    return at(p1, from[1])
  }
  if (from[0] < 3) {
    return at(p2, from[1])
  }
  return at(p3, from[1])
}

const HELPERS: Helpers = { place: { source: place, kinds: ['number', SIZES, STRIDES], returns: 'four' } }
const KINDS = ['texels', 'texels', 'texels', 'texels', SIZES, STRIDES] as const
const TEXELS: Program = { name: 'planes, texels', source: texelOfPlanes, kinds: KINDS, helpers: HELPERS }
const VALUES = eachValue('planes, values', valueOfPlanes, KINDS, HELPERS)

export const PLANE_PROGRAMS: readonly Program[] = [TEXELS, VALUES]

/** y [batch, groups, rows, columns], and its strides in a plane; all count values. */
export interface Planes {
  readonly groups: number
  readonly rows: number
  readonly columns: number
  readonly strides: readonly [batch: number, group: number, tile: number]
}

export function fromPlanes<Operand>(
  gpu: Gpu<Operand>,
  { groups, rows, columns, strides }: Planes,
  planes: readonly Operand[],
  y: Operand,
): void {
  const whole = columns % 4 === 0
  const unit = whole ? 4 : 1
  const [batch, group, tile] = strides.map((stride) => stride / unit)
  const sizes = packed(SIZES, { columns: columns / unit, rows, groups })
  gpu.run(whole ? TEXELS : VALUES, [...planes, sizes, packed(STRIDES, { batch, group, tile })], y)
}
