/**
 * The functions of one and of two numbers that elementwise kernels apply, each formula beside its derivative.
 *
 * The reference dialect runs the functions of this file. The other two dialects have versions of their own, in
 * kernels/simd/assembly (unary.ts, binary.ts) and kernels/gpu/machine (functions.ts, functions-of-two.ts), and tests compare
 * them with this file.
 *
 * Note [Zero by choice]
 *   Wherever a function does not depend on x (relu below 0, clamp beyond its ends, x^0, a branch that is not taken, a
 *   sample of weight 0), its gradient is 0 for every dy: 0 is chosen. The product of dy and 0 would be NaN for an
 *   infinite dy, and dy is infinite if the next function is infinitely steep: relu(x).sqrt() at x = -1. If a slope
 *   merely happens to be 0 (x^2 at 0), dy is multiplied by it.
 */
import { erfc } from './erf.js'

export interface UnaryDefinition {
  /** a and b are the constants of `Unary` in kernels.ts. */
  f(x: number, a: number, b: number): number
  /** the argument of f' as written here, x or y = f(x): this is the tensor that a gradient has to keep */
  derivativeIn: 'x' | 'y'
  /** dx = dy f'(s), where s is x or y */
  gradient(dy: number, s: number, a: number, b: number): number
  /**
   * The largest error of y on cpu, in units in the last place. Tests check it, and `node dist/test/ulps.js NAME`
   * measures it over all float32 numbers. Left out if y is rounded as IEEE 754 rounds a single operation.
   */
  ulps?: number
}

/** The gradient where the slope is `slope`: Note [Zero by choice]. */
export const sloped = (dy: number, slope: number): number => (slope === 0 ? 0 : slope * dy)

/** Types a table: the compiler knows its names, and its entries by their common type. */
const unary = <Name extends string>(functions: Readonly<Record<Name, UnaryDefinition>>) => functions

// No overflow on either side: the exponent is never positive.
const sigmoid = (x: number) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)))
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))

/** The power of IEEE 754: an infinite power of 1 or -1 is 1, where JavaScript's ** gives NaN. */
const power = (x: number, exponent: number) =>
  x === 1 || (x === -1 && Math.abs(exponent) === Infinity) ? 1 : x ** exponent

/** The nearest whole number; of two, the even one. */
const roundToEven = (x: number) => {
  const below = Math.floor(x)
  const past = x - below
  if (past === 0.5) return below % 2 === 0 ? below : below + 1
  return past < 0.5 ? below : Math.ceil(x)
}

/** The tanh approximation of gelu is x sigmoid(v): v = 2 sqrt(2 / pi) (x + 0.044715 x^3), its slope, and the sigmoid. */
const V = 2 * Math.sqrt(2 / Math.PI)
const cubic = (x: number) => V * x * (1 + 0.044715 * x * x)
const cubicSlope = (x: number) => V * (1 + 3 * 0.044715 * x * x)
/** 0 below 2^-800, where no product of float32 numbers with it would differ. */
const cubicShare = (x: number) => (cubic(x) < -800 * Math.LN2 ? 0 : sigmoid(cubic(x)))

/** Distribution and density of the standard normal. */
const normal = (x: number) => erfc(-x / Math.SQRT2) / 2
const normalDensity = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)

interface Slopes {
  /** Is the slope 1? `s` is x or y, whichever the derivative is written in. */
  isOne(s: number, a: number, b: number): boolean
  /** the other slope, from the constant a */
  other(a: number): number
}
const slopesOf = <Name extends string>(functions: Readonly<Record<Name, Slopes>>) => functions

/** Functions of two slopes, 1 and another: a bit for each element is all that their gradients need. */
export const TWO_SLOPES = slopesOf({
  relu: { isOne: (y) => !(y <= 0), other: () => 0 },
  leakyRelu: { isOne: (x) => x > 0, other: (slope) => slope },
  clamp: { isOne: (x, low, high) => x >= low && x <= high, other: () => 0 },
})

export type MaskedFunction = keyof typeof TWO_SLOPES

const byTwoSlopes =
  ({ isOne, other }: Slopes): UnaryDefinition['gradient'] =>
  (dy, s, a, b) =>
    sloped(dy, isOne(s, a, b) ? 1 : other(a))

