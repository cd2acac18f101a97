/** `evaluate` and `predict` against counts and forwards by hand, and what they must not change. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Batch, fromArrays } from '../src/data/index.js'
import type { Device } from '../src/device/device.js'
import { PlanMismatchError } from '../src/device/errors.js'
import { openDevice, openVirtualDevice } from '../src/device/open.js'
import { fc } from './property.js'
import '../src/ops/chain.js'
import {
  BatchNorm2d,
  Dropout,
  Flatten,
  generator,
  Linear,
  Module,
  Parameter,
  Sequential,
  Tanh,
} from '../src/nn/index.js'
import { crossEntropy, crossEntropyLoss } from '../src/ops/cross-entropy.js'
import type { Loss } from '../src/ops/loss.js'
import { mse } from '../src/ops/point-loss.js'
import { adam, sgd } from '../src/optim/index.js'
import { EmptyBatchError, InterruptedError, ModelError } from '../src/stream/errors.js'
import { Streamer } from '../src/stream/streamer.js'
import { zeros } from '../src/tensor/create.js'
import type { HostData } from '../src/tensor/host.js'
import type { Tensor } from '../src/tensor/tensor.js'
import {
  classBatch,
  crossEntropyByHand,
  drawnSamples,
  evenly,
  forwardByHand,
  learnByHand,
  OUTPUTS,
  type PointLoss,
  perceptron,
  samplesOf,
  squaredErrorByHand,
  valueBatch,
  valuesOf,
} from './by-hand.js'
import { errorOf } from './error-of.js'
import { TEST_RUNS } from './fixtures.js'
import { BY_HAND } from './tolerances.js'

const open = () => openDevice('reference', { memory: '1MiB' })

const streamerOf = (model: Module, loss: Loss): Streamer =>
  new Streamer({ model, loss, optimizer: sgd(model, { learningRate: 0.1 }) })

const drawn = fc.record({
  ...drawnSamples({ min: 1, max: 10, maxIgnored: 5 }),
  most: fc.integer({ min: 1, max: 5 }),
})

const TASKS: Readonly<Record<string, { loss: Loss; byHand: PointLoss; classes: boolean }>> = {
  'cross-entropy': { loss: crossEntropy, byHand: crossEntropyByHand(), classes: true },
  'cross-entropy, smoothed': {
    loss: crossEntropyLoss({ labelSmoothing: 0.25 }),
    byHand: crossEntropyByHand(0.25),
    classes: true,
  },
  'squared error': { loss: mse, byHand: squaredErrorByHand, classes: false },
}

for (const [name, { loss, byHand, classes }] of Object.entries(TASKS)) {
  test(`${name}: loss, accuracy and outputs are those by hand, in parts of any size`, async () => {
    await fc.assert(
      fc.asyncProperty(drawn, async ({ count, most, seed, weighted, ignored }) => {
        const batch = (classes ? classBatch : valueBatch)(count, seed, { weighted, ignored })
        const samples = samplesOf(batch)
        const device = await open()
        const model = perceptron(device)
        const streamer = streamerOf(model, loss)
        const values = await valuesOf(model)
        const held = device.memory.heldBytes

        const { data, shape } = await streamer.predict(batch.inputs, { microBatch: most })
        assert.equal(shape, [count, OUTPUTS])
        const outputs = samples.map(({ x }) => forwardByHand(values, x).z)
        outputs.flat().forEach((value, i) => {
          assert.ok(Math.abs(data[i] - value) <= BY_HAND)
        })

        const wanted = learnByHand(values, samples, byHand)
        const progress: number[] = []
        const run = streamer.evaluate(fromArrays(batch), {
          microBatch: most,
          onMicroBatch: ({ samples }) => void progress.push(samples),
        })
        if (wanted.weight === 0) {
          assert.instance(await errorOf(run), EmptyBatchError)
          return
        }
        const result = await run
        assert.ok(Math.abs(result.loss - wanted.loss) <= BY_HAND * Math.max(1, wanted.loss))
        assert.is(result.samples, count)
        assert.is(result.peakBytes, result.plannedPeakBytes)
        assert.ok(result.ms > 0)
        let sum = 0
        assert.equal(
          progress,
          evenly(count, most).map((size) => {
            sum += size
            return sum
          }),
        )
        if (!classes) assert.is(result.accuracy, undefined)
        else if (!weighted) {
          const counted = samples.filter(({ target: [target] }) => target >= 0)
          const right = counted.filter(({ x, target: [target] }) => {
            const { z } = forwardByHand(values, x)
            return z.indexOf(Math.max(...z)) === target
          })
          assert.is(result.accuracy, right.length / counted.length)
        }
        assert.equal(await valuesOf(model), values, 'nothing was learned')
        assert.is(device.memory.heldBytes, held)
        device.close()
      }),
      { seed: 7, numRuns: 15 * TEST_RUNS },
    )
  })
}

/** A module that returns its input; its parameter is 0. */
class Echo extends Module {
  zero = new Parameter(this.device, [1])

