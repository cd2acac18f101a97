/**
 * Functions of one tensor and of two. Where all operands are alike, texel by texel: one read of each gives four values.
 * Where one is broadcast, value by value.
 */
import type { BinaryFunction, UnaryFunction } from '../functions.js'
import { contiguous } from '../strides.js'
import { BINARY, UNARY } from './machine/functions.js'
import { INDEXING, type Walk, type Width, walk } from './machine/indexing.js'
import type { GpuKernel } from './machine/kernel.js'
import { eachValue, type Four, type Program, type Source, type Texels, type Thread } from './machine/program.js'

declare function f(...numbers: number[]): number
declare function at(x: Texels, i: number): number
declare function offset(i: number, shape: Four, strides: Four, outerShape: Four, outerStrides: Four): number

function ofTexel(this: Thread, x: Texels): Four {
  const v = x[this.thread.x]
  return [f(v[0]), f(v[1]), f(v[2]), f(v[3])]
}

function ofTexelWithConstants(this: Thread, x: Texels, a: number, b: number): Four {
  const v = x[this.thread.x]
  return [f(v[0], a, b), f(v[1], a, b), f(v[2], a, b), f(v[3], a, b)]
}

function gradientOfTexel(this: Thread, dy: Texels, s: Texels): Four {
  const d = dy[this.thread.x]
  const v = s[this.thread.x]
  return [f(d[0], v[0]), f(d[1], v[1]), f(d[2], v[2]), f(d[3], v[3])]
}

function gradientOfTexelWithConstants(this: Thread, dy: Texels, s: Texels, a: number, b: number): Four {
  const d = dy[this.thread.x]
  const v = s[this.thread.x]
  return [f(d[0], v[0], a, b), f(d[1], v[1], a, b), f(d[2], v[2], a, b), f(d[3], v[3], a, b)]
}

function ofTwoTexels(this: Thread, a: Texels, b: Texels): Four {
  const v = a[this.thread.x]
  const w = b[this.thread.x]
  return [f(v[0], w[0]), f(v[1], w[1]), f(v[2], w[2]), f(v[3], w[3])]
}

/** a, b of any strides. */
function ofTwoStrided(
  i: number,
  a: Texels,
  b: Texels,
  shape: Four,
  outerShape: Four,
  stridesA: Four,
  outerA: Four,
  stridesB: Four,
  outerB: Four,
): number {
  const v = at(a, offset(i, shape, stridesA, outerShape, outerA))
  const w = at(b, offset(i, shape, stridesB, outerShape, outerB))
  return f(v, w)
}

/** One program for each function, so that nothing is decided for each value. */
function perFunction<Name extends string>(
  names: readonly Name[],
  make: (name: Name) => Program,
): { readonly [N in Name]: Program } {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as { [N in Name]: Program }
}

function unaryProgram(kernel: string, name: UnaryFunction, helper: Source, inputs: 1 | 2): Program {
  const { constants, helpers } = UNARY[name]
  const plain = inputs === 1 ? ofTexel : gradientOfTexel
  const withConstants = inputs === 1 ? ofTexelWithConstants : gradientOfTexelWithConstants
  const texels = inputs === 1 ? (['texels'] as const) : (['texels', 'texels'] as const)
  return {
    name: `${kernel} ${name}`,
    source: constants ? withConstants : plain,
    kinds: constants ? [...texels, 'number', 'number'] : texels,
    helpers: { ...helpers, f: helper },
  }
}

const UNARY_NAMES = Object.keys(UNARY) as UnaryFunction[]
const BINARY_NAMES = Object.keys(BINARY) as BinaryFunction[]

const UNARY_PROGRAMS = perFunction(UNARY_NAMES, (name) => unaryProgram('unary', name, UNARY[name].f, 1))
const GRADIENT_PROGRAMS = perFunction(UNARY_NAMES, (name) =>
  unaryProgram('unaryGradient', name, UNARY[name].gradient, 2),
)

export const unary: GpuKernel<'unary'> = {
  programs: Object.values(UNARY_PROGRAMS),
  run(gpu, { function: name, a, b }, [x], [y]) {
    gpu.run(UNARY_PROGRAMS[name], UNARY[name].constants ? [x, a, b] : [x], y)
  },
}

export const unaryGradient: GpuKernel<'unaryGradient'> = {
  programs: Object.values(GRADIENT_PROGRAMS),
  run(gpu, { function: name, a, b }, [dy, s], [dx]) {
    gpu.run(GRADIENT_PROGRAMS[name], UNARY[name].constants ? [dy, s, a, b] : [dy, s], dx)
  },
}

const STRIDED = ['texels', 'texels', 'four', 'four', 'four', 'four', 'four', 'four'] as const

const TEXELS = perFunction(BINARY_NAMES, (name) => ({
  name: `binary ${name}`,
  source: ofTwoTexels,
  kinds: ['texels', 'texels'],
  helpers: { f: BINARY[name] },
}))
const elements = (width: Width) =>
  perFunction(BINARY_NAMES, (name) =>
    eachValue(`binary ${name}, ${width}`, ofTwoStrided, STRIDED, { ...INDEXING[width], f: BINARY[name] }),
  )
const ELEMENTS = {
  line: elements('line'),
  plane: elements('plane'),
  narrow: elements('narrow'),
  wide: elements('wide'),
}

/** Does every operand have the elements of the output, in their order? */
export const alike = ({ shape, strides }: Walk): boolean =>
  shape[0] * shape[1] * shape[2] === 1 && strides.every(([own]) => own[3] === 1 || shape[3] === 1)

export const binary: GpuKernel<'binary'> = {
  programs: [TEXELS, ELEMENTS.line, ELEMENTS.plane, ELEMENTS.narrow, ELEMENTS.wide].flatMap((programs) =>
    Object.values(programs),
  ),
  run(gpu, { shape, stridesA, stridesB, function: name }, [a, b], [y]) {
    const axes = walk(shape, [contiguous(shape), stridesA, stridesB])
    if (alike(axes)) return gpu.run(TEXELS[name], [a, b], y)
    const [, ofA, ofB] = axes.strides
    gpu.run(ELEMENTS[axes.width][name], [a, b, axes.shape, axes.outerShape, ...ofA, ...ofB], y)
  },
}
