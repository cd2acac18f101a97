/** A cursor names the samples that were learned from, after any sequence of fits, aborts and restores. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Dataset, fromArrays, permutation } from '../src/data/index.js'
import { openDevice } from '../src/device/open.js'
import { ArgumentError } from '../src/memory/errors.js'
import { generator, Linear } from '../src/nn/index.js'
import { mse } from '../src/ops/point-loss.js'
import { sgd } from '../src/optim/index.js'
import { BusyError, InterruptedError } from '../src/stream/errors.js'
import { type Checkpoint, type Cursor, type EpochResult, type StepResult, Streamer } from '../src/stream/streamer.js'
import { errorOf } from './error-of.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

const SAMPLES = 7
const SEED = 3

/** Samples whose indices are noted when they are gathered. */
function noted(length = SAMPLES): { data: Dataset; gathered: number[][] } {
  const gathered: number[][] = []
  const random = generator(1)
  const whole = fromArrays({
    inputs: { data: Float64Array.from({ length: 2 * length }, random), shape: [length, 2] },
    targets: { data: Float64Array.from({ length }, random), shape: [length, 1] },
  })
  const data: Dataset = {
    ...whole,
    gather(indices) {
      gathered.push(Array.from(indices))
      return whole.gather(indices)
    },
  }
  return { data, gathered }
}

async function linear(seed = SEED): Promise<Streamer> {
  const device = await openDevice('reference', { memory: '1MiB' })
  const model = new Linear(device, 2, 1, { random: generator(2) })
  return new Streamer({ model, loss: mse, optimizer: sgd(model, { learningRate: 0.1 }), seed })
}

const place = ({ epoch, samples }: Cursor) => ({ epoch, samples })

/** An action of a user; `from` counts back in the checkpoints that were taken. */
type Action =
  | { do: 'train'; batch: number; steps: number; resume: boolean }
  | { do: 'open'; batch: number; resume: boolean }
  | { do: 'next' }
  | { do: 'abort'; batch: number; microBatches: number }
  | { do: 'save' }
  | { do: 'restore'; back: number }

const batches = fc.integer({ min: 1, max: SAMPLES + 2 })
const actions: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    do: fc.constant('train' as const),
    batch: batches,
    steps: fc.integer({ min: 1, max: 6 }),
    resume: fc.boolean(),
  }),
  fc.record({ do: fc.constant('open' as const), batch: batches, resume: fc.boolean() }),
  fc.record({ do: fc.constant('next' as const) }),
  fc.record({ do: fc.constant('abort' as const), batch: batches, microBatches: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ do: fc.constant('save' as const) }),
  fc.record({ do: fc.constant('restore' as const), back: fc.nat(3) }),
)

