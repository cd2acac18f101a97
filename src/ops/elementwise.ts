/**
 * Elementwise ops of one, two and three tensors. Functions and derivatives are defined in
 * kernels/functions.ts; here is what each saves, and how broadcasting is undone.
 */
import type { BinaryFunction, UnaryFunction } from '../../kernels/functions.js'
import type { Device } from '../device/device.js'
import { ArgumentError } from '../memory/errors.js'
import { full } from '../tensor/create.js'
import { checkSetting } from '../tensor/setting.js'
import { broadcastShapes, broadcastStrides, sameShape, sizeOf, stridesOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { apply, type Call, define, type Gradient, type Op, type OpFunction } from './op.js'
import { bits, type Domain, grid, nonzero, offGrid, positive } from './sample.js'
import { sendSum } from './send.js'

/** The constants of a unary function; see Unary in kernels.ts. */
interface Constants {
  a: number
  b: number
}

const NONE: Constants = { a: 0, b: 0 }

/** @param saves  'x' or 'y': what the derivative is written in */
function unaryOp(
  name: UnaryFunction,
  saves: 'x' | 'y',
  domain: Domain,
  constants: readonly Constants[] = [NONE],
): Op<Constants> {
  return {
    name,
    shape: ([x]) => x,
    forward: ({ options, shape, inputs, output, device }) =>
      device.run('unary', { size: sizeOf(shape), function: name, ...options }, inputs, [output]),
    gradients: [
      {
        saves: [saves === 'x' ? 0 : 'output'],
        send: ({ options, shape, dy, input, output }, target) =>
          target.overwrite('unaryGradient', { size: sizeOf(shape), function: name, ...options }, [
            dy,
            saves === 'x' ? input(0) : output(),
          ]),
      },
    ],
    samples: constants.map((options) => ({ inputs: [[[2, 3], domain]], options })),
  }
}

function plain(name: UnaryFunction, saves: 'x' | 'y', domain: Domain): OpFunction<(x: Tensor) => Tensor> {
  const op = unaryOp(name, saves, domain)
  return define(op, (x: Tensor) => apply(op, [x], NONE))
}

const negOp: Op<Constants> = {
  ...unaryOp('neg', 'x', grid),
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
export const neg = define(negOp, (x: Tensor) => apply(negOp, [x], NONE))
/** |x|; gradient 0 at 0. Saves x. */
export const abs = plain('abs', 'x', offGrid)
/** e^x. Saves y. */
export const exp = plain('exp', 'y', grid)
/** Natural logarithm. Saves x. */
export const log = plain('log', 'x', positive)
/** Square root. Saves y. */
export const sqrt = plain('sqrt', 'y', positive)
/** x^2. Saves x. */
export const square = plain('square', 'x', grid)
/** max(x, 0); gradient 1 where y > 0, else 0, so x is not needed. Saves y, which the next layer keeps anyway. */
export const relu = plain('relu', 'y', offGrid)
/** 1 / (1 + e^-x). Saves y. */
export const sigmoid = plain('sigmoid', 'y', grid)
/** Hyperbolic tangent. Saves y. */
export const tanh = plain('tanh', 'y', grid)
/** x times the standard normal distribution function of x (the erf form, not its tanh approximation). Saves x. */
export const gelu = plain('gelu', 'x', grid)
/** x sigmoid(x). Saves x. */
export const silu = plain('silu', 'x', grid)
/** log(1 + e^x). Saves x. */
export const softplus = plain('softplus', 'x', grid)

const leakyReluOp: Op<Constants> = {
  ...unaryOp('leakyRelu', 'x', offGrid, [{ a: 0.01, b: 0 }]),
  settings: ({ a }) => ({ slope: a }),
}
/** x where x > 0, else slope x. Saves x. @param slope default 0.01 */
export const leakyRelu = define(leakyReluOp, (x: Tensor, slope = 0.01) => apply(leakyReluOp, [x], { a: slope, b: 0 }))

const clampOp: Op<Constants> = {
  ...unaryOp('clamp', 'x', offGrid, [{ a: -0.5, b: 1 }]),
  settings: ({ a, b }) => ({ low: a, high: b }),
}
/**
 * min(max(x, low), high); the gradient is 1 on the closed interval. Saves x.
 * @throws ArgumentError  low > high
 */
export const clamp = define(clampOp, (x: Tensor, low: number, high: number) => {
  if (!(low <= high)) throw new ArgumentError(`clamp: low ${low} is not at most high ${high}`)
  return apply(clampOp, [x], { a: low, b: high })
})

const powOp: Op<Constants> = {
  ...unaryOp('pow', 'x', positive, [
    { a: 3, b: 0 },
    { a: -0.5, b: 0 },
    { a: 0, b: 0 },
  ]),
  settings: ({ a }) => ({ exponent: a }),
}
/** x^exponent with a constant exponent. Saves x. */
export const pow = define(powOp, (x: Tensor, exponent: number) => apply(powOp, [x], { a: exponent, b: 0 }))

/** A tensor, or a number that stands for a scalar tensor. */
export type Operand = Tensor | number

/** @throws ArgumentError  two numbers: no tensor says on which device */
function operands(op: string, a: Operand, b: Operand): [Tensor, Tensor] {
  if (typeof a === 'number') {
    if (typeof b === 'number') throw new ArgumentError(`${op}: at least one operand must be a tensor`)
    return [scalar(op, b.device, a), b]
  }
  return [a, typeof b === 'number' ? scalar(op, a.device, b) : b]
}

/** @throws ArgumentError  the device's elements cannot hold it */
function scalar(op: string, device: Device, value: number): Tensor {
  checkSetting(device, op, 'the number', value)
  return full(device, [], value)
}

const none: Record<never, never> = {}
type None = typeof none

/** Strides to read both inputs in the output's shape. */
const broadcast = ({ shape, shapes: [a, b] }: Call<None>) => ({
  shape,
  stridesA: broadcastStrides(a, shape),
  stridesB: broadcastStrides(b, shape),
})

/** The gradient of input `side` is the kernel `f` of dy and another input, un-broadcast. */
function product(side: 0 | 1, f: BinaryFunction, other: number): Gradient<None> {
  return {
    saves: [other],
    send: ({ device, dy, shape, shapes, input, workspace }, target) => {
      const parameters = {
        function: f,
        shape,
        stridesA: stridesOf(shape),
        stridesB: broadcastStrides(shapes[other], shape),
      }
      if (sameShape(shapes[side], shape)) {
        target.overwrite('binary', parameters, [dy, input(other)])
        return
      }
      const full = workspace(sizeOf(shape))
      device.run('binary', parameters, [dy, input(other)], [full])
      sendSum(target, full, shape, shapes[side])
    },
  }
}

/** The gradient of input `side` is +-dy, un-broadcast. */
function passed(side: 0 | 1, sign: 1 | -1): Gradient<None> {
  return {
    saves: [],
    send: ({ dy, shape, shapes }, target) => {
      if (sign === 1 && sameShape(shapes[side], shape)) target.pass(dy)
      else sendSum(target, dy, shape, shapes[side], sign)
    },
  }
}

/** The gradient of input `side` needs both inputs. */
function ofBoth(side: 0 | 1, f: 'div' | 'maximum' | 'minimum'): Gradient<None> {
  return {
    saves: side === 0 && f === 'div' ? [1] : [0, 1],
    send: (call, target) => {
      const { device, dy, shape, shapes, input, workspace } = call
      const parameters = { function: f, side, ...broadcast(call) }
      const inputs = [dy, side === 0 && f === 'div' ? input(1) : input(0), input(1)]
      if (sameShape(shapes[side], shape)) {
        target.run('binaryGradient', parameters, inputs)
        return
      }
      const full = workspace(sizeOf(shape))
      device.run('binaryGradient', parameters, inputs, [full])
      sendSum(target, full, shape, shapes[side])
    },
  }
}

function binary(
  name: BinaryFunction,
  gradients: readonly (Gradient<None> | null)[],
  domains: readonly [Domain, Domain],
  linear: readonly number[] = [],
): OpFunction<(a: Operand, b: Operand) => Tensor> {
  const [a, b] = domains
  const op: Op<None> = {
    name,
    shape: ([a, b]) => broadcastShapes(name, a, b),
    forward: (call) => call.device.run('binary', { function: name, ...broadcast(call) }, call.inputs, [call.output]),
    gradients,
    linear,
    samples: [
      {
        inputs: [
          [[2, 3], a],
          [[2, 3], b],
        ],
        options: none,
      },
      {
        inputs: [
          [[2, 1, 3], a],
          [[4, 1], b],
        ],
        options: none,
      },
      {
        inputs: [
          [[], a],
          [[3], b],
        ],
        options: none,
      },
    ],
  }
  return define(op, (a: Operand, b: Operand) => apply(op, operands(name, a, b), none))
}

/** a + b, broadcast. Saves nothing. */
export const add = binary('add', [passed(0, 1), passed(1, 1)], [grid, grid], [0, 1])
/** a - b, broadcast. Saves nothing. */
export const sub = binary('sub', [passed(0, 1), passed(1, -1)], [grid, grid], [0, 1])
/** a b, broadcast. Saves each where the other needs a gradient. */
export const mul = binary('mul', [product(0, 'mul', 1), product(1, 'mul', 0)], [grid, grid], [0, 1])
/** a / b, broadcast. Saves b, and a where b needs a gradient. */
export const div = binary('div', [ofBoth(0, 'div'), ofBoth(1, 'div')], [grid, nonzero], [0])
/** The larger of a and b, broadcast; at a tie each has half the gradient. Saves both. */
export const maximum = binary('maximum', [ofBoth(0, 'maximum'), ofBoth(1, 'maximum')], [grid, offGrid])
/** The smaller of a and b, broadcast; at a tie each has half the gradient. Saves both. */
export const minimum = binary('minimum', [ofBoth(0, 'minimum'), ofBoth(1, 'minimum')], [grid, offGrid])

const comparison = (name: BinaryFunction) => binary(name, [null], [grid, grid])
/** 1 where a < b, else 0. No gradient; nor have the other comparisons. */
export const less = comparison('less')
/** 1 where a <= b, else 0. */
export const lessEqual = comparison('lessEqual')
/** 1 where a > b, else 0. */
export const greater = comparison('greater')
/** 1 where a >= b, else 0. */
export const greaterEqual = comparison('greaterEqual')
/** 1 where a = b, else 0. */
export const equal = comparison('equal')
/** 1 where a differs from b, else 0. */
export const notEqual = comparison('notEqual')

/** dy where the condition holds (or does not), un-broadcast. */
function branch(side: 1 | 2, f: 'keepWhere' | 'keepUnless'): Gradient<None> {
  return {
    saves: [0],
    send: ({ device, dy, shape, shapes, input, workspace }, target) => {
      const full = workspace(sizeOf(shape))
      const parameters = {
        function: f,
        shape,
        stridesA: stridesOf(shape),
        stridesB: broadcastStrides(shapes[0], shape),
      }
      device.run('binary', parameters, [dy, input(0)], [full])
      sendSum(target, full, shape, shapes[side])
    },
  }
}

const whereOp: Op<None> = {
  name: 'where',
  shape: ([condition, a, b]) => broadcastShapes('where', broadcastShapes('where', condition, a), b),
  forward: ({ device, shape, shapes: [condition, a, b], inputs, output }) =>
    device.run(
      'select',
      {
        shape,
        stridesCondition: broadcastStrides(condition, shape),
        stridesA: broadcastStrides(a, shape),
        stridesB: broadcastStrides(b, shape),
      },
      inputs,
      [output],
    ),
  gradients: [null, branch(1, 'keepWhere'), branch(2, 'keepUnless')],
  linear: [1, 2],
  samples: [
    {
      inputs: [
        [[2, 3], bits],
        [[2, 3], grid],
        [[2, 3], grid],
      ],
      options: none,
    },
    {
      inputs: [
        [[3], bits],
        [[2, 1], grid],
        [[], grid],
      ],
      options: none,
    },
  ],
}
/** a where the condition is not 0, else b; all three broadcast. No gradient to the condition. Saves the condition. */
export const where = define(whereOp, (condition: Tensor, a: Operand, b: Operand) => {
  const on = (operand: Operand): Tensor =>
    typeof operand === 'number' ? scalar('where', condition.device, operand) : operand
  return apply(whereOp, [condition, on(a), on(b)], none)
})
