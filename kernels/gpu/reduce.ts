/**
 * Sums and maxima over any axes, one output value after the other. Where there are few outputs and much to add up,
 * each is cut into parts, every P-th value to each, and the parts are reduced in a second pass: a GPU is fast only
 * when it has thousands of things to do.
 */
import type { KernelParameters, ReduceFunction } from '../kernels.js'
import { contiguous, product } from '../reference/strides.js'
import { BINARY } from './functions.js'
import { AXES, OFFSETS, type Walk, type Width, walk } from './indexing.js'
import type { GpuKernel } from './kernel.js'
import { type ArgumentKind, eachValue, type Four, type Gpu, type Helper, type Program, type Texels } from './program.js'

declare function quotient(i: number, n: number): number
declare function at(x: Texels, i: number): number
declare function outputOffset(i: number, shape: Four, strides: Four, outerShape: Four, outerStrides: Four): number
declare function runOffset(i: number, shape: Four, strides: Four, outerShape: Four, outerStrides: Four): number
declare function combine(a: number, b: number): number
/** counts: outputs, values in each, parts of each, scale. Part p of an output has its values p, p + parts, ... */
function partOf(
  i: number,
  x: Texels,
  counts: Four,
  shape: Four,
  outerShape: Four,
  strides: Four,
  outerStrides: Four,
  runShape: Four,
  runOuterShape: Four,
  runStrides: Four,
  runOuterStrides: Four,
): number {
  const part = quotient(i, counts[0])
  const start = outputOffset(i - part * counts[0], shape, strides, outerShape, outerStrides)
  let result = at(x, start + runOffset(part, runShape, runStrides, runOuterShape, runOuterStrides))
  for (let j = part + counts[2]; j < counts[1]; j += counts[2]) {
    const value = at(x, start + runOffset(j, runShape, runStrides, runOuterShape, runOuterStrides))
    result = combine(result, value)
  }
  return result * counts[3]
}

const FOURS = Array.from({ length: 9 }, (): ArgumentKind => 'four')
const COMBINE: { readonly [Name in ReduceFunction]: Helper } = { sum: BINARY.add, max: BINARY.maximum }

const programOf = (name: ReduceFunction, outputs: Width, run: Width): Program =>
  eachValue(`reduce ${name}, ${outputs} of ${run}`, partOf, ['texels', ...FOURS], {
    ...AXES,
    outputOffset: OFFSETS[outputs],
    runOffset: OFFSETS[run],
    combine: COMBINE[name],
  })

/** The axes that stay and those that go. */
interface Reduction {
  outputs: number
  count: number
  kept: Walk
  run: Walk
}

function reductionOf({ shape, reduced }: Pick<KernelParameters['reduce'], 'shape' | 'reduced'>): Reduction {
  const strides = contiguous(shape)
  const those = (gone: boolean) => {
    const axes = shape.map((_, axis) => axis).filter((axis) => reduced[axis] === gone)
    return { sizes: axes.map((axis) => shape[axis]), strides: axes.map((axis) => strides[axis]) }
  }
  const [kept, run] = [those(false), those(true)]
  return {
    outputs: product(kept.sizes),
    count: product(run.sizes),
    kept: walk(kept.sizes, [kept.strides]),
    run: walk(run.sizes, [run.strides]),
  }
}

/** Enough to do for a GPU, and enough for each of it to do. */
const BUSY = 4096
const LEAST_RUN = 16

/** In how many parts each of `outputs` is reduced from `count` values. */
export function partsOf({ outputs, count }: { readonly outputs: number; readonly count: number }): number {
  return Math.max(1, Math.min(Math.floor(BUSY / outputs), Math.floor(count / LEAST_RUN)))
}

function pass<Operand>(
  gpu: Gpu<Operand>,
  name: ReduceFunction,
  { outputs, count, kept, run }: Reduction,
  parts: number,
  scale: number,
  x: Operand,
  y: Operand,
): void {
  const [[strides, outerStrides]] = kept.strides
  const [[runStrides, runOuterStrides]] = run.strides
  const axes = [kept.shape, kept.outerShape, strides, outerStrides]
  const runAxes = [run.shape, run.outerShape, runStrides, runOuterStrides]
  gpu.run(programOf(name, kept.width, run.width), [x, [outputs, count, parts, scale], ...axes, ...runAxes], y)
}

export const reduce: GpuKernel<'reduce'> = {
  programs: (['sum', 'max'] as const).flatMap((name) => [
    programOf(name, 'line', 'line'),
    programOf(name, 'narrow', 'line'),
    programOf(name, 'line', 'narrow'),
    programOf(name, 'narrow', 'narrow'),
  ]),
  workspaces(p) {
    const reduction = reductionOf(p)
    const parts = partsOf(reduction)
    return parts > 1 ? [parts * reduction.outputs] : []
  },
  run(gpu, p, [x], [y], [partial]) {
    const reduction = reductionOf(p)
    const { outputs } = reduction
    const parts = partsOf(reduction)
    if (parts === 1) return pass(gpu, p.function, reduction, 1, p.scale, x, y)
    pass(gpu, p.function, reduction, parts, 1, x, partial)
    const last = reductionOf({ shape: [parts, outputs], reduced: [true, false] })
    pass(gpu, p.function, last, 1, p.scale, partial, y)
  },
}
