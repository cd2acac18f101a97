/**
 * A program writes to one place only, but to four textures there. So what is computed by tiles of four rows goes to four
 * planes, plane r for row r of every tile, and a second program, here, puts the rows in order. They are written twice,
 * which is little beside what is read for each of them.
 */
import { at, quotient } from '../machine/builtins.js'
import {
  type ArgumentKind,
  eachValue,
  type Four,
  type Gpu,
  type Program,
  type Texels,
  type Thread,
} from '../machine/program.js'

/**
 * Texel of y [batch, groups, rows, columns], where rows are whole texels.
 * @param sizes    columns, rows, groups
 * @param strides  in a plane: from batch to batch, from group to group, from tile to tile
 */
function texelOfPlanes(this: Thread, p0: Texels, p1: Texels, p2: Texels, p3: Texels, sizes: Four, strides: Four): Four {
  const rows = quotient(this.thread.x, sizes[0])
  const groups = quotient(rows, sizes[1])
  const batch = quotient(groups, sizes[2])
  const row = rows - groups * sizes[1]
  const tile = Math.floor(row * 0.25)
  const plane = row - 4 * tile
  const column = this.thread.x - rows * sizes[0]
  const from = batch * strides[0] + (groups - batch * sizes[2]) * strides[1] + tile * strides[2] + column
  if (plane < 1) {
    const v = p0[from]
    return [v[0], v[1], v[2], v[3]]
  }
  if (plane < 2) {
    const v = p1[from]
    return [v[0], v[1], v[2], v[3]]
  }
  if (plane < 3) {
    const v = p2[from]
    return [v[0], v[1], v[2], v[3]]
  }
  const v = p3[from]
  return [v[0], v[1], v[2], v[3]]
}

/** Value i of y, where they are not: all sizes and strides count values. */
function valueOfPlanes(i: number, p0: Texels, p1: Texels, p2: Texels, p3: Texels, sizes: Four, strides: Four): number {
  const rows = quotient(i, sizes[0])
  const groups = quotient(rows, sizes[1])
  const batch = quotient(groups, sizes[2])
  const row = rows - groups * sizes[1]
  const tile = Math.floor(row * 0.25)
  const plane = row - 4 * tile
  const column = i - rows * sizes[0]
  const from = batch * strides[0] + (groups - batch * sizes[2]) * strides[1] + tile * strides[2] + column
  if (plane < 1) {
    return at(p0, from)
  }
  if (plane < 2) {
    return at(p1, from)
  }
  if (plane < 3) {
    return at(p2, from)
  }
  return at(p3, from)
}

const KINDS: readonly ArgumentKind[] = ['texels', 'texels', 'texels', 'texels', 'four', 'four']
const TEXELS: Program = { name: 'planes, texels', source: texelOfPlanes, kinds: KINDS }
const VALUES = eachValue('planes, values', valueOfPlanes, KINDS)

export const PLANE_PROGRAMS: readonly Program[] = [TEXELS, VALUES]

/** y [batch, groups, rows, columns], and how far apart its parts are in a plane: all in values. */
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
  gpu.run(whole ? TEXELS : VALUES, [...planes, [columns / unit, rows, groups, 0], [batch, group, tile, 0]], y)
}
