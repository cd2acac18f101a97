/** The exactness contract: a split changes only the order of sums. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Batch } from '../src/data/index.js'
import { HeapDevice } from '../src/device/heap-device.js'
import { HeapAllocator } from '../src/memory/heap.js'
import type { Module } from '../src/nn/index.js'
import { crossEntropy, crossEntropyLoss } from '../src/ops/cross-entropy.js'
import { sgd } from '../src/optim/index.js'
import { EmptyBatchError, InterruptedError } from '../src/stream/errors.js'
import { sizesToTry } from '../src/stream/fastest.js'
import { balanced, countOf, sizesOf } from '../src/stream/plan.js'
import { Streamer } from '../src/stream/streamer.js'
import { StrictDevice, WatchedDevice } from './devices.js'
import { denseModel, INPUT, randomBatch, residualModel, TEST_RUNS, transformerModel } from './fixtures.js'
import { fc } from './property.js'
import { SPLIT_GRADIENT } from './tolerances.js'

const referenceDevice = (): HeapDevice => new HeapDevice('reference', new HeapAllocator(4 << 20))

/**
 * The result of one step with micro-batches of at most `microBatch` samples: its loss, and the change of each
 * parameter.
 */
async function learned(build: (device: HeapDevice) => Module, batch: Batch, microBatch: number | 'fit') {
  const device = referenceDevice()
  const model = build(device)
  const loss = crossEntropyLoss({ labelSmoothing: 0.1 })
  const streamer = new Streamer({ model, loss, optimizer: sgd(model, { learningRate: 1 }), seed: 3 })
  const values = () => Promise.all(model.parameters().map(async (parameter) => [...(await parameter.data())]))
  const before = await values()
  let microBatches = 0
  const result = await streamer.step(batch, { microBatch, onMicroBatch: () => void microBatches++ })
  const after = await values()
  const gradients = before.map((old, i) => old.map((value, j) => value - after[i][j]))
  return { gradients, loss: result.loss, weight: result.weight, microBatches }
}

async function sameGradients(build: (device: HeapDevice) => Module, batch: Batch, microBatch: number): Promise<void> {
  const whole = await learned(build, batch, 'fit')
  const split = await learned(build, batch, microBatch)
  assert.equal([whole.microBatches, split.microBatches], [1, Math.ceil(batch.inputs.shape[0] / microBatch)])
  assert.ok(Math.abs(whole.loss - split.loss) <= SPLIT_GRADIENT * Math.max(1, Math.abs(whole.loss)))
  assert.is(split.weight, whole.weight)
  whole.gradients.forEach((expected, i) => {
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
    for (const [j, value] of expected.entries()) {
      const difference = Math.abs(value - split.gradients[i][j])
      assert.ok(
        difference <= SPLIT_GRADIENT * largest,
        `parameter ${i}[${j}]: ${value} whole, ${split.gradients[i][j]} in parts of ${microBatch}`,
      )
    }
  })
}

const builders = { residual: residualModel, dense: denseModel, transformer: transformerModel }

for (const [name, build] of Object.entries(builders)) {
  test(`${name}: 33 samples, at most 16 at a time, and one at a time`, async () => {
    for (const microBatch of [16, 1]) await sameGradients(build, randomBatch(33, 1), microBatch)
  })

  test(`${name}: a micro-batch without a valid target`, () =>
    sameGradients(build, randomBatch(12, 2, { ignored: [4, 5, 6, 7, 9] }), 4))

  test(`${name}: any size of part, ignored targets, sample weights, dropout`, async () => {
    const cases = fc.record({
      samples: fc.integer({ min: 1, max: 24 }),
      microBatch: fc.integer({ min: 1, max: 7 }),
      seed: fc.integer({ min: 0, max: 1000 }),
      weighted: fc.boolean(),
      ignored: fc.array(fc.nat(40), { maxLength: 6 }),
    })
    await fc.assert(
      fc.asyncProperty(cases, async ({ samples, microBatch, seed, weighted, ignored }) => {
        const batch = randomBatch(samples, seed, { weighted, ignored: ignored.filter((sample) => sample < samples) })
        fc.pre((crossEntropy.weight?.(batch.targets, batch.weights) ?? 0) > 0)
        await sameGradients(build, batch, microBatch)
      }),
      { seed: 33, numRuns: 12 * TEST_RUNS },
    )
  })
}

test('micro-batches differ by at most one sample, are not above the cap and sum to the mini-batch', () => {
  const counts = fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 2 ** 32 }))
  fc.assert(
    fc.property(counts, counts, (samples, asked) => {
      const cap = Math.min(asked, samples)
      const parts = balanced(samples, cap)
      assert.is(
        parts.reduce((sum, { size, count }) => sum + size * count, 0),
        samples,
      )
      const [first, second] = parts
      assert.ok(parts.length === 1 || (parts.length === 2 && second.size === first.size - 1))
      assert.ok(parts.every(({ size, count }) => size >= 1 && size <= cap && count >= 1))
      assert.is(countOf(parts), Math.ceil(samples / cap))
    }),
    { seed: 1 },
  )
  assert.equal([...sizesOf(balanced(10, 4))], [4, 3, 3])
})

/** The losses of some steps, and the result of the last one. */
async function train(
  device: HeapDevice,
  batches: readonly Batch[],
  microBatch: number | 'fit' = 'fit',
  build = residualModel,
) {
  const model = build(device)
  const streamer = new Streamer({
    model,
    loss: crossEntropy,
    optimizer: sgd(model, { learningRate: 0.1, momentum: 0.9 }),
  })
  const results = []
  for (const batch of batches) results.push(await streamer.step(batch, { microBatch }))
  return { results, state: await model.stateDict() }
}

