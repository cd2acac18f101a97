/**
 * Elementwise kernels: fill, blend, sum of squares, functions of one and of two tensors, select.
 *
 * UNARY is the definition of the functions of one tensor, each beside its derivative. Not here: un-broadcasting a
 * gradient, which is a `reduce`.
 */
import type { BinaryFunction, Kernels, UnaryFunction } from '../kernels.js'
import { contiguous, eachLine } from '../strides.js'
import { erfc } from './erf.js'

/**
 * f, and dx = dy f' with f' as a function of x or of y = f(x): that is the tensor a gradient has to keep.
 *
 * Note [Zero by choice]
 *   Where a function does not depend on x (relu below 0, clamp beyond its ends, x^0, a branch that is not taken, a sample
 *   of weight 0), its gradient is 0 whatever dy is: chosen, not the product of dy and 0, which an infinite dy makes NaN.
 *   And dy is infinite just there where the next function is steep: relu(x).sqrt() at x = -1. Where 0 is only what a
 *   slope happens to be (x^2 at 0) it is multiplied.
 */
export interface UnaryDefinition {
  f(x: number, a: number, b: number): number
  derivativeIn: 'x' | 'y'
  gradient(dy: number, s: number, a: number, b: number): number
}

// No overflow on either side: the exponent is never positive.
const sigmoid = (x: number) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)))
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))

/** IEEE 754's power, which is 1 where JavaScript's ** of 1 and -1 is NaN. */
const power = (x: number, exponent: number) =>
  x === 1 || (x === -1 && Math.abs(exponent) === Infinity) ? 1 : x ** exponent

/** Distribution and density of the standard normal. */
const normal = (x: number) => erfc(-x / Math.SQRT2) / 2
const normalDensity = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)

export const UNARY: { readonly [Name in UnaryFunction]: UnaryDefinition } = {
  neg: { f: (x) => -x, derivativeIn: 'x', gradient: (dy) => -dy },
  abs: { f: Math.abs, derivativeIn: 'x', gradient: (dy, x) => (x === 0 ? 0 : dy * Math.sign(x)) },
  exp: { f: Math.exp, derivativeIn: 'y', gradient: (dy, y) => dy * y },
  log: { f: Math.log, derivativeIn: 'x', gradient: (dy, x) => dy / x },
  sqrt: { f: Math.sqrt, derivativeIn: 'y', gradient: (dy, y) => dy / (2 * y) },
  square: { f: (x) => x * x, derivativeIn: 'x', gradient: (dy, x) => 2 * (dy * x) },
  // x > 0 exactly where y > 0, so y will do: the next layer keeps it anyway. A NaN passes through.
  relu: { f: (x) => Math.max(x, 0), derivativeIn: 'y', gradient: (dy, y) => (y <= 0 ? 0 : dy) },
  leakyRelu: {
    f: (x, slope) => (x > 0 ? x : slope * x),
    derivativeIn: 'x',
    gradient: (dy, x, slope) => (x > 0 ? dy : slope === 0 ? 0 : slope * dy),
  },
  sigmoid: { f: sigmoid, derivativeIn: 'y', gradient: (dy, y) => dy * (y * (1 - y)) },
  // 1 - y^2 would round where y is near 1
  tanh: { f: Math.tanh, derivativeIn: 'y', gradient: (dy, y) => dy * ((1 - y) * (1 + y)) },
  gelu: {
    f: (x) => x * normal(x),
    derivativeIn: 'x',
    gradient: (dy, x) => dy * (normal(x) + x * normalDensity(x)),
  },
  silu: {
    f: (x) => x * sigmoid(x),
    derivativeIn: 'x',
    gradient: (dy, x) => dy * (sigmoid(x) * (1 + x * (1 - sigmoid(x)))),
  },
  softplus: { f: softplus, derivativeIn: 'x', gradient: (dy, x) => dy * sigmoid(x) },
  clamp: {
    f: (x, low, high) => Math.min(Math.max(x, low), high),
    derivativeIn: 'x',
    gradient: (dy, x, low, high) => (x >= low && x <= high ? dy : 0),
  },
  pow: {
    f: power,
    derivativeIn: 'x',
    gradient: (dy, x, exponent) => (exponent === 0 ? 0 : dy * (exponent * power(x, exponent - 1))),
  },
  affine: { f: (x, a, b) => a * x + b, derivativeIn: 'x', gradient: (dy, _, a) => a * dy },
}

