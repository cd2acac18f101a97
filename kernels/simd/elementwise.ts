/** Functions of one, two and three tensors: lines of assembly/unary.ts and power.ts, planes of assembly/binary.ts. */
import type { BinaryFunction, Unary, UnaryFunction } from '../kernels.js'
import { contiguous } from '../strides.js'
import { CHEAP_GRAIN, DEAR_GRAIN } from './layout.js'
import type { SimdKernel } from './machine/kernel.js'
import type { Assembly } from './machine/module.js'
import { eachPlane } from './machine/planes.js'
import { fillWith } from './movement.js'

/** The numbers by which assembly/unary.ts knows the functions. Powers are in a file of their own. */
const UNARY: { readonly [Name in Exclude<UnaryFunction, 'pow'>]: number } = {
  neg: 0,
  abs: 1,
  sqrt: 2,
  square: 3,
  relu: 4,
  leakyRelu: 5,
  clamp: 6,
  affine: 7,
  exp: 8,
  log: 9,
  sigmoid: 10,
  tanh: 11,
  gelu: 12,
  silu: 13,
  softplus: 14,
}

/** The first eight pass as fast as memory does. */
const grainOf = (name: UnaryFunction) => (name !== 'pow' && UNARY[name] < 8 ? CHEAP_GRAIN : DEAR_GRAIN)

/** And those of assembly/binary.ts. */
const BINARY: { readonly [Name in BinaryFunction]: number } = {
  add: 0,
  sub: 1,
  mul: 2,
  div: 3,
  maximum: 4,
  minimum: 5,
  less: 6,
  lessEqual: 7,
  greater: 8,
  greaterEqual: 9,
  equal: 10,
  notEqual: 11,
  keepWhere: 12,
  keepUnless: 13,
}

/** By side; towards the greater of two is away from the smaller. */
const BINARY_GRADIENT = { div: [0, 1], maximum: [2, 3], minimum: [3, 2] } as const

/** Infinite exponents have corners of their own. */
const covers = (p: Unary) => p.function !== 'pow' || Number.isFinite(p.a)

export const unary: SimdKernel<'unary'> = {
  covers,
  run(assembly, { size, function: name, a, b }, [x], [y]) {
    if (name !== 'pow') {
      const cut = { count: 1, steps: [0, 0, 4, 4], grain: grainOf(name) }
      assembly.inParts('unary', [UNARY[name], size, x, y, a, b], cut)
    } else if (a === 0) {
      // 1, even of NaN
      fillWith(assembly, size, y, 1)
    } else {
      assembly.inParts('power', [size, x, y, a], { count: 0, steps: [0, 4, 4], grain: grainOf(name) })
    }
  },
}

export const unaryGradient: SimdKernel<'unaryGradient'> = {
  covers,
  run(assembly, { size, function: name, a, b }, [dy, s], [dx]) {
    if (name === 'pow' && a === 0) {
      // even where dy or x is NaN
      fillWith(assembly, size, dx, 0)
    } else if (name === 'pow' && a !== 1) {
      assembly.inParts('powerGradient', [size, dy, s, dx, a], { count: 0, steps: [0, 4, 4, 4], grain: grainOf(name) })
    } else {
      // The derivative of x^1 is 1, even at NaN: that of an affine function.
      const cut = { count: 1, steps: [0, 0, 4, 4, 4], grain: grainOf(name) }
      assembly.inParts('unaryGradient', [UNARY[name === 'pow' ? 'affine' : name], size, dy, s, dx, a, b], cut)
    }
  },
}

/**
 * Inputs, broadcast by their strides, -> y, a plane at a time: in parts by rows, or a single row by its numbers.
 * @param code  what the function begins with; then come operands, sizes and the inputs' steps
 */
function onPlanes(
  assembly: Assembly,
  name: 'binary' | 'binaryGradient' | 'select',
  code: readonly number[],
  shape: readonly number[],
  inputs: readonly number[],
  strides: readonly (readonly number[])[],
  y: number,
): void {
  const operands = [...inputs, y]
  eachPlane(shape, [...strides, contiguous(shape)], ({ rows, length, starts, rowSteps, steps }) => {
    const sizes = [rows, length, ...rowSteps.slice(0, -1), ...steps.slice(0, -1)]
    const still = code.map(() => 0)
    const count = code.length + operands.length
    assembly.inParts(
      name,
      [...code, ...operands.map((address, k) => address + starts[k]), ...sizes],
      rows > 1
        ? { count, steps: [...still, ...rowSteps], grain: Math.ceil(CHEAP_GRAIN / length) }
        : { count: count + 1, steps: [...still, ...steps], grain: CHEAP_GRAIN },
    )
  })
}

export const binary: SimdKernel<'binary'> = {
  run(assembly, { shape, stridesA, stridesB, function: name }, inputs, [y]) {
    onPlanes(assembly, 'binary', [BINARY[name]], shape, inputs, [stridesA, stridesB], y)
  },
}

export const binaryGradient: SimdKernel<'binaryGradient'> = {
  run(assembly, { shape, stridesA, stridesB, function: name, side }, inputs, [dx]) {
    const towards = BINARY_GRADIENT[name][side]
    onPlanes(assembly, 'binaryGradient', [towards], shape, inputs, [contiguous(shape), stridesA, stridesB], dx)
  },
}

export const select: SimdKernel<'select'> = {
  run(assembly, { shape, stridesCondition, stridesA, stridesB }, inputs, [y]) {
    onPlanes(assembly, 'select', [], shape, inputs, [stridesCondition, stridesA, stridesB], y)
  },
}
