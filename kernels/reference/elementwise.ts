/**
 * Elementwise kernels: fill, blend, sum of squares, functions of one and of two tensors, select.
 *
 * UNARY is the definition of the functions of one tensor, each beside its derivative. Functions that every
 * training step runs on every activation also have a loop of their own below, because a call per element
 * costs more than the arithmetic. Not here: un-broadcasting a gradient, which is a `reduce`.
 */
import type { BinaryFunction, Floats, Kernels, UnaryFunction } from '../kernels.js'
import { erfc } from './erf.js'
import { contiguous, eachLine } from './strides.js'

/** f, and f' as a function of x or of y = f(x): that is the tensor a gradient has to keep. */
export interface UnaryDefinition {
  f(x: number, a: number, b: number): number
  derivativeIn: 'x' | 'y'
  derivative(s: number, a: number, b: number): number
}

// No overflow on either side: the exponent is never positive.
const sigmoid = (x: number) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)))
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))

/** Distribution and density of the standard normal. */
const normal = (x: number) => erfc(-x / Math.SQRT2) / 2
const normalDensity = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)

export const UNARY: { readonly [Name in UnaryFunction]: UnaryDefinition } = {
  neg: { f: (x) => -x, derivativeIn: 'x', derivative: () => -1 },
  abs: { f: Math.abs, derivativeIn: 'x', derivative: Math.sign },
  exp: { f: Math.exp, derivativeIn: 'y', derivative: (y) => y },
  log: { f: Math.log, derivativeIn: 'x', derivative: (x) => 1 / x },
  sqrt: { f: Math.sqrt, derivativeIn: 'y', derivative: (y) => 0.5 / y },
  square: { f: (x) => x * x, derivativeIn: 'x', derivative: (x) => 2 * x },
  // x > 0 exactly where y > 0, so y will do: the next layer keeps it anyway. A NaN passes through.
  relu: { f: (x) => Math.max(x, 0), derivativeIn: 'y', derivative: (y) => (y <= 0 ? 0 : 1) },
  leakyRelu: {
    f: (x, slope) => (x > 0 ? x : slope * x),
    derivativeIn: 'x',
    derivative: (x, slope) => (x > 0 ? 1 : slope),
  },
  sigmoid: { f: sigmoid, derivativeIn: 'y', derivative: (y) => y * (1 - y) },
  tanh: { f: Math.tanh, derivativeIn: 'y', derivative: (y) => 1 - y * y },
  gelu: { f: (x) => x * normal(x), derivativeIn: 'x', derivative: (x) => normal(x) + x * normalDensity(x) },
  silu: {
    f: (x) => x * sigmoid(x),
    derivativeIn: 'x',
    derivative: (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))),
  },
  softplus: { f: softplus, derivativeIn: 'x', derivative: sigmoid },
  clamp: {
    f: (x, low, high) => Math.min(Math.max(x, low), high),
    derivativeIn: 'x',
    derivative: (x, low, high) => (x >= low && x <= high ? 1 : 0),
  },
  pow: {
    f: (x, exponent) => x ** exponent,
    derivativeIn: 'x',
    derivative: (x, exponent) => (exponent === 0 ? 0 : exponent * x ** (exponent - 1)),
  },
  affine: { f: (x, a, b) => a * x + b, derivativeIn: 'x', derivative: (_, a) => a },
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

/** Gradients towards a (side 0) and b (side 1). A tie of maximum or minimum gives half to each, as in PyTorch. */
const BINARY_GRADIENT: {
  readonly [Name in 'div' | 'maximum' | 'minimum']: readonly [
    (dy: number, a: number, b: number) => number,
    (dy: number, a: number, b: number) => number,
  ]
} = {
  div: [(dy, _, b) => dy / b, (dy, a, b) => (-dy * a) / (b * b)],
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

export const addSumOfSquares: Kernels['addSumOfSquares'] = ({ size }, [sum, x], [out]) => {
  let total = 0
  for (let i = 0; i < size; i++) total += x[i] * x[i]
  out[0] = sum[0] + total
}

export const unary: Kernels['unary'] = ({ size, function: name, a, b }, [x], [y]) => {
  if (name === 'relu') return relu(size, x, y)
  const { f } = UNARY[name]
  for (let i = 0; i < size; i++) y[i] = f(x[i], a, b)
}

export const unaryGradient: Kernels['unaryGradient'] = ({ size, function: name, a, b }, [dy, s], [dx]) => {
  if (name === 'relu') return reluGradient(size, dy, s, dx)
  const { derivative } = UNARY[name]
  for (let i = 0; i < size; i++) dx[i] = dy[i] * derivative(s[i], a, b)
}

function relu(size: number, x: Floats, y: Floats): void {
  for (let i = 0; i < size; i++) y[i] = Math.max(x[i], 0)
}

/** A product with 0 or 1, not a choice: the signs of activations are a coin toss that no processor predicts. */
function reluGradient(size: number, dy: Floats, s: Floats, dx: Floats): void {
  for (let i = 0; i < size; i++) dx[i] = dy[i] * Number(!(s[i] <= 0))
}

export const binary: Kernels['binary'] = ({ shape, stridesA, stridesB, function: name }, [a, b], [y]) => {
  const f = BINARY[name]
  eachLine(shape, [contiguous(shape), stridesA, stridesB], (length, [start, startA, startB], [, stepA, stepB]) => {
    if (name === 'add') return addLine(length, a, startA, stepA, b, startB, stepB, y, start)
    if (name === 'mul') return mulLine(length, a, startA, stepA, b, startB, stepB, y, start)
    for (let j = 0; j < length; j++) y[start + j] = f(a[startA + j * stepA], b[startB + j * stepB])
  })
}

type Line = (
  length: number,
  a: Floats,
  startA: number,
  stepA: number,
  b: Floats,
  startB: number,
  stepB: number,
  y: Floats,
  start: number,
) => void

const addLine: Line = (length, a, startA, stepA, b, startB, stepB, y, start) => {
  for (let j = 0, i = startA, k = startB; j < length; j++, i += stepA, k += stepB) y[start + j] = a[i] + b[k]
}

const mulLine: Line = (length, a, startA, stepA, b, startB, stepB, y, start) => {
  for (let j = 0, i = startA, k = startB; j < length; j++, i += stepA, k += stepB) y[start + j] = a[i] * b[k]
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
