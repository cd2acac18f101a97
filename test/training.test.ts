/**
 * How a training is driven: awaited as a whole, ended by `onEpoch`, passing over what teaches nothing; evaluations of any
 * source, a piece at a time, with metrics of one's own; and what would train nothing, or another thing than meant.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Batch } from '../src/data/index.js'
import { fromArrays } from '../src/data/index.js'
import type { Device } from '../src/device/device.js'
import { RehearsalError } from '../src/device/errors.js'
import { openDevice } from '../src/device/open.js'
import { ArgumentError } from '../src/memory/errors.js'
import { generator, Linear, Module, Parameter, uniform } from '../src/nn/index.js'
import '../src/ops/chain.js'
import { add } from '../src/ops/binary.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import type { Loss } from '../src/ops/loss.js'
import { mse } from '../src/ops/point-loss.js'
import { sum } from '../src/ops/reduce.js'
import { relu, square } from '../src/ops/unary.js'
import { sgd, warmUp } from '../src/optim/index.js'
import { EmptyBatchError, ModelError, NonFiniteError, NotSeparableError } from '../src/stream/errors.js'
import { type EpochResult, type Metric, Streamer } from '../src/stream/streamer.js'
import type { HostArray } from '../src/tensor/host.js'
import { isArray } from '../src/tensor/structure.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { errorOf } from './error-of.js'

const [INPUTS, CLASSES] = [3, 4]
const open = (): Promise<Device> => openDevice('reference', { memory: '4MiB' })

/** N samples with classes in turn. @param change  of the inputs or the targets */
function batchOf(samples: number, seed: number, change: Partial<Batch> = {}): Batch {
  return {
    inputs: { data: uniform([samples * INPUTS], generator(seed), -1), shape: [samples, INPUTS] },
    targets: { data: Int32Array.from({ length: samples }, (_, i) => i % CLASSES), shape: [samples] },
    ...change,
  }
}

async function trainer(loss: Loss = crossEntropy) {
  const device = await open()
  const model = new Linear(device, INPUTS, CLASSES, { random: generator(1) })
  const optimizer = sgd(model, { learningRate: warmUp(4, 0.5) })
  return { device, model, optimizer, streamer: new Streamer({ model, loss, optimizer }) }
}

test('a training that is awaited goes to the end, and gives its last step', async () => {
  const [loop, awaited] = [await trainer(), await trainer()]
  const source = fromArrays(batchOf(20, 1))
  const steps = []
  for await (const step of loop.streamer.fit(source, { batch: 8, epochs: 2 })) steps.push(step)
  const last = await awaited.streamer.fit(source, { batch: 8, epochs: 2 })
  assert.is(steps.length, 6)
  assert.equal({ ...last, ms: 0 }, { ...steps.at(-1), ms: 0 })
  assert.equal(await awaited.model.stateDict(), await loop.model.stateDict())
  // begun as a loop, awaited from there on
  const mixed = await trainer()
  const training = mixed.streamer.fit(source, { batch: 8, epochs: 2 })
  await training.next()
  assert.is((await training)?.step, 6)
  assert.equal(await mixed.model.stateDict(), await loop.model.stateDict())
  assert.is(await mixed.streamer.fit(source, { batch: 8, epochs: 0 }), undefined)
  assert.instance(await errorOf(async () => mixed.streamer.fit([], { batch: 8 })), Error)
})

const IGNORED: Partial<Batch> = { targets: { data: new Int32Array(6).fill(-100), shape: [6] } }
const ENDLESS: Partial<Batch> = { inputs: { data: new Float32Array(6 * INPUTS).fill(Infinity), shape: [6, INPUTS] } }

