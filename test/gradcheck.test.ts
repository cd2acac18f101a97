/** Gradient checks: every op passes, and a wrong gradient does not. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkGradient, checkOps } from '../src/autograd/gradcheck.js'
import type { Device } from '../src/device/device.js'
import { DeviceError } from '../src/device/errors.js'
import { BudgetExceededError } from '../src/memory/allocator.js'
import { ArgumentError } from '../src/memory/errors.js'
import type { Gradient, Op } from '../src/ops/declaration.js'
import { apply } from '../src/ops/op.js'
import { ops, opTable } from '../src/ops/table.js'
import { zeros } from '../src/tensor/create.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { GRADIENT_CHECK } from './tolerances.js'

const checks = await checkOps()

for (const { op, worstError } of checks) {
  if (worstError === null) continue
  test(`${op}: the gradient agrees with finite differences`, () =>
    assert.ok(worstError <= GRADIENT_CHECK, `error ${worstError}`))
}

test('the listed ops have no gradient, and all others have one', () => {
  const without = checks.filter(({ worstError }) => worstError === null).map(({ op }) => op)
  const comparisons = ['equal', 'greater', 'greaterEqual', 'less', 'lessEqual', 'notEqual']
  assert.equal(without.sort(), ['argmax', 'argmin', 'detach', ...comparisons, 'floor', 'round', 'sign'].sort())
})

/** An op whose gradient to input `index` is twice the right one. */
function doubled(op: Op<unknown>, index: number): Op<unknown> {
  const twice = (gradient: Gradient<unknown>): Gradient<unknown> => ({
    saves: gradient.saves,
    send: (call, target, i) => {
      gradient.send(call, target, i)
      gradient.send(call, target, i)
    },
  })
  return { ...op, gradients: op.gradients.map((gradient, i) => (gradient && i === index ? twice(gradient) : gradient)) }
}

test('a doubled gradient is caught, for every op and input', async () => {
  const wrong = opTable.flatMap((op) => op.gradients.flatMap((gradient, i) => (gradient ? [doubled(op, i)] : [])))
  assert.ok(wrong.length > 60)
  for (const { op, worstError } of await checkOps(wrong, { seed: 3 })) {
    assert.ok(worstError !== null && worstError > 10 * GRADIENT_CHECK, `${op}: error ${worstError}`)
  }
})

test('the same seed gives the same numbers, and another seed gives others', async () => {
  const conv = opTable.filter(({ name }) => name === 'conv2d')
  assert.equal(await checkOps(conv), await checkOps(conv))
  assert.not.equal(await checkOps(conv, { seed: 1 }), await checkOps(conv, { seed: 2 }))
})

test('the same seed of checkGradient gives the same numbers, and another seed gives others; the default is 0', async () => {
  const checked = (seed?: number) => checkGradient(ops.exp, [[0.5, -1, 0.25]], { seed })
  const none = await checked()
  assert.equal(none, await checked(0))
  for (const seed of [1, 2 ** 32 - 1])
    assert.not.equal((await checked(seed)).inputs[0].analytic, none.inputs[0].analytic)
})

test('directions and weights are numbers between -1 and 1, of both signs', async () => {
  // y = x: the gradient of c y along v is c v
  const products: number[] = []
  for (let seed = 0; seed < 40; seed++) {
    const { inputs } = await checkGradient((x) => ops.reshape(x, []), [[3]], { seed })
    products.push(inputs[0].analytic)
  }
  assert.ok(products.every((product) => Math.abs(product) < 1))
  assert.ok(Math.min(...products) < -0.3 && Math.max(...products) > 0.3)
  const mean = products.reduce((sum, product) => sum + product, 0) / products.length
  assert.ok(Math.abs(mean) < 0.2, `mean ${mean}`)
})

