/**
 * Making values again on the gpu device: random networks peak as planned, and give the bits of a step that makes
 * nothing again.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Device } from '../../src/device/device.js'
import { openDevice, openVirtualDevice } from '../../src/device/open.js'
import { nn, optim } from '../../src/index.js'
import { crossEntropy } from '../../src/ops/cross-entropy.js'
import { DoesNotFitError } from '../../src/stream/errors.js'
import { Streamer } from '../../src/stream/streamer.js'
import { TEST_RUNS } from '../fixtures.js'
import { fc } from '../property.js'
import { CHANNELS, CLASSES, RandomNet, SIDE, type Step, steps } from '../random-nets.js'
import { api } from './form.js'

const BATCH = 6
const random = nn.generator(4)
const batch = {
  inputs: {
    data: Float32Array.from({ length: BATCH * CHANNELS * SIDE * SIDE }, () => 2 * random() - 1),
    shape: [BATCH, CHANNELS, SIDE, SIDE],
  },
  targets: { data: Int32Array.from({ length: BATCH }, (_, i) => i % CLASSES), shape: [BATCH] },
}

function streamerOn(device: Device, drawn: readonly Step[], recompute: 'never' | 'needed'): Streamer {
  const model = new RandomNet(device, drawn)
  return new Streamer({ model, loss: crossEntropy, optimizer: optim.adam(model, { learningRate: 0.01 }), recompute })
}

/** Losses and parameters after two steps. */
async function trained(memory: number, drawn: readonly Step[], recompute: 'never' | 'needed') {
  const device = await openDevice('gpu', { api, memory })
  const streamer = streamerOn(device, drawn, recompute)
  const losses: number[] = []
  for (let i = 0; i < 2; i++) {
    const { loss, peakBytes, plannedPeakBytes } = await streamer.step(batch, { microBatch: 3 })
    assert.is(peakBytes, plannedPeakBytes)
    assert.ok(peakBytes <= memory)
    losses.push(loss)
  }
  const state = Object.entries(await streamer.model.stateDict()).map(([name, { data }]) => [name, Array.from(data)])
  await device.close()
  return { losses, state }
}

/** The smallest budget, as named by a plan that does not fit. */
function leastBytes(plan: () => unknown): number {
  try {
    plan()
  } catch (error) {
    if (error instanceof DoesNotFitError) return error.neededBytes
    throw error
  }
  throw new Error('it fits')
}

test('random networks make values again: they peak as planned, and give the bits of a step that does not', async () => {
  let again = 0
  await fc.assert(
    fc.asyncProperty(steps, async (drawn) => {
      const split = { batch: BATCH, microBatch: 3 }
      const plan = streamerOn(openVirtualDevice('gpu', { api }), drawn, 'never').plan(split)
      const standing = Object.values(plan.heldBytes).reduce((sum, bytes) => sum + bytes)
      const memory = leastBytes(() =>
        streamerOn(openVirtualDevice('gpu', { api, memory: standing }), drawn, 'needed').plan(split),
      )
      const { extraTime } = streamerOn(openVirtualDevice('gpu', { api, memory }), drawn, 'needed').plan(split)
      if (extraTime > 0) again++
      assert.equal(await trained(memory, drawn, 'needed'), await trained(plan.plannedPeakBytes, drawn, 'never'))
    }),
    { seed: 24, numRuns: 3 * TEST_RUNS },
  )
  assert.ok(again >= 1, `${again}`)
})

test.run()
