/**
 * Tensors in groups. The values along the reduced axes are a group; there is one group for each place along the other
 * axes. Reductions, softmax and norms consist of two kinds of programs, each described by a function of one value:
 *
 *   reduction   a sum or a maximum over every group
 *   elements    a value for every element, from the element and from the reductions of its group
 *
 * A kernel with a loop of its own over a group, such as argmax, is not made from these.
 *
 * A GPU is fast only when it computes thousands of values at a time. So few large groups are cut into parts, and a
 * second pass reduces the parts. With P parts, each part takes every P-th value.
 */
import type { KernelParameters, ReduceFunction, Rows } from '../../kernels.js'
import { contiguous, product } from '../../strides.js'
import { at, exponential } from './builtins.js'
import { BINARY } from './functions-of-two.js'
import { AXES, INDEXING, OFFSETS, type Walk, type Width, walk } from './indexing.js'
import type { ArgumentKind, Four, Gpu, Helpers, Program, Source, Texels } from './program.js'
import { eachValue, packed } from './program.js'

/** A tensor of `shape` in groups, which run along the reduced axes. */
export interface Groups {
  readonly shape: readonly number[]
  readonly reduced: readonly boolean[]
}

/** x [outer, size, inner] in groups along its middle axis. */
export const rowsOf = ({ outer, size, inner }: Rows): Groups => ({
  shape: [outer, size, inner],
  reduced: [false, true, false],
})

/** x [outer, groups, inner], as batch, layer and group norm see it. */
export const normGroups = ({ outer, groups, inner }: KernelParameters['moments']): Groups => ({
  shape: [outer, groups, inner],
  reduced: [true, false, true],
})

/** The arguments of a program, beside its output. */
export type Arguments<Operand> = readonly (Operand | number | Four)[]

/**
 * scale * f over every group of term(j, group, ...args), where j runs over the places of the group's values in the
 * tensor.
 */
export interface Reduction {
  /** the most used programs, to be compiled beforehand */
  readonly programs: readonly Program[]
  /** @param partial  the workspace, if `partialSizes` names one */
  run<Operand>(
    gpu: Gpu<Operand>,
    groups: Groups,
    args: Arguments<Operand>,
    result: Operand,
    partial?: Operand,
    scale?: number,
  ): void
}

/** y[i] = value(i, group of i, ...args) */
export interface Elements {
  /** the most used programs, to be compiled beforehand */
  readonly programs: readonly Program[]
  run<Operand>(gpu: Gpu<Operand>, groups: Groups, args: Arguments<Operand>, y: Operand): void
}

/** A walk as arguments: its shape, outer shape, strides and outer strides. */
const WALK = ['four', 'four', 'four', 'four'] as const
/** The widths that softmax and norms need, whose programs are compiled beforehand. */
const OF_GROUPS = ['line', 'plane'] as const
const OF_ELEMENTS = ['plane', 'narrow'] as const
const argumentsOf = (kinds: readonly ArgumentKind[]): string => kinds.map((_, j) => `, a${j}`).join('')

/** size, parts: of a group */
const COUNTS = ['groups', 'size', 'parts', 'scale'] as const

/**
 * Part p of a group has the values p, p + parts, ... At most 64 are added in a chain: Note [Long sums] in index.ts.
 */
const partOf = (f: ReduceFunction, args: string): string => `function value(i${args}, counts,
    shape, outerShape, strides, outerStrides, runShape, runOuterShape, runStrides, runOuterStrides) {
  const part = quotient(i, counts.groups)
  const group = i - part * counts.groups
  const start = groupOffset(group, shape, strides, outerShape, outerStrides)
  let block = term(start + runOffset(part, runShape, runStrides, runOuterShape, runOuterStrides), group${args})
  let result = ${f === 'sum' ? '0.0' : 'block'}
  let left = 64.0
  for (let j = part + counts.parts; j < counts.size; j += counts.parts) {
    const next = term(start + runOffset(j, runShape, runStrides, runOuterShape, runOuterStrides), group${args})
    block = combine(block, next)
    left = left - 1.0
    if (left < 1.0) {
      result = combine(result, block)
      block = ${f === 'sum' ? '0.0' : 'result'}
      left = 64.0
    }
  }
  return combine(result, block) * counts.scale
}`

const COMBINE = { sum: BINARY.add, max: BINARY.maximum }

