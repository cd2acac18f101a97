/**
 * Every elementwise op on cpu over the whole range of float32, subnormal numbers, zeros, infinities and NaN included.
 * Values and gradients are compared with the same formulas in float64, where no intermediate result leaves the range. A
 * result in the range of float32 must be right to the stated units in the last place. A result that is infinite or NaN
 * in float64 must be the same on cpu.
 */
import seedrandom from 'seedrandom'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { erfc } from '../kernels/erf.js'
import { type BinaryFunction, UNARY, type UnaryFunction } from '../kernels/functions.js'
import { backward } from '../src/autograd/backward.js'
import { HeapDevice } from '../src/device/heap-device.js'
import { HeapAllocator } from '../src/memory/heap.js'
import { apply } from '../src/ops/op.js'
import { ops, opTable } from '../src/ops/table.js'
import { scope } from '../src/step/scope.js'
import { requireGrad, tensor } from '../src/tensor/create.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'
import { roundings, unitsInLastPlace } from './tolerances.js'
import { variants } from './variants.js'

const RUNS = { seed: 10, numRuns: 2 * TEST_RUNS }
const MEMORY = 4 << 20
const NAN = Number.NaN

/** `affine` is a kernel of other ops. */
const UNARY_NAMES = (Object.keys(UNARY) as UnaryFunction[]).filter((name) => name !== 'affine')

const devices = [...variants, 'none' as const].map((simd) => ({
  name: `cpu, ${simd}`,
  device: new HeapDevice('cpu', new HeapAllocator(MEMORY), { simd, threads: 1 }),
}))

const LARGEST = 2 ** 128 - 2 ** 104
const SPECIAL = [0, -0, Infinity, -Infinity, NAN, 2 ** -149, -(2 ** -149), 1e-40, 2 ** -126, -1e-38]
SPECIAL.push(1e-30, 1, -1, 1e20, -1e20, LARGEST)

/**
 * Operands: first all tuples of special numbers, then in turn numbers around 1, whose products stay in range, and
 * numbers of random bits.
 */
function columns(count: number, more: number, seed: number): Float32Array[] {
  const random = seedrandom(String(seed))
  const tuples = SPECIAL.length ** count
  const near = () => (random() < 0.5 ? -1 : 1) * (1 + random()) * 2 ** Math.floor(40 * random() - 20)
  return Array.from({ length: count }, (_, column) => {
    const values = new Float32Array(tuples + more)
    for (let i = 0; i < tuples; i++) values[i] = SPECIAL[Math.floor(i / SPECIAL.length ** column) % SPECIAL.length]
    const bits = new Uint32Array(values.buffer)
    for (let i = tuples; i < values.length; i++) {
      if (i % 2 === 0) values[i] = near()
      else bits[i] = Math.floor(random() * 2 ** 32)
    }
    return values
  })
}

/** Infinity counts as 2^128, the number that would follow the largest. */
const clip = (value: number): number => Math.max(-(2 ** 128), Math.min(2 ** 128, value))
const ulps = (count: number, truth: number): number => unitsInLastPlace(count, clip(truth))

/** @param inputs  named in the error */
function check(
  what: string,
  inputs: readonly Float32Array[],
  values: ArrayLike<number> | undefined,
  truth: (i: number) => number,
  allowed: (i: number) => number,
): void {
  assert.ok(values, `${what} is missing`)
  for (let i = 0; i < values.length; i++) {
    const [value, wanted] = [values[i], truth(i)]
    if (value === Math.fround(wanted) || (Number.isNaN(value) && Number.isNaN(wanted))) continue
    const close = Math.abs(clip(value) - clip(wanted)) <= allowed(i)
    const given = inputs.map((input) => input[i])
    assert.ok(close, `${what} of ${given.join(', ')}: ${value}, not ${wanted} to ${allowed(i)}`)
  }
}

/** y, and the gradients of sum(dy y) with respect to its inputs. */
async function results(device: HeapDevice, f: (...inputs: Tensor[]) => Tensor, dy: Float32Array, xs: Float32Array[]) {
  const leaves = xs.map((x) => requireGrad(tensor(device, x)))
  const y = scope(device, () => {
    const result = f(...leaves)
    if (result.requiresGrad) backward(ops.sum(ops.mul(result, tensor(device, dy))))
    return result
  })
  const values = { y: await y.data(), gradients: await Promise.all(leaves.map(({ grad }) => grad?.data())) }
  for (const leaf of [...leaves.map(({ grad }) => grad), ...leaves, y]) leaf?.dispose()
  return values
}