  forward(x: Tensor): Tensor {
    return x.add(this.zero)
  }
}

async function accuracyOf(outputs: number[], shape: number[], targets: HostData, targetShape: number[], scale = 1) {
  const device = await open()
  const batch: Batch = {
    inputs: { data: Float64Array.from(outputs), shape },
    targets: { data: targets, shape: targetShape, scale },
  }
  const { accuracy } = await streamerOf(new Echo(device), crossEntropy).evaluate(fromArrays(batch), { microBatch: 2 })
  return accuracy
}

test('accuracy: among equal outputs, the first is the prediction', async () => {
  const outputs = [
    [1, 1, 0],
    [0, 2, 2],
    [3, 3, 3],
    [-1, -1, -2],
  ].flat()
  assert.is(await accuracyOf(outputs, [4, 3], Int32Array.of(0, 1, 0, 0), [4]), 1)
  assert.is(await accuracyOf(outputs, [4, 3], Int32Array.of(1, 2, 2, 1), [4]), 0)
})

test('accuracy: ignored targets count neither for nor against', async () => {
  const outputs = [
    [1, 0],
    [1, 0],
    [0, 1],
    [0, 1],
    [5, 0],
  ].flat()
  assert.is(await accuracyOf(outputs, [5, 2], Int32Array.of(0, -100, 0, 1, -100), [5]), 2 / 3)
})

test('accuracy: targets are multiplied by their scale', async () => {
  const outputs = [
    [0, 0, 9],
    [0, 9, 0],
    [9, 0, 0],
  ].flat()
  assert.is(await accuracyOf(outputs, [3, 3], Uint8Array.of(4, 2, 0), [3], 0.5), 1)
  assert.is(await accuracyOf(outputs, [3, 3], Uint8Array.of(4, 2, 2), [3], 0.5), 2 / 3)
})

test('accuracy: each position of a sample has its own target', async () => {
  // [N, 2 classes, 3 positions]
  const outputs = [
    [
      [1, 0, 2],
      [0, 1, 1],
    ],
    [
      [5, 5, 0],
      [0, 6, 7],
    ],
    [
      [0, 0, 0],
      [1, 1, 1],
    ],
  ].flat(2)
  assert.is(await accuracyOf(outputs, [3, 2, 3], Int32Array.of(0, 1, 0, 0, 1, 1, 1, 1, 1), [3, 3]), 1)
  assert.is(await accuracyOf(outputs, [3, 2, 3], Int32Array.of(0, 1, 1, 1, 1, 1, -100, -100, 0), [3, 3]), 4 / 7)
})

/** Batch norm and dropout, which differ in training; a test may let it fail in evaluation. */
class Moody extends Module {
  norm = new BatchNorm2d(this.device, 1)
  drop = new Dropout(this.device, 0.5)
  rest = new Sequential(new Flatten(this.device), new Linear(this.device, 4, 2, { random: generator(1) }))
  fails = false

  constructor(device: Device) {
    super(device)
    device.step.seed = 1
  }

  forward(x: Tensor): Tensor {
    if (this.fails && !this.training) throw new Error('not in this mood')
    return this.rest.forward(this.drop.forward(this.norm.forward(x)))
  }
}

const images = (count: number, seed: number): Batch => {
  const random = generator(seed)
  return {
    inputs: { data: Float64Array.from({ length: 4 * count }, () => 4 * random()), shape: [count, 1, 2, 2] },
    targets: { data: Int32Array.from({ length: count }, (_, i) => i % 2), shape: [count] },
  }
}

test('evaluation mode: no dropout, running statistics, and neither of them moves', async () => {
  const device = await open()
  const model = new Moody(device)
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: adam(model), seed: 5 })
  await streamer.step(images(6, 1))
  const state = await model.stateDict()
  const [mean, variance, weight, bias] = ['norm.running_mean', 'norm.running_var', 'rest.1.weight', 'rest.1.bias'].map(
    (name) => [...state[name].data],
  )
  const [scale, shift] = [state['norm.weight'].data[0], state['norm.bias'].data[0]]
  assert.not.equal(mean, [0], 'the step has moved them')
  const batch = images(5, 2)
  const { data } = await streamer.predict(batch.inputs, { microBatch: 2 })
  let loss = 0
  for (let i = 0; i < 5; i++) {
    const x = Array.from(batch.inputs.data.subarray(4 * i, 4 * i + 4))
    const normed = x.map((value) => (scale * (value - mean[0])) / Math.sqrt(variance[0] + 1e-5) + shift)
    const z = bias.map((start, c) => normed.reduce((sum, value, j) => sum + weight[4 * c + j] * value, start))
    z.forEach((value, c) => {
      assert.ok(Math.abs(data[2 * i + c] - value) <= BY_HAND)
    })
    loss += (crossEntropyByHand()(z, [i % 2])?.loss ?? 0) / 5
  }
  assert.ok(Math.abs((await streamer.evaluate(fromArrays(batch), { microBatch: 3 })).loss - loss) <= BY_HAND)
  assert.equal(await model.stateDict(), state)
})

