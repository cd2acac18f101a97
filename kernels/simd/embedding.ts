/** Rows of a table by index, and their gradient: assembly/embedding.ts. */
import type { SimdKernel } from './kernel.js'

export const embedding: SimdKernel<'embedding'> = {
  run(assembly, { rows, width, entries }, [table, indices], [y]) {
    assembly.embedding(table, indices, y, rows, width, entries)
  },
}

export const embeddingGradient: SimdKernel<'embeddingGradient'> = {
  run(assembly, { rows, width, entries, accumulate }, [dy, indices], [dtable]) {
    assembly.embeddingGradient(dy, indices, dtable, rows, width, entries, Number(accumulate))
  },
}
