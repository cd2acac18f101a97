/**
 * Ops that apply a function to each element of one tensor: y has the shape of x. Formula and derivative of each are in
 * kernels/functions.ts, and the op saves the tensor that the derivative is written in: x or y.
 */

import { UNARY, type UnaryFunction } from '../../kernels/functions.js'
import { NUMBER, optional } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { OPERAND, TENSOR } from '../tensor/kinds.js'
import { sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { power } from './binary.js'
import { GELU_OPTIONS, type GeluOptions } from './gelu-options.js'
import { apply, define, type Op, type OpFunction } from './op.js'
import type { Operand } from './operand.js'
import { type Domain, grid, offGrid, positive, sample } from './sample.js'

/** The constants of a function; see `Unary` in kernels.ts. */
interface Constants {
  a: number
  b: number
}

const NONE: Constants = { a: 0, b: 0 }

/** @param constants  for each of these, one sample is drawn from the domain */
function unaryOp(name: UnaryFunction, domain: Domain, constants: readonly Constants[] = [NONE]): Op<Constants> {
  const saved = UNARY[name].derivativeIn === 'x' ? 0 : 'output'
  return {
    name,
    shape: ([x]) => x,
    forward: ({ options, shape, inputs, output, device }) =>
      device.run('unary', { size: sizeOf(shape), function: name, ...options }, inputs, [output]),
    gradients: [
      {
        saves: [saved],
        send: ({ options, shape, dy, input, output }, target) =>
          target.overwrite('unaryGradient', { size: sizeOf(shape), function: name, ...options }, [
            dy,
            saved === 'output' ? output() : input(saved),
          ]),
      },
    ],
    samples: constants.map((options) => sample(options, [[2, 3], domain])),
  }
}

/** An op without constants. */
function unary(name: UnaryFunction, domain: Domain): OpFunction<(x: Tensor) => Tensor> {
  const op = unaryOp(name, domain)
  return define(op, { x: TENSOR }, (x: Tensor) => apply(op, [x], NONE))
}

const negOp: Op<Constants> = {
  ...unaryOp('neg', grid),
  gradients: [
    {
      saves: [],
      send: ({ shape, dy }, target) =>
        target.overwrite('unary', { size: sizeOf(shape), function: 'neg', ...NONE }, [dy]),
    },
  ],
  linear: [0],
}
/** -x. Saves nothing: its gradient is -dy. */
export const neg = define(negOp, { x: TENSOR }, (x: Tensor) => apply(negOp, [x], NONE))
/** |x|; gradient 0 at 0. Saves x. */
export const abs = unary('abs', offGrid)
/** e^x. Saves y. */
export const exp = unary('exp', grid)
/** Natural logarithm. Saves x. */
export const log = unary('log', positive)
/** Square root. Saves y. */
export const sqrt = unary('sqrt', positive)
/** x^2. Saves x. */
export const square = unary('square', grid)
/** max(x, 0); gradient 1 where y > 0, else 0, so x is not needed. Saves y, which the next layer keeps anyway. */
export const relu = unary('relu', offGrid)
/** 1 / (1 + e^-x). Saves y. */
export const sigmoid = unary('sigmoid', grid)
/** Hyperbolic tangent. Saves y. */
export const tanh = unary('tanh', grid)
/** The tanh approximation of gelu, x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2. Saves x. */
export const geluTanh = unary('geluTanh', grid)

const geluOp = unaryOp('gelu', grid)
/** x times the standard normal distribution function of x, in the erf form, or as `geluTanh`. Saves x. */
export const gelu = define(
  geluOp,
  { x: TENSOR, options: GELU_OPTIONS },
  (x: Tensor, { approximate }: GeluOptions = {}) => (approximate === 'tanh' ? geluTanh(x) : apply(geluOp, [x], NONE)),
)
/** x sigmoid(x). Saves x. */
export const silu = unary('silu', grid)
/** log(1 + e^x). Saves x. */
export const softplus = unary('softplus', grid)

/** Sine of x in radians. Saves x. */
export const sin = unary('sin', grid)
/** Cosine of x in radians. Saves x. */
export const cos = unary('cos', grid)

/** A function of steps. It has no gradient: PyTorch's is 0 everywhere. */
function steps(name: 'sign' | 'floor' | 'round'): OpFunction<(x: Tensor) => Tensor> {
  const op: Op<Constants> = { ...unaryOp(name, offGrid), gradients: [null] }
  return define(op, { x: TENSOR }, (x: Tensor) => apply(op, [x], NONE))
}
/** -1, 0 or 1: the sign of x; 0 for NaN, as in PyTorch. No gradient. */
export const sign = steps('sign')
/** The largest whole number that is at most x. No gradient. */
export const floor = steps('floor')
/** The nearest whole number; of two, the even one. No gradient. */
export const round = steps('round')

const leakyReluOp: Op<Constants> = {
  ...unaryOp('leakyRelu', offGrid, [{ a: 0.01, b: 0 }]),
  settings: ({ a }) => ({ slope: a }),
}
/** x where x > 0, else slope x. Saves x. @param slope default 0.01 */
export const leakyRelu = define(leakyReluOp, { x: TENSOR, slope: optional(NUMBER) }, (x: Tensor, slope = 0.01) =>
  apply(leakyReluOp, [x], { a: slope, b: 0 }),
)

const clampOp: Op<Constants> = {
  ...unaryOp('clamp', offGrid, [{ a: -0.5, b: 1 }]),
  settings: ({ a, b }) => ({ low: a, high: b }),
}
/**
 * min(max(x, low), high); the gradient is 1 on the closed interval.
 * @throws ArgumentError  low > high
 * Saves x.
 */
export const clamp = define(
  clampOp,
  { x: TENSOR, low: NUMBER, high: NUMBER },
  (x: Tensor, low: number, high: number) => {
    if (!(low <= high)) throw new ArgumentError(`clamp: low ${low} is not at most high ${high}`)
    return apply(clampOp, [x], { a: low, b: high })
  },
)

const EXPONENTS = [3, -0.5, 0]
const powOp: Op<Constants> = {
  ...unaryOp(
    'pow',
    positive,
    EXPONENTS.map((a) => ({ a, b: 0 })),
  ),
  settings: ({ a }) => ({ exponent: a }),
}
/** x^exponent. Saves x. With a tensor of exponents this is `power`: it broadcasts, sends gradients to both, and saves both. */
export const pow = define(powOp, { x: TENSOR, exponent: OPERAND }, (x: Tensor, exponent: Operand) =>
  typeof exponent === 'number' ? apply(powOp, [x], { a: exponent, b: 0 }) : power(x, exponent),
)
