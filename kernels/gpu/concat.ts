/**
 * Pieces side by side. A program can read at most sixteen textures. So pieces are joined eight at a time, and then the
 * results in the same way, until one is left.
 */
import type { KernelParameters } from '../kernels.js'
import { at, quotient } from './machine/builtins.js'
import type { GpuKernel } from './machine/kernel.js'
import { type ArgumentKind, eachValue, type Gpu, type Named, packed, type Texels } from './machine/program.js'

/** The positions in a row of y at which the pieces after `a` begin, and the length of the row. */
const STARTS = ['b', 'c', 'd', 'length'] as const
const MORE_STARTS = ['e', 'f', 'g', 'h'] as const

/** Value i of y. */
function piecesOf(
  i: number,
  a: Texels,
  b: Texels,
  c: Texels,
  d: Texels,
  e: Texels,
  f: Texels,
  g: Texels,
  h: Texels,
  starts: Named<typeof STARTS>,
  more: Named<typeof MORE_STARTS>,
): number {
  const row = quotient(i, starts.length)
  const j = i - row * starts.length
  if (j < starts.b) {
    return at(a, row * starts.b + j)
  }
  if (j < starts.c) {
    return at(b, row * (starts.c - starts.b) + j - starts.b)
  }
  if (j < starts.d) {
    return at(c, row * (starts.d - starts.c) + j - starts.c)
  }
  if (j < more.e) {
    return at(d, row * (more.e - starts.d) + j - starts.d)
  }
  if (j < more.f) {
    return at(e, row * (more.f - more.e) + j - more.e)
  }
  if (j < more.g) {
    return at(f, row * (more.g - more.f) + j - more.f)
  }
  if (j < more.h) {
    return at(g, row * (more.h - more.g) + j - more.g)
  }
  return at(h, row * (starts.length - more.h) + j - more.h)
}

const AT_ONCE = 8
const PIECES = Array.from({ length: AT_ONCE }, (): ArgumentKind => 'texels')
const CONCAT = eachValue('concat', piecesOf, [...PIECES, STARTS, MORE_STARTS])

/** Joins up to eight pieces. `sizes` has the number of values that each piece adds to a row of y. */
function join<Operand>(gpu: Gpu<Operand>, sizes: readonly number[], pieces: readonly Operand[], y: Operand): void {
  const ends: number[] = []
  for (const size of sizes) ends.push((ends.at(-1) ?? 0) + size)
  const length = ends[ends.length - 1]
  // A piece that does not exist begins at the end of the row.
  const [b, c, d, e, f, g, h] = [...ends, ...PIECES.map(() => length)]
  const operands = PIECES.map((_, j) => pieces[j] ?? pieces[0])
  gpu.run(CONCAT, [...operands, packed(STARTS, { b, c, d, length }), packed(MORE_STARTS, { e, f, g, h })], y)
}

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0)

function groupsOf<T>(list: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(list.length / AT_ONCE) }, (_, j) => list.slice(j * AT_ONCE, (j + 1) * AT_ONCE))
}

/** For each round of joining: the values that a row of each joined group has. */
function levels(sizes: readonly number[]): number[][] {
  if (sizes.length <= AT_ONCE) return []
  const sums = groupsOf(sizes).map(sum)
  return [sums, ...levels(sums)]
}

export const concat: GpuKernel<'concat'> = {
  programs: [CONCAT],
  workspaces({ outer, sizes, inner }: KernelParameters['concat']) {
    return levels(sizes).flatMap((sums) => sums.map((size) => outer * size * inner))
  },
  run(gpu, { sizes, inner }, inputs, [y], workspaces) {
    let pieces = inputs
    let rows: readonly number[] = sizes.map((size) => size * inner)
    let used = 0
    for (const sums of levels(rows)) {
      const groups = groupsOf(pieces)
      const joined = workspaces.slice(used, used + sums.length)
      const parts = groupsOf(rows)
      groups.forEach((group, j) => {
        join(gpu, parts[j], group, joined[j])
      })
      used += sums.length
      pieces = joined
      rows = sums
    }
    join(gpu, rows, pieces, y)
  },
}
