/**
 * The functions of one number, each beside its gradient, as kernels/functions.ts defines them: a gradient that is 0 by
 * choice is selected, not multiplied (Note [Zero by choice] there). Those of two numbers are in functions-of-two.ts.
 *
 * A GPU's own functions are less exact than JavaScript's; those of builtins.ts are as exact. A comparison with NaN may
 * be true, because drivers turn a selection into a minimum or maximum: where that matters, use `isNotANumber`.
 */
import type { UnaryFunction } from '../../functions.js'
import type { Helpers, Source } from './program.js'

declare function infinity(): number
declare function notANumber(): number
declare function isNotANumber(x: number): number
declare function exponential(x: number): number
declare function logarithm(x: number): number
declare function hyperbolicTangent(x: number): number
declare function sine(x: number): number
declare function cosine(x: number): number

function neg(x: number): number {
  return -x
}
function negGradient(dy: number, _x: number): number {
  return -dy
}

function abs(x: number): number {
  return Math.abs(x)
}
function absGradient(dy: number, x: number): number {
  return isNotANumber(x) > 0 ? x : x > 0 ? dy : x < 0 ? -dy : 0
}

function exp(x: number): number {
  return exponential(x)
}
function expGradient(dy: number, y: number): number {
  return dy * y
}

function log(x: number): number {
  return logarithm(x)
}
function logGradient(dy: number, x: number): number {
  return dy / x
}

function sqrt(x: number): number {
  return x >= 0 ? Math.sqrt(x) : notANumber()
}
function sqrtGradient(dy: number, y: number): number {
  return (0.5 * dy) / y
}

function square(x: number): number {
  return x * x
}
function squareGradient(dy: number, x: number): number {
  return 2 * (dy * x)
}

function relu(x: number): number {
  return isNotANumber(x) > 0 ? x : x > 0 ? x : 0
}
function reluGradient(dy: number, y: number): number {
  return y <= 0 ? 0 : dy
}

function leakyRelu(x: number, slope: number, _b: number): number {
  return x > 0 ? x : slope * x
}
function leakyReluGradient(dy: number, x: number, slope: number, _b: number): number {
  return x > 0 ? dy : slope === 0 ? 0 : slope * dy
}

function sigmoid(x: number): number {
  return 1 / (1 + exponential(-x))
}
function sigmoidGradient(dy: number, y: number): number {
  return dy * (y * (1 - y))
}

