/** Making values again: the same bits with fewer bytes, as planned to the byte, and never above the budget. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Batch } from '../src/data/index.js'
import type { Device } from '../src/device/device.js'
import { HeapDevice } from '../src/device/heap-device.js'
import { openVirtualDevice } from '../src/device/open.js'
import { HeapAllocator, PAGE_BYTES } from '../src/memory/heap.js'
import { BatchNorm2d, Conv2d, generator, Linear, Module } from '../src/nn/index.js'
import { add } from '../src/ops/binary.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import { mean } from '../src/ops/reduce.js'
import { relu } from '../src/ops/unary.js'
import { adam, sgd } from '../src/optim/index.js'
import { DoesNotFitError } from '../src/stream/errors.js'
import type { Recompute } from '../src/stream/options.js'
import { Streamer } from '../src/stream/streamer.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { StrictDevice } from './devices.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'
import { CHANNELS, CLASSES, RandomNet, SIDE, steps } from './random-nets.js'

const SETTINGS: readonly Recompute[] = ['never', 'cheap', 'needed', 0.15, 0.5, 1]

const open = (kind: 'cpu' | 'reference', budgetBytes: number): Device =>
  new HeapDevice(kind, new HeapAllocator(budgetBytes), { threads: 1 })

const DEVICES = {
  cpu: (budgetBytes: number) => open('cpu', budgetBytes),
  reference: (budgetBytes: number) => open('reference', budgetBytes),
  'no alias': (budgetBytes: number) => new StrictDevice('cpu', new HeapAllocator(budgetBytes)),
}

function batchOf(samples: number, sampleShape: readonly number[], classes: number): Batch {
  const random = generator(samples)
  const size = sampleShape.reduce((product, dim) => product * dim, samples)
  return {
    inputs: { data: Float32Array.from({ length: size }, () => 2 * random() - 1), shape: [samples, ...sampleShape] },
    targets: { data: Int32Array.from({ length: samples }, () => Math.floor(classes * random())), shape: [samples] },
  }
}

/** The result of two training steps; each step must peak as planned. */
async function trained(device: Device, model: Module, batch: Batch, microBatch: number, recompute: Recompute) {
  const optimizer = adam(model, { learningRate: 0.01 })
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer, seed: 3, recompute })
  const losses: number[] = []
  for (let i = 0; i < 2; i++) {
    const { loss, gradNorm, peakBytes, plannedPeakBytes } = await streamer.step(batch, { microBatch })
    assert.is(peakBytes, plannedPeakBytes)
    assert.ok(peakBytes <= device.memory.budgetBytes)
    losses.push(loss, gradNorm)
  }
  const state = Object.entries(await model.stateDict()).map(([name, { data }]) => [name, Array.from(data)])
  return { losses, state }
}

const planOn = (device: Device, net: (device: Device) => Module, batch: number, recompute: Recompute) => {
  const model = net(device)
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: adam(model), recompute })
  return streamer.plan({ batch, inputShape: model.inputShape })
}

let again = 0
for (const [name, openDevice] of Object.entries(DEVICES)) {
  test(`${name}: random networks under any budget peak as planned, and give the bits of a step that makes nothing again`, async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 0, max: 8 }),
        fc.constantFrom(...SETTINGS),
        async (drawn, batch, share, recompute) => {
          const net = (device: Device) => new RandomNet(device, drawn)
          const kind = name === 'reference' ? 'reference' : 'cpu'
          const { minimumBudgetBytes, wholeBatchBytes } = planOn(openVirtualDevice(kind), net, batch, recompute)
          const budget = minimumBudgetBytes + (share / 8) * (wholeBatchBytes - minimumBudgetBytes)
          const device = openDevice(Math.ceil(budget))
          const plan = planOn(device, net, batch, recompute)
          if (plan.extraTime > 0) again++
          const limit = { never: 0, cheap: 0.03, needed: Infinity }[recompute as 'never'] ?? recompute
          assert.ok(plan.extraTime <= limit)
          const fresh = openDevice(Math.ceil(budget))
          const seen = await trained(
            fresh,
            net(fresh),
            batchOf(batch, [CHANNELS, SIDE, SIDE], CLASSES),
            plan.microBatch,
            recompute,
          )
          const large = openDevice(2 ** 24)
          const wanted = await trained(
            large,
            net(large),
            batchOf(batch, [CHANNELS, SIDE, SIDE], CLASSES),
            plan.microBatch,
            'never',
          )
          assert.equal(seen, wanted)
        },
      ),
      { seed: 13, numRuns: 30 * TEST_RUNS },
    )
  })
}

test('in many of these steps, values were made again', () => assert.ok(again >= 10, `${again}`))

