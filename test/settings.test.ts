/**
 * Settings that the element type of a device cannot hold are refused by name, before anything is made. Others are
 * accepted.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Device } from '../src/device/device.js'
import { openDevice } from '../src/device/open.js'
import { ArgumentError } from '../src/memory/errors.js'
import { Linear, Parameter } from '../src/nn/index.js'
import { scaledDotProductAttention } from '../src/ops/attention.js'
import { frozenBatchNorm2d } from '../src/ops/batch-norm.js'
import { add, mul } from '../src/ops/binary.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import { dropout } from '../src/ops/dropout.js'
import { pad } from '../src/ops/movement.js'
import { groupNorm, layerNorm } from '../src/ops/norm.js'
import { mse } from '../src/ops/point-loss.js'
import { clamp, leakyRelu, pow } from '../src/ops/unary.js'
import { where } from '../src/ops/where.js'
import { adam, adamw, rmsprop, sgd } from '../src/optim/index.js'
import { scope } from '../src/step/scope.js'
import { Streamer } from '../src/stream/streamer.js'
import { full, ones, tensor } from '../src/tensor/create.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

const LEAST = 2 ** -126
const MOST = 2 ** 128 * (1 - 2 ** -24)

/** All functions that take a number of any magnitude, by the name in their errors. */
const TAKERS: Readonly<Record<string, (device: Device, value: number) => unknown>> = {
  'add: the number': (device, value) => add(ones(device, [2]), value),
  'mul: the number': (device, value) => mul(value, ones(device, [2])),
  'where: the number': (device, value) => where(ones(device, [2]), value, ones(device, [2])),
  'full: value': (device, value) => full(device, [2], value),
  'leakyRelu: slope': (device, value) => leakyRelu(ones(device, [2]), value),
  'clamp: low': (device, value) => clamp(ones(device, [2]), value, Infinity),
  'clamp: high': (device, value) => clamp(ones(device, [2]), -Infinity, value),
  'pow: exponent': (device, value) => pow(ones(device, [2]), value),
  'pad: value': (device, value) => pad(ones(device, [2]), [[1, 0]], value),
  'layerNorm: eps': (device, value) => layerNorm(ones(device, [2, 3]), null, null, { eps: value }),
  'groupNorm: eps': (device, value) => groupNorm(ones(device, [2, 4]), 2, null, null, { eps: value }),
  'frozenBatchNorm2d: eps': (device, value) => {
    const [x, each] = [ones(device, [1, 2, 1, 1]), ones(device, [2])]
    return frozenBatchNorm2d(x, each, each, null, null, { eps: value })
  },
  'scaledDotProductAttention: scale': (device, value) => {
    const x = ones(device, [1, 2, 2])
    return scaledDotProductAttention(x, x, x, { scale: value })
  },
  'sgd: learningRate': (device, value) => sgd(leaf(device), { learningRate: value }),
  'sgd: weightDecay': (device, value) => sgd(leaf(device), { weightDecay: value }),
  'sgd: momentum': (device, value) => sgd(leaf(device), { momentum: value }),
  'sgd: dampening': (device, value) => sgd(leaf(device), { momentum: 0.5, dampening: value }),
  'sgd: clipNorm': (device, value) => sgd(leaf(device), { clipNorm: value }),
  'sgd: clipValue': (device, value) => sgd(leaf(device), { clipValue: value }),
  'rmsprop: momentum': (device, value) => rmsprop(leaf(device), { momentum: value }),
  'rmsprop: eps': (device, value) => rmsprop(leaf(device), { eps: value }),
  'adam: weightDecay': (device, value) => adam(leaf(device), { learningRate: 0, weightDecay: value }),
  'adam: eps': (device, value) => adam(leaf(device), { eps: value }),
}

/** All functions that take a number below 1, likewise. */
const SHARES: Readonly<Record<string, (device: Device, value: number) => unknown>> = {
  'dropout: rate': (device, value) => dropout(ones(device, [2]), value),
  'crossEntropy: labelSmoothing': (device, value) =>
    crossEntropy(ones(device, [2, 3]), tensor(device, [0, 1]), { labelSmoothing: value }),
  'rmsprop: alpha': (device, value) => rmsprop(leaf(device), { alpha: value }),
  'adam: the first of betas': (device, value) => adam(leaf(device), { betas: [value, 0.9] }),
  'adamw: the second of betas': (device, value) => adamw(leaf(device), { betas: [0.9, value] }),
}

const leaf = (device: Device) => [{ parameters: [new Parameter(device, [1])] }]

function refusal(make: () => unknown): string | null {
  try {
    make()
  } catch (error) {
    if (error instanceof ArgumentError) return error.message
    throw error
  }
  return null
}