function tanh(x: number): number {
  return hyperbolicTangent(x)
}
function tanhGradient(dy: number, y: number): number {
  return dy * ((1 - y) * (1 + y))
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
function geluGradient(dy: number, x: number): number {
  return dy * (normal(x) + x * 0.3989422804014327 * exponential(-0.5 * x * x))
}

declare function logistic(x: number): number

function silu(x: number): number {
  return x * logistic(x)
}
function siluGradient(dy: number, x: number): number {
  return dy * (logistic(x) * (1 + x * (1 - logistic(x))))
}

/** x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3) */
function geluTanh(x: number): number {
  return x * logistic(1.5957691216057308 * x * (1 + 0.044715 * x * x))
}
function geluTanhGradient(dy: number, x: number): number {
  const share = logistic(1.5957691216057308 * x * (1 + 0.044715 * x * x))
  const rest = logistic(-1.5957691216057308 * x * (1 + 0.044715 * x * x))
  return dy * (share * (1 + x * rest * 1.5957691216057308 * (1 + 0.134145 * x * x)))
}

function sin(x: number): number {
  return sine(x)
}
function sinGradient(dy: number, x: number): number {
  return dy * cosine(x)
}
function cos(x: number): number {
  return cosine(x)
}
function cosGradient(dy: number, x: number): number {
  return -dy * sine(x)
}

function sign(x: number): number {
  return isNotANumber(x) > 0 ? 0 : x > 0 ? 1 : x < 0 ? -1 : 0
}
function floor(x: number): number {
  return isNotANumber(x) > 0 ? x : Math.floor(x)
}
function round(x: number): number {
  const below = Math.floor(x)
  const past = x - below
  if (isNotANumber(past) > 0 || past === 0) {
    return x
  }
  if (past === 0.5) {
    return 2 * Math.floor(0.5 * below + 0.5)
  }
  return past < 0.5 ? below : below + 1
}
function flat(_dy: number, _x: number): number {
  return 0
}

/** log(1 + e), by its series where 1 + e would lose digits of e. */
function softplus(x: number): number {
  const e = exponential(-Math.abs(x))
  const above = x > 0 ? x : 0
  return above + (e < 0.001 ? e - 0.5 * e * e : logarithm(1 + e))
}
function softplusGradient(dy: number, x: number): number {
  return dy * logistic(x)
}

function clamp(x: number, low: number, high: number): number {
  return isNotANumber(x) > 0 ? x : x < low ? low : x > high ? high : x
}
function clampGradient(dy: number, x: number, low: number, high: number): number {
  return x >= low ? (x <= high ? dy : 0) : 0
}

declare function power(x: number, exponent: number): number
declare function infinitePower(x: number, exponent: number): number

/**
 * x^exponent. For an exponent that is a small whole number, products keep signs and exact results. A GPU's own power
 * lacks the special cases: 1 to any power is 1, and so is -1 to an infinite power.
 */
function raised(x: number, exponent: number): number {
  const size = Math.abs(exponent)
  if (x === 1) {
    return 1
  }
  if (size === infinity()) {
    return infinitePower(Math.abs(x), exponent)
  }
  if (Math.floor(size) === size && size < 128) {
    let result = 1.0
    let factor = exponent < 0 ? 1 / x : x
    let left = size
    for (let bit = 0; bit < 7; bit++) {
      const half = Math.floor(left / 2)
      if (left - 2 * half > 0.5) {
        result = result * factor
      }
      factor = factor * factor
      left = half
    }
    return result
  }
  if (x > 0) {
    return x ** exponent
  }
  if (x === 0) {
    return exponent > 0 ? 0 : infinity()
  }
  if (x < 0 && Math.floor(size) === size) {
    const positive = (-x) ** exponent
    return size - 2 * Math.floor(0.5 * size) > 0.5 ? -positive : positive
  }
  return notANumber()
}
/** x to the power Infinity or -Infinity, for x >= 0 */
function raisedToInfinity(x: number, exponent: number): number {
  if (isNotANumber(x) > 0 || x === 1) {
    return x
  }
  if (x < 1) {
    return exponent < 0 ? infinity() : 0
  }
  return exponent < 0 ? 0 : infinity()
}
function pow(x: number, exponent: number, _b: number): number {
  return power(x, exponent)
}
function powGradient(dy: number, x: number, exponent: number, _b: number): number {
  return exponent === 0 ? 0 : dy * (exponent * power(x, exponent - 1))
}

function affine(x: number, a: number, b: number): number {
  return a * x + b
}
function affineGradient(dy: number, _x: number, a: number, _b: number): number {
  return a * dy
}

/** What a function calls that takes powers. */
export const POWERS: Helpers = { infinitePower: raisedToInfinity, power: raised }

interface UnaryFunctionOnGpu {
  readonly f: Source
  /** a function of dy and s, where s is x or y = f(x), as kernels/functions.ts says */
  readonly gradient: Source
  /** do they take the constants a and b? */
  readonly constants?: true
  /** what they call, beside builtins */
  readonly helpers?: Helpers
}

export const UNARY: { readonly [Name in UnaryFunction]: UnaryFunctionOnGpu } = {
  neg: { f: neg, gradient: negGradient },
  abs: { f: abs, gradient: absGradient },
  exp: { f: exp, gradient: expGradient },
  log: { f: log, gradient: logGradient },
  sqrt: { f: sqrt, gradient: sqrtGradient },
  square: { f: square, gradient: squareGradient },
  relu: { f: relu, gradient: reluGradient },
  leakyRelu: { f: leakyRelu, gradient: leakyReluGradient, constants: true },
  sigmoid: { f: sigmoid, gradient: sigmoidGradient },
  tanh: { f: tanh, gradient: tanhGradient },
  gelu: { f: gelu, gradient: geluGradient, helpers: { normal: distribution } },
  geluTanh: { f: geluTanh, gradient: geluTanhGradient, helpers: { logistic: sigmoid } },
  sin: { f: sin, gradient: sinGradient },
  cos: { f: cos, gradient: cosGradient },
  sign: { f: sign, gradient: flat },
  floor: { f: floor, gradient: flat },
  round: { f: round, gradient: flat },
  silu: { f: silu, gradient: siluGradient, helpers: { logistic: sigmoid } },
  softplus: { f: softplus, gradient: softplusGradient, helpers: { logistic: sigmoid } },
  clamp: { f: clamp, gradient: clampGradient, constants: true },
  pow: { f: pow, gradient: powGradient, constants: true, helpers: POWERS },
  affine: { f: affine, gradient: affineGradient, constants: true },
}