test('after any fits, aborts, checkpoints and restores, the cursor names the samples learned from, in the order of its epoch', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(actions, { maxLength: 14 }), async (script) => {
      const streamer = await linear()
      const { data, gathered } = noted()
      /** the expected position of training */
      let at = { epoch: 0, samples: 0 }
      const saved: { checkpoint: Checkpoint; at: typeof at }[] = []
      let open: AsyncGenerator<StepResult> | null = null
      let ended = false

      const begin = (batch: number, resume: boolean, signal?: AbortSignal, onMicroBatch?: () => void) => {
        if (!resume) at = { epoch: at.samples > 0 ? at.epoch + 1 : at.epoch, samples: 0 }
        const epochs = resume ? at.epoch + 3 : 3
        ended = true
        return streamer.fit(data, {
          batch,
          epochs,
          microBatch: 2,
          signal,
          onMicroBatch,
          ...(resume && { from: streamer.cursor }),
        })
      }
      /** the mini-batch that was committed must be the next one of the order */
      const learned = (result: StepResult, batch: number) => {
        if (at.samples === SAMPLES) at = { epoch: at.epoch + 1, samples: 0 }
        const size = Math.min(batch, SAMPLES - at.samples)
        const order = Array.from(permutation(SAMPLES, SEED, at.epoch)).slice(at.samples, at.samples + size)
        assert.equal(gathered.at(-1), order)
        assert.is(result.epoch, at.epoch)
        at.samples += size
        assert.equal(place(streamer.cursor), at)
      }
      let openBatch = 0
      for (const action of script) {
        if (action.do === 'train') {
          let steps = 0
          for await (const result of begin(action.batch, action.resume)) {
            learned(result, action.batch)
            if (++steps === action.steps) break
          }
          if (steps < action.steps) at = { epoch: at.epoch + 1, samples: 0 }
        } else if (action.do === 'open') {
          open = begin(action.batch, action.resume)
          openBatch = action.batch
          const { value } = await open.next()
          ended = false
          if (value) learned(value, openBatch)
        } else if (action.do === 'next' && open) {
          if (ended) {
            assert.instance(await errorOf(open.next()), BusyError)
            open = null
          } else {
            const { value, done } = await open.next()
            if (value) learned(value, openBatch)
            if (done) {
              at = { epoch: at.epoch + 1, samples: 0 }
              open = null
            }
          }
        } else if (action.do === 'abort') {
          const controller = new AbortController()
          let microBatches = 0
          const training = begin(action.batch, true, controller.signal, () => {
            if (++microBatches === action.microBatches) controller.abort()
          })
          const run = async () => {
            for await (const result of training) learned(result, action.batch)
          }
          assert.instance(await errorOf(run()), InterruptedError)
          if (at.samples === SAMPLES && streamer.cursor.samples === 0) at = { epoch: at.epoch + 1, samples: 0 }
        } else if (action.do === 'save') {
          saved.push({ checkpoint: await streamer.checkpoint(), at: { ...at } })
        } else if (action.do === 'restore' && saved.length > 0) {
          const chosen = saved[Math.max(0, saved.length - 1 - action.back)]
          streamer.restore(chosen.checkpoint)
          at = { ...chosen.at }
          ended = true
        }
        if (at.samples < SAMPLES) assert.equal(place(streamer.cursor), at)
      }
    }),
    { seed: 81, numRuns: 60 * TEST_RUNS },
  )
})

test('going on with another batch size takes every sample once; with another order it is refused', async () => {
  const { data, gathered } = noted(12)
  const streamer = await linear()
  for await (const { step } of streamer.fit(data, { batch: 4 })) if (step === 2) break
  const { cursor } = streamer
  assert.is(cursor.samples, 8)
  for await (const _ of streamer.fit(data, { batch: 2, from: JSON.parse(JSON.stringify(cursor)) }));
  assert.equal(gathered.flat(), Array.from(permutation(12, SEED, 0)))

  const refused: [Promise<unknown>, RegExp][] = [
    [streamer.fit(data, { batch: 2, shuffle: false, from: cursor }).next(), /shuffling seed 3, and now it is none/],
    [(await linear(4)).fit(data, { batch: 2, from: cursor }).next(), /shuffling seed 3, and now it is 4/],
    [streamer.fit(noted(10).data, { batch: 2, from: cursor }).next(), /length 12, and now it is 10/],
    [streamer.fit(data, { batch: 2, from: { epoch: 0, samples: 4 } }).next(), /needs 'seed' as well/],
    [streamer.fit(data, { batch: 2, from: { epoch: -1 } }).next(), /epoch is -1/],
    [
      streamer.fit(data, { batch: 2, from: Object.assign({ epoch: 1 }, { miniBatches: 2 }) }).next(),
      /no 'miniBatches'/,
    ],
  ]
  for (const [promise, message] of refused) {
    const error = await errorOf(promise)
    assert.instance(error, ArgumentError)
    assert.match(String(error), message)
    assert.equal(place(streamer.cursor), { epoch: 1, samples: 0 }, 'a refused fit leaves the cursor')
  }
})

