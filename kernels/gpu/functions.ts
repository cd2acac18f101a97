/**
 * The functions of one and two numbers, each beside its derivative, as kernels/reference/elementwise.ts defines them.
 *
 * A GPU's own functions are looser than JavaScript's; those of builtins.ts are not. Nor can a NaN be relied on to fail
 * a comparison, since drivers make min and max of a choice: where it matters, ask.
 */
import type { BinaryFunction, UnaryFunction } from '../kernels.js'
import type { Helper, Helpers, Source } from './program.js'

declare function infinity(): number
declare function notANumber(): number
declare function isNotANumber(x: number): number
declare function exponential(x: number): number
declare function logarithm(x: number): number
declare function hyperbolicTangent(x: number): number

function neg(x: number): number {
  return -x
}
function minusOne(_x: number): number {
  return -1
}

function abs(x: number): number {
  return Math.abs(x)
}
function sign(x: number): number {
  return x > 0 ? 1 : x < 0 ? -1 : x
}

function exp(x: number): number {
  return exponential(x)
}
function same(y: number): number {
  return y
}

function log(x: number): number {
  return logarithm(x)
}
function reciprocal(x: number): number {
  return 1 / x
}

function sqrt(x: number): number {
  return x >= 0 ? Math.sqrt(x) : notANumber()
}
function sqrtDerivative(y: number): number {
  return 0.5 / y
}

function square(x: number): number {
  return x * x
}
function twice(x: number): number {
  return 2 * x
}

function relu(x: number): number {
  return isNotANumber(x) > 0 ? x : x > 0 ? x : 0
}
function reluDerivative(y: number): number {
  return y <= 0 ? 0 : 1
}

function leakyRelu(x: number, slope: number, _b: number): number {
  return x > 0 ? x : slope * x
}
function leakyReluDerivative(x: number, slope: number, _b: number): number {
  return x > 0 ? 1 : slope
}

function sigmoid(x: number): number {
  return 1 / (1 + exponential(-x))
}
function sigmoidDerivative(y: number): number {
  return y * (1 - y)
}

function tanh(x: number): number {
  return hyperbolicTangent(x)
}
function tanhDerivative(y: number): number {
  return 1 - y * y
}

declare function normal(x: number): number

/**
 * The distribution of the standard normal, erfc(-x / sqrt 2) / 2; erfc by its Chebyshev fit with a relative error
 * below 1.2e-7 (Press et al., Numerical Recipes, section 6.2).
 */
function distribution(x: number): number {
  const z = Math.abs(x) * Math.SQRT1_2
  const t = 1 / (1 + 0.5 * z)
  let series = t * 0.17087277
  series = t * (-0.82215223 + series)
  series = t * (1.48851587 + series)
  series = t * (-1.13520398 + series)
  series = t * (0.27886807 + series)
  series = t * (-0.18628806 + series)
  series = t * (0.09678418 + series)
  series = t * (0.37409196 + series)
  series = t * (1.00002368 + series)
  const tail = 0.5 * t * exponential(series - 1.26551223 - z * z)
  return x > 0 ? 1 - tail : tail
}
function gelu(x: number): number {
  return x * normal(x)
}
function geluDerivative(x: number): number {
  return normal(x) + x * 0.3989422804014327 * exponential(-0.5 * x * x)
}

declare function logistic(x: number): number

function silu(x: number): number {
  return x * logistic(x)
}
function siluDerivative(x: number): number {
  return logistic(x) * (1 + x * (1 - logistic(x)))
}

/** log(1 + e) by its series where 1 + e would lose e. */
function softplus(x: number): number {
  const e = exponential(-Math.abs(x))
  const above = x > 0 ? x : 0
  return above + (e < 0.001 ? e - 0.5 * e * e : logarithm(1 + e))
}

function clamp(x: number, low: number, high: number): number {
  return isNotANumber(x) > 0 ? x : x < low ? low : x > high ? high : x
}
function clampDerivative(x: number, low: number, high: number): number {
  return x >= low ? (x <= high ? 1 : 0) : 0
}

