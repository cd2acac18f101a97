/**
 * The masks of dropout, computed from the parameters that a step changes. A mask depends only on the seed, the step,
 * the number of the dropout in the forward and the position in the mini-batch.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Batch, fromArrays } from '../src/data/index.js'
import type { Device } from '../src/device/device.js'
import { HeapDevice } from '../src/device/heap-device.js'
import { openDevice } from '../src/device/open.js'
import { BudgetExceededError } from '../src/memory/allocator.js'
import { HeapAllocator } from '../src/memory/heap.js'
import { fc } from './property.js'
import '../src/ops/chain.js'
import { generator, Module, Parameter } from '../src/nn/index.js'
import { scaledDotProductAttention } from '../src/ops/attention.js'
import { dropout } from '../src/ops/dropout.js'
import type { Loss } from '../src/ops/loss.js'
import { mse } from '../src/ops/point-loss.js'
import { sgd } from '../src/optim/index.js'
import { scope } from '../src/step/scope.js'
import { NonFiniteError } from '../src/stream/errors.js'
import { type FitOptions, Streamer } from '../src/stream/streamer.js'
import { tensor } from '../src/tensor/create.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { FailingAllocator } from './devices.js'
import { TEST_RUNS } from './fixtures.js'
import { SPLIT_GRADIENT } from './tolerances.js'

const WIDTH = 32

/** Two dropouts of the input, each multiplied by a parameter of its own. */
class Masks extends Module {
  first = new Parameter(this.device, [WIDTH])
  second = new Parameter(this.device, [WIDTH])
  rate = 0.5

  forward(x: Tensor): Tensor {
    const drop = (input: Tensor) => (this.training ? dropout(input, this.rate) : input)
    return drop(x).mul(this.first).add(drop(x).mul(this.second))
  }
}

/** Sample i is 2^i everywhere. */
const powers = (samples: number): Batch => ({
  inputs: {
    data: Float64Array.from({ length: samples * WIDTH }, (_, i) => 2 ** Math.floor(i / WIDTH)),
    shape: [samples, WIDTH],
  },
  targets: { data: new Uint8Array(samples), shape: [samples] },
})

/** A trainer that can read the masks: a parameter moves by the sum of 2^i over the samples whose element was kept. */
async function reader({ seed = 0, samples = 8, rate = 0.5 } = {}) {
  const device = await openDevice('reference', { memory: '1MiB' })
  const model = new Masks(device)
  model.rate = rate
  const factor = { value: 1 }
  const loss: Loss = (output) => output.mean().mul(tensor(output.device, factor.value))
  const optimizer = sgd(model, { learningRate: samples * WIDTH * (1 - rate) })
  const streamer = new Streamer({ model, loss, optimizer, seed })
  const sums = async () => [...(await model.first.data()), ...(await model.second.data())]
  let before = await sums()
  /** For each sample since the last call: which elements the two dropouts kept, as '0110...'. */
  const masks = async (): Promise<string[]> => {
    const now = await sums()
    const kept = now.map((value, i) => Math.round(before[i] - value))
    before = now
    return Array.from({ length: samples }, (_, i) => kept.map((bits) => (bits >> i) & 1).join(''))
  }
  return { streamer, factor, masks, batch: powers(samples) }
}

type Reader = Awaited<ReturnType<typeof reader>>

async function stepMasks({ streamer, masks, batch }: Reader, microBatch: number | 'fit' = 'fit'): Promise<string[]> {
  await streamer.step(batch, { microBatch })
  return masks()
}

const distinct = (masks: readonly string[]): number =>
  new Set(masks.flatMap((mask) => [mask.slice(0, WIDTH), mask.slice(WIDTH)])).size

test('a mask is the same for any split of the mini-batch; it differs from sample to sample and from dropout to dropout', async () => {
  const whole = await stepMasks(await reader())
  assert.is(distinct(whole), 16)
  for (const microBatch of [1, 2, 3, 5, 7]) assert.equal(await stepMasks(await reader(), microBatch), whole)
})

test('the share of kept elements is 1 minus the rate', async () => {
  for (const rate of [0.125, 0.5, 0.75]) {
    const masks = await stepMasks(await reader({ rate, samples: 24 }))
    const all = masks.join('')
    const kept = [...all].filter((bit) => bit === '1').length
    // binomial: within five deviations
    assert.ok(Math.abs(kept - (1 - rate) * all.length) < 5 * Math.sqrt(all.length * rate * (1 - rate)), `${kept}`)
  }
})

test('masks differ from step to step, from epoch to epoch and from seed to seed; the same seed draws the same', async () => {
  const draw = async (seed: number, fit?: FitOptions) => {
    const run = await reader({ seed, samples: 4 })
    const seen: string[][] = []
    // without a shuffle, the mini-batches of two epochs have the same samples
    if (fit) for await (const _ of run.streamer.fit(fromArrays(run.batch), fit)) seen.push(await run.masks())
    else for (let step = 0; step < 6; step++) seen.push(await stepMasks(run))
    return seen
  }
  const runs = await Promise.all([0, 1, 2, 1000].map((seed) => draw(seed)))
  assert.is(distinct(runs.flat(2)), 4 * 6 * 4 * 2)
  assert.equal(await draw(1), runs[1])
  const epochs = await draw(1, { batch: 4, epochs: 3, shuffle: false })
  assert.equal(epochs, runs[1].slice(0, 3))
})

