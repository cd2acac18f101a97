/**
 * The main job on the GPU: LeNet on the digits in mini-batches of 1,024, with a quarter of the bytes that a whole
 * mini-batch needs.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Device } from '../../src/device/device.js'
import { openDevice, openVirtualDevice } from '../../src/device/open.js'
import { data, models, optim } from '../../src/index.js'
import { crossEntropy } from '../../src/ops/cross-entropy.js'
import { countOf } from '../../src/stream/plan.js'
import { Streamer } from '../../src/stream/streamer.js'
import { api } from './form.js'

const BATCH = 1024
/** Epochs of the whole job. */
const EPOCHS = 60
const WARM_UP_STEPS = 10
/** Node, where every tile is computed four times, trains fewer epochs than a page. */
const TRAINED_EPOCHS = typeof document === 'undefined' ? 10 : 20

const { train, test: testSet } = data.split(data.digits(), { testFraction: 0.2, seed: 1 })

/** The streamer that `sluice train` builds. */
function streamerOn(device: Device): Streamer {
  const model = models.lenet(device, { seed: 1 })
  const steps = EPOCHS * Math.ceil(train.length / BATCH) - WARM_UP_STEPS
  const learningRate = optim.warmUp(WARM_UP_STEPS, optim.cosine({ learningRate: 0.01, steps }))
  return new Streamer({ model, loss: crossEntropy, optimizer: optim.adam(model, { learningRate }), seed: 1 })
}

interface Outcome {
  /** the loss of each step, then the loss of the test images */
  losses: number[]
  correct: number
  /** micro-batches of the first mini-batch */
  parts: number
}

async function outcome(device: Device): Promise<Outcome> {
  const streamer = streamerOn(device)
  const losses: number[] = []
  let count = 0
  for await (const { loss, parts, peakBytes, plannedPeakBytes } of streamer.fit(train, {
    batch: BATCH,
    epochs: TRAINED_EPOCHS,
  })) {
    assert.is(peakBytes, plannedPeakBytes)
    if (losses.length === 0) count = countOf(parts)
    losses.push(loss)
  }
  const { loss, accuracy = Number.NaN } = await streamer.evaluate(testSet)
  device.close()
  return { losses: [...losses, loss], correct: Math.round(accuracy * testSet.length), parts: count }
}

test("under a quarter of the bytes: the CPU's losses to 1e-3, its accuracy to 2 test images", async () => {
  const { wholeBatchBytes } = streamerOn(openVirtualDevice('gpu', { api })).plan({ batch: BATCH })
  const memory = Math.floor(wholeBatchBytes / 4)
  const expected = await outcome(await openDevice('cpu', { memory: '2MiB' }))
  const actual = await outcome(await openDevice('gpu', { api, memory }))
  assert.ok(actual.parts >= 4, `${actual.parts} micro-batches`)
  const apart = actual.losses.map((loss, i) => Math.abs(loss - expected.losses[i]))
  apart.forEach((difference, i) => {
    assert.ok(difference < 1e-3, `step ${i}: ${actual.losses[i]}, on the CPU ${expected.losses[i]}`)
  })
  assert.ok(Math.abs(actual.correct - expected.correct) <= 2, `${actual.correct}, on the CPU ${expected.correct}`)
  assert.ok(actual.correct > testSet.length / 2, `only ${actual.correct} of ${testSet.length}`)
  console.log(
    `${memory} bytes, ${actual.parts} micro-batches: losses within ${Math.max(...apart).toExponential(1)}, ` +
      `${actual.correct} of ${testSet.length} images, on the CPU ${expected.correct}`,
  )
})

test.run()
