/** Functions of one, two and three tensors, and their gradients. */
import type { BinaryFunction, UnaryFunction } from '../functions.js'
import type { KernelParameters } from '../kernels.js'
import { contiguous } from '../strides.js'
import { type Broadcast, broadcast, texelwise } from './machine/elementwise.js'
import { POWERS, UNARY } from './machine/functions.js'
import { BINARY, OF_POWERS, powerA, powerB } from './machine/functions-of-two.js'
import type { GpuKernel } from './machine/kernel.js'

/** One program for each function, so that the function is not chosen again for each value. */
function perFunction<Name extends string, P>(functions: Readonly<Record<Name, unknown>>, make: (name: Name) => P) {
  const names = Object.keys(functions) as Name[]
  return Object.fromEntries(names.map((name) => [name, make(name)])) as { readonly [N in Name]: P }
}

const UNARY_PROGRAMS = perFunction(UNARY, (name: UnaryFunction) => {
  const { f, constants, helpers } = UNARY[name]
  return texelwise(`unary ${name}`, f, 1, constants, helpers)
})
const GRADIENT_PROGRAMS = perFunction(UNARY, (name: UnaryFunction) => {
  const { gradient, constants, helpers } = UNARY[name]
  return texelwise(`unaryGradient ${name}`, gradient, 2, constants, helpers)
})

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

const BINARY_PROGRAMS = perFunction(BINARY, (name: BinaryFunction) =>
  broadcast(`binary ${name}`, BINARY[name], 2, name === 'power' ? POWERS : {}),
)

export const binary: GpuKernel<'binary'> = {
  programs: Object.values(BINARY_PROGRAMS).flatMap(({ programs }) => programs),
  run(gpu, { shape, stridesA, stridesB, function: name }, inputs, [y]) {
    BINARY_PROGRAMS[name].run(gpu, shape, [stridesA, stridesB], inputs, y)
  },
}

function divA(dy: number, _a: number, b: number): number {
  return dy / b
}
/** -dy a / b^2; b^2 alone can be 0 or infinite even if the quotients are not */
function divB(dy: number, a: number, b: number): number {
  return -(dy / b) * (a / b)
}

/** The gradient of a for a maximum, and of b for a minimum. A tie gives half to each. */
function whereAbove(dy: number, a: number, b: number): number {
  return a === b ? 0.5 * dy : a < b ? 0 : dy
}
function whereBelow(dy: number, a: number, b: number): number {
  return a === b ? 0.5 * dy : a > b ? 0 : dy
}

const ABOVE = broadcast('binaryGradient above', whereAbove, 3)
const BELOW = broadcast('binaryGradient below', whereBelow, 3)
type Function = KernelParameters['binaryGradient']['function']
const GRADIENTS: { readonly [Name in Function]: readonly [Broadcast, Broadcast] } = {
  div: [broadcast('binaryGradient div a', divA, 3), broadcast('binaryGradient div b', divB, 3)],
  maximum: [ABOVE, BELOW],
  minimum: [BELOW, ABOVE],
  power: [
    broadcast('binaryGradient power a', powerA, 3, OF_POWERS),
    broadcast('binaryGradient power b', powerB, 3, OF_POWERS),
  ],
}

export const binaryGradient: GpuKernel<'binaryGradient'> = {
  programs: [...GRADIENTS.div, ...GRADIENTS.power, ABOVE, BELOW].flatMap(({ programs }) => programs),
  run(gpu, { shape, stridesA, stridesB, function: name, side }, inputs, [dx]) {
    GRADIENTS[name][side].run(gpu, shape, [contiguous(shape), stridesA, stridesB], inputs, dx)
  },
}

/** A condition of NaN is true: it is not 0. */
function chosen(condition: number, a: number, b: number): number {
  return condition === 0 ? b : a
}

const SELECT = broadcast('select', chosen, 3)

export const select: GpuKernel<'select'> = {
  programs: SELECT.programs,
  run(gpu, { shape, stridesCondition, stridesA, stridesB }, inputs, [y]) {
    SELECT.run(gpu, shape, [stridesCondition, stridesA, stridesB], inputs, y)
  },
}