test('neither work between steps nor a failure uses up a mask: a step that is tried again draws the same one', async () => {
  const straight = await reader()
  const wanted = [await stepMasks(straight), await stepMasks(straight), await stepMasks(straight)]
  const run = await reader()
  const { streamer, batch, factor } = run
  const disturb = async () => {
    factor.value = Number.NaN
    const outcome = await streamer.step(batch, { microBatch: 3 }).catch((error: unknown) => error)
    factor.value = 1
    assert.instance(outcome, NonFiniteError)
    await streamer.step(batch, { signal: AbortSignal.abort() }).catch(() => {})
    streamer.plan({ batch: 100, inputShape: [WIDTH] })
    await streamer.evaluate(fromArrays(batch))
    await streamer.predict(batch.inputs)
  }
  for (const masks of wanted) {
    await disturb()
    assert.equal(await stepMasks(run, 3), masks)
  }
})

test('after `restore`, training draws the masks that it would have drawn without a stop', async () => {
  const first = await reader({ seed: 4 })
  await stepMasks(first)
  const saved = await first.streamer.checkpoint()
  const wanted = [await stepMasks(first), await stepMasks(first)]
  const second = await reader({ seed: 4 })
  second.streamer.restore(saved)
  await second.masks()
  assert.equal([await stepMasks(second), await stepMasks(second)], wanted)
})

test('in a loop written by hand, a dropout that throws has not used up its mask', async () => {
  const values = Array.from({ length: 4 * WIDTH }, (_, i) => i + 1)
  const drawn = async (device: Device, fail: () => void) => {
    const x = tensor(device, values).reshape([4, WIDTH])
    const keys = x.reshape([4, 1, WIDTH])
    const twice = <T>(draw: () => T): T => {
      fail()
      try {
        return draw()
      } catch (error) {
        assert.instance(error, BudgetExceededError)
        return draw()
      }
    }
    const draws = [
      () => dropout(x, 0.5),
      () => scaledDotProductAttention(keys, keys, keys, { dropout: 0.5 }),
      () => dropout(x, 0.5),
    ]
    const y = [...draws.map(twice), ...twice(() => scope(device, () => draws.map((draw) => draw())))]
    return Promise.all(y.map(async (tensor) => [...(await tensor.data())]))
  }
  const wanted = await drawn(new HeapDevice('reference', new HeapAllocator(1 << 20)), () => {})
  assert.not.equal(wanted[0], wanted[2])
  const allocator = new FailingAllocator(1 << 20)
  const seen = await drawn(new HeapDevice('reference', allocator), () => {
    allocator.remaining = 1
  })
  assert.equal(seen, wanted)
})

/** Attention with two heads and dropout: one half of a sample has T queries, the other S keys. */
class CrossAttention extends Module {
  scale: Parameter

  constructor(
    device: Device,
    readonly queries: number,
    readonly keys: number,
  ) {
    super(device)
    this.scale = new Parameter(device, [2, 1, 3], () => [1, -1, 0.5, 0.25, 2, -0.5])
  }

  forward(x: Tensor): Tensor {
    const { queries, keys, scale } = this
    const part = (from: number, count: number) =>
      x
        .slice([0, from, 0], [x.shape[0], from + count, 6])
        .reshape([x.shape[0], count, 2, 3])
        .permute([0, 2, 1, 3])
        .mul(scale)
    const [q, k, v] = [part(0, queries), part(queries, keys), part(queries + keys, keys)]
    return scaledDotProductAttention(q, k, v, { dropout: this.training ? 0.5 : 0 }).reshape([x.shape[0], queries * 6])
  }
}

test('attention of T queries to S keys by two heads, with dropout: a split mini-batch gives the same update as the whole one', async () => {
  const learn = async (queries: number, keys: number, samples: number, microBatch: number | 'fit') => {
    const device = await openDevice('reference', { memory: '4MiB' })
    const model = new CrossAttention(device, queries, keys)
    const streamer = new Streamer({ model, loss: mse, optimizer: sgd(model, { learningRate: 1 }), seed: 3 })
    const random = generator(5)
    const draw = (...shape: number[]) => ({
      data: Float64Array.from({ length: shape.reduce((a, b) => a * b) }, () => 2 * random() - 1),
      shape,
    })
    const batch = { inputs: draw(samples, queries + 2 * keys, 6), targets: draw(samples, queries * 6) }
    const { loss } = await streamer.step(batch, { microBatch })
    const values = [loss, ...(await model.scale.data())]
    device.close()
    return values
  }
  const lengths = fc.integer({ min: 1, max: 5 })
  await fc.assert(
    fc.asyncProperty(
      lengths,
      lengths,
      fc.integer({ min: 2, max: 7 }),
      fc.integer({ min: 1, max: 4 }),
      async (...drawn) => {
        const [queries, keys, samples, most] = drawn
        const whole = await learn(queries, keys, samples, 'fit')
        const cut = await learn(queries, keys, samples, most)
        cut.forEach((value, i) => {
          assert.ok(
            Math.abs(value - whole[i]) <= SPLIT_GRADIENT * Math.max(1, Math.abs(whole[i])),
            `${cut} and ${whole}`,
          )
        })
      },
    ),
    {
      seed: 9,
      numRuns: 25 * TEST_RUNS,
      examples: [
        [2, 5, 6, 2],
        [5, 2, 6, 2],
      ],
    },
  )
})

test.run()
