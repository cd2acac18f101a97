/** Functions of one, two and three tensors: lines of assembly/unary.ts, planes of assembly/binary.ts. */
import type { BinaryFunction, UnaryFunction } from '../kernels.js'
import { contiguous } from '../reference/strides.js'
import type { SimdKernel } from './kernel.js'
import { CHEAP_GRAIN } from './parts.js'
import { eachPlane } from './planes.js'

/** The numbers by which assembly/unary.ts knows the functions that it has. */
const UNARY: { readonly [Name in UnaryFunction]?: number } = {
  neg: 0,
  abs: 1,
  sqrt: 2,
  square: 3,
  relu: 4,
  leakyRelu: 5,
  clamp: 6,
  affine: 7,
}

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

export const unary: SimdKernel<'unary'> = {
  covers: (p) => p.function in UNARY,
  run(assembly, p, [x], [y]) {
    const args = [UNARY[p.function] ?? -1, p.size, x, y, p.a, p.b]
    assembly.inParts('unary', args, { count: 1, steps: [0, 0, 4, 4], grain: CHEAP_GRAIN })
  },
}

export const unaryGradient: SimdKernel<'unaryGradient'> = {
  covers: (p) => p.function in UNARY,
  run(assembly, p, [dy, s], [dx]) {
    const args = [UNARY[p.function] ?? -1, p.size, dy, s, dx, p.a, p.b]
    assembly.inParts('unaryGradient', args, { count: 1, steps: [0, 0, 4, 4, 4], grain: CHEAP_GRAIN })
  },
}

export const binary: SimdKernel<'binary'> = {
  run(assembly, { shape, stridesA, stridesB, function: name }, [a, b], [y]) {
    const strides = [contiguous(shape), stridesA, stridesB]
    eachPlane(shape, strides, ({ rows, length, starts: [toY, toA, toB], rowSteps, steps }) => {
      const [, rowA, rowB] = rowSteps
      const [, stepA, stepB] = steps
      const args = [BINARY[name], a + toA, b + toB, y + toY, rows, length, rowA, rowB, stepA, stepB]
      const cut =
        rows > 1
          ? { count: 4, steps: [0, rowA, rowB, 4 * length], grain: Math.ceil(CHEAP_GRAIN / length) }
          : { count: 5, steps: [0, stepA, stepB, 4], grain: CHEAP_GRAIN }
      assembly.inParts('binary', args, cut)
    })
  },
}

export const binaryGradient: SimdKernel<'binaryGradient'> = {
  run(assembly, { shape, stridesA, stridesB, function: name, side }, [dy, a, b], [dx]) {
    const towards = BINARY_GRADIENT[name][side]
    const strides = [contiguous(shape), stridesA, stridesB]
    eachPlane(shape, strides, ({ rows, length, starts: [to, toA, toB], rowSteps, steps }) => {
      const [, rowA, rowB] = rowSteps
      const [, stepA, stepB] = steps
      assembly.binaryGradient(towards, dy + to, a + toA, b + toB, dx + to, rows, length, rowA, rowB, stepA, stepB)
    })
  },
}

export const select: SimdKernel<'select'> = {
  run(assembly, { shape, stridesCondition, stridesA, stridesB }, [condition, a, b], [y]) {
    const strides = [contiguous(shape), stridesCondition, stridesA, stridesB]
    eachPlane(shape, strides, ({ rows, length, starts: [toY, toC, toA, toB], rowSteps, steps }) => {
      assembly.select(condition + toC, a + toA, b + toB, y + toY, rows, length, ...rowSteps.slice(1), ...steps.slice(1))
    })
  },
}
