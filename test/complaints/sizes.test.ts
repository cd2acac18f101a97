/** Public complaints about searches for the largest batch: a size that is found must hold, and finding it must cost nothing. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Batch,
  crossEntropy,
  DoesNotFitError,
  models,
  openDevice,
  openVirtualDevice,
  optim,
  Streamer,
} from '../../src/index.js'

const SHAPE = [1, 8, 8]
const SIZE = 64

function samples(count: number, from = 0): Batch {
  return {
    inputs: {
      data: Float32Array.from({ length: count * SIZE }, (_, i) => Math.sin(i + from)),
      shape: [count, ...SHAPE],
    },
    targets: { data: Int32Array.from({ length: count }, (_, i) => (i + from) % 10), shape: [count] },
  }
}

async function trainer(memory: number | string, kind: 'adam' | 'sgd' = 'adam') {
  const device = await openDevice('cpu', { memory, threads: 1 })
  const model = models.lenet(device, { inputShape: SHAPE })
  return new Streamer({ model, loss: crossEntropy, optimizer: optim[kind](model, { learningRate: 0.01 }) })
}

/** The same training on shapes alone, under any budget. */
function planner(memory?: number, kind: 'adam' | 'sgd' = 'adam') {
  const device = openVirtualDevice('cpu', memory === undefined ? {} : { memory })
  const model = models.lenet(device, { inputShape: SHAPE })
  return new Streamer({ model, loss: crossEntropy, optimizer: optim[kind](model, { learningRate: 0.01 }) })
}

test('Lightning#8028, #9625, #20231: training with the size that was found runs out of memory later', async () => {
  const streamer = await trainer('1MiB')
  const { device } = streamer.model
  for await (const { peakBytes, plannedPeakBytes } of streamer.fit([samples(70)], {
    batch: 30,
    evaluate: [samples(40)],
  })) {
    assert.is(peakBytes, plannedPeakBytes)
    assert.ok(peakBytes <= 2 ** 20)
  }
  await streamer.evaluate([samples(99)])
  assert.ok(device.memory.peakBytes <= 2 ** 20)
  await device.close()
})

test('Lightning#18426: the size that is returned was never tried; the next one may fit as well', () => {
  for (const budget of [800_000, 1_000_000, 1_500_000]) {
    const { microBatch, plannedPeakBytes } = planner(budget).plan({ batch: 200, inputShape: SHAPE })
    assert.ok(plannedPeakBytes <= budget)
    const next = planner().plan({ batch: 200, microBatch: microBatch + 1, inputShape: SHAPE })
    assert.ok(microBatch === 200 || next.neededBudgetBytes > budget, `${microBatch + 1} fits ${budget}`)
  }
})

test('Lightning#13851: the search ran validation only, so the optimizer did not fit', async () => {
  const { minimumBudgetBytes } = planner().plan({ batch: 8, inputShape: SHAPE })
  const forward = planner(undefined, 'sgd').plan({ batch: 8, inputShape: SHAPE, mode: 'evaluate' })
  assert.ok(forward.minimumBudgetBytes < minimumBudgetBytes)
  assert.throws(
    () => planner(minimumBudgetBytes - 1).plan({ batch: 8, inputShape: SHAPE }),
    (error: unknown) => error instanceof DoesNotFitError && error.minimumBudgetBytes === minimumBudgetBytes,
  )
  const streamer = await trainer(minimumBudgetBytes)
  assert.is((await streamer.step(samples(8))).samples, 8)
  await streamer.model.device.close()
})

test('Lightning#11295: the found size exhausts the memory of the host', async () => {
  const streamer = await trainer('1MiB')
  let [given, used] = [0, 0]
  let most = 0
  function* chunks(): Generator<Batch> {
    for (let i = 0; i < 40; i++) {
      given += 25
      most = Math.max(most, given - used)
      yield samples(25, i)
    }
  }
  for await (const step of streamer.fit(chunks(), { batch: 100 })) used += step.samples
  assert.is(used, 1000)
  // no more than the mini-batch that is put together
  assert.is(most, 100)
  await streamer.model.device.close()
})

test('Lightning#3103: a start that is too large crashes the search', () => {
  const started = performance.now()
  const plan = planner(2 ** 20).plan({ batch: 2 ** 32, inputShape: SHAPE })
  assert.ok(plan.microBatch >= 1 && plan.plannedPeakBytes <= 2 ** 20)
  assert.ok(performance.now() - started < 5000)
  const error = (() => {
    try {
      return planner(700_000).plan({ batch: 64, inputShape: SHAPE })
    } catch (thrown) {
      return thrown
    }
  })()
  if (!(error instanceof DoesNotFitError)) throw error
  assert.is(planner(error.minimumBudgetBytes).plan({ batch: 64, inputShape: SHAPE }).microBatch >= 1, true)
})

test('composer#3030, #3510: trials that run out of memory leak', async () => {
  const streamer = await trainer('1MiB')
  const { memory } = streamer.model.device
  const before = memory.heldBytes
  for (const batch of [1, 7, 64, 300]) streamer.plan({ batch, inputShape: SHAPE })
  assert.equal(streamer.model.device.memory.heldBytes, before)
  await streamer.model.device.close()
})

test.run()