test('mini-batches that teach nothing are passed over: the cursor moves, the schedule does not', async () => {
  for (const [reason, nothing, Class] of [
    ['empty', IGNORED, EmptyBatchError],
    ['nonFinite', ENDLESS, NonFiniteError],
  ] as const) {
    const good = [batchOf(6, 1), batchOf(6, 2), batchOf(6, 3)]
    const chunks = [good[0], batchOf(6, 9, nothing), good[1], batchOf(6, 8, nothing), good[2]]
    const refused = await trainer()
    const options = { batch: 6, microBatch: 4 }
    assert.instance(await errorOf(async () => refused.streamer.fit(chunks, options)), Class)
    assert.is(refused.streamer.cursor.samples, 6)

    const [skipping, without] = [await trainer(), await trainer()]
    const epochs: EpochResult[] = []
    const onEpoch = (result: EpochResult) => epochs.push(result)
    const samples: number[] = []
    for await (const _ of skipping.streamer.fit(chunks, { ...options, epochs: 2, skip: [reason], onEpoch })) {
      samples.push(skipping.streamer.cursor.samples)
    }
    const losses: number[] = []
    for await (const { loss } of without.streamer.fit(good, { ...options, epochs: 2 })) losses.push(loss)
    assert.equal(samples, [6, 18, 30, 6, 18, 30])
    assert.is(skipping.optimizer.steps, 6)
    assert.equal(await skipping.model.stateDict(), await without.model.stateDict(), reason)
    const other = reason === 'empty' ? 'nonFinite' : 'empty'
    assert.equal(
      epochs.map(({ skipped }) => [skipped[reason], skipped[other]]),
      [
        [2, 0],
        [2, 0],
      ],
    )
    const mean = (from: number): number => (losses[from] + losses[from + 1] + losses[from + 2]) / 3
    epochs.forEach(({ trainLoss }, i) => assert.ok(Math.abs(trainLoss - mean(3 * i)) < 1e-12))
    // the other reason still ends the training
    const strict = await trainer()
    assert.instance(await errorOf(async () => strict.streamer.fit(chunks, { ...options, skip: [other] })), Class)
  }
})

test('an epoch in which nothing teaches has no loss, and ends as any other', async () => {
  const { streamer, optimizer } = await trainer()
  const epochs: EpochResult[] = []
  const onEpoch = (result: EpochResult) => epochs.push(result)
  const last = await streamer.fit([batchOf(6, 1, IGNORED)], { batch: 6, epochs: 2, skip: ['empty'], onEpoch })
  assert.is(last, undefined)
  assert.equal([streamer.cursor.epoch, optimizer.steps], [2, 0])
  assert.equal(
    epochs.map(({ trainLoss, skipped }) => [trainLoss, skipped.empty]),
    [
      [Number.NaN, 1],
      [Number.NaN, 1],
    ],
  )
})

test('onEpoch ends a training by false, or a Promise of it, and by nothing else', async () => {
  for (const answer of [false, Promise.resolve(false)]) {
    const { streamer } = await trainer()
    let epochs = 0
    const onEpoch = (): unknown => (++epochs === 2 ? answer : epochs === 1 ? undefined : 0)
    const last = await streamer.fit(fromArrays(batchOf(8, 1)), { batch: 8, epochs: 5, onEpoch })
    assert.equal([epochs, last?.step, streamer.cursor.epoch], [2, 2, 2])
    // the next call goes on
    await streamer.fit(fromArrays(batchOf(8, 1)), { batch: 8 })
    assert.is(streamer.cursor.epoch, 3)
  }
})

/** The share of samples whose target is among the two largest outputs, counted on its own. */
class TopTwo implements Metric {
  #right = 0
  #all = 0

  add(outputs: unknown, { targets }: { targets: unknown }): void {
    assert.ok(isArray(outputs) && isArray(targets))
    const [samples, classes] = outputs.shape
    for (let i = 0; i < samples; i++) {
      const row = [...outputs.data.subarray(i * classes, (i + 1) * classes)]
      const own = row[targets.data[i]]
      if (row.filter((value) => value > own).length < 2) this.#right++
      this.#all++
    }
  }

  get value(): number {
    return this.#right / this.#all
  }
}

