/** Gradients of ranges, computed by other streamers and summed by one: the step of a mini-batch in one place. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { samplesIn } from '../src/data/batch.js'
import {
  type AnyBatch,
  ArgumentError,
  crossEntropy,
  type Device,
  type Elsewhere,
  EmptyBatchError,
  InterruptedError,
  ModelError,
  type Module,
  models,
  NonFiniteError,
  NotSeparableError,
  nn,
  openDevice,
  openVirtualDevice,
  optim,
  Streamer,
  sizeOf,
  verifyPlan,
} from '../src/index.js'
import { errorOf } from './error-of.js'
import { CLASSES, INPUT, residualModel } from './fixtures.js'
import { SPLIT_GRADIENT } from './tolerances.js'

const SEED = 5

function batchOf(samples: number, start = 0): AnyBatch {
  const size = sizeOf(INPUT)
  const pixel = (_: unknown, i: number): number => ((start * size + i) * 37) % 64
  return {
    inputs: { data: Uint8Array.from({ length: samples * size }, pixel), shape: [samples, ...INPUT], scale: 1 / 64 },
    targets: { data: Int32Array.from({ length: samples }, (_, i) => (7 * i + start) % CLASSES), shape: [samples] },
  }
}

/** Convolutions with deferred batch norms, and dropout: everything that depends on where a sample stands. */
function normed(device: Device, ...more: Module[]): Module {
  const random = nn.generator(3)
  return new nn.Sequential(
    new nn.Conv2d(device, INPUT[0], 4, 3, { padding: 1, random }),
    new nn.BatchNorm2d(device, 4),
    new nn.ReLU(device),
    new nn.Flatten(device),
    ...more,
    new nn.Dropout(device, 0.25),
    new nn.Linear(device, 64, CLASSES, { random }),
  )
}

const streamerOn = (device: Device, make: (device: Device) => Module = (device) => normed(device)) => {
  const model = make(device)
  const optimizer = optim.adam(model, { learningRate: 0.01 })
  return new Streamer({ model, loss: crossEntropy, optimizer, seed: SEED })
}

/** Streamers that compute ranges in turn. Each has its own model, which gets the current parameters first. */
function workers(
  main: Streamer,
  devices: readonly Device[],
  microBatch: number,
  make: (device: Device) => Module = (device) => normed(device),
) {
  const all = devices.map((device) => {
    const model = make(device)
    return new Streamer({ model, loss: crossEntropy, optimizer: optim.sgd(model), seed: SEED })
  })
  const peaks: { peakBytes: number; plannedPeakBytes: number }[] = []
  let turn = 0
  const elsewhere: Elsewhere = async function* ({ seed, step, weight, ranges }) {
    const state = await main.model.stateDict()
    for (const { samples, firstSample, weight: own } of ranges) {
      const worker = all[turn++ % all.length]
      worker.model.loadStateDict(state)
      const result = await worker.gradient(samples, { seed, step, weight, firstSample, microBatch })
      assert.is(result.weight, own)
      peaks.push(result)
      yield result.sums
    }
  }
  return { elsewhere, peaks }
}

async function bitsOf(streamer: Streamer): Promise<string> {
  const { model, optimizer } = await streamer.checkpoint()
  return JSON.stringify({ model, optimizer }, (_, value) =>
    ArrayBuffer.isView(value) ? Array.from(value as never) : value,
  )
}

const reference = () => openDevice('reference', { memory: '8MiB' })

