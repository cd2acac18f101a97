/** The plans that `fit` makes before its first step, the notes of a plan, and how long plans are kept. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Dataset, fromArrays } from '../src/data/index.js'
import { openDevice } from '../src/device/open.js'
import { ArgumentError } from '../src/memory/errors.js'
import { BatchNorm2d, Buffer, Flatten, Linear, Module, Sequential } from '../src/nn/index.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import { sgd } from '../src/optim/index.js'
import { DoesNotFitError } from '../src/stream/errors.js'
import { type FitOptions, Streamer } from '../src/stream/streamer.js'
import { ShapeError } from '../src/tensor/errors.js'
import type { Tensor } from '../src/tensor/tensor.js'

/** Batch norm over one pixel. In training it refuses a single sample, which has no variance. */
async function overOnePixel(): Promise<Streamer> {
  const device = await openDevice('reference', { memory: '1MiB' })
  const model = new Sequential(new BatchNorm2d(device, 2), new Flatten(device), new Linear(device, 2, 2))
  return new Streamer({ model, loss: crossEntropy, optimizer: sgd(model, { learningRate: 0.1 }) })
}

function pixels(samples: number, channels = 2): Dataset {
  return fromArrays({
    inputs: {
      data: Float64Array.from({ length: samples * channels }, (_, i) => i % 5),
      shape: [samples, channels, 1, 1],
    },
    targets: { data: Uint8Array.from({ length: samples }, (_, i) => i % 2), shape: [samples] },
  })
}

test('fit: a last mini-batch or an evaluation that cannot run is refused before the first step', async () => {
  const steps = async (
    streamer: Streamer,
    samples: number,
    options: Omit<FitOptions, 'batch'> & { batch?: number },
  ) => {
    for await (const _ of streamer.fit(pixels(samples), { batch: 2, ...options }));
    return streamer.optimizer.steps
  }
  const refused: [number, Parameters<typeof steps>[2], RegExp][] = [
    [5, {}, /the last mini-batch of an epoch has 1 of 5 samples; dropLast: true leaves it out: batchNorm2d/],
    [6, { evaluate: pixels(3, 4) }, /the data to evaluate: frozenBatchNorm2d/],
    [5, { batch: 3, dropLast: true, evaluate: pixels(3, 1) }, /the data to evaluate: frozenBatchNorm2d/],
  ]
  for (const [samples, options, message] of refused) {
    const streamer = await overOnePixel()
    try {
      await steps(streamer, samples, options)
      assert.unreachable()
    } catch (error) {
      assert.instance(error, ShapeError)
      assert.match(String(error), message)
    }
    assert.is(streamer.optimizer.steps, 0)
  }
  assert.is(await steps(await overOnePixel(), 5, { dropLast: true, epochs: 3 }), 6)
  assert.is(await steps(await overOnePixel(), 5, { batch: 3, evaluate: pixels(1) }), 2)
})

test('if the smaller part of a plan cannot run, the error names that part', async () => {
  const streamer = await overOnePixel()
  assert.throws(
    () => streamer.plan({ batch: 5, microBatch: 2, inputShape: [2, 1, 1] }),
    (error: unknown) =>
      error instanceof DoesNotFitError &&
      /^a micro-batch of 1 sample \(the mini-batch is cut into parts of at most 2\) cannot/.test(error.message),
  )
})

test("the notes of a plan name a user's buffer that every micro-batch changes; those of batch norm have a note of their own", async () => {
  const device = await openDevice('reference', { memory: '1MiB' })
  class Counting extends Module {
    count = new Buffer(device, [])
    head = new Sequential(new BatchNorm2d(device, 2), new Flatten(device), new Linear(device, 2, 2))
    forward(x: Tensor): Tensor {
      if (this.training) {
        const parameters = { size: 1, function: 'affine', a: 1, b: 1 } as const
        device.update({ kernel: 'unary', parameters, targets: [this.count.target.storage('count')], inputs: [] })
      }
      return this.head.forward(x)
    }
  }
  const model = new Counting(device)
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: sgd(model, { learningRate: 0.1 }) })
  const plan = (): readonly string[] => streamer.plan({ batch: 4, inputShape: [2, 1, 1] }).notes
  assert.equal(
    plan().map((note) => note.slice(0, 19)),
    ['batch norm (deferre', 'count: moved once f'],
  )
  model.eval()
  assert.equal(plan().length, 1)
  model.train()
  await streamer.step(pixels(6).gather([0, 1, 2, 3, 4, 5]), { microBatch: 2 })
  assert.is(await model.count.value.item(), 3)
})

test('a size that was planned before is not planned again, unless the model has changed', async () => {
  const streamer = await overOnePixel()
  const { model } = streamer
  const forward = model.forward.bind(model)
  let forwards = 0
  model.forward = (x) => {
    forwards++
    return forward(x)
  }
  const step = async (samples: number): Promise<number> => {
    const before = forwards
    await streamer.step(pixels(samples).gather(Array.from({ length: samples }, (_, i) => i)), { microBatch: samples })
    return forwards - before
  }
  for (let samples = 2; samples < 80; samples++) assert.ok((await step(samples)) > 1)
  assert.is(await step(79), 1)
  assert.is(await step(50), 1)
  assert.ok((await step(2)) > 1, 'only the last few plans are kept')
  model.modules()[1].eval()
  assert.ok((await step(79)) > 1)
  assert.is(await step(79), 1)
})

test('a mini-batch or a micro-batch that is no positive whole number of samples is refused', async () => {
  const streamer = await overOnePixel()
  const plan = { batch: 4, inputShape: [2, 1, 1], targetShape: [] }
  for (const count of [0, -1, 1.5, Number.NaN, Infinity]) {
    for (const wrong of ['batch', 'microBatch']) {
      try {
        streamer.plan({ ...plan, [wrong]: count })
        assert.unreachable()
      } catch (error) {
        assert.instance(error, ArgumentError)
        assert.match(String(error), new RegExp(wrong))
      }
    }
  }
  assert.is(streamer.plan({ ...plan, microBatch: 2 }).batch, 4)
})

test.run()