export const UNARY = unary({
  neg: { f: (x) => -x, derivativeIn: 'x', gradient: (dy) => -dy },
  abs: { f: Math.abs, derivativeIn: 'x', gradient: (dy, x) => (x === 0 ? 0 : dy * Math.sign(x)) },
  exp: { f: Math.exp, derivativeIn: 'y', gradient: (dy, y) => dy * y, ulps: 0.98 },
  log: { f: Math.log, derivativeIn: 'x', gradient: (dy, x) => dy / x, ulps: 0.83 },
  sqrt: { f: Math.sqrt, derivativeIn: 'y', gradient: (dy, y) => dy / (2 * y) },
  square: { f: (x) => x * x, derivativeIn: 'x', gradient: (dy, x) => 2 * (dy * x) },
  // x > 0 exactly where y > 0, so y is enough, and the next layer keeps it anyway. A NaN passes through.
  relu: { f: (x) => Math.max(x, 0), derivativeIn: 'y', gradient: byTwoSlopes(TWO_SLOPES.relu) },
  leakyRelu: {
    f: (x, slope) => (x > 0 ? x : slope * x),
    derivativeIn: 'x',
    gradient: byTwoSlopes(TWO_SLOPES.leakyRelu),
  },
  sigmoid: { f: sigmoid, derivativeIn: 'y', gradient: (dy, y) => dy * (y * (1 - y)), ulps: 2.41 },
  // 1 - y^2 would round where y is near 1
  tanh: { f: Math.tanh, derivativeIn: 'y', gradient: (dy, y) => dy * ((1 - y) * (1 + y)), ulps: 1.06 },
  gelu: {
    f: (x) => x * normal(x),
    derivativeIn: 'x',
    gradient: (dy, x) => dy * (normal(x) + x * normalDensity(x)),
    // counted over a sample of the float32 numbers
    ulps: 5,
  },
  geluTanh: {
    f: (x) => x * cubicShare(x),
    derivativeIn: 'x',
    gradient: (dy, x) => dy * (cubicShare(x) * (1 + x * sigmoid(-cubic(x)) * cubicSlope(x))),
    // computed in double precision
    ulps: 0.51,
  },
  silu: {
    f: (x) => x * sigmoid(x),
    derivativeIn: 'x',
    gradient: (dy, x) => dy * (sigmoid(x) * (1 + x * (1 - sigmoid(x)))),
    // where 2^-31 <= |x| < 87: below -87 e^x is subnormal, and the product has as few digits
    ulps: 3.2,
  },
  // sin and cos have no SIMD: plain loops call JavaScript's in double precision
  sin: { f: Math.sin, derivativeIn: 'x', gradient: (dy, x) => dy * Math.cos(x), ulps: 0.51 },
  cos: { f: Math.cos, derivativeIn: 'x', gradient: (dy, x) => dy * -Math.sin(x), ulps: 0.51 },
  sign: { f: (x) => Number(x > 0) - Number(x < 0), derivativeIn: 'x', gradient: () => 0 },
  floor: { f: Math.floor, derivativeIn: 'x', gradient: () => 0 },
  round: { f: roundToEven, derivativeIn: 'x', gradient: () => 0 },
  softplus: { f: softplus, derivativeIn: 'x', gradient: (dy, x) => dy * sigmoid(x), ulps: 2 },
  clamp: {
    f: (x, low, high) => Math.min(Math.max(x, low), high),
    derivativeIn: 'x',
    gradient: byTwoSlopes(TWO_SLOPES.clamp),
  },
  pow: {
    f: power,
    derivativeIn: 'x',
    gradient: (dy, x, exponent) => (exponent === 0 ? 0 : dy * (exponent * power(x, exponent - 1))),
    // computed in double precision: only y is rounded, and it may be near a tie
    ulps: 0.51,
  },
  affine: { f: (x, a, b) => a * x + b, derivativeIn: 'x', gradient: (dy, _, a) => a * dy },
})

export type UnaryFunction = keyof typeof UNARY

type OfTwo = (a: number, b: number) => number
const binary = <Name extends string>(functions: Readonly<Record<Name, OfTwo>>) => functions

export const BINARY = binary({
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  maximum: Math.max, // NaN where either number is NaN
  minimum: Math.min,
  power,
  less: (a, b) => (a < b ? 1 : 0),
  lessEqual: (a, b) => (a <= b ? 1 : 0),
  greater: (a, b) => (a > b ? 1 : 0),
  greaterEqual: (a, b) => (a >= b ? 1 : 0),
  equal: (a, b) => (a === b ? 1 : 0),
  notEqual: (a, b) => (a !== b ? 1 : 0),
  /** the gradient of the first branch of `where`; it is not a product, because NaN * 0 is NaN */
  keepWhere: (a, b) => (b !== 0 ? a : 0),
  /** the gradient of its second branch */
  keepUnless: (a, b) => (b === 0 ? a : 0),
})

export type BinaryFunction = keyof typeof BINARY

type Slope = (dy: number, a: number, b: number) => number
const slopes = <Name extends BinaryFunction>(functions: Readonly<Record<Name, readonly [Slope, Slope]>>) => functions

/** Half of dy where a equals b, nothing where a is less (or greater), all of it elsewhere. */
const unlessLess: Slope = (dy, a, b) => (a === b ? dy / 2 : a < b ? 0 : dy)
const unlessGreater: Slope = (dy, a, b) => (a === b ? dy / 2 : a > b ? 0 : dy)

/** 0^b is 0 for any b above 0, so its gradient is chosen; at b = 0 it is 0 too, as in PyTorch. */
const ofExponent: Slope = (dy, a, b) => (a === 0 && b >= 0 ? 0 : dy * (power(a, b) * Math.log(a)))

/**
 * The gradients of a and of b that are not made of other functions. A tie of maximum or minimum gives half to
 * each, as in PyTorch. Division does not compute b^2, which may be 0 or infinite although the gradient is not: the
 * gradient of b is -y times the gradient of a.
 */
export const BINARY_GRADIENT = slopes({
  div: [(dy, _, b) => dy / b, (dy, a, b) => -(dy / b) * (a / b)],
  maximum: [unlessLess, unlessGreater],
  minimum: [unlessGreater, unlessLess],
  power: [(dy, a, b) => UNARY.pow.gradient(dy, a, b, 0), ofExponent],
})

export type BinaryWithGradient = keyof typeof BINARY_GRADIENT