test('modes set by hand survive evaluation, prediction and planning, and their errors', async () => {
  const device = await open()
  for (const frozen of [['norm'], ['drop'], ['norm', 'drop', 'rest'], []]) {
    const model = new Moody(device)
    const streamer = streamerOf(model, crossEntropy)
    for (const module of [model.norm, model.drop, model.rest]) {
      const name = Object.entries(model).find(([, value]) => value === module)?.[0] ?? ''
      if (frozen.includes(name)) module.eval()
    }
    const modes = () => model.modules().map(({ training }) => training)
    const before = modes()
    const dataset = fromArrays(images(5, 1))
    await streamer.evaluate(dataset, { microBatch: 2 })
    assert.equal(modes(), before, 'evaluate')
    await streamer.predict(images(5, 1).inputs)
    assert.equal(modes(), before, 'predict')
    streamer.plan({ batch: 5, inputShape: [1, 2, 2], mode: 'evaluate' })
    streamer.plan({ batch: 5, inputShape: [1, 2, 2] })
    assert.equal(modes(), before, 'plan')
    const controller = new AbortController()
    const aborted = streamer.evaluate(dataset, {
      microBatch: 1,
      signal: controller.signal,
      onMicroBatch: () => controller.abort(),
    })
    assert.instance(await errorOf(aborted), InterruptedError)
    assert.equal(modes(), before, 'interrupted')
    model.fails = true
    assert.instance(await errorOf(streamer.predict(images(5, 1).inputs, { microBatch: 3 })), ModelError)
    assert.equal(modes(), before, 'a forward that throws in evaluation')
    model.fails = false
    await streamer.step(images(4, 3))
    assert.equal(modes(), before, 'step')
    model.eval()
    await streamer.predict(images(5, 1).inputs)
    assert.not.ok(
      modes().some((training) => training),
      'a model that was not training is not set to',
    )
    model.dispose()
  }
})

test('evaluation and prediction between steps change nothing in the training', async () => {
  const train = async (disturbed: boolean) => {
    const device = await open()
    const model = new Moody(device)
    const optimizer = adam(model, { learningRate: 0.1 })
    const streamer = new Streamer({ model, loss: crossEntropy, optimizer, seed: 2 })
    const losses: number[] = []
    for (const seed of [1, 2, 3]) {
      losses.push((await streamer.step(images(6, seed), { microBatch: 4 })).loss)
      if (!disturbed) continue
      await streamer.evaluate(fromArrays(images(7, 9)), { microBatch: 2 })
      await streamer.predict(images(3, 8).inputs)
      streamer.plan({ batch: 100, inputShape: [1, 2, 2] })
      await streamer.checkpoint()
    }
    return { losses, model: await model.stateDict(), optimizer: await optimizer.stateDict(), cursor: streamer.cursor }
  }
  assert.equal(await train(true), await train(false))
})

test('an evaluation or a prediction whose peak is not the planned one is an error', async () => {
  const device = await open()
  const batch = images(6, 1)
  const streamer = streamerOf(new Moody(device), crossEntropy)
  const options = { microBatch: 2, onMicroBatch: () => zeros(device, [8192]).dispose() }
  assert.instance(await errorOf(streamer.evaluate(fromArrays(batch), options)), PlanMismatchError)
  assert.instance(await errorOf(streamer.predict(batch.inputs, options)), PlanMismatchError)
  assert.is((await streamer.evaluate(fromArrays(batch))).samples, 6)
})

test('evaluation and prediction keep nothing for gradients: the bytes of a sample do not grow with the depth', () => {
  for (const mode of ['evaluate', 'predict', 'train'] as const) {
    const [shallow, deep] = [2, 12].map((depth) => {
      const device = openVirtualDevice('cpu')
      const layers = Array.from({ length: depth }, () => new Tanh(device))
      const model = new Sequential(new Linear(device, 64, 64), ...layers, new Linear(device, 64, 3))
      return streamerOf(model, crossEntropy).plan({ batch: 50, mode, inputShape: [64] }).bytesPerSample
    })
    if (mode === 'train') assert.ok(deep > shallow, `${deep} bytes, shallow ${shallow}`)
    else assert.is(deep, shallow, mode)
  }
})

test('outputs have the float type of their device', async () => {
  for (const [kind, Floats] of [
    ['reference', Float64Array],
    ['cpu', Float32Array],
  ] as const) {
    const device = await openDevice(kind, { memory: '1MiB' })
    const { inputs } = classBatch(5, 1)
    const { data } = await streamerOf(new Echo(device), mse).predict(inputs, { microBatch: 2 })
    assert.instance(data, Floats)
    assert.equal(
      [...data],
      [...inputs.data].map((value) => value / 64),
    )
    device.close()
  }
})

test.run()
