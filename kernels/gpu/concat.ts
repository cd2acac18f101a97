/**
 * Pieces side by side. A program can read sixteen textures at most, so more than eight pieces are put together eight by
 * eight, and what comes of that again.
 */
import type { KernelParameters } from '../kernels.js'
import { at, quotient } from './machine/builtins.js'
import type { GpuKernel } from './machine/kernel.js'
import { type ArgumentKind, eachValue, type Four, type Gpu, type Texels } from './machine/program.js'

/** starts: where in a row of y pieces 1 to 3 begin, and its length; then pieces 4 to 7. */
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
  starts: Four,
  more: Four,
): number {
  const row = quotient(i, starts[3])
  const j = i - row * starts[3]
  if (j < starts[0]) {
    return at(a, row * starts[0] + j)
  }
  if (j < starts[1]) {
    return at(b, row * (starts[1] - starts[0]) + j - starts[0])
  }
  if (j < starts[2]) {
    return at(c, row * (starts[2] - starts[1]) + j - starts[1])
  }
  if (j < more[0]) {
    return at(d, row * (more[0] - starts[2]) + j - starts[2])
  }
  if (j < more[1]) {
    return at(e, row * (more[1] - more[0]) + j - more[0])
  }
  if (j < more[2]) {
    return at(f, row * (more[2] - more[1]) + j - more[1])
  }
  if (j < more[3]) {
    return at(g, row * (more[3] - more[2]) + j - more[2])
  }
  return at(h, row * (starts[3] - more[3]) + j - more[3])
}

const AT_ONCE = 8
const PIECES = Array.from({ length: AT_ONCE }, (): ArgumentKind => 'texels')
const CONCAT = eachValue('concat', piecesOf, [...PIECES, 'four', 'four'])

/** Up to eight, with `sizes` in values of a row. */
function join<Operand>(gpu: Gpu<Operand>, sizes: readonly number[], pieces: readonly Operand[], y: Operand): void {
  const ends: number[] = []
  for (const size of sizes) ends.push((ends.at(-1) ?? 0) + size)
  const length = ends[ends.length - 1]
  // pieces that are not there begin at the end
  const [a, b, c, d, e, f, g] = [...ends, ...PIECES.map(() => length)]
  const operands = PIECES.map((_, j) => pieces[j] ?? pieces[0])
  gpu.run(CONCAT, [...operands, [a, b, c, length], [d, e, f, g]], y)
}

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0)

function groupsOf<T>(list: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(list.length / AT_ONCE) }, (_, j) => list.slice(j * AT_ONCE, (j + 1) * AT_ONCE))
}

/** What a row of each group comes to, for every time that groups are put together. */
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
