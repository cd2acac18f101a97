/** A lost device costs only time: training goes on elsewhere, to the same bits. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DeviceLostError } from '../src/device/errors.js'
import { HeapDevice } from '../src/device/heap-device.js'
import { ArgumentError } from '../src/memory/errors.js'
import { HeapAllocator } from '../src/memory/heap.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import { adam } from '../src/optim/index.js'
import { type EpochResult, type FitOptions, Streamer } from '../src/stream/streamer.js'
import { LosingDevice } from './devices.js'
import { batchNormModel, randomBatch } from './fixtures.js'

const BUDGET = 1 << 20
const BATCHES = [randomBatch(12, 1), randomBatch(12, 2), randomBatch(12, 3)]
const OPTIONS: FitOptions = { batch: 12, epochs: 2, microBatch: 5 }

const open = (): LosingDevice => new LosingDevice('cpu', new HeapAllocator(BUDGET))

function streamerOn(device: HeapDevice, checkpointEvery?: number): Streamer {
  const model = batchNormModel(device)
  return new Streamer({ model, loss: crossEntropy, optimizer: adam(model), checkpointEvery })
}

/** The result of a training: model, optimizer and losses. */
interface Run {
  losses: number[]
  epochs: EpochResult[]
}

async function follow(streamer: Streamer, run: Run): Promise<Run> {
  const onEpoch = (result: EpochResult) => void run.epochs.push(result)
  const training = streamer.fit(() => BATCHES, { ...OPTIONS, onEpoch, from: streamer.cursor })
  for await (const { loss } of training) run.losses.push(loss)
  return run
}

async function lossOf(training: Promise<unknown>): Promise<DeviceLostError | null> {
  try {
    await training
    return null
  } catch (error) {
    if (error instanceof DeviceLostError) return error
    throw error
  }
}

for (const every of [1, 2, 4]) {
  test(`a device lost at any kernel, with a checkpoint every ${every} steps`, async () => {
    const straight = streamerOn(new HeapDevice('cpu', new HeapAllocator(BUDGET)))
    const expected = await follow(straight, { losses: [], epochs: [] })
    const left = await straight.checkpoint()
    let losses = 0
    // in the last round the training ends before the device is lost
    for (let kernels = 1; ; kernels += 13) {
      const device = open()
      const first = streamerOn(device, every)
      device.remaining = kernels
      const run: Run = { losses: [], epochs: [] }
      const error = await lossOf(follow(first, run))
      if (!error) break
      losses++
      const kept = first.lastCheckpoint
      if (!kept) throw new Error('no checkpoint')
      const { steps } = kept.optimizer
      assert.is(steps, run.losses.length - (run.losses.length % every))
      assert.match(error.message, `from step ${steps}, in epoch ${kept.cursor.epoch}`)
      const second = streamerOn(open(), every)
      second.restore(kept)
      const rest = await follow(second, { losses: [], epochs: [] })
      assert.equal([...run.losses.slice(0, steps), ...rest.losses], expected.losses)
      assert.equal(await second.checkpoint(), left)
      if (every === 1) assert.is(run.epochs.length + rest.epochs.length, expected.epochs.length)
    }
    assert.ok(losses > 20, `only ${losses} places`)
  })
}

test('a checkpoint of an earlier fit of the same streamer is not mistaken for one of the current fit', async () => {
  const device = open()
  const streamer = streamerOn(device)
  await follow(streamer, { losses: [], epochs: [] })
  assert.is(streamer.lastCheckpoint?.cursor.epoch, 2)
  const again = streamer.fit(() => BATCHES, { ...OPTIONS, from: { epoch: 0 } })
  device.remaining = 30
  assert.instance(await lossOf(again.next()), DeviceLostError)
  assert.is(streamer.lastCheckpoint?.cursor.epoch, 0)
  assert.is(streamer.lastCheckpoint?.cursor.samples, 0)
  assert.is(streamer.lastCheckpoint?.optimizer.steps, 6)
})

test('a device that loses nothing keeps no checkpoint, unless asked to', async () => {
  const device = new HeapDevice('cpu', new HeapAllocator(BUDGET))
  const streamer = streamerOn(device)
  await streamer.step(BATCHES[0], { microBatch: 5 })
  assert.is(streamer.lastCheckpoint, null)
  for (const wrong of [-1, 0.5, Number.NaN]) {
    try {
      streamerOn(device, wrong)
      assert.unreachable()
    } catch (error) {
      assert.instance(error, ArgumentError)
    }
  }
})

test.run()
