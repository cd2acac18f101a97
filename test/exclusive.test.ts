/** Streamers that share a device or a model: one runs at a time, and none changes what another learns. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fromArrays } from '../src/data/index.js'
import type { Device } from '../src/device/device.js'
import { openDevice } from '../src/device/open.js'
import type { Module } from '../src/nn/module.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import { adam } from '../src/optim/index.js'
import { BusyError } from '../src/stream/errors.js'
import { Streamer } from '../src/stream/streamer.js'
import { batchNormModel, denseModel, randomBatch, residualModel, TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

const MICRO_BATCH = 3
const BATCHES = [randomBatch(7, 1), randomBatch(4, 2), randomBatch(9, 3)]

const open = (): Promise<Device> => openDevice('reference', { memory: '1MiB' })

const streamerOf = (model: Module): Streamer =>
  new Streamer({ model, loss: crossEntropy, optimizer: adam(model, { learningRate: 0.05 }), seed: 5 })

const outcome = <T>(promise: Promise<T>): Promise<T | unknown> => promise.catch((error: unknown) => error)

const step = (streamer: Streamer, batch: number) => streamer.step(BATCHES[batch], { microBatch: MICRO_BATCH })

/** A step that tries something else after each of its micro-batches. */
const trying = (streamer: Streamer, batch: number, other: () => unknown) =>
  streamer.step(BATCHES[batch], { microBatch: MICRO_BATCH, onMicroBatch: async () => void (await other()) })

test('during a step every call of any streamer on the device is refused, and the step is not affected', async () => {
  const alone = streamerOf(batchNormModel(await open()))
  await step(alone, 0)
  const expected = await alone.model.stateDict()

  const device = await open()
  const model = batchNormModel(device)
  const first = streamerOf(model)
  const second = streamerOf(model)
  const other = streamerOf(denseModel(device))
  const data = fromArrays(BATCHES[1])
  const checkpoint = await first.checkpoint()
  const calls: [string, (streamer: Streamer) => unknown][] = [
    ['a step', (streamer) => step(streamer, 1)],
    ['evaluate', (streamer) => streamer.evaluate(data)],
    ['predict', (streamer) => streamer.predict(BATCHES[1].inputs)],
    ['fastest', (streamer) => streamer.fastest(BATCHES[1])],
    ['a checkpoint', (streamer) => streamer.checkpoint()],
    ['fit', (streamer) => streamer.fit(data, { batch: 2 }).next()],
    ['restore', (streamer) => streamer.restore(checkpoint)],
    ['dispose', (streamer) => streamer.dispose()],
  ]
  let refused = 0
  const { loss } = await trying(first, 0, async () => {
    for (const streamer of [first, second, other]) {
      for (const [name, call] of calls) {
        const error = await outcome((async () => call(streamer))())
        assert.instance(error, BusyError)
        assert.match(String(error), `${name}: a step of a streamer is running on this reference device`)
        refused++
      }
    }
  })
  assert.is(refused, 3 * 3 * calls.length)
  assert.ok(Number.isFinite(loss))
  assert.equal(await model.stateDict(), expected)
  await step(other, 1)
})

test('disposing of one streamer leaves the shadows of another over the same model', async () => {
  const alone = streamerOf(batchNormModel(await open()))
  const device = await open()
  const model = batchNormModel(device)
  const held = device.memory.heldBytes
  const [first, second] = [streamerOf(model), streamerOf(model)]
  second.dispose()
  for (const streamer of [alone, first]) {
    await outcome(streamer.step(randomBatch(7, 1), { signal: AbortSignal.abort() }))
    await step(streamer, 0)
  }
  assert.equal(await model.stateDict(), await alone.model.stateDict())
  first.dispose()
  assert.ok(model.buffers().every(({ shadow }) => shadow === null))
  for (const { parameters } of [first.optimizer]) for (const { grad } of parameters) grad?.dispose()
  first.optimizer.dispose()
  second.optimizer.dispose()
  assert.is(device.memory.heldBytes, held)
})

