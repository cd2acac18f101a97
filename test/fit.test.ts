/** `Streamer.fit` against epochs written out by hand: orders, means of an epoch, cursors, and resuming. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Batch, type DataSource, fromArrays, NotResumableError, sliceBatch } from '../src/data/index.js'
import type { Device } from '../src/device/device.js'
import { openDevice } from '../src/device/open.js'
import { ArgumentError } from '../src/memory/errors.js'
import { Dropout, Module, Sequential } from '../src/nn/index.js'
import { mul } from '../src/ops/binary.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import { adam, type Optimizer, sgd } from '../src/optim/index.js'
import { InterruptedError } from '../src/stream/errors.js'
import { type EpochResult, type FitOptions, type StepResult, Streamer } from '../src/stream/streamer.js'
import { zeros } from '../src/tensor/create.js'
import type { Tensor } from '../src/tensor/tensor.js'
import {
  adamByHand,
  classBatch,
  crossEntropyByHand,
  drawnSamples,
  forwardByHand,
  learnByHand,
  perceptron,
  type Recorded,
  recorded,
  type Sample,
  samplesOf,
  type Values,
  valuesOf,
} from './by-hand.js'
import { errorOf } from './error-of.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'
import { BY_HAND } from './tolerances.js'

interface Settings {
  seed?: number
  optimizer?: (model: Module) => Optimizer
  build?: typeof perceptron
}

const quickly = (model: Module): Optimizer => adam(model, { learningRate: 0.1, eps: 1e-3 })

async function trainer({ seed, optimizer = quickly, build = perceptron }: Settings = {}) {
  const model = build(await openDevice('reference', { memory: '1MiB' }))
  return { model, streamer: new Streamer({ model, loss: crossEntropy, optimizer: optimizer(model), seed }) }
}

async function follow(streamer: Streamer, source: DataSource, options: FitOptions, steps = Infinity) {
  const results: StepResult[] = []
  for await (const result of streamer.fit(source, options)) {
    results.push(result)
    if (results.length === steps) break
  }
  return results
}

const near = (seen: number, wanted: number, what: string): void =>
  assert.ok(Math.abs(seen - wanted) <= BY_HAND * Math.max(1, Math.abs(wanted)), `${what} ${seen}, by hand ${wanted}`)

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** The samples that each epoch asked for, in order. */
function ordersOf({ asked }: Recorded, epochSize: number): number[][] {
  const all = asked.flat()
  return upTo(all.length / epochSize).map((epoch) => all.slice(epoch * epochSize, (epoch + 1) * epochSize))
}

function accuracyByHand(values: Values, samples: readonly Sample[]): number {
  const counted = samples.filter(({ target: [target] }) => target >= 0)
  const right = counted.filter(({ x, target: [target] }) => {
    const { z } = forwardByHand(values, x)
    return z.indexOf(Math.max(...z)) === target
  })
  return right.length / counted.length
}

test('three epochs with a ragged end, ignored targets and weights equal loops by hand', async () => {
  const batch = classBatch(11, 4, { weighted: true, ignored: [2, 3, 7] })
  const test = classBatch(9, 5, { ignored: [1] })
  const [samples, testSamples] = [samplesOf(batch), samplesOf(test)]
  const source = recorded(batch)
  const { model, streamer } = await trainer({ seed: 6 })
  const values = await valuesOf(model)
  const apply = adamByHand({ rate: () => 0.1, eps: 1e-3 })
  const epochs: EpochResult[] = []
  let microBatches = 0
  const steps = await follow(streamer, source, {
    batch: 4,
    epochs: 3,
    microBatch: 3,
    onMicroBatch: () => void microBatches++,
    evaluate: fromArrays(test),
    onEpoch: (result) => void epochs.push(result),
  })
  assert.equal(
    source.asked.map(({ length }) => length),
    [4, 4, 3, 4, 4, 3, 4, 4, 3],
  )
  assert.is(epochs.length, 3)
  assert.is(microBatches, 3 * (2 + 2 + 1 + 3), 'evaluation included')
  for (const [epoch, result] of epochs.entries()) {
    const sum = { loss: 0, weight: 0 }
    for (const [i, step] of steps.slice(3 * epoch, 3 * epoch + 3).entries()) {
      const indices = source.asked[3 * epoch + i]
      const { loss, weight, gradient } = learnByHand(
        values,
        indices.map((index) => samples[index]),
        crossEntropyByHand(),
      )
      apply(values, gradient)
      near(step.loss, loss, 'loss')
      assert.equal([step.epoch, step.step, step.samples], [epoch, 3 * epoch + i + 1, indices.length])
      assert.is(step.weight, weight)
      assert.is(step.peakBytes, step.plannedPeakBytes)
      sum.loss += weight * loss
      sum.weight += weight
    }
    assert.is(result.epoch, epoch)
    near(result.trainLoss, sum.loss / sum.weight, 'trainLoss')
    near(result.evaluation?.loss ?? Number.NaN, learnByHand(values, testSamples, crossEntropyByHand()).loss, 'testLoss')
    assert.is(result.evaluation?.accuracy, accuracyByHand(values, testSamples))
    const ms = steps.slice(3 * epoch, 3 * epoch + 3).reduce((total, step) => total + step.ms, 0)
    near(result.imagesPerSecond, 11_000 / ms, 'images per second')
  }
  ;(await valuesOf(model)).flat().forEach((value, i) => {
    near(value, values.flat()[i], 'parameter')
  })
})

