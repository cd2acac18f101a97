/** Training on the GPU: the plan is kept to the byte, on the context itself, and the losses are the CPU's. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Device } from '../../src/device/device.js'
import { openContext } from '../../src/device/gpu/context.js'
import { openDevice, openVirtualDevice } from '../../src/device/open.js'
import { data, models, optim } from '../../src/index.js'
import { crossEntropy } from '../../src/ops/loss.js'
import { Streamer } from '../../src/stream/streamer.js'
import { type Account, counting } from './counting.js'

const BATCH = 512
const EPOCHS = 2

function streamerOn(device: Device): Streamer {
  const model = models.mlp(device, { seed: 1 })
  const optimizer = optim.sgd(model, { learningRate: 0.1, momentum: 0.9, clipNorm: 1 })
  return new Streamer({ model, loss: crossEntropy, optimizer, seed: 1 })
}

/** Losses of every step and of the evaluation; each step is held to its plan. */
async function train(device: Device, account?: Account): Promise<number[]> {
  const streamer = streamerOn(device)
  const { train, test } = data.split(data.digits(), { seed: 1 })
  const losses: number[] = []
  const held = device.memory.heldBytes
  for await (const { loss, peakBytes, plannedPeakBytes } of streamer.fit(train, { batch: BATCH, epochs: EPOCHS })) {
    losses.push(loss)
    assert.is(peakBytes, plannedPeakBytes)
    assert.ok(peakBytes <= device.memory.budgetBytes)
    assert.is(device.memory.heldBytes, held, 'a step ends with what it began with')
    if (account) {
      const { heldBytes, pooledBytes, held } = device.memory
      assert.is(account.textureBytes, heldBytes - held.runtime + pooledBytes, 'the bytes on the context')
    }
  }
  const { loss, accuracy, peakBytes, plannedPeakBytes } = await streamer.evaluate(test)
  assert.is(peakBytes, plannedPeakBytes)
  return [...losses, loss, accuracy ?? Number.NaN]
}

test('an MLP under five budgets: planned peak is measured peak, and the losses are those of the CPU', async () => {
  const plan = streamerOn(openVirtualDevice('gpu')).plan({ batch: BATCH })
  const expected = await train(await openDevice('cpu', { memory: '64MiB' }))
  const { minimumBudgetBytes, wholeBatchBytes } = plan
  for (const share of [0.04, 0.1, 0.25, 0.5, 1]) {
    const memory = Math.round(minimumBudgetBytes + share * (wholeBatchBytes - minimumBudgetBytes))
    const context = await openContext()
    const account = counting(context)
    const device = await openDevice('gpu', { memory, context })
    const sizes = streamerOn(openVirtualDevice('gpu', { memory })).plan({ batch: BATCH }).sizes
    const losses = await train(device, account)
    losses.forEach((loss, i) => {
      assert.ok(Math.abs(loss - expected[i]) < 1e-3, `${memory} bytes, step ${i}: ${loss}, on the CPU ${expected[i]}`)
    })
    console.log(`${memory} bytes: ${sizes.length} micro-batches, last loss ${losses.at(-2)}, accuracy ${losses.at(-1)}`)
    device.close()
    assert.is(account.textureBytes, 0)
  }
})

test.run()
