/**
 * Public complaints about gradient accumulation: the weight of a target must not depend on the split. The name of a test
 * gives the report and its symptom; the right numbers come from a loop by hand in float64.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Batch, crossEntropyLoss, EmptyBatchError, openDevice, optim, Streamer } from '../../src/index.js'
import {
  crossEntropyByHand,
  FEATURES,
  learnByHand,
  OUTPUTS,
  perceptron,
  samplesOf,
  type Values,
  valuesOf,
} from '../by-hand.js'
import { errorOf } from '../error-of.js'

const IGNORED = -100

/** Samples with these targets. */
const batchOf = (targets: readonly number[]): Batch => ({
  inputs: {
    data: Float64Array.from({ length: targets.length * FEATURES }, (_, i) => Math.sin(3 * i + 1)),
    shape: [targets.length, FEATURES],
  },
  targets: { data: Int32Array.from(targets), shape: [targets.length] },
})

const RATE = 0.5

/** The parameters after one step by plain gradient descent, streamed in micro-batches, and by hand. */
async function learned(targets: readonly number[], microBatch: number, smoothing = 0) {
  const device = await openDevice('reference', { memory: '1MiB' })
  const model = perceptron(device)
  const before = await valuesOf(model)
  const batch = batchOf(targets)
  const loss = crossEntropyLoss({ ignoreIndex: IGNORED, labelSmoothing: smoothing })
  const streamer = new Streamer({ model, loss, optimizer: optim.sgd(model, { learningRate: RATE }) })
  const step = await streamer.step(batch, { microBatch })
  const truth = learnByHand(before, samplesOf(batch), crossEntropyByHand(smoothing, IGNORED))
  const wanted = before.map((values, i) => values.map((value, j) => value - RATE * truth.gradient[i][j]))
  const seen = await valuesOf(model)
  await device.close()
  return { step, truth, seen, wanted }
}

function expectEqual(seen: Values, wanted: Values): void {
  for (const [i, values] of wanted.entries()) {
    for (const [j, value] of values.entries())
      assert.ok(Math.abs(seen[i][j] - value) < 1e-12, `${seen[i][j]}, not ${value}`)
  }
}

test('transformers#24725, #34191: a mean of means gives tokens of a short micro-batch more weight than others', async () => {
  const targets = [0, IGNORED, IGNORED, 1, 2, 1, IGNORED, 0, 2]
  for (const microBatch of [1, 2, 3, 4, 9]) {
    const { step, truth, seen, wanted } = await learned(targets, microBatch)
    assert.ok(Math.abs(step.loss - truth.loss) < 1e-12)
    assert.is(step.weight, 6)
    expectEqual(seen, wanted)
  }
})

test('transformers#47261: label smoothing is added once for each micro-batch', async () => {
  for (const microBatch of [1, 2, 5]) {
    const { step, truth, seen, wanted } = await learned([0, 1, 2, IGNORED, 1], microBatch, 0.1)
    assert.ok(Math.abs(step.loss - truth.loss) < 1e-12)
    expectEqual(seen, wanted)
  }
})

test('mlx-lm#1413, #1544: a window without tokens divides by zero', async () => {
  const { step, seen, wanted } = await learned([IGNORED, IGNORED, 2, 0, IGNORED, IGNORED], 2)
  assert.ok(Number.isFinite(step.loss) && Number.isFinite(step.gradNorm))
  expectEqual(seen, wanted)
  const error = await errorOf(learned([IGNORED, IGNORED], 1))
  assert.instance(error, EmptyBatchError)
})

test('Lightning#19987: the tail of an epoch is divided by the number of micro-batches of a full window', async () => {
  // 10 samples in micro-batches of at most 4 are parts of 4, 3, 3; a tail of 2 is one part
  for (const targets of [
    [0, 1, 2, 0, 1, 2, 0, 1, 2, 0],
    [1, 2],
  ]) {
    const { seen, wanted } = await learned(targets, 4)
    expectEqual(seen, wanted)
  }
})

test('burn#5695: the samples that do not fill a window are dropped, and the learning rate moves with each micro-batch', async () => {
  const device = await openDevice('reference', { memory: '1MiB' })
  const model = perceptron(device)
  const before = await valuesOf(model)
  const asked: number[] = []
  const learningRate = (step: number): number => {
    asked.push(step)
    return RATE / (1 + step)
  }
  const loss = crossEntropyLoss()
  const streamer = new Streamer({ model, loss, optimizer: optim.sgd(model, { learningRate }) })
  const whole = batchOf(Array.from({ length: 10 }, (_, i) => i % OUTPUTS))
  const chunk = (from: number, to: number): Batch => ({
    inputs: { data: whole.inputs.data.slice(from * FEATURES, to * FEATURES), shape: [to - from, FEATURES] },
    targets: { data: whole.targets.data.slice(from, to), shape: [to - from] },
  })
  const sizes: number[] = []
  for await (const { samples } of streamer.fit([whole], { batch: 4, microBatch: 1 })) sizes.push(samples)
  assert.equal(sizes, [4, 4, 2])
  assert.is(Math.max(...asked), Math.min(...asked) + 2)
  const values = before
  for (const [step, [from, to]] of [
    [0, 4],
    [4, 8],
    [8, 10],
  ].entries()) {
    const { gradient } = learnByHand(values, samplesOf(chunk(from, to)), crossEntropyByHand())
    const rate = RATE / (1 + Math.min(...asked) + step)
    for (const [i, array] of values.entries()) for (const j of array.keys()) array[j] -= rate * gradient[i][j]
  }
  expectEqual(await valuesOf(model), values)
  await device.close()
})

test.run()