/** @param kinds  of the arguments of `term` after j and group */
export function reduction(
  name: string,
  f: ReduceFunction,
  term: Source,
  kinds: readonly ArgumentKind[],
  helpers: Helpers = {},
): Reduction {
  const programOf = (groups: Width, run: Width): Program =>
    eachValue(`${name}, ${groups} of ${run}`, partOf(f, argumentsOf(kinds)), [...kinds, COUNTS, ...WALK, ...WALK], {
      ...AXES,
      ...helpers,
      groupOffset: OFFSETS[groups],
      runOffset: OFFSETS[run],
      combine: COMBINE[f],
      term: { source: term, kinds: ['number', 'number', ...kinds] },
    })
  function pass<Operand>(
    gpu: Gpu<Operand>,
    { outputs, count, kept, run }: Split,
    parts: number,
    scale: number,
    args: Arguments<Operand>,
    result: Operand,
  ): void {
    const counts = packed(COUNTS, { groups: outputs, size: count, parts, scale })
    gpu.run(programOf(kept.width, run.width), [...args, counts, ...argumentsFor(kept), ...argumentsFor(run)], result)
  }
  return {
    programs: OF_GROUPS.flatMap((groups) => OF_GROUPS.map((run) => programOf(groups, run))),
    run(gpu, groups, args, result, partial, scale = 1) {
      const split = splitOf(groups)
      if (partial === undefined) return pass(gpu, split, 1, scale, args, result)
      const parts = partsOf(split)
      pass(gpu, split, parts, 1, args, partial)
      PLAIN[f].run(gpu, { shape: [parts, split.outputs], reduced: [true, false] }, [partial], result, undefined, scale)
    },
  }
}

function valueTerm(j: number, _group: number, x: Texels): number {
  return at(x, j)
}

/** Reductions of the values as they are. */
export const PLAIN: { readonly [Name in ReduceFunction]: Reduction } = {
  sum: reduction('reduce sum', 'sum', valueTerm, ['texels']),
  max: reduction('reduce max', 'max', valueTerm, ['texels']),
}

function powerTerm(j: number, group: number, x: Texels, max: Texels): number {
  return exponential(at(x, j) - at(max, group))
}

/** The sum of exp(x - max) over each group of x; the maxima of the groups are given. */
export const POWERS = reduction('softmax, totals', 'sum', powerTerm, ['texels', 'texels'])

/** @param kinds  of the arguments of `value` after i and group */
export function elements(name: string, value: Source, kinds: readonly ArgumentKind[], helpers: Helpers = {}): Elements {
  const args = argumentsOf(kinds)
  const source = `function value(i${args}, shape, outerShape, strides, outerStrides) {
    return element(i, offset(i, shape, strides, outerShape, outerStrides)${args})
  }`
  const programOf = (width: Width): Program =>
    eachValue(`${name}, ${width}`, source, [...kinds, ...WALK], {
      ...INDEXING[width],
      ...helpers,
      element: { source: value, kinds: ['number', 'number', ...kinds] },
    })
  return {
    programs: OF_ELEMENTS.map(programOf),
    run(gpu, { shape, reduced }, args, y) {
      const group = contiguous(shape.map((size, axis) => (reduced[axis] ? 1 : size)))
      const axes = walk(shape, [group.map((stride, axis) => (reduced[axis] ? 0 : stride))])
      gpu.run(programOf(axes.width), [...args, ...argumentsFor(axes)], y)
    },
  }
}

/** The axes that stay and those that are reduced, with the number of values along either. */
interface Split {
  readonly outputs: number
  readonly count: number
  readonly kept: Walk
  readonly run: Walk
}

function splitOf({ shape, reduced }: Groups): Split {
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

function argumentsFor({ shape, outerShape, strides: [[own, outer]] }: Walk): readonly Four[] {
  return [shape, outerShape, own, outer]
}

/** The number of parts that keeps a GPU busy, and the number of values that makes a part worthwhile. */
const BUSY = 4096
const LEAST_RUN = 16

/**
 * The parts of each of `outputs` groups of `count` values. A part has at most 8192, because a tensor has at most 2^24.
 */
export function partsOf({ outputs, count }: { readonly outputs: number; readonly count: number }): number {
  return Math.max(1, Math.min(Math.floor(BUSY / outputs), Math.floor(count / LEAST_RUN)))
}

/** The sizes, in values, of the workspaces of a reduction: one for its parts, or none. */
export function partialSizes({ shape, reduced }: Groups): readonly number[] {
  const outputs = product(shape.filter((_, axis) => !reduced[axis]))
  const parts = partsOf({ outputs, count: product(shape) / outputs })
  return parts > 1 ? [parts * outputs] : []
}
