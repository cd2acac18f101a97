/** Training on the GPU: the bytes on the context are those of the plan, and the losses are those of the CPU. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Device } from '../../src/device/device.js'
import { openDevice, openVirtualDevice } from '../../src/device/open.js'
import { data, models, nn, optim } from '../../src/index.js'
import { div, mul, notEqual, sub } from '../../src/ops/binary.js'
import { crossEntropy } from '../../src/ops/cross-entropy.js'
import type { Loss } from '../../src/ops/loss.js'
import { sum } from '../../src/ops/reduce.js'
import { square } from '../../src/ops/unary.js'
import { countOf } from '../../src/stream/plan.js'
import { Streamer } from '../../src/stream/streamer.js'
import type { HostArray } from '../../src/tensor/host.js'
import type { Tensor } from '../../src/tensor/tensor.js'
import { randomBatch, residualModel, transformerModel } from '../fixtures.js'
import type { Account } from './counting.js'
import { api, openCounted } from './form.js'

interface Training {
  readonly build: (device: Device) => nn.Module
  readonly source: data.Dataset
  readonly batch: number
  /** 0 is the smallest budget that is enough, 1 the budget of the whole mini-batch; other numbers lie between */
  readonly budgets: readonly number[]
}

const EPOCHS = 2
/** The tolerance between losses on the GPU and on the CPU, both in float32, with sums in another order. */
const TOLERANCE = 1e-3

const BUDGETS = [0, 0.1, 0.25, 0.5, 1]
const IMAGES = data.fromArrays(randomBatch(120, 1))

const TRAININGS: Readonly<Record<string, Training>> = {
  'an MLP': {
    build: (device) => models.mlp(device, { seed: 1 }),
    source: data.digits(),
    batch: 512,
    // the smallest budget would run the many samples of this training one by one
    budgets: [0.04, ...BUDGETS.slice(1)],
  },
  LeNet: {
    build: (device) => models.lenet(device, { seed: 1 }),
    source: data.subset(
      data.digits(),
      Array.from({ length: 80 }, (_, i) => i),
    ),
    batch: 25,
    budgets: BUDGETS,
  },
  'a residual block': { build: residualModel, source: IMAGES, batch: 40, budgets: BUDGETS },
  'transformer blocks': { build: transformerModel, source: IMAGES, batch: 40, budgets: BUDGETS },
}

function streamerOn(device: Device, { build }: Training): Streamer {
  const model = build(device)
  const optimizer = optim.sgd(model, { learningRate: 0.1, momentum: 0.9, clipNorm: 1 })
  return new Streamer({ model, loss: crossEntropy, optimizer, seed: 1 })
}

/** The losses of every step and of the evaluation. Every step must be as planned. */
async function train(device: Device, training: Training, account?: Account): Promise<number[]> {
  const streamer = streamerOn(device, training)
  const { train, test } = data.split(training.source, { seed: 1 })
  const losses: number[] = []
  const held = device.memory.heldBytes
  for await (const step of streamer.fit(train, { batch: training.batch, epochs: EPOCHS })) {
    losses.push(step.loss)
    assert.is(step.peakBytes, step.plannedPeakBytes)
    assert.ok(step.peakBytes <= device.memory.budgetBytes)
    assert.is(device.memory.heldBytes, held, 'a step ends with the held bytes with which it began')
    if (account) {
      const { heldBytes, pooledBytes, held } = device.memory
      assert.is(account.textureBytes, heldBytes - held.runtime + pooledBytes, 'the bytes on the context')
    }
  }
  const { loss, accuracy, peakBytes, plannedPeakBytes } = await streamer.evaluate(test)
  assert.is(peakBytes, plannedPeakBytes)
  return [...losses, loss, accuracy ?? Number.NaN]
}

for (const [name, training] of Object.entries(TRAININGS)) {
  test(`${name} under five budgets: planned peak is measured peak, and the losses are those of the CPU`, async () => {
    const { batch, budgets } = training
    const plan = streamerOn(openVirtualDevice('gpu', { api }), training).plan({
      batch,
      inputShape: training.source.inputShape,
    })
    const expected = await train(await openDevice('cpu', { memory: '64MiB' }), training)
    const { minimumBudgetBytes, wholeBatchBytes } = plan
    const parts: number[] = []
    let apart = 0
    for (const share of budgets) {
      const memory = Math.round(minimumBudgetBytes + share * (wholeBatchBytes - minimumBudgetBytes))
      const { device, account } = await openCounted(memory)
      const planned = streamerOn(openVirtualDevice('gpu', { api, memory }), training).plan({
        batch,
        inputShape: training.source.inputShape,
      })
      parts.push(countOf(planned.parts))
      const losses = await train(device, training, account)
      losses.forEach((loss, i) => {
        const difference = Math.abs(loss - expected[i])
        apart = Math.max(apart, difference)
        assert.ok(difference < TOLERANCE, `${memory} bytes, step ${i}: ${loss}, on the CPU ${expected[i]}`)
      })
      device.close()
      assert.is(account.textureBytes, 0)
    }
    assert.ok(parts[0] >= 10 && parts[1] > parts[3] && parts[4] === 1, `micro-batches: ${parts}`)
    console.log(`${name}: ${parts.join(', ')} micro-batches, losses within ${apart.toExponential(1)}`)
  })
}

test('parts of weight 0, whose mean is 0 / 0, add nothing to the gradient, and peak as planned', async () => {
  /** Squared errors of the samples whose target is not 0. */
  const masked: Loss = Object.assign(
    (y: Tensor, t: Tensor): Tensor => div(sum(mul(notEqual(t, 0), square(sub(y, t)))), sum(notEqual(t, 0))),
    { weight: (targets: HostArray) => Array.from(targets.data).filter((target) => target !== 0).length },
  )
  const column = (...values: number[]) => ({ data: Float32Array.from(values), shape: [values.length, 1] })
  const batch = { inputs: column(1, 2, 3, 4, 5), targets: column(0, 0, 0, 1, 2) }
  const losses: number[] = []
  for (const microBatch of [5, 3, 1]) {
    const device = await openDevice('gpu', { api, memory: '1MiB' })
    const random = nn.generator(1)
    const model = new nn.Sequential(new nn.Linear(device, 1, 8, { random }), new nn.Linear(device, 8, 1, { random }))
    const streamer = new Streamer({ model, loss: masked, optimizer: optim.sgd(model, { learningRate: 1 / 128 }) })
    for (let i = 0; i < 2; i++) {
      const { loss, peakBytes, plannedPeakBytes } = await streamer.step(batch, { microBatch })
      assert.is(peakBytes, plannedPeakBytes)
      losses.push(loss)
    }
    device.close()
  }
  losses.forEach((loss, i) => {
    assert.ok(Math.abs(loss - losses[i % 2]) < TOLERANCE * losses[i % 2], `${losses}`)
  })
  assert.ok(losses[1] < losses[0])
})

test.run()