interface OfOne {
  run(x: Tensor): Tensor
  f(x: number): number
  /** the error that y may have beyond the units in the last place that the function promises; default 0 */
  lost?(x: number): number
  /** from x, or from y as rounded to float32 */
  gradient(dy: number, x: number, y: number): number
  allowed?(dy: number, x: number, truth: number): number
}

const sigmoid = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)))
const normal = (x: number): number => erfc(-x / Math.SQRT2) / 2
const density = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)
/** The tolerance of a slope in which terms of up to max(1, |x|) cancel; beyond |x| = 20 the density is 0. */
const ofCancelled = (dy: number, x: number, truth: number): number =>
  Math.abs(clip(dy)) * roundings(6, Math.min(Math.max(1, Math.abs(x)), 20)) + ulps(1, truth)

const pow = (exponent: number): OfOne => ({
  run: (x) => ops.pow(x, exponent),
  f: (x) => x ** exponent,
  gradient: (dy, x) => (exponent === 0 ? 0 : dy * (exponent * x ** (exponent - 1))),
  allowed: (_dy, _x, truth) => ulps(UNARY.pow.ulps ?? 0, truth),
})

/**
 * The mathematics of the functions, written independently. A function that is missing here is compared with its own
 * definition.
 */
const OF_ONE: { readonly [Name in UnaryFunction]?: OfOne } = {
  neg: { run: ops.neg, f: (x) => -x, gradient: (dy) => -dy },
  abs: { run: ops.abs, f: Math.abs, gradient: (dy, x) => (x === 0 ? 0 : dy * Math.sign(x)) },
  exp: { run: ops.exp, f: Math.exp, gradient: (dy, _, y) => dy * y },
  log: { run: ops.log, f: Math.log, gradient: (dy, x) => dy / x },
  sqrt: { run: ops.sqrt, f: Math.sqrt, gradient: (dy, _, y) => dy / (2 * y) },
  square: {
    run: ops.square,
    f: (x) => x * x,
    gradient: (dy, x) => 2 * dy * x,
    // the product that is doubled may have been subnormal
    allowed: (_dy, _x, truth) => (Math.abs(truth) < 2 ** -124 ? 2 ** -149 : 0),
  },
  relu: { run: ops.relu, f: (x) => Math.max(x, 0), gradient: (dy, x) => (x <= 0 ? 0 : dy) },
  leakyRelu: {
    run: (x) => ops.leakyRelu(x, 0.25),
    f: (x) => (x > 0 ? x : x / 4),
    gradient: (dy, x) => (x > 0 ? dy : dy / 4),
  },
  clamp: {
    run: (x) => ops.clamp(x, -1, 2 ** 66),
    f: (x) => Math.min(Math.max(x, -1), 2 ** 66),
    gradient: (dy, x) => (x >= -1 && x <= 2 ** 66 ? dy : 0),
  },
  sigmoid: {
    run: ops.sigmoid,
    f: sigmoid,
    gradient: (dy, _, y) => dy * y * (1 - y),
    allowed: (_dy, _x, truth) => ulps(2, truth),
  },
  tanh: {
    run: ops.tanh,
    f: Math.tanh,
    gradient: (dy, _, y) => dy * (1 - y * y),
    allowed: (_dy, _x, truth) => ulps(2, truth),
  },
  gelu: {
    run: ops.gelu,
    f: (x) => x * normal(x),
    gradient: (dy, x) => dy * (normal(x) + x * density(x)),
    allowed: ofCancelled,
  },
  silu: {
    run: ops.silu,
    f: (x) => x * sigmoid(x),
    // if e^x is subnormal it has lost digits, and so has its product with x
    lost: (x) => 2 ** -150 * Math.abs(x),
    gradient: (dy, x) => dy * (sigmoid(x) * (1 + x * (1 - sigmoid(x)))),
    allowed: ofCancelled,
  },
  softplus: {
    run: ops.softplus,
    f: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    gradient: (dy, x) => dy * sigmoid(x),
    allowed: (dy, x, truth) => Math.abs(clip(dy)) * ulps(UNARY.sigmoid.ulps ?? 0, sigmoid(x)) + ulps(1, truth),
  },
}

function asDefined(name: UnaryFunction): OfOne {
  const op = opTable.find((op) => op.name === name)
  if (!op) throw new Error(`${name} is not an op: declare it in src/ops/unary.ts`)
  const { f, derivativeIn, gradient } = UNARY[name]
  return {
    run: (x) => apply(op, [x], op.samples[0].options),
    f: (x) => f(x, 0, 0),
    gradient: (dy, x, y) => gradient(dy, derivativeIn === 'x' ? x : y, 0, 0),
    allowed: ofCancelled,
  }
}

/** Functions without a gradient. */
const STEPS = UNARY_NAMES.filter((name) => opTable.find((op) => op.name === name)?.gradients[0] === null)