test('a range for each micro-batch: the step is that of the mini-batch in one place, running statistics included', async () => {
  for (const make of [(device: Device) => normed(device), residualModel]) {
    const [one, main] = [streamerOn(await reference(), make), streamerOn(await reference(), make)]
    const { elsewhere } = workers(main, [await reference(), await reference()], 4, make)
    for (let step = 0; step < 3; step++) {
      const a = await one.step(batchOf(11, step), { microBatch: 4 })
      const b = await main.step(batchOf(11, step), { microBatch: 4, elsewhere })
      assert.equal(b.parts, a.parts)
      for (const name of ['loss', 'gradNorm', 'weight'] as const) {
        assert.ok(
          Math.abs(a[name] - b[name]) <= SPLIT_GRADIENT * Math.max(1, a[name]),
          `${name}: ${a[name]}, ${b[name]}`,
        )
      }
      const [x, y] = [a.noise?.variance ?? Number.NaN, b.noise?.variance ?? Number.NaN]
      assert.ok(Math.abs(x - y) < 1e-9 * Math.abs(x), 'the noise of the gradient')
      assert.is(b.peakBytes, b.plannedPeakBytes)
    }
    const [a, b] = await Promise.all([one.model.stateDict(), main.model.stateDict()])
    for (const [name, { data }] of Object.entries(a)) {
      data.forEach((value, i) => assert.ok(Math.abs(value - b[name].data[i]) < 1e-9, `${name}[${i}]`))
    }
  }
})

test('the bits depend on the ranges alone, not on the streamer that computes them or its budget', async () => {
  const results = new Set<string>()
  for (const budgets of [['64KiB'], ['64KiB', '1MiB'], ['128KiB', '64KiB', '2MiB', '256KiB']]) {
    const main = streamerOn(await openDevice('cpu', { memory: '1MiB' }))
    const devices = await Promise.all(budgets.map((memory) => openDevice('cpu', { memory })))
    const { elsewhere, peaks } = workers(main, devices, 3)
    for (let step = 0; step < 3; step++) await main.step(batchOf(25, step), { microBatch: 6, elsewhere })
    for (const { peakBytes, plannedPeakBytes } of peaks) assert.is(peakBytes, plannedPeakBytes)
    results.add(await bitsOf(main))
  }
  assert.is(results.size, 1)
})

test('a batch norm that refuses one sample, which planning tries', async () => {
  const make = (device: Device) => normed(device, new nn.BatchNorm1d(device, 64))
  const [one, main] = [streamerOn(await reference(), make), streamerOn(await reference(), make)]
  const a = await one.step(batchOf(12), { microBatch: 4 })
  const { elsewhere } = workers(main, [await reference()], 4, make)
  const b = await main.step(batchOf(12), { microBatch: 4, elsewhere })
  assert.ok(Math.abs(a.gradNorm - b.gradNorm) <= SPLIT_GRADIENT * a.gradNorm, `${a.gradNorm}, ${b.gradNorm}`)
})

test('ignored targets and weights count as in one place; a range may have no target that counts', async () => {
  const weights = { data: Float32Array.from([0, 0, 0, 1, 2, 0.5, 0, 4]), shape: [8] }
  const [one, main] = [streamerOn(await reference()), streamerOn(await reference())]
  const { elsewhere } = workers(main, [await reference()], 3)
  const a = await one.step({ ...batchOf(8), weights }, { microBatch: 3 })
  const b = await main.step({ ...batchOf(8), weights }, { microBatch: 3, elsewhere })
  assert.is(b.weight, 7.5)
  assert.ok(Math.abs(a.loss - b.loss) < 1e-12 && Math.abs(a.gradNorm - b.gradNorm) < 1e-12)
  const none = { ...weights, data: new Float32Array(8) }
  assert.instance(await errorOf(() => main.step({ ...batchOf(8), weights: none }, { elsewhere })), EmptyBatchError)
})

