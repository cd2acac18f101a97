/**
 * Exact batch norm on the gpu device, whose store is memory of the host: networks train in pieces as in one piece, peak as
 * planned, and outlive a lost context.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Device } from '../../src/device/device.js'
import { DeviceLostError } from '../../src/device/errors.js'
import { openDevice, openVirtualDevice } from '../../src/device/open.js'
import { nn, optim } from '../../src/index.js'
import { triplet } from '../../src/ops/coupled-loss.js'
import { crossEntropyLoss } from '../../src/ops/cross-entropy.js'
import { Streamer, type StreamerOptions } from '../../src/stream/streamer.js'
import { verifyPlan } from '../../src/verify/verify.js'
import { errorOf } from '../error-of.js'
import { TEST_RUNS } from '../fixtures.js'
import { samplesOf } from '../lessons.js'
import { fc } from '../property.js'
import { CHANNELS, CLASSES, RandomNet, SIDE, type Step, steps } from '../random-nets.js'
import { api, openCounted } from './form.js'

const SHAPE = [CHANNELS, SIDE, SIDE]
const LARGE = 2 ** 26

function streamerOn(
  device: Device,
  drawn: readonly Step[],
  policy: nn.BatchNormPolicy,
  options: Partial<StreamerOptions> = {},
): Streamer {
  const model = new RandomNet(device, drawn)
  nn.setBatchNormPolicy(model, policy)
  const optimizer = optim.sgd(model, { learningRate: 0.1, momentum: 0.9 })
  return new Streamer({ model, loss: crossEntropyLoss({ labelSmoothing: 0.1 }), optimizer, seed: 3, ...options })
}

const stateOf = async ({ model }: Streamer): Promise<number[]> =>
  Object.values(await model.stateDict()).flatMap(({ data }) => [...data])

/** Losses, gradient norms, parameters and statistics of two steps. */
async function trained(streamer: Streamer, samples: number, microBatch: number): Promise<number[]> {
  // the first targets do not count, so that a micro-batch has no weight
  const batch = samplesOf(samples, SHAPE, CLASSES)
  batch.targets.data.fill(-100, 0, 2)
  const seen: number[] = []
  for (let i = 0; i < 2; i++) {
    const { loss, gradNorm, peakBytes, plannedPeakBytes } = await streamer.step(batch, { microBatch })
    assert.is(peakBytes, plannedPeakBytes)
    seen.push(loss, gradNorm)
  }
  return [...seen, ...(await stateOf(streamer))]
}

/** A network with two batch norms in series and one beside them. */
const NET: readonly Step[] = [
  { kind: 'conv', from: 0, also: 0 },
  { kind: 'batchNorm', from: 0, also: 0 },
  { kind: 'dropout', from: 0, also: 0 },
  { kind: 'conv', from: 0, also: 0 },
  { kind: 'batchNorm', from: 0, also: 0 },
  { kind: 'batchNorm', from: 3, also: 0 },
  { kind: 'add', from: 0, also: 1 },
]

async function expectAsInOnePiece(drawn: readonly Step[], options: Partial<StreamerOptions>): Promise<void> {
  const [samples, microBatch] = [7, 2]
  const size = { batch: samples, microBatch }
  const plan = streamerOn(openVirtualDevice('gpu', { api }), drawn, 'exact', options).plan(size)
  assert.ok(plan.passes > 1)
  verifyPlan(JSON.parse(JSON.stringify(plan)))
  const small = await openDevice('gpu', { api, memory: plan.neededBudgetBytes })
  const large = await openDevice('gpu', { api, memory: LARGE })
  const seen = await trained(streamerOn(small, drawn, 'exact', options), samples, microBatch)
  const wanted = await trained(streamerOn(large, drawn, 'micro', { ...options, store: undefined }), samples, samples)
  wanted.forEach((value, i) => {
    const error = Math.abs(seen[i] - value) / Math.max(1, Math.abs(value))
    assert.ok(error <= 2e-3, `${seen[i]} at ${i}, in one piece ${value}`)
  })
  await Promise.all([small.close(), large.close()])
}

for (const [place, options] of Object.entries({ 'within the budget': {}, 'of its own budget': { store: '1MiB' } })) {
  test(`a network with exact batch norms trains as in one piece, with a store ${place}`, () =>
    expectAsInOnePiece(NET, options))
}

test('a loss that compares samples trains as in one piece, with exact batch norms inside', () =>
  expectAsInOnePiece(NET, { loss: triplet({ margin: 1 }) }))

test('random networks with exact batch norms train as in one piece', async () => {
  const nets = steps.map((drawn): readonly Step[] => [...drawn, { kind: 'batchNorm', from: 0, also: 0 }])
  await fc.assert(
    fc.asyncProperty(nets, fc.boolean(), (drawn, apart) => expectAsInOnePiece(drawn, apart ? { store: '4MiB' } : {})),
    // a page compiles the programs of a network for half a minute
    { seed: 6, numRuns: (typeof document === 'undefined' ? 3 : 1) * TEST_RUNS },
  )
})

test('a context lost in any pass leaves the last checkpoint, from which the training goes on', async () => {
  const batches = [1, 2].map((seed) => samplesOf(5, SHAPE, CLASSES, seed))
  const device = await openDevice('gpu', { api, memory: LARGE })
  const undisturbed = streamerOn(device, NET, 'exact')
  for (const batch of batches) await undisturbed.step(batch, { microBatch: 2 })
  const wanted = await stateOf(undisturbed)
  const { passes } = undisturbed.plan({ batch: 5, microBatch: 2 })
  for (const lostAfter of [1, 4, 3 * passes - 1]) {
    const { device: lost, lose } = await openCounted(LARGE)
    const first = streamerOn(lost, NET, 'exact')
    await first.step(batches[0], { microBatch: 2 })
    const onMicroBatch = ({ done }: { done: number }): void => {
      if (done === lostAfter) lose()
    }
    assert.instance(await errorOf(first.step(batches[1], { microBatch: 2, onMicroBatch })), DeviceLostError)
    assert.is(first.optimizer.steps, 1)
    const { lastCheckpoint } = first
    if (!lastCheckpoint) throw new Error('no checkpoint')
    await first.model.device.close()
    const second = await openDevice('gpu', { api, memory: LARGE })
    const streamer = streamerOn(second, NET, 'exact')
    streamer.restore(lastCheckpoint)
    await streamer.step(batches[1], { microBatch: 2 })
    assert.equal(await stateOf(streamer), wanted)
    await second.close()
  }
  await device.close()
})

test.run()