test('at learning rate 0 the mean of an epoch is the loss of its data, for any mini-batches', async () => {
  const drawn = fc.record({
    ...drawnSamples({ min: 2, max: 14, maxIgnored: 4 }),
    batch: fc.integer({ min: 1, max: 6 }),
  })
  await fc.assert(
    fc.asyncProperty(drawn, async ({ count, batch: asked, seed, weighted, ignored }) => {
      const data = classBatch(count, seed, { weighted, ignored })
      // a mini-batch in which nothing counts is an error, so each must have a sample that counts, in any order
      const counting = samplesOf(data).filter(({ target, weight }) => target[0] >= 0 && weight > 0).length
      const batch = Math.max(asked, count - counting + 1)
      fc.pre(counting > 0 && (count % batch === 0 || count % batch > count - counting))
      const { streamer } = await trainer({ optimizer: (model) => sgd(model, { learningRate: 0 }), seed })
      const epochs: EpochResult[] = []
      const onEpoch = (result: EpochResult) => void epochs.push(result)
      const dataset = fromArrays(data)
      await follow(streamer, dataset, { batch, epochs: 2, microBatch: 2, evaluate: dataset, onEpoch })
      for (const { trainLoss, evaluation } of epochs) near(trainLoss, evaluation?.loss ?? Number.NaN, 'trainLoss')
    }),
    { seed: 12, numRuns: 40 * TEST_RUNS },
  )
})

test('every epoch has an order of its own, which depends only on the seed', async () => {
  const order = async ({ seed, ...options }: Partial<FitOptions> & { seed?: number }) => {
    const source = recorded(classBatch(13, 1))
    const { streamer } = await trainer({ seed })
    await follow(streamer, source, { batch: 5, epochs: 4, ...options })
    const orders = ordersOf(source, 13)
    assert.is(orders.length, options.epochs ?? 4)
    for (const one of orders) {
      assert.equal(
        [...one].sort((a, b) => a - b),
        upTo(13),
      )
    }
    return orders
  }
  const first = await order({ seed: 8 })
  assert.is(new Set(first.map(String)).size, 4)
  assert.equal(await order({ seed: 8 }), first)
  assert.equal(
    await order({ seed: 8, epochs: 2, batch: 13 }),
    first.slice(0, 2),
    'the batch size does not change the order',
  )
  const others = [await order({ seed: 9 }), await order({})]
  assert.is(new Set([first, ...others].flat().map(String)).size, 12)
  assert.equal(await order({}), await order({ seed: 0 }))
  assert.equal(await order({ shuffle: false }), [upTo(13), upTo(13), upTo(13), upTo(13)])
})

/** A model with dropout, so that the result of a step also depends on its number. */
const droppingModel: typeof perceptron = (device) => new Sequential(new Dropout(device, 0.25), perceptron(device))

test('after a stop at any point, training goes on from the cursor through the remaining samples, to the same bits', async () => {
  const options: FitOptions = { batch: 4, epochs: 3, microBatch: 3 }
  const data = classBatch(10, 2)
  const straight = await trainer({ seed: 3, build: droppingModel })
  const source = recorded(data)
  const means: (readonly [number, number])[] = []
  const onEpoch = ({ epoch, trainLoss }: EpochResult) => void means.push([epoch, trainLoss])
  const all = await follow(straight.streamer, source, { ...options, onEpoch })
  const wanted = means.splice(0)
  const left = await straight.model.stateDict()
  for (let stop = 1; stop < 9; stop++) {
    const { model, streamer } = await trainer({ seed: 3, build: droppingModel })
    const rest = recorded(data)
    const before = await follow(streamer, rest, { ...options, onEpoch }, stop)
    const after = await follow(streamer, rest, { ...options, onEpoch, from: streamer.cursor })
    const kept = (results: readonly StepResult[]) => results.map(({ loss, epoch, step }) => [loss, epoch, step])
    assert.equal(kept([...before, ...after]), kept(all), `left after ${stop}`)
    assert.equal(rest.asked, source.asked)
    assert.equal(means.splice(0), wanted, 'the mean is over the whole epoch')
    assert.equal(await model.stateDict(), left)
    const { cursor } = streamer
    assert.equal(await follow(streamer, rest, { ...options, from: cursor }), [], 'all is done')
    assert.equal(streamer.cursor, cursor)
  }
})

