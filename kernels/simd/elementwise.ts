/**
 * Functions of one, two and three tensors: lines of assembly/unary.ts and power.ts, planes of assembly/binary.ts. The
 * assembly exports each function of kernels/functions.ts by its name; this file does not compile if one is missing.
 */
import { type BinaryFunction, UNARY, type UnaryFunction } from '../functions.js'
import type { Unary } from '../kernels.js'
import { BITS, maskSize } from '../packing.js'
import { contiguous } from '../strides.js'
import { CHEAP_GRAIN, DEAR_GRAIN, PLANE_STEPS } from './layout.js'
import { PlaneSteps } from './machine/compiled.js'
import type { SimdKernel } from './machine/kernel.js'
import type { Assembly } from './machine/module.js'
import { eachPlane } from './machine/planes.js'

/** A function that rounds once is as fast as memory; others take about as long as an exponential. */
const grainOf = (name: UnaryFunction) => (UNARY[name].ulps === undefined ? CHEAP_GRAIN : DEAR_GRAIN)

/** Elements of a mask in a part. */
const MASK_GRAIN = Math.ceil(CHEAP_GRAIN / BITS)

/** Functions that no step spends time in: plain loops are fast enough. */
const PLAIN = ['sin', 'cos', 'sign', 'floor', 'round'] as const
type Vectorized = Exclude<UnaryFunction, (typeof PLAIN)[number]>
const isVectorized = (name: UnaryFunction): name is Vectorized => !PLAIN.some((plain) => plain === name)

/** Infinite exponents have corner cases that only the plain loops know. */
const covers = (p: Unary) => isVectorized(p.function) && (p.function !== 'pow' || Number.isFinite(p.a))

const fill = (assembly: Assembly, size: number, y: number, value: number) =>
  assembly.inParts('fill', [size, y, value], { count: 0, steps: [0, 4], grain: CHEAP_GRAIN })

export const unary: SimdKernel<'unary'> = {
  covers,
  run(assembly, { size, function: name, a, b }, [x], [y]) {
    if (!isVectorized(name)) throw new Error(`${name} has plain loops only`)
    // x^0 is 1, even for NaN
    if (name === 'pow' && a === 0) return fill(assembly, size, y, 1)
    assembly.inParts(name, [size, x, y, a, b], { count: 0, steps: [0, 4, 4], grain: grainOf(name) })
  },
}

export const unaryGradient: SimdKernel<'unaryGradient'> = {
  covers,
  run(assembly, { size, function: name, a, b }, [dy, s], [dx]) {
    if (!isVectorized(name)) throw new Error(`${name} has plain loops only`)
    // the gradient of x^0 is 0, even if dy or x is NaN
    if (name === 'pow' && a === 0) return fill(assembly, size, dx, 0)
    // The derivative of x^1 is 1, even at NaN, as that of an affine function.
    const f = name === 'pow' && a === 1 ? 'affine' : name
    assembly.inParts(`${f}Gradient`, [size, dy, s, dx, a, b], { count: 0, steps: [0, 4, 4, 4], grain: grainOf(name) })
  },
}

export const mask: SimdKernel<'mask'> = {
  run(assembly, { size, function: name, a, b }, [s], [bits]) {
    const cut = { count: 0, steps: [0, 0, -BITS, 4 * BITS, 4], grain: MASK_GRAIN }
    assembly.inParts(`${name}Mask`, [maskSize(size), BITS, size, s, bits, a, b], cut)
  },
}

export const maskGradient: SimdKernel<'maskGradient'> = {
  run(assembly, { size, slope }, [dy, bits], [dx]) {
    const cut = { count: 0, steps: [0, 0, -BITS, 4 * BITS, 4, 4 * BITS], grain: MASK_GRAIN }
    assembly.inParts('maskGradient', [maskSize(size), BITS, size, dy, bits, dx, slope], cut)
  },
}

/** The functions of the gradients of both sides. At a maximum the gradient goes to the side that is not less. */
const BINARY_GRADIENT = {
  div: ['divA', 'divB'],
  maximum: ['whereNotLess', 'whereNotGreater'],
  minimum: ['whereNotGreater', 'whereNotLess'],
} as const

type PlaneFunction = Exclude<BinaryFunction, 'power'> | (typeof BINARY_GRADIENT)['div' | 'maximum'][0 | 1] | 'select'

/**
 * Inputs, broadcast by their strides, -> y, a plane at a time. The parts of a plane are rows; a single row is cut by its
 * numbers. The function gets operands, rows and length, and reads from memory the steps of the inputs, which are the same
 * for all planes.
 */
function onPlanes(
  assembly: Assembly,
  name: PlaneFunction,
  shape: readonly number[],
  inputs: readonly number[],
  strides: readonly (readonly number[])[],
  y: number,
): void {
  const operands = [...inputs, y]
  const count = operands.length
  let stored = false
  eachPlane(shape, [...strides, contiguous(shape)], ({ rows, length, starts, rowSteps, steps }) => {
    if (!stored) {
      const [rowA, rowB, rowC] = rowSteps
      const [a, b, c] = steps
      assembly.store(PLANE_STEPS, PlaneSteps({ rowA, rowB, rowC, a, b, c }))
      stored = true
    }
    assembly.inParts(
      name,
      [...operands.map((address, k) => address + starts[k]), rows, length],
      rows > 1
        ? { count, steps: rowSteps, grain: Math.ceil(CHEAP_GRAIN / length) }
        : { count: count + 1, steps, grain: CHEAP_GRAIN },
    )
  })
}

/** Powers with a tensor of exponents have plain loops only. */
export const binary: SimdKernel<'binary'> = {
  covers: (p) => p.function !== 'power',
  run(assembly, { shape, stridesA, stridesB, function: name }, inputs, [y]) {
    if (name === 'power') throw new Error(`${name} has plain loops only`)
    onPlanes(assembly, name, shape, inputs, [stridesA, stridesB], y)
  },
}

export const binaryGradient: SimdKernel<'binaryGradient'> = {
  covers: (p) => p.function !== 'power',
  run(assembly, { shape, stridesA, stridesB, function: name, side }, inputs, [dx]) {
    if (name === 'power') throw new Error(`${name} has plain loops only`)
    onPlanes(assembly, BINARY_GRADIENT[name][side], shape, inputs, [contiguous(shape), stridesA, stridesB], dx)
  },
}

export const select: SimdKernel<'select'> = {
  run(assembly, { shape, stridesCondition, stridesA, stridesB }, inputs, [y]) {
    onPlanes(assembly, 'select', shape, inputs, [stridesCondition, stridesA, stridesB], y)
  },
}
