/** Rows of a table by index, and their gradient: assembly/embedding.ts. */
import { BYTES, CHEAP_GRAIN } from './layout.js'
import type { SimdKernel } from './machine/kernel.js'

export const embedding: SimdKernel<'embedding'> = {
  run(assembly, { rows, width, entries }, [table, indices], [y]) {
    const parts = { count: 3, steps: [0, BYTES, width * BYTES], grain: Math.ceil(CHEAP_GRAIN / width) }
    assembly.inParts('embedding', [table, indices, y, rows, width, entries], parts)
  },
}

/** Runs on one thread, because parts by columns together take longer than the whole. */
export const embeddingGradient: SimdKernel<'embeddingGradient'> = {
  workspaceBytes: ({ rows, entries }) => (rows + entries) * BYTES,
  run(assembly, { rows, width, entries, accumulate }, [dy, indices], [dtable], links) {
    assembly.embeddingGradient(dy, indices, dtable, rows, width, entries, Number(accumulate), links)
  },
}
