/**
 * Rows of a table by their index, and the gradient of the table. A GPU program cannot add to a place that an index
 * names, so the sum of an entry has to find its rows. Searching all indices for every column would take too long. So
 * first every entry finds its first row, and every row finds the next row of the same entry. Then each column follows
 * these links.
 */
import type { KernelParameters } from '../kernels.js'
import { at, isNotANumber, notANumber, quotient } from './machine/builtins.js'
import { type Groups, PLAIN, partialSizes } from './machine/groups.js'
import type { GpuKernel } from './machine/kernel.js'
import { eachValue, type Named, packed, type Texels } from './machine/program.js'

const SIZES = ['heads', 'entries', 'rows', 'partRows'] as const
type Sizes = Named<typeof SIZES>

/** table [entries, width], indices [rows] -> y [rows, width] */
function entryOf(i: number, table: Texels, indices: Texels, width: number, entries: number): number {
  const row = quotient(i, width)
  const index = at(indices, row)
  if (isNotANumber(index) > 0 || index < 0 || index >= entries || Math.floor(index) !== index) {
    return notANumber()
  }
  return at(table, index * width + i - row * width)
}

/** The first row in [from, end) with this index; -1 if there is none. */
function found(index: number, from: number, end: number, indices: Texels): number {
  let row = from
  for (let j = from; j < end; j++) {
    if (at(indices, j) === index) {
      break
    }
    row = row + 1
  }
  return row < end ? row : -1
}

/**
 * Value i of the links: first [parts, entries], the first row of each entry in each part; then [rows], the next row of
 * the same entry and part. heads = parts * entries is the number of first rows.
 */
function linkOf(i: number, indices: Texels, sizes: Sizes): number {
  if (i < sizes.heads) {
    const part = quotient(i, sizes.entries)
    return found(
      i - part * sizes.entries,
      part * sizes.partRows,
      Math.min((part + 1) * sizes.partRows, sizes.rows),
      indices,
    )
  }
  const row = i - sizes.heads
  const end = Math.min((quotient(row, sizes.partRows) + 1) * sizes.partRows, sizes.rows)
  return found(at(indices, row), row + 1, end, indices)
}

/** dy [rows, width] -> sums [parts, entries, width] */
function sumOf(i: number, dy: Texels, links: Texels, width: number, heads: number): number {
  const head = quotient(i, width)
  const column = i - head * width
  let sum = 0.0
  let block = 0.0
  let left = 64.0
  for (let row = at(links, head); row >= 0; row = at(links, heads + row)) {
    block = block + at(dy, row * width + column)
    left = left - 1.0
    if (left < 1.0) {
      sum = sum + block
      block = 0.0
      left = 64.0
    }
  }
  return sum + block
}

const LOOKUP = eachValue('embedding', entryOf, ['texels', 'texels', 'number', 'number'])
const LINKS = eachValue('embeddingGradient, links', linkOf, ['texels', SIZES], {
  found: { source: found, kinds: ['number', 'number', 'number', 'texels'] },
})
const SUM = eachValue('embeddingGradient', sumOf, ['texels', 'texels', 'number', 'number'])

export const embedding: GpuKernel<'embedding'> = {
  programs: [LOOKUP],
  run(gpu, { width, entries }, [table, indices], [y]) {
    gpu.run(LOOKUP, [table, indices, width, entries], y)
  },
}

/** The rows of a part: more would take too many rounds of a loop, see Note [Dialect] in index.ts. */
const PART = 8192

type Gradient = KernelParameters['embeddingGradient']

const partsOf = ({ rows }: Gradient): number => Math.ceil(rows / PART)

/** Each number of the table is the sum of its parts. */
const inParts = (p: Gradient): Groups => ({ shape: [partsOf(p), p.entries * p.width], reduced: [true, false] })

export const embeddingGradient: GpuKernel<'embeddingGradient'> = {
  programs: [LINKS, SUM],
  workspaces(p) {
    const { rows, entries, width } = p
    const parts = partsOf(p)
    const links = parts * entries + rows
    return parts > 1 ? [links, parts * entries * width, ...partialSizes(inParts(p))] : [links]
  },
  run(gpu, p, [dy, indices], [dtable], [links, sums, partial]) {
    const { rows, entries, width } = p
    const parts = partsOf(p)
    gpu.run(LINKS, [indices, packed(SIZES, { heads: parts * entries, entries, rows, partRows: PART })], links)
    gpu.run(SUM, [dy, links, width, parts * entries], parts > 1 ? sums : dtable)
    if (parts > 1) PLAIN.sum.run(gpu, inParts(p), [sums], dtable, partial)
  },
}