class DeepResNet extends Module {
  override readonly inputShape = [3, 16, 16]
  readonly stem: Conv2d
  readonly blocks: readonly (readonly [Conv2d, BatchNorm2d, Conv2d, BatchNorm2d])[]
  readonly layers: readonly Module[]
  readonly head: Linear

  constructor(device: Device, depth: number) {
    super(device)
    const random = generator(2)
    const conv = (channels: number) => new Conv2d(device, channels, 4, 3, { padding: 1, bias: false, random })
    this.stem = conv(3)
    this.blocks = Array.from({ length: (depth - 2) / 2 }, () => [
      conv(4),
      new BatchNorm2d(device, 4),
      conv(4),
      new BatchNorm2d(device, 4),
    ])
    this.layers = this.blocks.flat()
    this.head = new Linear(device, 4, 10, { random })
  }

  forward(x: Tensor): Tensor {
    let h = relu(this.stem.forward(x))
    for (const [first, norm1, second, norm2] of this.blocks) {
      h = relu(add(h, norm2.forward(second.forward(relu(norm1.forward(first.forward(h)))))))
    }
    return this.head.forward(mean(h, { axes: [2, 3] }))
  }
}

test('40 layers train under a budget in which one sample does not fit with all values kept, to the same bits', async () => {
  const net = (device: Device) => new DeepResNet(device, 40)
  const one = planOn(openVirtualDevice('cpu'), net, 1, 'never')
  const standing = Object.values(one.heldBytes).reduce((sum, bytes) => sum + bytes)
  const budget = Math.ceil(standing + 0.45 * (one.plannedPeakBytes - standing))
  assert.throws(
    () => planOn(openVirtualDevice('cpu', { memory: budget }), net, 6, 'never'),
    (error: unknown) => error instanceof DoesNotFitError,
  )
  const plan = planOn(openVirtualDevice('cpu', { memory: budget }), net, 6, 'needed')
  assert.ok(plan.extraTime > 0)
  const small = open('cpu', budget)
  const seen = await trained(small, net(small), batchOf(6, [3, 16, 16], 10), plan.microBatch, 'needed')
  const large = open('cpu', 2 ** 26)
  const wanted = await trained(large, net(large), batchOf(6, [3, 16, 16], 10), plan.microBatch, 'never')
  assert.equal(seen, wanted)
})

test('for a fixed micro-batch, the predicted time never rises with the budget, and no peak is above the budget', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 8 }), (drawn, batch) => {
      const net = (device: Device) => new RandomNet(device, drawn)
      const { minimumBudgetBytes, wholeBatchBytes } = planOn(openVirtualDevice('cpu'), net, batch, 'never')
      const times: number[] = []
      for (let budget = minimumBudgetBytes; budget <= wholeBatchBytes; budget += PAGE_BYTES) {
        const model = net(openVirtualDevice('cpu', { memory: budget }))
        const streamer = new Streamer({ model, loss: crossEntropy, optimizer: adam(model), recompute: 'needed' })
        try {
          const plan = streamer.plan({ batch, microBatch: batch })
          assert.ok(plan.plannedPeakBytes <= budget)
          times.push(plan.extraTime)
        } catch (error) {
          assert.instance(error, DoesNotFitError)
          assert.is(times.length, 0, 'a larger budget fits too')
        }
      }
      assert.equal(
        times,
        [...times].sort((a, b) => b - a),
      )
      assert.is(times.at(-1), 0)
    }),
    { seed: 13, numRuns: 30 * TEST_RUNS },
  )
})

test('the smallest budget that a plan names is enough, and less is not, for every setting of recompute', () => {
  fc.assert(
    fc.property(
      steps,
      fc.integer({ min: 1, max: 20 }),
      fc.constantFrom('cpu', 'gpu'),
      fc.constantFrom(...SETTINGS),
      (drawn, batch, kind, recompute) => {
        const net = (device: Device) => new RandomNet(device, drawn)
        const planUnder = (memory?: number) => planOn(openVirtualDevice(kind, { memory }), net, batch, recompute)
        const { minimumBudgetBytes } = planUnder()
        assert.ok(planUnder(minimumBudgetBytes).plannedPeakBytes <= minimumBudgetBytes)
        assert.throws(() => planUnder(minimumBudgetBytes - 16), /fit|needs a budget/)
      },
    ),
    { seed: 13, numRuns: 30 * TEST_RUNS },
  )
})

test('a setting that makes no sense is refused', () => {
  const model = new Linear(openVirtualDevice('cpu'), 2, 2)
  const optimizer = sgd(model)
  for (const recompute of ['always', -0.1, Number.NaN, Infinity, true, null]) {
    assert.throws(
      () => new Streamer({ model, loss: crossEntropy, optimizer, recompute: recompute as Recompute }),
      /recompute .* must be 'never', 'cheap', 'needed', or the share of time/,
    )
  }
})

test.run()
