/** Functions of one, two and three tensors: lines of assembly/unary.ts and power.ts, planes of assembly/binary.ts. */
import type { BinaryFunction, Unary, UnaryFunction } from '../kernels.js'
import { contiguous } from '../reference/strides.js'
import type { SimdKernel } from './kernel.js'
import { CHEAP_GRAIN } from './parts.js'
import { eachPlane } from './planes.js'

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

/** The first eight pass as fast as memory does, the others take some ten times as long. */
const grainOf = (name: UnaryFunction) => (name !== 'pow' && UNARY[name] < 8 ? CHEAP_GRAIN : CHEAP_GRAIN / 8)

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
      assembly.inParts('fill', [size, y, 1], { count: 0, steps: [0, 4], grain: CHEAP_GRAIN })
    } else {
      assembly.inParts('power', [size, x, y, a], { count: 0, steps: [0, 4, 4], grain: grainOf(name) })
    }
  },
}

export const unaryGradient: SimdKernel<'unaryGradient'> = {
  covers,
  run(assembly, { size, function: name, a, b }, [dy, s], [dx]) {
    // The derivatives of x^0 and x^1 are 0 and 1, even at NaN: those of affine functions.
    const line = name === 'pow' && (a === 0 || a === 1)
    if (name === 'pow' && !line) {
      assembly.inParts('powerGradient', [size, dy, s, dx, a], { count: 0, steps: [0, 4, 4, 4], grain: grainOf(name) })
    } else {
      const cut = { count: 1, steps: [0, 0, 4, 4, 4], grain: grainOf(name) }
      assembly.inParts('unaryGradient', [UNARY[name === 'pow' ? 'affine' : name], size, dy, s, dx, a, b], cut)
    }
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
