/**
 * Functions of three tensors: `select`, and the gradients of binary functions. Texel by texel where all are alike,
 * value by value where one is broadcast.
 */
import type { KernelParameters } from '../kernels.js'
import { contiguous } from '../strides.js'
import { alike } from './elementwise.js'
import { at } from './machine/builtins.js'
import { INDEXING, type Walk, type Width, walk } from './machine/indexing.js'
import type { GpuKernel } from './machine/kernel.js'
import {
  eachValue,
  type Four,
  type Gpu,
  type Program,
  type Source,
  type Texels,
  type Thread,
} from './machine/program.js'

declare function f(x: number, a: number, b: number): number
declare function offset(i: number, shape: Four, strides: Four, outerShape: Four, outerStrides: Four): number

function ofTexels(this: Thread, x: Texels, a: Texels, b: Texels): Four {
  const u = x[this.thread.x]
  const v = a[this.thread.x]
  const w = b[this.thread.x]
  return [f(u[0], v[0], w[0]), f(u[1], v[1], w[1]), f(u[2], v[2], w[2]), f(u[3], v[3], w[3])]
}

function ofStrided(
  i: number,
  x: Texels,
  a: Texels,
  b: Texels,
  shape: Four,
  outerShape: Four,
  stridesX: Four,
  outerX: Four,
  stridesA: Four,
  outerA: Four,
  stridesB: Four,
  outerB: Four,
): number {
  const u = at(x, offset(i, shape, stridesX, outerShape, outerX))
  const v = at(a, offset(i, shape, stridesA, outerShape, outerA))
  const w = at(b, offset(i, shape, stridesB, outerShape, outerB))
  return f(u, v, w)
}

/** One function, for each way that operands may lie. */
interface Programs {
  readonly texels: Program
  readonly strided: { readonly [W in Width]: Program }
}

const TEXELS = ['texels', 'texels', 'texels'] as const
const STRIDED = [...TEXELS, 'four', 'four', 'four', 'four', 'four', 'four', 'four', 'four'] as const

function programsOf(name: string, source: Source): Programs {
  const strided = (width: Width) =>
    eachValue(`${name}, ${width}`, ofStrided, STRIDED, { ...INDEXING[width], f: source })
  return {
    texels: { name, source: ofTexels, kinds: TEXELS, helpers: { f: source } },
    strided: { line: strided('line'), plane: strided('plane'), narrow: strided('narrow'), wide: strided('wide') },
  }
}

const all = ({ texels, strided }: Programs): Program[] => [texels, ...Object.values(strided)]

/** @param axes  of the output, x, a and b */
function run<Operand>(gpu: Gpu<Operand>, programs: Programs, axes: Walk, operands: readonly Operand[], y: Operand) {
  if (alike(axes)) return gpu.run(programs.texels, operands, y)
  const [, ...strides] = axes.strides
  gpu.run(programs.strided[axes.width], [...operands, axes.shape, axes.outerShape, ...strides.flat()], y)
}

/** A condition of NaN is true: it is not 0. */
function chosen(condition: number, a: number, b: number): number {
  return condition === 0 ? b : a
}

const SELECT = programsOf('select', chosen)

export const select: GpuKernel<'select'> = {
  programs: all(SELECT),
  run(gpu, { shape, stridesCondition, stridesA, stridesB }, inputs, [y]) {
    run(gpu, SELECT, walk(shape, [contiguous(shape), stridesCondition, stridesA, stridesB]), inputs, y)
  },
}

function divA(dy: number, _a: number, b: number): number {
  return dy / b
}
/** -dy a / b^2, of which b^2 may be 0 or infinite where the quotients are not */
function divB(dy: number, a: number, b: number): number {
  return -(dy / b) * (a / b)
}

/** The gradient of a maximum towards a, and of a minimum towards b. A tie gives half to each. */
function whereAbove(dy: number, a: number, b: number): number {
  return a === b ? 0.5 * dy : a < b ? 0 : dy
}
function whereBelow(dy: number, a: number, b: number): number {
  return a === b ? 0.5 * dy : a > b ? 0 : dy
}

type Function = KernelParameters['binaryGradient']['function']

const GRADIENTS: { readonly [Name in Function]: readonly [Programs, Programs] } = {
  div: [programsOf('binaryGradient div a', divA), programsOf('binaryGradient div b', divB)],
  maximum: [programsOf('binaryGradient above', whereAbove), programsOf('binaryGradient below', whereBelow)],
  minimum: [programsOf('binaryGradient below', whereBelow), programsOf('binaryGradient above', whereAbove)],
}

export const binaryGradient: GpuKernel<'binaryGradient'> = {
  programs: [...GRADIENTS.div, ...GRADIENTS.maximum].flatMap(all),
  run(gpu, { shape, stridesA, stridesB, function: name, side }, inputs, [dx]) {
    const axes = walk(shape, [contiguous(shape), contiguous(shape), stridesA, stridesB])
    run(gpu, GRADIENTS[name][side], axes, inputs, dx)
  },
}