test('fit called for one epoch at a time equals one call for all epochs, even over chunks that are read once', async () => {
  const [whole, single] = [noted(), noted()]
  for await (const _ of (await linear()).fit(whole.data, { batch: 3, epochs: 4 }));
  const streamer = await linear()
  const epochs: number[] = []
  for (let epoch = 0; epoch < 4; epoch++) {
    const onEpoch = (result: EpochResult) => void epochs.push(result.epoch)
    for await (const _ of streamer.fit(single.data, { batch: 3, onEpoch }));
  }
  assert.equal(single.gathered, whole.gathered)
  assert.equal(epochs, [0, 1, 2, 3])
  let steps = 0
  for (const seed of [1, 2]) {
    const chunks = (function* () {
      yield noted(3).data.gather([seed, 0])
    })()
    for await (const { epoch } of streamer.fit(chunks, { batch: 2 })) assert.is(epoch, 4 + steps++)
  }
  assert.is(steps, 2)
})

test('a cursor is a copy: a later change by the caller has no effect', async () => {
  const { data } = noted()
  const streamer = await linear()
  const from = { epoch: 1 }
  const training = streamer.fit(data, { batch: 3, epochs: 3, from })
  from.epoch = 2
  assert.is((await training.next()).value?.epoch, 1)
  assert.throws(() => Object.assign(streamer.cursor, { epoch: 9 }), TypeError)
})

test('an epoch that was left in its middle or in its evaluation still reports the mean loss of the whole epoch', async () => {
  const { data } = noted()
  const results = async (leave: (step: number, signal: AbortController) => boolean) => {
    const streamer = await linear()
    const epochs: EpochResult[] = []
    const losses: { loss: number; samples: number }[] = []
    for (let tries = 0; tries < 3; tries++) {
      const controller = new AbortController()
      const options = {
        ...{ batch: 3, epochs: 1, evaluate: data, from: streamer.cursor, signal: controller.signal },
        onEpoch: (result: EpochResult) => void epochs.push(result),
      }
      try {
        for await (const { loss, samples } of streamer.fit(data, options)) {
          losses.push({ loss, samples })
          if (tries === 0 && leave(losses.length, controller)) break
        }
      } catch (error) {
        assert.instance(error, InterruptedError)
      }
      if (epochs.length > 0) break
    }
    assert.is(epochs.length, 1)
    const mean = losses.reduce((sum, { loss, samples }) => sum + loss * samples, 0) / SAMPLES
    assert.ok(Math.abs(epochs[0].trainLoss - mean) < 1e-15)
    return epochs[0]
  }
  await results((step) => step === 2)
  const evaluation = await results((step, controller) => {
    if (step === 3) controller.abort()
    return false
  })
  assert.is(evaluation.imagesPerSecond, 0)
})

test('a fit that waits for its source can be aborted, and the source is closed once it answers', async () => {
  const streamer = await linear()
  const { data } = noted()
  let answer = (): void => {}
  let closed = false
  async function* hanging() {
    try {
      yield data.gather([0, 1])
      await new Promise<void>((resolve) => {
        answer = resolve
      })
      yield data.gather([2, 3])
    } finally {
      closed = true
    }
  }
  const controller = new AbortController()
  const training = streamer.fit(hanging, { batch: 2, signal: controller.signal })
  assert.is((await training.next()).value?.step, 1)
  setTimeout(() => controller.abort(), 10)
  assert.instance(await errorOf(training.next()), InterruptedError)
  assert.is(streamer.cursor.samples, 2)
  answer()
  await new Promise((resolve) => setTimeout(resolve, 5))
  assert.ok(closed)
})

test('an onMicroBatch that rejects ends the step, and nothing was committed', async () => {
  const streamer = await linear()
  const { data } = noted()
  const later = async () => {
    await null
    throw new RangeError('too late')
  }
  const error = await errorOf(streamer.step(data.gather([0, 1, 2]), { onMicroBatch: later }))
  assert.instance(error, RangeError)
  assert.is(streamer.optimizer.steps, 0)
  assert.is((await streamer.step(data.gather([0, 1, 2]))).step, 1)
})

test.run()