const EXPONENTS = [0, 1, 2, 3, -1, -2, 0.5, -0.5, 2.5, 1 / 3]

test('functions of one tensor', () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1e6 }), async (seed) => {
      const inputs = columns(2, 1000, seed)
      const [dy, x] = inputs
      const all = UNARY_NAMES.flatMap((name) =>
        (name === 'pow' ? EXPONENTS.map(pow) : [OF_ONE[name] ?? asDefined(name)]).map((of) => ({ name, ...of })),
      )
      for (const { name: on, device } of devices) {
        for (const { name, run, f, lost, gradient, allowed } of all) {
          const { ulps: own = 0 } = UNARY[name]
          const { y, gradients } = await results(device, run, dy, [x])
          const value = (i: number) => f(x[i])
          check(`${name} on ${on}`, inputs, y, value, (i) => ulps(own, value(i)) + (lost?.(x[i]) ?? 0))
          if (STEPS.includes(name)) continue
          const slope = (i: number) => gradient(dy[i], x[i], y[i])
          const limit = (i: number) => allowed?.(dy[i], x[i], slope(i)) ?? 0
          check(`${name} on ${on}: gradient`, inputs, gradients[0], slope, limit)
        }
      }
    }),
    RUNS,
  ))

interface OfTwo {
  f(a: number, b: number): number
  gradients?: readonly [OfThree, OfThree]
}
type OfThree = (dy: number, a: number, b: number) => number

const more: OfThree = (dy, a, b) => (a === b ? dy / 2 : a < b ? 0 : dy)
const less: OfThree = (dy, a, b) => (a === b ? dy / 2 : a > b ? 0 : dy)

/** The power of IEEE 754. */
const power = (a: number, b: number) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b)

const OF_TWO: { readonly [Name in Exclude<BinaryFunction, 'keepWhere' | 'keepUnless'>]: OfTwo } = {
  add: { f: (a, b) => a + b, gradients: [(dy) => dy, (dy) => dy] },
  sub: { f: (a, b) => a - b, gradients: [(dy) => dy, (dy) => -dy] },
  mul: { f: (a, b) => a * b, gradients: [(dy, _, b) => dy * b, (dy, a) => dy * a] },
  div: { f: (a, b) => a / b, gradients: [(dy, _, b) => dy / b, (dy, a, b) => (-dy * a) / (b * b)] },
  maximum: { f: Math.max, gradients: [more, less] },
  minimum: { f: Math.min, gradients: [less, more] },
  power: {
    f: power,
    gradients: [
      (dy, a, b) => (b === 0 ? 0 : dy * (b * power(a, b - 1))),
      (dy, a, b) => (a === 0 && b >= 0 ? 0 : dy * (power(a, b) * Math.log(a))),
    ],
  },
  less: { f: (a, b) => Number(a < b) },
  lessEqual: { f: (a, b) => Number(a <= b) },
  greater: { f: (a, b) => Number(a > b) },
  greaterEqual: { f: (a, b) => Number(a >= b) },
  equal: { f: (a, b) => Number(a === b) },
  notEqual: { f: (a, b) => Number(a !== b) },
}

test('functions of two tensors, each rounded once', () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1e6 }), async (seed) => {
      const inputs = columns(3, 2000, seed)
      const [dy, a, b] = inputs
      const exactly = () => 0
      for (const { name: on, device } of devices) {
        for (const name of Object.keys(OF_TWO) as (keyof typeof OF_TWO)[]) {
          const { f, gradients: truths } = OF_TWO[name]
          const { y, gradients } = await results(device, (s, t) => ops[name](s, t), dy, [a, b])
          check(`${name} on ${on}`, inputs, y, (i) => f(a[i], b[i]), exactly)
          truths?.forEach((truth, side) => {
            const slope = (i: number) => truth(dy[i], a[i], b[i])
            // a quotient of doubles is rounded twice
            const limit = (i: number) => (name === 'div' ? ulps(0.51, slope(i)) : 0)
            check(`${name} on ${on}: gradient ${side}`, inputs, gradients[side], slope, limit)
          })
        }
        const { y, gradients } = await results(device, (s, t) => ops.where(tensor(device, dy), s, t), dy, [a, b])
        check(`where on ${on}`, inputs, y, (i) => (dy[i] !== 0 ? a[i] : b[i]), exactly)
        check(`where on ${on}: gradient 0`, inputs, gradients[0], (i) => (dy[i] !== 0 ? dy[i] : 0), exactly)
        check(`where on ${on}: gradient 1`, inputs, gradients[1], (i) => (dy[i] !== 0 ? 0 : dy[i]), exactly)
      }
    }),
    RUNS,
  ))

test.run()