test('numbers that float32 cannot hold are refused by name, others are accepted', async () => {
  const cpu = await openDevice('cpu', { memory: '1MiB' })
  const reference = await openDevice('reference', { memory: '1MiB' })
  const check = (device: Device, name: string, make: (device: Device, value: number) => unknown, value: number) =>
    scope(device, () => {
      const { gradient, optimizer } = device.memory.held
      const message = refusal(() => make(device, value))
      if (message !== null) {
        assert.equal([device.memory.held.gradient, device.memory.held.optimizer], [gradient, optimizer], name)
      }
      return message
    })
  const outside = [1e-50, LEAST / 2, 2 ** -149, 1e-320]
  const beyond = [MOST * (1 + 2 ** -20), 1e39, 1e50, 1e300]
  for (const [name, make] of Object.entries(TAKERS)) {
    for (const value of [...outside, ...beyond]) {
      const message = check(cpu, name, make, value)
      assert.ok(
        message?.startsWith(`${name} is ${value}, and the cpu device computes in float32`),
        `${name}: ${message}`,
      )
      if (value >= 1e-300) assert.is(check(reference, name, make, value), null)
    }
    for (const value of [LEAST, 0.5, 1, MOST]) assert.is(check(cpu, name, make, value), null)
  }
  for (const [name, make] of Object.entries(SHARES)) {
    for (const value of outside) {
      assert.match(check(cpu, name, make, value) ?? '', `${name} is ${value}, and the cpu device`)
    }
    for (const value of [0, LEAST, 0.5]) assert.is(check(cpu, name, make, value), null)
  }
})

test('settings whose meaning would change in float32 are refused', async () => {
  const device = await openDevice('cpu', { memory: '64KiB' })
  const reference = await openDevice('reference', { memory: '64KiB' })
  const refused: Readonly<Record<string, () => unknown>> = {
    'eps is 0; it must be above': () => adam(leaf(device), { eps: 0 }),
    'one of them would be 1': () => adam(leaf(device), { betas: [0.9, 1 - 2 ** -30] }),
    'the first learning rate': () => adam(leaf(device), { learningRate: 1e38, betas: [0.99, 0.999] }),
    '1 - learningRate \\* weightDecay': () => adamw(leaf(device), { learningRate: 1e30, weightDecay: 1e30 }),
    'the learning rate of step 0 is 1e\\+39': () => sgd(leaf(device), { learningRate: () => 1e39 }).step(),
    'layerNorm: eps is -1': () => layerNorm(ones(device, [2, 3]), null, null, { eps: -1 }),
    'groupNorm: eps is NaN': () => groupNorm(ones(device, [2, 4]), 2, null, null, { eps: Number.NaN }),
  }
  for (const [message, make] of Object.entries(refused)) {
    assert.match(refusal(make) ?? 'it was accepted', new RegExp(message))
  }
  adam(leaf(reference), { betas: [0.9, 1 - 2 ** -30] })
  // a rate that decays forever becomes 0, which does not end the training
  const parameters = leaf(device)
  const optimizer = sgd(parameters, { learningRate: (step) => 0.1 ** (20 * step) })
  for (let step = 0; step < 4; step++) optimizer.step()
})

test('with any settings that adam accepts, a parameter whose gradient is 0 never becomes NaN', async () => {
  const device = await openDevice('cpu', { memory: '64KiB' })
  const sizes = fc.oneof(
    fc.constantFrom(0, LEAST, MOST),
    fc.integer({ min: -140, max: 140 }).map((n) => 2 ** n),
  )
  const below1 = fc.constantFrom(0, LEAST, 0.5, 0.9, 0.999, 1 - 2 ** -24)
  await fc.assert(
    fc.asyncProperty(sizes, sizes, below1, below1, async (learningRate, eps, beta1, beta2) => {
      const parameter = new Parameter(device, [3], () => [1, -2, 0])
      let made = null
      try {
        made = adam([{ parameters: [parameter] }], { learningRate, eps, betas: [beta1, beta2] })
        for (let step = 0; step < 3; step++) made.step()
        assert.equal([...(await parameter.data())], [1, -2, 0])
      } catch (error) {
        if (!(error instanceof ArgumentError)) throw error
      } finally {
        made?.dispose()
        parameter.grad?.dispose()
        parameter.dispose()
      }
    }),
    { seed: 27, numRuns: 200 * TEST_RUNS },
  )
})

test('sample weights that float32 cannot hold are refused, and train on a device that can hold them', async () => {
  const batchOf = (weights: readonly number[], scale?: number) => ({
    inputs: { data: Float32Array.of(1, 2), shape: [2, 1] },
    targets: { data: Float32Array.of(1, -1), shape: [2, 1] },
    weights: { data: Float64Array.from(weights), shape: [2], scale },
  })
  const device = await openDevice('cpu', { memory: '64KiB' })
  const model = new Linear(device, 1, 1)
  const streamer = new Streamer({ model, loss: mse, optimizer: sgd(model, { learningRate: 0.1 }) })
  const before = await model.stateDict()
  for (const [batch, message] of [
    [batchOf([1e-46, 1e-46]), /the weight of sample 0 is 1e-46/],
    [batchOf([1, 1e39]), /the weight of sample 1 is 1e\+39/],
    [batchOf([3e38, 3e38]), /their sum is 6e\+38/],
    [batchOf([1, 0], 1e-40), /the weight of sample 0 is 1e-40/],
  ] as const) {
    const error = await streamer.step(batch).then(
      () => null,
      (reason: unknown) => reason,
    )
    assert.instance(error, ArgumentError)
    assert.match(String(error), message)
  }
  assert.equal(await model.stateDict(), before)
  await streamer.step(batchOf([LEAST, 0]))
  assert.not.equal(await model.stateDict(), before)

  const exact = await openDevice('reference', { memory: '64KiB' })
  const inDouble = new Linear(exact, 1, 1)
  const start = await inDouble.stateDict()
  await new Streamer({ model: inDouble, loss: mse, optimizer: sgd(inDouble, { learningRate: 0.1 }) }).step(
    batchOf([1e-46, 1e-46]),
  )
  assert.not.equal(await inDouble.stateDict(), start)
})

test.run()
