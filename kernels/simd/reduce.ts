/** Reductions over any axes: a call of assembly/reduce.ts keeps one axis and reduces two. */
import { contiguous, eachLine, mergeAxes } from '../strides.js'
import { BYTES, CHEAP_GRAIN, COLUMN_GROUP } from './layout.js'
import type { SimdKernel } from './machine/kernel.js'

/** The axes of x, merged where neighbours are both kept or both reduced. */
function axesOf({ shape, reduced }: { shape: readonly number[]; reduced: readonly boolean[] }) {
  const keptShape = shape.map((size, axis) => (reduced[axis] ? 1 : size))
  const stridesY = contiguous(keptShape).map((stride, axis) => (reduced[axis] ? 0 : stride))
  const axes = mergeAxes(shape, [contiguous(shape), stridesY])
  const all = axes.shape.map((size, axis) => ({ size, stride: axes.strides[0][axis], to: axes.strides[1][axis] }))
  return { kept: all.filter((axis) => axis.to > 0), gone: all.filter((axis) => axis.to === 0) }
}

const NONE = { size: 1, stride: 0, to: 0 }

export const reduce: SimdKernel<'reduce'> = {
  /**
   * Up to two merged axes are reduced; with three, as in [reduced, kept, reduced, kept, reduced], the plain loops run.
   */
  covers: (p) => axesOf(p).gone.length <= 2,

  run(assembly, p, [x], [y]) {
    const { kept, gone } = axesOf(p)
    const outputs = kept.pop() ?? NONE
    const inner = gone.pop() ?? NONE
    const outer = gone.pop() ?? NONE
    const constants = [p.scale, Number(p.accumulate)]
    const runs = [outer.size, outer.stride * BYTES]
    const grain = Math.ceil(CHEAP_GRAIN / (outer.size * inner.size))
    eachLine(
      kept.map((axis) => axis.size),
      [kept.map((axis) => axis.stride), kept.map((axis) => axis.to)],
      (length, [startX, startY], [stepX, stepY]) => {
        for (let i = 0; i < length; i++) {
          const from = x + (startX + i * stepX) * BYTES
          const to = y + (startY + i * stepY) * BYTES
          if (inner.stride === 1) {
            const args = [from, to, outputs.size, outputs.stride * BYTES, ...runs, inner.size, ...constants]
            assembly.inParts(`${p.function}Lines`, args, { count: 2, steps: [outputs.stride * BYTES, BYTES], grain })
          } else {
            const args = [from, to, outputs.size, ...runs, inner.size, inner.stride * BYTES, ...constants]
            // Columns beyond the last group are summed in another order, so a part consists of whole groups.
            const columns = Math.ceil(grain / COLUMN_GROUP) * COLUMN_GROUP
            assembly.inParts(`${p.function}Columns`, args, { count: 2, steps: [BYTES, BYTES], grain: columns })
          }
        }
      },
    )
  },
}