test('the error is relative to the larger of 1 and the number, and is compared with the tolerance', async () => {
  const square = opTable.find(({ name }) => name === 'square') ?? opTable[0]
  const wrong = (x: Tensor): Tensor => apply(doubled(square, 0), [x], { a: 0, b: 0 })
  for (const point of [0.001, 100]) {
    const { inputs, worstError } = await checkGradient(wrong, [[point]])
    const [{ analytic, numeric, error }] = inputs
    assert.ok(Math.abs(analytic - 2 * numeric) < 1e-6 * Math.max(1, Math.abs(numeric)))
    assert.is(error, Math.abs(analytic - numeric) / Math.max(1, Math.abs(numeric)))
    assert.is(worstError, error)
    assert.ok((await checkGradient(wrong, [[point]], { tolerance: error })).ok)
    assert.not((await checkGradient(wrong, [[point]], { tolerance: 0.99 * error })).ok)
  }
  const { ok, worstError } = await checkGradient(ops.log, [[-1, 2]])
  assert.not(ok)
  assert.is(worstError, Infinity, 'the error of NaN is infinite')
})

test('inputs of every form give the same points', async () => {
  const forms = [1.5, { data: Float32Array.of(1.5), shape: [] }, { data: Int8Array.of(6), shape: [], scale: 0.25 }]
  const checks = await Promise.all(forms.map((form) => checkGradient(ops.exp, [form])))
  for (const check of checks) assert.equal(check, checks[0])
  assert.ok(checks[0].ok)
})

test('a check leaves nothing behind: a thousand of them run in 64 KiB; too little memory is an error', async () => {
  const relu = opTable.filter(({ name }) => name === 'relu')
  const many = await checkOps(
    Array.from({ length: 1000 }, () => relu[0]),
    { memory: '64KiB' },
  )
  assert.ok(many.every(({ worstError }) => worstError !== null && worstError <= GRADIENT_CHECK))
  // x, c, c x, and the gradients of c x and of x take 64 KiB each; a few numbers fit beside them, but no second x
  const wide = Array.from({ length: 8192 }, (_, i) => i / 8192)
  let device: Device | undefined
  const kept = (x: Tensor): Tensor => {
    device = x.device
    return ops.reshape(x, [8192])
  }
  assert.ok((await checkGradient(kept, [wide], { memory: '384KiB' })).ok)
  assert.throws(
    () => device && zeros(device, [1]),
    (error: unknown) => error instanceof DeviceError,
  )
  const tooLittle = (error: unknown): boolean => error instanceof BudgetExceededError
  for (const attempt of [
    () => checkGradient(ops.exp, [Array.from({ length: 9000 }, () => 0)], { memory: '64KiB' }),
    () => checkOps(relu, { memory: 0 }),
  ]) {
    const error: unknown = await attempt().catch((thrown: unknown) => thrown)
    assert.ok(tooLittle(error), String(error))
  }
})

test("a user's function: a right gradient passes, a wrong one fails, a kink is an error", async () => {
  const right = await checkGradient(
    (x, w) => ops.tanh(ops.matmul(x, w)),
    [
      [
        [0.5, -1],
        [2, 0.25],
      ],
      { data: Int8Array.of(2, -3), shape: [2, 1], scale: 0.25 },
    ],
  )
  assert.ok(right.ok && right.worstError <= GRADIENT_CHECK)
  assert.equal(
    right.inputs.map(({ input }) => input),
    [0, 1],
  )
  const square = opTable.find(({ name }) => name === 'square') ?? opTable[0]
  const wrong = await checkGradient((x) => apply(doubled(square, 0), [x], { a: 0, b: 0 }), [[1, 2, 3]])
  assert.not(wrong.ok)
  assert.ok(Math.abs(wrong.inputs[0].analytic - 2 * wrong.inputs[0].numeric) < 1e-6)
  const kink = await checkGradient((x) => ops.relu(x), [[0]])
  assert.not(kink.ok)
})

test("a user's function: chosen inputs, dropout, and no dependence", async () => {
  const dropped = (x: Tensor): Tensor => ops.dropout(ops.dropout(ops.square(x), 0.5), 0.25)
  assert.ok((await checkGradient(dropped, [[1, 2, 3, 4, 5, 6, 7, 8]])).ok, 'each run draws the same masks')
  const chosen = await checkGradient(
    (table, at) => ops.embedding(table, at),
    [
      [
        [1, 2],
        [3, 4],
      ],
      [1, 1, 0],
    ],
    { inputs: [0] },
  )
  assert.equal(
    chosen.inputs.map(({ input }) => input),
    [0],
  )
  assert.ok(chosen.ok)
  try {
    await checkGradient((x) => ops.greater(x, 0), [[1]])
    assert.unreachable('a function without gradient was checked')
  } catch (error) {
    assert.instance(error, ArgumentError)
  }
})

test.run()
