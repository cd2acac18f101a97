/** Random tensors on the GPU: the numbers of reference, and a training with noise whose step does not depend on its split. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { mse, openDevice, optim, rand, randn, Streamer } from '../../src/index.js'
import { Autoencoder, images, samples } from '../autoencoder.js'
import { BOX_MULLER_FLOAT32 } from '../tolerances.js'
import { api } from './form.js'

test('rand has the bits of reference, and randn its values', async () => {
  const drawn = async (kind: 'gpu' | 'reference') => {
    const device = await openDevice(kind, { api, memory: '4MiB' })
    const draws: number[][] = []
    for (const firstSample of [0, 1, 2 ** 27 - 1]) {
      Object.assign(device.step, { seed: 2 ** 32 - 5, step: 7, call: 1, firstSample })
      for (const draw of [rand, randn]) draws.push(Array.from(await draw(device, [3, 33]).data()))
    }
    return draws
  }
  const [gpu, reference] = [await drawn('gpu'), await drawn('reference')]
  for (const [i, values] of gpu.entries()) {
    const limit = i % 2 === 0 ? 0 : BOX_MULLER_FLOAT32
    for (const [j, value] of values.entries())
      assert.ok(Math.abs(value - reference[i][j]) <= limit, `${value}, not ${reference[i][j]}`)
  }
})

test('a step with noise is that of the CPU, for any split, with the planned peak', async () => {
  const learned = async (kind: 'cpu' | 'gpu', microBatch: number) => {
    const model = new Autoencoder(await openDevice(kind, { api, memory: '16MiB' }))
    const streamer = new Streamer({ model, loss: mse, optimizer: optim.sgd(model, { learningRate: 0.1 }) })
    const { loss, gradNorm, peakBytes, plannedPeakBytes } = await streamer.step(
      { inputs: images, targets: images },
      { microBatch },
    )
    assert.is(peakBytes, plannedPeakBytes)
    return [loss, gradNorm]
  }
  const wanted = await learned('cpu', samples)
  for (const size of [samples, 3, 1]) {
    for (const [i, value] of (await learned('gpu', size)).entries())
      assert.ok(Math.abs(value - wanted[i]) <= 1e-5 * wanted[i], `${value}, not ${wanted[i]}`)
  }
})

test.run()