const BINARY: { readonly [Name in BinaryFunction]: (a: number, b: number) => number } = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  maximum: Math.max, // of two numbers, one NaN: NaN
  minimum: Math.min,
  less: (a, b) => (a < b ? 1 : 0),
  lessEqual: (a, b) => (a <= b ? 1 : 0),
  greater: (a, b) => (a > b ? 1 : 0),
  greaterEqual: (a, b) => (a >= b ? 1 : 0),
  equal: (a, b) => (a === b ? 1 : 0),
  notEqual: (a, b) => (a !== b ? 1 : 0),
  keepWhere: (a, b) => (b !== 0 ? a : 0), // no product: NaN * 0 is NaN
  keepUnless: (a, b) => (b === 0 ? a : 0),
}

/**
 * Gradients towards a (side 0) and b (side 1). A tie of maximum or minimum gives half to each, as in PyTorch. Division
 * takes no square of b, which may be 0 or infinite where the gradient is not: b gets -y times what a gets.
 */
const BINARY_GRADIENT: {
  readonly [Name in 'div' | 'maximum' | 'minimum']: readonly [
    (dy: number, a: number, b: number) => number,
    (dy: number, a: number, b: number) => number,
  ]
} = {
  div: [(dy, _, b) => dy / b, (dy, a, b) => -(dy / b) * (a / b)],
  maximum: [(dy, a, b) => (a === b ? dy / 2 : a < b ? 0 : dy), (dy, a, b) => (a === b ? dy / 2 : a > b ? 0 : dy)],
  minimum: [(dy, a, b) => (a === b ? dy / 2 : a > b ? 0 : dy), (dy, a, b) => (a === b ? dy / 2 : a < b ? 0 : dy)],
}

export const fill: Kernels['fill'] = ({ value }, _, [y]) => {
  y.fill(value)
}

export const blend: Kernels['blend'] = ({ size, a, b }, [old, x], [y]) => {
  if (a === 0) for (let i = 0; i < size; i++) y[i] = b * x[i]
  else for (let i = 0; i < size; i++) y[i] = a * old[i] + b * x[i]
}

/** sum [2], x -> sum: in float64 what is left out of the first is 0. What is infinite leaves nothing out. */
export const addExactly: Kernels['addExactly'] = ({ factor }, [sum, x], [out]) => {
  const total = sum[0] + sum[1] + factor * x[0]
  out[0] = total
  out[1] = Number.isFinite(out[0]) ? total - out[0] : 0
}

export const unary: Kernels['unary'] = ({ size, function: name, a, b }, [x], [y]) => {
  const { f } = UNARY[name]
  for (let i = 0; i < size; i++) y[i] = f(x[i], a, b)
}

export const unaryGradient: Kernels['unaryGradient'] = ({ size, function: name, a, b }, [dy, s], [dx]) => {
  const { gradient } = UNARY[name]
  for (let i = 0; i < size; i++) dx[i] = gradient(dy[i], s[i], a, b)
}

export const binary: Kernels['binary'] = ({ shape, stridesA, stridesB, function: name }, [a, b], [y]) => {
  const f = BINARY[name]
  eachLine(shape, [contiguous(shape), stridesA, stridesB], (length, [start, startA, startB], [, stepA, stepB]) => {
    for (let j = 0; j < length; j++) y[start + j] = f(a[startA + j * stepA], b[startB + j * stepB])
  })
}

export const binaryGradient: Kernels['binaryGradient'] = (
  { shape, stridesA, stridesB, function: name, side },
  [dy, a, b],
  [dx],
) => {
  const gradient = BINARY_GRADIENT[name][side]
  eachLine(shape, [contiguous(shape), stridesA, stridesB], (length, [start, startA, startB], [, stepA, stepB]) => {
    for (let j = 0; j < length; j++) {
      dx[start + j] = gradient(dy[start + j], a[startA + j * stepA], b[startB + j * stepB])
    }
  })
}

export const select: Kernels['select'] = ({ shape, stridesCondition, stridesA, stridesB }, [condition, a, b], [y]) => {
  const strides = [contiguous(shape), stridesCondition, stridesA, stridesB]
  eachLine(shape, strides, (length, [start, startC, startA, startB], [, stepC, stepA, stepB]) => {
    for (let j = 0; j < length; j++) {
      y[start + j] = condition[startC + j * stepC] !== 0 ? a[startA + j * stepA] : b[startB + j * stepB]
    }
  })
}