test('steps of several streamers, models and devices run in any order, and each learns what it would learn alone', async () => {
  const builds = [batchNormModel, residualModel, denseModel]
  const order = fc.array(fc.record({ which: fc.nat(5), batch: fc.nat(2), together: fc.boolean() }), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(order, async (calls) => {
      const devices = [await open(), await open()]
      const streamers = devices.flatMap((device) => builds.map((build) => streamerOf(build(device))))
      const alone = await Promise.all(
        devices.flatMap(() => builds.map(async (build) => streamerOf(build(await open())))),
      )
      for (const { which, batch, together } of calls) {
        const others = together ? streamers.filter((_, i) => i !== which && i % 2 === 0) : []
        const running = [streamers[which], ...others].map((streamer) => outcome(step(streamer, batch)))
        const results = await Promise.all(running)
        for (const [i, result] of results.entries()) {
          const streamer = i === 0 ? streamers[which] : others[i - 1]
          const first = [streamers[which], ...others].find(({ model }) => model.device === streamer.model.device)
          if (streamer !== first) assert.instance(result, BusyError)
          else await step(alone[streamers.indexOf(streamer)], batch)
        }
      }
      for (const [i, { model }] of streamers.entries()) {
        assert.equal(await model.stateDict(), await alone[i].model.stateDict())
      }
    }),
    { seed: 19, numRuns: 8 * TEST_RUNS },
  )
})

test('after modes and requiresGrad are toggled between steps, each step keeps to its plan, and learns as a new streamer does', async () => {
  const toggles = fc.array(
    fc.record({ module: fc.nat(20), parameter: fc.nat(20), thaw: fc.boolean(), batch: fc.nat(2) }),
    {
      minLength: 1,
      maxLength: 5,
    },
  )
  for (const build of [batchNormModel, residualModel, denseModel]) {
    await fc.assert(
      fc.asyncProperty(toggles, async (script) => {
        const [device, fresh] = [await open(), await open()]
        const [model, again] = [build(device), build(fresh)]
        const streamer = streamerOf(model)
        for (const { module, parameter, thaw, batch } of script) {
          for (const each of [model, again]) {
            const modules = each.modules()
            const toggled = modules[module % modules.length]
            toggled.training = !toggled.training
            const leaves = each.parameters()
            leaves[parameter % leaves.length].requiresGrad = thaw
            // the last layer's weight always learns
            leaves[leaves.length - 2].requiresGrad = true
          }
          again.loadStateDict(await model.stateDict())
          const { peakBytes, plannedPeakBytes, loss } = await step(streamer, batch)
          assert.is(peakBytes, plannedPeakBytes)
          // without dropout masks, which follow the step's number
          const other = streamerOf(again)
          other.optimizer.loadStateDict({ ...(await other.optimizer.stateDict()), steps: streamer.optimizer.steps - 1 })
          assert.is(loss, (await step(other, batch)).loss)
          other.dispose()
          other.optimizer.dispose()
        }
      }),
      { seed: 7, numRuns: 10 * TEST_RUNS },
    )
  }
})

test('a frozen layer that is thawed gets its gradient before planning, and the plan names parameters that are not trained', async () => {
  const device = await open()
  const model = denseModel(device)
  const [first] = model.parameters()
  first.requiresGrad = false
  const streamer = streamerOf(model)
  assert.is(first.grad, null)
  const options = { batch: 7, inputShape: [2, 4, 4] }
  assert.equal(streamer.plan(options).notes, [])
  first.requiresGrad = true
  const { notes } = streamer.plan(options)
  assert.match(notes.join(), '1.weight: has a gradient, and the optimizer does not train it')
  assert.ok(first.grad)
  const { peakBytes, plannedPeakBytes } = await step(streamer, 0)
  assert.is(peakBytes, plannedPeakBytes)
})

test.run()
