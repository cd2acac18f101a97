/** Kernels that make or move numbers without changing them. */
import { contiguous } from '../strides.js'
import { at } from './machine/builtins.js'
import { INDEXING, type Width, walk } from './machine/indexing.js'
import type { GpuKernel } from './machine/kernel.js'
import { COPY, eachValue, type Four, type Program, type Texels, type Thread } from './machine/program.js'

declare function offset(i: number, shape: Four, strides: Four, outerShape: Four, outerStrides: Four): number

function constant(this: Thread, value: number): Four {
  return [value, value, value, value]
}

/** y[i] = x[start + offset(i)] */
function gather(
  i: number,
  x: Texels,
  start: number,
  shape: Four,
  outerShape: Four,
  strides: Four,
  outerStrides: Four,
): number {
  return at(x, start + offset(i, shape, strides, outerShape, outerStrides))
}

const CONSTANT: Program = { name: 'fill', source: constant, kinds: ['number'] }
const KINDS = ['texels', 'number', 'four', 'four', 'four', 'four'] as const
const gatherOf = (width: Width) => eachValue(`stridedCopy, ${width}`, gather, KINDS, INDEXING[width])
const GATHER = { line: gatherOf('line'), plane: gatherOf('plane'), narrow: gatherOf('narrow'), wide: gatherOf('wide') }

export const fill: GpuKernel<'fill'> = {
  programs: [CONSTANT],
  run(gpu, { value }, _, [y]) {
    gpu.run(CONSTANT, [value], y)
  },
}

export const stridedCopy: GpuKernel<'stridedCopy'> = {
  programs: [COPY, ...Object.values(GATHER)],
  run(gpu, { shape, strides, offset: start }, [x], [y]) {
    const axes = walk(shape, [contiguous(shape), strides])
    const [, [own, outer]] = axes.strides
    if (start === 0 && axes.shape[0] * axes.shape[1] * axes.shape[2] === 1 && own[3] === 1) return gpu.run(COPY, [x], y)
    gpu.run(GATHER[axes.width], [x, start, axes.shape, axes.outerShape, own, outer], y)
  },
}