test('the same plan gives the same bits, and another plan the same losses within float32', async () => {
  const batches = [1, 2, 3].map((seed) => randomBatch(40, seed))
  const open = (bytes: number) => new HeapDevice('cpu', new HeapAllocator(bytes))
  const [a, b, small] = [
    await train(open(1 << 20), batches),
    await train(open(1 << 20), batches),
    await train(open(1 << 20), batches, 7),
  ]
  assert.is(countOf(a.results[0].parts), 1)
  assert.equal([...sizesOf(small.results[0].parts)], [7, 7, 7, 7, 6, 6])
  assert.equal(a.state, b.state)
  a.results.forEach(({ loss }, i) => assert.ok(Math.abs(loss - small.results[i].loss) <= 1e-4 * loss))
})

test('a device that forbids aliasing trains to the same losses, peaks as planned', async () => {
  const batches = [1, 2, 3].map((seed) => randomBatch(20, seed))
  const plain = await train(new HeapDevice('cpu', new HeapAllocator(512 << 10)), batches)
  const strict = await train(new StrictDevice('cpu', new HeapAllocator(512 << 10)), batches)
  plain.results.forEach(({ loss }, i) => assert.is(strict.results[i].loss, loss))
  for (const { peakBytes, plannedPeakBytes } of strict.results) assert.is(peakBytes, plannedPeakBytes)
  assert.equal(strict.state, plain.state)
})

test('a transformer peaks as planned, whole and split, and where aliasing is forbidden', async () => {
  // The gradients of queries, keys and values are added in x; without aliasing they are added in another order.
  const batches = [1, 2, 3].map((seed) => randomBatch(20, seed))
  const heap = () => new HeapAllocator(512 << 10)
  const runs = [
    await train(new HeapDevice('cpu', heap()), batches, 'fit', transformerModel),
    await train(new HeapDevice('cpu', heap()), batches, 7, transformerModel),
    await train(new StrictDevice('cpu', heap()), batches, 'fit', transformerModel),
  ]
  assert.equal(
    runs.map(({ results }) => [...sizesOf(results[0].parts)]),
    [[20], [7, 7, 6], [20]],
  )
  for (const { results } of runs) {
    results.forEach(({ loss, peakBytes, plannedPeakBytes }, i) => {
      assert.ok(Math.abs(loss - runs[0].results[i].loss) <= 1e-4 * loss)
      assert.is(peakBytes, plannedPeakBytes)
    })
  }
})

test('the highest byte that a kernel operand reaches is the peak, to 63 bytes', async () => {
  for (const budget of [128 << 10, 256 << 10, 1 << 20]) {
    const device = new WatchedDevice('cpu', budget)
    const { results } = await train(device, [randomBatch(50, 1)])
    const beyond = results[0].peakBytes - device.highestByte
    assert.ok(beyond >= 0 && beyond < 64, `peak ${results[0].peakBytes}, highest operand byte ${device.highestByte}`)
    assert.ok(results[0].peakBytes <= budget)
  }
})

test('the fastest micro-batch is one that fits, and the search for it leaves no trace', async () => {
  const batch = randomBatch(37, 4)
  const train = async (measuring: boolean) => {
    const device = new HeapDevice('reference', new HeapAllocator(200_000))
    const model = residualModel(device)
    const streamer = new Streamer({ model, loss: crossEntropy, optimizer: sgd(model, { learningRate: 0.1 }) })
    const trials = measuring ? await streamer.fastest(batch) : []
    const { held } = device.memory
    const results = [await streamer.step(batch), await streamer.step(batch)].map(({ loss, peakBytes }) => [
      loss,
      peakBytes,
    ])
    return {
      trials,
      held,
      results,
      plan: (microBatch: number) => streamer.plan({ batch: 37, microBatch, inputShape: INPUT }),
    }
  }
  const plain = await train(false)
  const { trials, held, results, plan } = await train(true)
  assert.equal([held, results], [plain.held, plain.results])
  const fastestFirst = [...trials].sort((a, b) => b.samplesPerSecond - a.samplesPerSecond)
  assert.equal(trials, fastestFirst)
  for (const { microBatch, samplesPerSecond } of trials) {
    assert.ok(samplesPerSecond > 0)
    assert.is(plan(microBatch).parts[0].size, microBatch)
  }
  const sizes = trials.map(({ microBatch }) => microBatch).sort((a, b) => b - a)
  assert.equal([sizes[0], sizes.at(-1)], [plan(37).parts[0].size, 1])
})

test('the search for the fastest micro-batch ends when its signal is aborted, and training goes on', async () => {
  const model = residualModel(referenceDevice())
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: sgd(model, { learningRate: 0.1 }) })
  const batch = randomBatch(9, 4)
  const controller = new AbortController()
  for (const signal of [AbortSignal.abort(), controller.signal]) {
    setTimeout(() => controller.abort(), 20)
    const outcome = await streamer.fastest(batch, { signal }).catch((error: unknown) => error)
    assert.instance(outcome, InterruptedError)
  }
  assert.is((await streamer.step(batch)).step, 1)
})

test('the sizes to try: even sizes, each half as large as the one before, down to 1', () => {
  assert.equal(sizesToTry(1024, 138), [128, 64, 32, 16, 8, 4, 2, 1])
  assert.equal(sizesToTry(37, 37), [37, 19, 10, 5, 3, 2, 1])
  assert.equal(sizesToTry(5, 1), [1])
})

test('a mini-batch in which nothing counts is refused', async () => {
  const device = new HeapDevice('cpu', new HeapAllocator(1 << 20))
  try {
    await train(device, [randomBatch(2, 1, { ignored: [0, 1] })])
    assert.unreachable()
  } catch (error) {
    assert.instance(error, EmptyBatchError)
  }
})

test.run()
