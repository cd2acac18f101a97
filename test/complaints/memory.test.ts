/** Public complaints about memory: limits that are hints, solvers that exceed them, and leaks. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Batch,
  backward,
  crossEntropy,
  fromHost,
  InvalidPlanError,
  models,
  openDevice,
  openVirtualDevice,
  optim,
  Streamer,
  scope,
  verifyPlan,
} from '../../src/index.js'

const SHAPE = [1, 8, 8]
const samples = (count: number): Batch => ({
  inputs: { data: Float32Array.from({ length: count * 64 }, (_, i) => Math.sin(i)), shape: [count, ...SHAPE] },
  targets: { data: Int32Array.from({ length: count }, (_, i) => i % 10), shape: [count] },
})

test('pytorch#58466, #69688: the process uses more than the fraction that it was given', async () => {
  const device = await openDevice('cpu', { memory: '800KiB', threads: 1 })
  const model = models.lenet(device, { inputShape: SHAPE })
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optim.adam(model, { learningRate: 0.01 }) })
  for (let i = 0; i < 40; i++) {
    const count = 1 + ((i * 37) % 90)
    await streamer.step(samples(count), { microBatch: i % 3 ? 'fit' : 1 })
    await streamer.predict(samples(count).inputs)
    assert.ok(device.memory.peakBytes <= 800 * 1024, `${device.memory.peakBytes}`)
  }
  await device.close()
})

const planOf = (recompute: number, memory: number) => {
  const device = openVirtualDevice('cpu', { memory })
  const model = models.convnet(device, { inputShape: [3, 32, 32], width: 8 })
  const optimizer = optim.adam(model, { learningRate: 0.01 })
  const options = { batch: 64, inputShape: [3, 32, 32] }
  return new Streamer({ model, loss: crossEntropy, optimizer, recompute }).plan(options)
}

test('pytorch#197838: a smaller budget for activations gives a higher peak', () => {
  for (const memory of [4e5, 5e5, 7e5, 1e6, 2e6]) {
    const plans = [0, 0.05, 0.15, 0.4].map((share) => planOf(share, Math.ceil(memory)))
    for (const [i, plan] of plans.entries()) {
      assert.ok(plan.plannedPeakBytes <= memory)
      assert.ok(plan.extraTime <= [0, 0.05, 0.15, 0.4][i] + 1e-9)
    }
    const sizes = plans.map(({ microBatch }) => microBatch)
    assert.equal(
      sizes,
      [...sizes].sort((a, b) => a - b),
    )
  }
  // at one micro-batch, time never rises with the budget
  const device = openVirtualDevice('cpu')
  const model = models.convnet(device, { inputShape: [3, 32, 32], width: 8 })
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optim.adam(model, { learningRate: 0.01 }) })
  const points = streamer.plan({ batch: 8, microBatch: 8, inputShape: [3, 32, 32] }).frontier()
  const byPeak = [...points].sort((a, b) => a.peakBytes - b.peakBytes)
  for (let i = 1; i < byPeak.length; i++) assert.ok(byPeak[i].extraTime <= byPeak[i - 1].extraTime)
})

test('pytorch#197871: the solver exceeds its own budget; a verifier must check it', () => {
  const plan = JSON.parse(JSON.stringify(planOf(0.15, 4e5)))
  verifyPlan(plan)
  const [pass] = plan.passes.filter(({ blocks }: { blocks: unknown[] }) => blocks.length > 1)
  pass.blocks[0].address = pass.blocks[1].address
  assert.throws(
    () => verifyPlan({ ...plan, budgetBytes: plan.peakBytes - 64 }),
    (error: unknown) => error instanceof InvalidPlanError,
  )
})

test('tfjs#664, #4685; jax-js#75; jsgrad#22: what is not freed by hand leaks, also across await', async () => {
  const device = await openDevice('cpu', { memory: '1MiB', threads: 1 })
  const model = models.mlp(device, { inputShape: SHAPE, width: 8 })
  const optimizer = optim.sgd(model, { learningRate: 0.01 })
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer })
  const batch = samples(4)
  await streamer.step(batch)
  const held = device.memory.heldBytes
  for (let i = 0; i < 2000; i++) {
    await streamer.step(batch, { microBatch: 2 })
    if (i % 10 > 0) continue
    // by hand, with an await in the middle of the loop
    const loss = scope(device, () => {
      const x = fromHost(device, batch.inputs)
      const value = crossEntropy(model.forward(x), fromHost(device, batch.targets))
      backward(value)
      return value
    })
    await loss.item()
    loss.dispose()
    optimizer.zeroGrad()
    assert.equal(device.memory.heldBytes, held)
  }
  await device.close()
})

test.run()
