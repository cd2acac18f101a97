/**
 * Rows of a table by their index, and the gradient of the table. A GPU cannot add to where an index says: so every
 * entry looks through all indices for its own, four columns at once where the rows are of whole texels.
 */
import type { GpuKernel } from './kernel.js'
import { eachValue, type Four, type Program, type Texels, type Thread } from './program.js'

declare function quotient(i: number, n: number): number
declare function at(x: Texels, i: number): number
declare function notANumber(): number
declare function isNotANumber(x: number): number

/** table [entries, width], indices [rows] -> y [rows, width] */
function entryOf(i: number, table: Texels, indices: Texels, width: number, entries: number): number {
  const row = quotient(i, width)
  const index = at(indices, row)
  if (isNotANumber(index) > 0 || index < 0 || index >= entries || Math.floor(index) !== index) {
    return notANumber()
  }
  return at(table, index * width + i - row * width)
}

/** dy [rows, width], indices [rows] -> dtable [entries, width]. An index that is no entry meets none. */
function sumOf(i: number, dy: Texels, indices: Texels, width: number, rows: number): number {
  const entry = quotient(i, width)
  const column = i - entry * width
  let sum = 0.0
  for (let row = 0; row < rows; row++) {
    if (at(indices, row) === entry) {
      sum = sum + at(dy, row * width + column)
    }
  }
  return sum
}

/** The same, in texels: width of them in a row. */
function sumsOf(this: Thread, dy: Texels, indices: Texels, width: number, rows: number): Four {
  const entry = quotient(this.thread.x, width)
  const column = this.thread.x - entry * width
  let s0 = 0.0
  let s1 = 0.0
  let s2 = 0.0
  let s3 = 0.0
  for (let row = 0; row < rows; row++) {
    if (at(indices, row) === entry) {
      const v = dy[row * width + column]
      s0 = s0 + v[0]
      s1 = s1 + v[1]
      s2 = s2 + v[2]
      s3 = s3 + v[3]
    }
  }
  return [s0, s1, s2, s3]
}

const KINDS = ['texels', 'texels', 'number', 'number'] as const
const LOOKUP = eachValue('embedding', entryOf, KINDS)
const SUM = eachValue('embeddingGradient', sumOf, KINDS)
const SUMS: Program = { name: 'embeddingGradient, texels', source: sumsOf, kinds: KINDS }

export const embedding: GpuKernel<'embedding'> = {
  programs: [LOOKUP],
  run(gpu, { width, entries }, [table, indices], [y]) {
    gpu.run(LOOKUP, [table, indices, width, entries], y)
  },
}

export const embeddingGradient: GpuKernel<'embeddingGradient'> = {
  programs: [SUM, SUMS],
  run(gpu, { width, rows }, [dy, indices], [dtable]) {
    if (width % 4 === 0) gpu.run(SUMS, [dy, indices, width / 4, rows], dtable)
    else gpu.run(SUM, [dy, indices, width, rows], dtable)
  },
}
