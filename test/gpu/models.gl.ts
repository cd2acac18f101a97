/** The models on the GPU: they learn, and a step takes the bytes of its plan. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openDevice, optim, Streamer } from '../../src/index.js'
import { SMALL_MODELS, smallBatch } from '../small-models.js'
import { api } from './form.js'

/** The tolerance between losses on the GPU and on the CPU, both in float32, with sums in another order. */
const TOLERANCE = 1e-2

// in a page the processor draws in place of a GPU, so one of them is enough
const models = typeof document === 'undefined' ? SMALL_MODELS : SMALL_MODELS.slice(0, 1)

for (const small of models) {
  test(`${small.name} trains on the GPU in micro-batches, as planned, and begins as on the CPU`, async () => {
    const { make, loss } = small
    const batch = smallBatch(small, 6)
    const first: number[] = []
    for (const kind of ['cpu', 'gpu'] as const) {
      const device = await openDevice(kind, { api, memory: '64MiB' })
      const model = make(device, 1)
      const streamer = new Streamer({ model, loss, optimizer: optim.adam(model, { learningRate: 0.002 }) })
      for (let i = 0; i < 2; i++) {
        const step = await streamer.step(batch, { microBatch: 4 })
        assert.is(step.peakBytes, step.plannedPeakBytes)
        assert.ok(Number.isFinite(step.loss))
        if (i === 0) first.push(step.loss)
      }
      device.close()
    }
    assert.ok(Math.abs(first[1] - first[0]) <= TOLERANCE * Math.max(1, first[0]), `${first}`)
  })
}

test.run()