test('evaluate takes any source, has a piece of it on the host at a time, and measures what it is asked to', async () => {
  const { streamer, model, device } = await trainer()
  const batch = batchOf(23, 5)
  const whole = fromArrays(batch)
  const asked: number[] = []
  const counted = {
    ...whole,
    gather: (indices: ArrayLike<number>) => {
      asked.push(indices.length)
      return whole.gather(indices)
    },
  }
  const expected = await streamer.evaluate(whole)
  const [weight, bias] = await Promise.all([model.weight.data(), model.bias?.data()])
  const outputs = Array.from({ length: 23 }, (_, i) =>
    Array.from({ length: CLASSES }, (_, c) =>
      Array.from({ length: INPUTS }, (_, k) => batch.inputs.data[i * INPUTS + k] * weight[c * INPUTS + k]).reduce(
        (total, term) => total + term,
        bias?.[c] ?? 0,
      ),
    ),
  )
  const loss = outputs.reduce((total, row, i) => {
    return total + Math.log(row.reduce((all, value) => all + Math.exp(value), 0)) - row[i % CLASSES]
  }, 0)
  const topTwo = outputs.filter((row, i) => row.filter((value) => value > row[i % CLASSES]).length < 2).length
  const near = (seen: number, wanted: number) => assert.ok(Math.abs(seen - wanted) < 1e-9, `${seen} is not ${wanted}`)
  near(expected.loss, loss / 23)
  assert.equal(expected.metrics, {})

  function* chunks(): Generator<Batch> {
    for (let start = 0; start < 23; start += 7) {
      yield whole.gather(Array.from({ length: Math.min(7, 23 - start) }, (_, i) => start + i))
    }
  }
  async function* awaited(): AsyncGenerator<Batch> {
    yield* chunks()
  }
  for (const source of [counted, [...chunks()], chunks, chunks(), awaited]) {
    const metrics = { topTwo: () => new TopTwo() }
    const result = await streamer.evaluate(source, { batch: 5, microBatch: 2, metrics })
    near(result.loss, loss / 23)
    assert.is(result.accuracy, expected.accuracy)
    assert.is(result.metrics.topTwo, topTwo / 23)
    assert.is(result.samples, 23)
    assert.is(result.peakBytes, result.plannedPeakBytes)
  }
  assert.equal(asked, [5, 5, 5, 5, 3])
  // targets that are ignored, in whole pieces, do not count
  const ignoring = { data: Int32Array.from(batch.targets.data, (c, i) => (i < 12 ? -100 : c)), shape: [23] }
  const some = fromArrays({ ...batch, targets: ignoring })
  near((await streamer.evaluate(some, { batch: 4 })).loss, (await streamer.evaluate(some)).loss)
  const none = fromArrays({ ...batch, targets: { data: new Int32Array(23).fill(-100), shape: [23] } })
  assert.instance(await errorOf(streamer.evaluate(none, { batch: 4 })), EmptyBatchError)
  // in fit, anew for each epoch
  const values: (number | undefined)[] = []
  await streamer.fit(whole, {
    batch: 23,
    epochs: 2,
    evaluate: chunks,
    metrics: { topTwo: () => new TopTwo() },
    onEpoch: ({ evaluation }) => values.push(evaluation?.metrics.topTwo),
  })
  assert.is(values.length, 2)
  for (const value of values) assert.ok(value !== undefined && value > 0 && value <= 1)
  await device.close()
})

test('a metric that is none, or that throws, is named', async () => {
  const { streamer } = await trainer()
  const source = fromArrays(batchOf(6, 1))
  const evaluated = (metric: unknown): Promise<unknown> =>
    errorOf(streamer.evaluate(source, { metrics: { own: metric as () => Metric } }))
  const instance = await evaluated(new TopTwo())
  assert.instance(instance, ArgumentError)
  assert.match(String(instance), 'metrics.own is an object; it must be a function that makes a metric')
  assert.match(
    String(await evaluated(() => 3)),
    'what metrics.own makes is 3; it must be a metric, { add(outputs, batch), value }',
  )
  const throwing = await evaluated(() => ({ add: () => (undefined as unknown as number[])[0], value: 0 }))
  assert.instance(throwing, ModelError)
  assert.match(String(throwing), 'the metric own threw')
})

test('an optimizer of another model is refused, and leaves no byte', async () => {
  const device = await open()
  const [model, other] = [new Linear(device, 2, 2), new Linear(device, 2, 2)]
  const optimizer = sgd(other)
  const { heldBytes } = device.memory
  const error = await errorOf(() => new Streamer({ model, loss: mse, optimizer }))
  assert.instance(error, ArgumentError)
  assert.match(String(error), 'the optimizer trains no parameter of this model')
  assert.is(device.memory.heldBytes, heldBytes)
  // one that shares a part trains that part
  model.weight = other.weight
  new Streamer({ model, loss: mse, optimizer }).dispose()
})

