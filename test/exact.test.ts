/**
 * Exact batch norm, for any split of a mini-batch, against the mini-batch in one piece, where every framework takes these
 * statistics.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Batch } from '../src/data/index.js'
import type { Device } from '../src/device/device.js'
import { HeapDevice } from '../src/device/heap-device.js'
import { HeapAllocator } from '../src/memory/heap.js'
import { type BatchNormPolicy, generator, type Module, setBatchNormPolicy } from '../src/nn/index.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import { sgd } from '../src/optim/index.js'
import type { StreamerOptions } from '../src/stream/options.js'
import { Streamer } from '../src/stream/streamer.js'
import { verifyPlan } from '../src/verify/verify.js'
import { StrictDevice } from './devices.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'
import { CHANNELS, CLASSES, RandomNet, SIDE, type Step, steps } from './random-nets.js'

const DEVICES = {
  cpu: (budgetBytes: number): Device => new HeapDevice('cpu', new HeapAllocator(budgetBytes), { threads: 1 }),
  reference: (budgetBytes: number): Device => new HeapDevice('reference', new HeapAllocator(budgetBytes)),
  'no alias': (budgetBytes: number): Device => new StrictDevice('reference', new HeapAllocator(budgetBytes)),
}
const LARGE = 2 ** 24

/** A random net with at least one batch norm. */
const nets = steps.map((drawn): readonly Step[] => [...drawn, { kind: 'batchNorm', from: 0, also: 0 }])

function netOf(device: Device, drawn: readonly Step[], policy: BatchNormPolicy): Module {
  const net = new RandomNet(device, drawn)
  setBatchNormPolicy(net, policy)
  return net
}

function batchOf(samples: number): Batch {
  const random = generator(samples)
  const size = CHANNELS * SIDE * SIDE * samples
  return {
    inputs: {
      data: Float32Array.from({ length: size }, () => 2 * random() - 1),
      shape: [samples, CHANNELS, SIDE, SIDE],
    },
    targets: { data: Int32Array.from({ length: samples }, () => Math.floor(CLASSES * random())), shape: [samples] },
  }
}

type Settings = Pick<StreamerOptions, 'store'>

// Adam divides a gradient by its size, and the gradient of a bias before a batch norm is 0 except for rounding
const streamerOf = (model: Module, settings: Settings = {}) =>
  new Streamer({
    model,
    loss: crossEntropy,
    optimizer: sgd(model, { learningRate: 0.1, momentum: 0.9 }),
    seed: 3,
    ...settings,
  })

/** Losses, gradient norms, parameters and statistics of two steps. Each step must peak as planned. */
async function trained(model: Module, batch: Batch, microBatch: number | 'fit', settings: Settings = {}) {
  const streamer = streamerOf(model, settings)
  const seen: number[] = []
  for (let i = 0; i < 2; i++) {
    const { loss, gradNorm, peakBytes, plannedPeakBytes } = await streamer.step(batch, { microBatch })
    assert.is(peakBytes, plannedPeakBytes)
    assert.ok(peakBytes <= model.device.memory.budgetBytes)
    seen.push(loss, gradNorm)
  }
  for (const { data } of Object.values(await model.stateDict())) seen.push(...data)
  return seen
}

function expectClose(seen: readonly number[], wanted: readonly number[], tolerance: number): void {
  wanted.forEach((value, i) => {
    const error = Math.abs(seen[i] - value) / Math.max(1, Math.abs(value))
    assert.ok(error <= tolerance, `${seen[i]} at ${i}, in one piece ${value}`)
  })
}

let inPasses = 0
for (const [name, openDevice] of Object.entries(DEVICES)) {
  test(`${name}: random nets with exact batch norms train as in one piece, under any budget, and peak as planned`, async () => {
    const kind = name === 'cpu' ? 'cpu' : 'reference'
    await fc.assert(
      fc.asyncProperty(
        nets,
        fc.integer({ min: 2, max: 12 }),
        fc.integer({ min: 0, max: 8 }),
        fc.boolean(),
        async (drawn, samples, share, onHost) => {
          const batch = batchOf(samples)
          const settings = onHost ? { store: '16MiB' } : {}
          const planned = streamerOf(netOf(openDevice(LARGE), drawn, 'exact'), settings)
          const { minimumBudgetBytes, wholeBatchBytes } = planned.plan({ batch: samples })
          const budget = Math.ceil(minimumBudgetBytes + (share / 8) * (wholeBatchBytes - minimumBudgetBytes))
          const plan = streamerOf(netOf(openDevice(budget), drawn, 'exact'), settings).plan({ batch: samples })
          if (plan.passes > 1) inPasses++
          verifyPlan(JSON.parse(JSON.stringify(plan)))
          const model = netOf(openDevice(budget), drawn, 'exact')
          const seen = await trained(model, batch, plan.microBatch, settings)
          const wanted = await trained(netOf(openDevice(LARGE), drawn, 'micro'), batch, samples)
          expectClose(seen, wanted, kind === 'cpu' ? 2e-3 : 1e-9)
        },
      ),
      { seed: 5, endOnFailure: true, numRuns: 25 * TEST_RUNS },
    )
  })
}

test('most of these steps ran in several passes', () => assert.ok(inPasses >= 40, `${inPasses}`))

test.run()