test('a failure elsewhere commits nothing', async () => {
  const main = streamerOn(await openDevice('cpu', { memory: '1MiB' }))
  const { elsewhere } = workers(main, [await openDevice('cpu', { memory: '1MiB' })], 4)
  const first: Elsewhere = async function* (step) {
    for await (const sums of elsewhere(step)) {
      yield sums
      return
    }
  }
  const changed = (change: (sums: Float32Array) => Float32Array): Elsewhere =>
    async function* (step) {
      for await (const sums of elsewhere(step)) yield change(sums as Float32Array)
    }
  const twice: Elsewhere = async function* (step) {
    yield* elsewhere(step)
    yield* elsewhere(step)
  }
  const controller = new AbortController()
  const aborts: Elsewhere = async function* (step) {
    controller.abort()
    yield* elsewhere(step)
  }
  const before = await bitsOf(main)
  for (const [fault, kind, signal] of [
    [first, ModelError],
    [twice, ModelError],
    [changed((sums) => sums.subarray(1)), ArgumentError],
    [changed((sums) => sums.fill(Number.NaN, 40, 41)), NonFiniteError],
    [aborts, InterruptedError, controller.signal],
  ] as const) {
    const error = await errorOf(() => main.step(batchOf(12), { microBatch: 4, elsewhere: fault, signal }))
    assert.instance(error, kind, String(error))
    assert.is(await bitsOf(main), before)
  }
  const held = main.model.device.memory.heldBytes
  await main.step(batchOf(12), { microBatch: 4, elsewhere })
  assert.is(main.model.device.memory.heldBytes, held)
  assert.is.not(await bitsOf(main), before)
})

test('the plans of a range and of the sum verify: a range takes at most the bytes of the whole step, and the sum fewer', () => {
  const device = openVirtualDevice('cpu', { memory: '1MiB' })
  const streamer = streamerOn(device)
  const plan = (mode: 'train' | 'gradient' | 'sum') =>
    streamer.plan({ batch: 24, microBatch: 8, mode, inputShape: INPUT })
  const [whole, range, sum] = [plan('train'), plan('gradient'), plan('sum')]
  for (const each of [whole, range, sum]) {
    verifyPlan(JSON.parse(JSON.stringify(each)))
    assert.equal(each.parts, [{ size: 8, count: 3 }])
  }
  assert.ok(range.plannedPeakBytes <= whole.plannedPeakBytes && sum.plannedPeakBytes < range.plannedPeakBytes)
})

test('a step that cannot be cut into ranges is refused with the reason, by both streamers', async () => {
  const device = openVirtualDevice('cpu', { memory: '8MiB' })
  for (const [policy, word] of [
    ['exact', 'deferred'],
    ['micro', 'deferred'],
  ] as const) {
    const model = models.convnet(device, { batchNorm: policy })
    const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optim.adam(model) })
    for (const mode of ['gradient', 'sum'] as const) {
      const error = await errorOf(() => streamer.plan({ batch: 32, microBatch: 8, mode }))
      assert.instance(error, NotSeparableError)
      assert.match(String(error), word)
    }
  }
})

test('fit with ranges of a data set: epochs, a ragged end, evaluation and cursor', async () => {
  const { data } = await import('../src/index.js')
  const source = data.fromArrays({ ...batchOf(30), name: 'made' })
  const [one, main] = [streamerOn(await reference()), streamerOn(await reference())]
  const seen: number[] = []
  const { elsewhere } = workers(main, [await reference()], 5)
  const counting: Elsewhere = async function* (step) {
    seen.push(...step.ranges.map(({ samples }) => samplesIn(samples)))
    yield* elsewhere(step)
  }
  const options = { batch: 13, microBatch: 5, epochs: 2, evaluate: source }
  const losses: number[][] = [[], []]
  for await (const { loss } of one.fit(source, options)) losses[0].push(loss)
  for await (const { loss } of main.fit(source, { ...options, elsewhere: counting })) losses[1].push(loss)
  assert.is(losses[0].length, 6)
  losses[0].forEach((loss, i) => assert.ok(Math.abs(loss - losses[1][i]) < 1e-9))
  assert.equal(seen.slice(0, 7), [5, 4, 4, 5, 4, 4, 4])
  assert.is(main.cursor.epoch, 2)
})

test.run()
