/**
 * Kernels that move numbers without changing them: strided copies, padding, concatenation, embedding lookups
 * (and the one gradient among them that adds). Not here: reshape, which shares storage and needs no kernel.
 */
import type { Kernels } from '../kernels.js'
import { contiguous, eachLine } from '../strides.js'

export const stridedCopy: Kernels['stridedCopy'] = ({ shape, strides, offset }, [x], [y]) => {
  eachLine(shape, [contiguous(shape), strides], (length, [start, startX], [, stepX]) => {
    for (let j = 0, i = offset + startX; j < length; j++, i += stepX) y[start + j] = x[i]
  })
}

export const pad: Kernels['pad'] = ({ shape, before, outShape, value }, [x], [y]) => {
  const outStrides = contiguous(outShape)
  const offset = before.reduce((sum, steps, axis) => sum + steps * outStrides[axis], 0)
  y.fill(value)
  eachLine(shape, [contiguous(shape), outStrides], (length, [start, startY], [step, stepY]) => {
    for (let j = 0; j < length; j++) y[offset + startY + j * stepY] = x[start + j * step]
  })
}

/** pieces [outer, sizes[j], inner] -> y [outer, sum of sizes, inner] */
export const concat: Kernels['concat'] = ({ outer, sizes, inner }, pieces, [y]) => {
  let at = 0
  for (let o = 0; o < outer; o++) {
    pieces.forEach((piece, j) => {
      const run = sizes[j] * inner
      y.set(piece.subarray(o * run, (o + 1) * run), at)
      at += run
    })
  }
}

const isEntry = (index: number, entries: number) => Number.isInteger(index) && index >= 0 && index < entries

/** table [entries, width], indices [rows] -> y [rows, width]; NaN for an index without an entry */
export const embedding: Kernels['embedding'] = ({ rows, width, entries }, [table, indices], [y]) => {
  for (let r = 0; r < rows; r++) {
    const entry = indices[r] * width
    if (isEntry(indices[r], entries)) y.set(table.subarray(entry, entry + width), r * width)
    else y.fill(Number.NaN, r * width, (r + 1) * width)
  }
}

/** dy [rows, width], indices [rows] -> dtable [entries, width]: every row is added to its entry, if there is one. */
export const embeddingGradient: Kernels['embeddingGradient'] = (
  { rows, width, entries, accumulate },
  [dy, indices],
  [dtable],
) => {
  // always in double precision, because an entry may have many rows
  const sums = accumulate ? Float64Array.from(dtable) : new Float64Array(entries * width)
  for (let r = 0; r < rows; r++) {
    if (!isEntry(indices[r], entries)) continue
    const entry = indices[r] * width
    for (let j = 0; j < width; j++) sums[entry + j] += dy[r * width + j]
  }
  dtable.set(sums)
}
