/** LSTM and GRU on the GPU: the parameters after three steps are those of the CPU. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openDevice } from '../../src/device/open.js'
import { crossEntropy } from '../../src/ops/cross-entropy.js'
import { rmsprop } from '../../src/optim/index.js'
import { Streamer } from '../../src/stream/streamer.js'
import { RecurrentNet, sequences } from '../recurrent.js'
import { api } from './form.js'

/** Both compute in float32, with sums in another order; RMSprop divides by roots of squares down to 1e-2. */
const TOLERANCE = 1e-3

test('three steps with RMSprop, its moments and clipping by value', async () => {
  const learned = async (kind: 'cpu' | 'gpu') => {
    const device = await openDevice(kind, { api, memory: '16MiB' })
    const model = new RecurrentNet(device)
    const optimizer = rmsprop(model, { momentum: 0.5, centered: true, eps: 1e-2, clipValue: 0.01 })
    const streamer = new Streamer({ model, loss: crossEntropy, optimizer })
    for (let i = 0; i < 3; i++) await streamer.step(sequences(8), { microBatch: 4 })
    return (await Promise.all(model.parameters().map((parameter) => parameter.data()))).flatMap((values) => [...values])
  }
  const [cpu, gpu] = [await learned('cpu'), await learned('gpu')]
  for (const [i, value] of gpu.entries()) assert.ok(Math.abs(value - cpu[i]) <= TOLERANCE, `${value}, not ${cpu[i]}`)
})

test.run()