class Lazy extends Module {
  base = new Linear(this.device, INPUTS, CLASSES)

  forward(x: Tensor): Tensor {
    return add(this.base.forward(x), new Parameter(this.device, [CLASSES]))
  }
}

test('a parameter that the forward makes is refused', async () => {
  const device = await open()
  const model = new Lazy(device)
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: sgd(model) })
  const { heldBytes } = device.memory
  for (const run of [() => streamer.plan({ batch: 4, inputShape: [INPUTS] }), () => streamer.step(batchOf(4, 1))]) {
    const error = await errorOf(run)
    assert.instance(error, RehearsalError)
    assert.match(String(error), 'the forward made a parameter of shape [4]')
    assert.match(String(error), 'make it in the constructor of its module')
    assert.is(device.memory.heldBytes, heldBytes)
  }
})

/** Its layers are in a plain object and a Map. */
class Named extends Module {
  layers = { first: new Linear(this.device, INPUTS, 5) }
  heads = new Map([['out', new Linear(this.device, 5, CLASSES)]])

  forward(x: Tensor): Tensor {
    const [head] = this.heads.values()
    return head.forward(relu(this.layers.first.forward(x)))
  }
}

test('layers in plain objects and Maps train', async () => {
  const device = await open()
  const model = new Named(device)
  const before = await model.stateDict()
  assert.equal(Object.keys(before), ['layers.first.weight', 'layers.first.bias', 'heads.out.weight', 'heads.out.bias'])
  await new Streamer({ model, loss: crossEntropy, optimizer: sgd(model.parameters(), { learningRate: 0.5 }) }).step(
    batchOf(8, 1),
  )
  const after = await model.stateDict()
  for (const name of Object.keys(before)) assert.not.equal(after[name], before[name], name)
})

const VALUES: HostArray = {
  data: Float32Array.from({ length: 8 * CLASSES }, (_, i) => (i % 5) / 4),
  shape: [8, CLASSES],
}

test('a loss that is a sum is found when it is split for the first time, and not before', async () => {
  const total: Loss = (y, t) => sum(square(y.sub(t)))
  const batch = batchOf(8, 1, { targets: VALUES })
  const run = await trainer(total)
  assert.is((await run.streamer.step(batch)).parts.length, 1)
  const before = await run.model.stateDict()
  for (const attempt of [1, 2]) {
    const error = await errorOf(run.streamer.step(batch, { microBatch: 3 }))
    assert.instance(error, NotSeparableError, `attempt ${attempt}`)
    assert.match(String(error), 'Divide a sum by the number of samples')
  }
  assert.instance(await errorOf(run.streamer.evaluate(fromArrays(batch), { microBatch: 3 })), NotSeparableError)
  assert.equal(await run.model.stateDict(), before)
  // a sum divided by the samples is a mean, and so is a mean
  for (const mean of [(y, t) => total(y, t).div(y.shape[0]), (y, t) => square(y.sub(t)).mean()] as Loss[]) {
    const [whole, split] = [await trainer(mean), await trainer(mean)]
    const [a, b] = [await whole.streamer.step(batch), await split.streamer.step(batch, { microBatch: 3 })]
    assert.ok(Math.abs(a.loss - b.loss) < 1e-12)
    assert.ok(Math.abs(a.gradNorm - b.gradNorm) < 1e-12)
  }
  // who insists can have it
  const insisting = await trainer(Object.assign((y: Tensor, t: Tensor) => total(y, t), { coupled: false as const }))
  await insisting.streamer.step(batch, { microBatch: 3 })
  // a loss with tensors of its own cannot be tried out, and is left alone
  const own = await trainer()
  const scale = new Parameter(own.device, [1], () => [1])
  const streamer = new Streamer({
    model: own.model,
    loss: (y, t) => mse(y.mul(scale), t),
    optimizer: sgd([{ parameters: own.model }, { parameters: [scale] }]),
  })
  await streamer.step(batch, { microBatch: 3 })
})

test.run()