declare function power(x: number, exponent: number): number

/** By products where the exponent is a small whole number, so that signs and exact results stay. */
function raised(x: number, exponent: number): number {
  const size = Math.abs(exponent)
  if (Math.floor(size) === size && size < 128) {
    let result = 1.0
    let factor = x
    let left = size
    for (let bit = 0; bit < 7; bit++) {
      const half = Math.floor(left / 2)
      if (left - 2 * half > 0.5) {
        result = result * factor
      }
      factor = factor * factor
      left = half
    }
    return exponent < 0 ? 1 / result : result
  }
  if (x > 0) {
    return x ** exponent
  }
  if (x === 0) {
    return exponent > 0 ? 0 : infinity()
  }
  return notANumber()
}
function pow(x: number, exponent: number, _b: number): number {
  return power(x, exponent)
}
function powDerivative(x: number, exponent: number, _b: number): number {
  return exponent === 0 ? 0 : exponent * power(x, exponent - 1)
}

function affine(x: number, a: number, b: number): number {
  return a * x + b
}
function first(_x: number, a: number, _b: number): number {
  return a
}

interface UnaryFunctionOnGpu {
  readonly f: Source
  /** in x or in y = f(x), whichever the reference has */
  readonly derivative: Source
  /** do they take the constants a and b? */
  readonly constants?: true
  /** what they call, beside builtins */
  readonly helpers?: Helpers
}

export const UNARY: { readonly [Name in UnaryFunction]: UnaryFunctionOnGpu } = {
  neg: { f: neg, derivative: minusOne },
  abs: { f: abs, derivative: sign },
  exp: { f: exp, derivative: same },
  log: { f: log, derivative: reciprocal },
  sqrt: { f: sqrt, derivative: sqrtDerivative },
  square: { f: square, derivative: twice },
  relu: { f: relu, derivative: reluDerivative },
  leakyRelu: { f: leakyRelu, derivative: leakyReluDerivative, constants: true },
  sigmoid: { f: sigmoid, derivative: sigmoidDerivative },
  tanh: { f: tanh, derivative: tanhDerivative },
  gelu: { f: gelu, derivative: geluDerivative, helpers: { normal: distribution } },
  silu: { f: silu, derivative: siluDerivative, helpers: { logistic: sigmoid } },
  softplus: { f: softplus, derivative: sigmoid },
  clamp: { f: clamp, derivative: clampDerivative, constants: true },
  pow: { f: pow, derivative: powDerivative, constants: true, helpers: { power: raised } },
  affine: { f: affine, derivative: first, constants: true },
}

function add(a: number, b: number): number {
  return a + b
}
function sub(a: number, b: number): number {
  return a - b
}
function mul(a: number, b: number): number {
  return a * b
}
function div(a: number, b: number): number {
  return a / b
}
function maximum(a: number, b: number): number {
  return isNotANumber(a) + isNotANumber(b) > 0 ? a + b : a > b ? a : b
}
function minimum(a: number, b: number): number {
  return isNotANumber(a) + isNotANumber(b) > 0 ? a + b : a < b ? a : b
}
function less(a: number, b: number): number {
  return a < b ? 1 : 0
}
function lessEqual(a: number, b: number): number {
  return a <= b ? 1 : 0
}
function greater(a: number, b: number): number {
  return a > b ? 1 : 0
}
function greaterEqual(a: number, b: number): number {
  return a >= b ? 1 : 0
}
function equal(a: number, b: number): number {
  return a === b ? 1 : 0
}
function notEqual(a: number, b: number): number {
  return a === b ? 0 : 1
}
function keepWhere(a: number, b: number): number {
  return b === 0 ? 0 : a
}
function keepUnless(a: number, b: number): number {
  return b === 0 ? a : 0
}

export const BINARY: { readonly [Name in BinaryFunction]: Helper } = {
  add,
  sub,
  mul,
  div,
  maximum,
  minimum,
  less,
  lessEqual,
  greater,
  greaterEqual,
  equal,
  notEqual,
  keepWhere,
  keepUnless,
}