test('from a checkpoint taken between steps, another streamer goes on to the same bits', async () => {
  const options: FitOptions = { batch: 4, epochs: 2, microBatch: 3 }
  const data = fromArrays(classBatch(10, 2))
  const straight = await trainer({ seed: 3, build: droppingModel })
  const all = await follow(straight.streamer, data, options)
  for (const stop of [1, 2, 4]) {
    const first = await trainer({ seed: 3, build: droppingModel })
    await follow(first.streamer, data, options, stop)
    const saved = await first.streamer.checkpoint()
    const second = await trainer({ seed: 3, build: droppingModel })
    // the second streamer has learned something else, which `restore` replaces
    await follow(second.streamer, data, options, 5)
    second.streamer.restore(saved)
    assert.equal(second.streamer.cursor, first.streamer.cursor)
    const rest = await follow(second.streamer, data, { ...options, from: second.streamer.cursor })
    assert.equal(
      rest.map(({ loss, step }) => [loss, step]),
      all.slice(stop).map(({ loss, step }) => [loss, step]),
    )
    assert.equal(await second.streamer.checkpoint(), await straight.streamer.checkpoint())
  }
})

const chunksOf = (batch: Batch, sizes: readonly number[]): Batch[] =>
  sizes.map((size, i) =>
    sliceBatch(
      batch,
      sizes.slice(0, i).reduce((sum, each) => sum + each, 0),
      size,
    ),
  )

test('chunks of any sizes train like the data set in its order; a source that can be read only once trains one epoch', async () => {
  const batch = classBatch(10, 3, { weighted: true })
  const options: FitOptions = { batch: 4, epochs: 2, shuffle: false }
  const run = async (source: DataSource) => {
    const { model, streamer } = await trainer()
    const results = await follow(streamer, source, options)
    return { losses: results.map(({ loss }) => loss), state: await model.stateDict() }
  }
  const wanted = await run(fromArrays(batch))
  assert.is(wanted.losses.length, 6)
  assert.equal(await run(chunksOf(batch, [3, 1, 6])), wanted)
  assert.equal(await run(() => chunksOf(batch, [10])), wanted)
  assert.equal(
    await run(async function* () {
      yield* chunksOf(batch, [1, 8, 1])
    }),
    wanted,
  )
  const { streamer } = await trainer()
  const once = follow(streamer, chunksOf(batch, [5, 5]).values(), options)
  assert.instance(await errorOf(once), NotResumableError)
  assert.is(streamer.optimizer.steps, 3, 'the first epoch was trained')
})

test('onEpoch is awaited, and an error in it ends the training after the epoch', async () => {
  const log: string[] = []
  const { streamer } = await trainer()
  const source = fromArrays(classBatch(6, 1))
  const training = streamer.fit(source, {
    batch: 3,
    epochs: 2,
    onEpoch: async ({ epoch }) => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      log.push(`epoch ${epoch}`)
      if (epoch === 1) throw new RangeError('enough')
    },
  })
  const run = (async () => {
    for await (const { step } of training) log.push(`step ${step}`)
  })()
  assert.instance(await errorOf(run), RangeError)
  assert.equal(log, ['step 1', 'step 2', 'epoch 0', 'step 3', 'step 4', 'epoch 1'])
  assert.equal(await follow(streamer, source, { batch: 3, epochs: 2, from: streamer.cursor }), [], 'both are done')
})

test('options: the default is one epoch, a batch larger than the data takes all of it, and impossible values are refused', async () => {
  const { streamer } = await trainer()
  const source = recorded(classBatch(6, 1))
  const [only, ...more] = await follow(streamer, source, { batch: 100 })
  assert.equal([only.samples, more], [6, []])
  assert.equal(await follow(streamer, source, { batch: 3, epochs: 0 }), [])
  for (const wrong of [{ epochs: -1 }, { epochs: 1.5 }, { epochs: Number.NaN }]) {
    assert.instance(await errorOf(follow(streamer, source, { batch: 3, ...wrong })), ArgumentError)
  }
  assert.is(source.asked.length, 1)
})

