/** The exactness contract: a split changes nothing but the order of sums. */
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Batch, sliceBatch } from '../src/data/index.js'
import { HeapDevice } from '../src/device/heap-device.js'
import { HeapAllocator } from '../src/memory/heap.js'
import type { Module } from '../src/nn/index.js'
import { crossEntropy, crossEntropyLoss } from '../src/ops/loss.js'
import { sgd } from '../src/optim/index.js'
import { EmptyBatchError } from '../src/stream/errors.js'
import { sizesToTry } from '../src/stream/fastest.js'
import { Program } from '../src/stream/program.js'
import { balanced, countOf, sizesOf } from '../src/stream/split.js'
import { Streamer } from '../src/stream/streamer.js'
import { NoAliasDevice, WatchedDevice } from './devices.js'
import { denseModel, INPUT, randomBatch, residualModel, transformerModel } from './fixtures.js'
import { SPLIT_GRADIENT } from './tolerances.js'

const referenceDevice = (): HeapDevice => new HeapDevice('reference', new HeapAllocator(4 << 20))

/** The mini-batch's gradients and loss when it is cut into `sizes`, by the step program itself. */
async function gradients(
  build: (device: HeapDevice) => Module,
  batch: Batch,
  sizes: readonly number[],
  loss = crossEntropyLoss({ labelSmoothing: 0.1 }),
) {
  const device = referenceDevice()
  const model = build(device)
  const program = new Program(model, loss, sgd(model, { learningRate: 0.1 }))
  const shape = { input: INPUT, target: [], weighted: batch.weights !== undefined }
  const starts = sizes.map((_, j) => sizes.slice(0, j).reduce((sum, size) => sum + size, 0))
  const pieces = sizes.map((size, j) => sliceBatch(batch, starts[j], size))
  const weights = pieces.map((piece) => loss.weight?.(piece.targets, piece.weights) ?? Number.NaN)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  program.reset()
  for (const [j, piece] of pieces.entries()) {
    Object.assign(device.step, { seed: 3, step: 5, firstSample: starts[j], call: 0 })
    program.microBatch('train', shape, sizes[j], piece, weights[j] / total)
  }
  const values = await Promise.all(model.parameters().map((parameter) => parameter.grad?.data()))
  return { values, loss: await program.readLoss() }
}

async function sameGradients(
  build: (device: HeapDevice) => Module,
  batch: Batch,
  sizes: readonly number[],
): Promise<void> {
  const whole = await gradients(build, batch, [batch.inputs.shape[0]])
  const split = await gradients(build, batch, sizes)
  assert.ok(Math.abs(whole.loss - split.loss) <= SPLIT_GRADIENT * Math.max(1, Math.abs(whole.loss)))
  whole.values.forEach((expected, i) => {
    const actual = split.values[i]
    if (!expected || !actual) throw new Error(`parameter ${i} has no gradient`)
    const largest = Array.from(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 1)
    for (let j = 0; j < expected.length; j++) {
      const difference = Math.abs(expected[j] - actual[j])
      assert.ok(
        difference <= SPLIT_GRADIENT * largest,
        `parameter ${i}[${j}]: ${expected[j]} whole, ${actual[j]} split in [${sizes}]`,
      )
    }
  })
}

const builders = { residual: residualModel, dense: denseModel, transformer: transformerModel }

for (const [name, build] of Object.entries(builders)) {
  test(`${name}: 33 samples as 16, 16 and 1`, () => sameGradients(build, randomBatch(33, 1), [16, 16, 1]))

  test(`${name}: a micro-batch without a valid target`, () =>
    sameGradients(build, randomBatch(12, 2, { ignored: [4, 5, 6, 7, 9] }), [4, 4, 4]))

  test(`${name}: any partition, ignored targets, sample weights, dropout`, async () => {
    const cases = fc.record({
      sizes: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 6 }),
      seed: fc.integer({ min: 0, max: 1000 }),
      weighted: fc.boolean(),
      ignored: fc.array(fc.nat(40), { maxLength: 6 }),
    })
    await fc.assert(
      fc.asyncProperty(cases, async ({ sizes, seed, weighted, ignored }) => {
        const samples = sizes.reduce((sum, size) => sum + size, 0)
        const batch = randomBatch(samples, seed, { weighted, ignored: ignored.filter((sample) => sample < samples) })
        fc.pre((crossEntropy.weight?.(batch.targets, batch.weights) ?? 0) > 0)
        await sameGradients(build, batch, sizes)
      }),
      { seed: 33, numRuns: 12 },
    )
  })
}

test('micro-batches differ by at most one sample, keep under the cap and sum to the mini-batch', () => {
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

/** Losses of some steps, and what the last one reported. */
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

test('the same plan gives the same bits; another plan the same losses within float32', async () => {
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
  const strict = await train(new NoAliasDevice('cpu', new HeapAllocator(512 << 10)), batches)
  plain.results.forEach(({ loss }, i) => assert.is(strict.results[i].loss, loss))
  for (const { peakBytes, plannedPeakBytes } of strict.results) assert.is(peakBytes, plannedPeakBytes)
  assert.equal(strict.state, plain.state)
})

test('a transformer peaks as planned, whole and split, and where aliasing is forbidden', async () => {
  // Gradients of queries, keys and values meet in x: where they cannot be added in place, in another order.
  const batches = [1, 2, 3].map((seed) => randomBatch(20, seed))
  const heap = () => new HeapAllocator(512 << 10)
  const runs = [
    await train(new HeapDevice('cpu', heap()), batches, 'fit', transformerModel),
    await train(new HeapDevice('cpu', heap()), batches, 7, transformerModel),
    await train(new NoAliasDevice('cpu', heap()), batches, 'fit', transformerModel),
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

test('the fastest micro-batch is one of those that fit, and looking for it leaves no trace', async () => {
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

test('what to try: even sizes, half as large each time, down to 1', () => {
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