test('an abort ends the training before the next micro-batch, and the cursor names the last commit', async () => {
  const options: FitOptions = { batch: 4, epochs: 2, microBatch: 2 }
  const data = classBatch(8, 1)
  const straight = await trainer({ seed: 1 })
  await follow(straight.streamer, fromArrays(data), options)
  for (let stop = 1; stop < 8; stop++) {
    const { model, streamer } = await trainer({ seed: 1 })
    const controller = new AbortController()
    let microBatches = 0
    const onMicroBatch = () => {
      if (++microBatches === stop) controller.abort()
    }
    const learned: StepResult[] = []
    const run = (async () => {
      const training = streamer.fit(fromArrays(data), { ...options, signal: controller.signal, onMicroBatch })
      for await (const result of training) learned.push(result)
    })()
    assert.instance(await errorOf(run), InterruptedError)
    assert.is(microBatches, stop, 'no further one was begun')
    assert.is(learned.length, Math.floor(stop / 2))
    await follow(streamer, fromArrays(data), { ...options, from: streamer.cursor })
    assert.equal(await model.stateDict(), await straight.model.stateDict())
  }
})

/** A module with dropout, and with faults that a test switches on. */
class Faulty extends Module {
  inner: Module

  constructor(
    device: Device,
    readonly fault: { forward: boolean; factor: number },
  ) {
    super(device)
    this.inner = droppingModel(device)
  }

  forward(x: Tensor): Tensor {
    const { forward, factor } = this.fault
    if (forward) throw new Error('no forward today')
    return mul(this.inner.forward(x), factor)
  }
}

test('after a failure at any point of a step, the cursor names the last commit, and training goes on to the same bits', async () => {
  const options: FitOptions = { batch: 4, epochs: 2, microBatch: 3 }
  const data = fromArrays(classBatch(10, 2))
  const ready = async () => {
    const fault = { schedule: false, forward: false, factor: 1 }
    const { model, streamer } = await trainer({
      build: (device) => new Faulty(device, fault),
      optimizer: (model) =>
        adam(model, {
          learningRate: () => {
            if (fault.schedule) throw new Error('no rate today')
            return 0.1
          },
        }),
      seed: 3,
    })
    return { model, streamer, fault }
  }
  const straight = await ready()
  const all = await follow(straight.streamer, data, options)
  const wanted = await straight.model.stateDict()

  type Run = Awaited<ReturnType<typeof ready>>
  /** The faults of a step; each strikes after its first micro-batch. */
  const faults: Readonly<Record<string, (run: Run) => void>> = {
    'the forward throws': ({ fault }) => {
      fault.forward = true
    },
    'the schedule throws': ({ fault }) => {
      fault.schedule = true
    },
    'the loss is NaN': ({ fault }) => {
      fault.factor = Number.NaN
    },
    'outputs are infinite': ({ fault }) => {
      fault.factor = Infinity
    },
    'a tensor is made and freed beside the plan': ({ model }) => zeros(model.device, [8192]).dispose(),
    'a callback throws': () => {
      throw new RangeError('no progress today')
    },
  }
  for (const [name, spoil] of Object.entries(faults)) {
    for (const at of [0, 1, 4]) {
      const run = await ready()
      const { streamer, fault } = run
      const learned: StepResult[] = []
      const cursors = [streamer.cursor]
      const training = async () => {
        const onMicroBatch = ({ done }: { done: number }) => {
          if (learned.length === at && done === 1) spoil(run)
        }
        for await (const result of streamer.fit(data, { ...options, onMicroBatch })) {
          learned.push(result)
          cursors.push(streamer.cursor)
        }
      }
      assert.instance(await errorOf(training()), Error)
      assert.is(learned.length, at, name)
      // between epochs the cursor can be the end of one or the beginning of the next
      if (at % 3 !== 0) assert.equal(streamer.cursor, cursors[at], name)
      Object.assign(fault, { schedule: false, forward: false, factor: 1 })
      learned.push(...(await follow(streamer, data, { ...options, from: streamer.cursor })))
      assert.equal(
        learned.map(({ loss, step, epoch }) => [loss, step, epoch]),
        all.map(({ loss, step, epoch }) => [loss, step, epoch]),
        `${name} in step ${at + 1}`,
      )
      assert.equal(await run.model.stateDict(), wanted)
    }
  }
})

test.run()
