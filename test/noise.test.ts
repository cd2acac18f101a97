/** The gradient noise scale, and mini-batches that grow with it, against problems whose gradients are known. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ArgumentError,
  type Batch,
  checkpointToSafetensors,
  crossEntropyLoss,
  type Dataset,
  type Device,
  type DeviceKind,
  data,
  type EpochResult,
  type FitOptions,
  type GradientNoise,
  type GrowingBatch,
  loadCheckpoint,
  mse,
  nn,
  openDevice,
  optim,
  type StepResult,
  Streamer,
} from '../src/index.js'
import {
  classBatch,
  crossEntropyByHand,
  drawnSamples,
  evenly,
  learnByHand,
  normOf,
  perceptron,
  samplesOf,
  valuesOf,
} from './by-hand.js'
import { errorOf } from './error-of.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

/** y = w x without a bias, whose gradient for one sample is 2 (w x - t) x; it starts at w = 0. */
function regression(device: Device, features: number, learningRate: number | ((step: number) => number) = 0) {
  const model = new nn.Linear(device, features, 1, { bias: false, random: () => 0.5 })
  return { model, streamer: new Streamer({ model, loss: mse, optimizer: optim.sgd(model, { learningRate }) }) }
}

const batchOf = (xs: readonly (readonly number[])[], ts: readonly number[]): Batch => ({
  inputs: { data: Float32Array.from(xs.flat()), shape: [xs.length, xs[0].length] },
  targets: { data: Float32Array.from(ts), shape: [ts.length, 1] },
})

const squared = (vector: readonly number[]): number => vector.reduce((sum, value) => sum + value * value, 0)

/** |G|^2 and tr(S) of all samples, at the given weights. */
function truth(weights: readonly number[], xs: readonly (readonly number[])[], ts: readonly number[]) {
  const gradients = xs.map((x, i) => {
    const off = x.reduce((sum, value, j) => sum + weights[j] * value, -ts[i])
    return x.map((value) => 2 * off * value)
  })
  const mean = xs[0].map((_, j) => gradients.reduce((sum, g) => sum + g[j], 0) / xs.length)
  const squaredNorm = squared(mean)
  const variance = gradients.reduce((sum, g) => sum + squared(g), 0) / xs.length - squaredNorm
  return { squaredNorm, variance, scale: variance / squaredNorm }
}

const near = (got: number, expected: number, limit: number, what: string): void =>
  assert.ok(Math.abs(got - expected) <= limit * Math.max(1, Math.abs(expected)), `${what}: ${got} is not ${expected}`)

/** All lists of `length` of the numbers below `below`. */
const lists = (below: number, length: number): number[][] =>
  length === 0
    ? [[]]
    : lists(below, length - 1).flatMap((list) => Array.from({ length: below }, (_, i) => [...list, i]))

for (const [samples, microBatch] of [
  [2, 1],
  [3, 1],
  [3, 2],
  [4, 2],
] as const) {
  test(`${samples} samples in micro-batches of ${microBatch}: the mean over all possible mini-batches is the truth`, async () => {
    const xs = [
      [1, 2],
      [-3, 0.5],
      [0, 1],
    ]
    const ts = [1, -2, 0.25]
    const device = await openDevice('reference', { memory: '1MiB' })
    const { model, streamer } = regression(device, 2)
    const [weights] = await valuesOf(model)
    const all: GradientNoise[] = []
    for (const list of lists(3, samples)) {
      const { noise } = await streamer.step(
        batchOf(
          list.map((i) => xs[i]),
          list.map((i) => ts[i]),
        ),
        { microBatch },
      )
      if (noise) all.push(noise)
    }
    assert.is(all.length, 3 ** samples)
    const expected = truth(weights, xs, ts)
    for (const name of ['squaredNorm', 'variance'] as const) {
      const mean = all.reduce((sum, noise) => sum + noise[name], 0) / all.length
      near(mean, expected[name], 1e-12, name)
    }
    await device.close()
  })
}

/** Kish's number of samples that count as much as these weights. */
const kish = (weights: readonly number[]): number => weights.reduce((sum, w) => sum + w, 0) ** 2 / squared(weights)

test('ignored targets and weights: the estimates are those of the two gradients by hand', async () => {
  const drawn = { ...drawnSamples({ min: 2, max: 10, maxIgnored: 4 }), most: fc.integer({ min: 1, max: 9 }) }
  await fc.assert(
    fc.asyncProperty(fc.record(drawn), async ({ count, most, seed, weighted, ignored }) => {
      fc.pre(!(weighted && ignored.length > 0))
      const batch = classBatch(count, seed, { weighted, ignored })
      const device = await openDevice('reference', { memory: '1MiB' })
      const model = perceptron(device)
      const loss = crossEntropyLoss({ labelSmoothing: 0.25 })
      const streamer = new Streamer({ model, loss, optimizer: optim.sgd(model, { learningRate: 0 }) })
      const values = await valuesOf(model)
      const samples = samplesOf(batch)
      const byHand = crossEntropyByHand(0.25)
      const first = samples.slice(0, evenly(count, most)[0])
      const [part, whole] = [first, samples].map((some) => learnByHand(values, some, byHand))
      fc.pre(whole.weight > 0)
      const { noise, noiseScale } = await streamer.step(batch, { microBatch: most })
      await device.close()
      const share = part.weight / whole.weight
      const weightsOf = (some: typeof samples) => some.map(({ weight }) => weight)
      const b = weighted ? (count * kish(weightsOf(first))) / kish(weightsOf(samples)) : count * share
      if (most >= count || share === 0 || b >= count) {
        assert.is(noise, null)
        assert.is(noiseScale, null)
        return
      }
      if (!noise) return assert.unreachable('several micro-batches were measured')
      const [small, large] = [normOf(part.gradient) ** 2, normOf(whole.gradient) ** 2]
      near(noise.weight, count - b, 1e-12, 'weight')
      near(noise.squaredNorm, (count * large - b * small) / (count - b), 1e-9, 'squared norm')
      near(noise.variance, (small - large) / (1 / b - 1 / count), 1e-9, 'variance')
    }),
    { numRuns: 60 * TEST_RUNS },
  )
})

const FEATURES = 64
const SAMPLES = 10_000

/** Each x is +1 or -1 at random, and t = x_0 + z with z = +1 or -1: at w = 0 the noise scale is about 2 * 64 - 1. */
function problem(seed: number) {
  const random = nn.generator(seed)
  const sign = (): number => (random() < 0.5 ? -1 : 1)
  const xs = Array.from({ length: SAMPLES }, () => Array.from({ length: FEATURES }, sign))
  const ts = xs.map(([x]) => x + sign())
  return { xs, ts, set: data.fromArrays(batchOf(xs, ts)) }
}

async function steps(streamer: Streamer, set: Dataset, options: FitOptions): Promise<StepResult[]> {
  const results: StepResult[] = []
  for await (const result of streamer.fit(set, options)) results.push(result)
  return results
}

const scaleOf = (results: readonly StepResult[]): number => {
  const sums = results.reduce(
    (sum, { noise }) => {
      const { squaredNorm, variance, weight } = noise ?? { squaredNorm: 0, variance: 0, weight: 0 }
      return { squaredNorm: sum.squaredNorm + weight * squaredNorm, variance: sum.variance + weight * variance }
    },
    { squaredNorm: 0, variance: 0 },
  )
  return sums.variance / sums.squaredNorm
}

for (const kind of ['cpu', 'reference'] as const satisfies readonly DeviceKind[]) {
  test(`${kind}: 200 steps over 10,000 samples of a linear regression give the noise scale within 10 %`, async () => {
    const { xs, ts, set } = problem(1)
    for (const microBatch of kind === 'cpu' ? [10, 25, 50, 100] : [25]) {
      const device = await openDevice(kind, { memory: '4MiB' })
      const { model, streamer } = regression(device, FEATURES)
      const [weights] = await valuesOf(model)
      const { scale } = truth(weights, xs, ts)
      near(scale, 2 * FEATURES - 1, 0.05, 'the noise scale of the population')
      const epochs: EpochResult[] = []
      const results = await steps(streamer, set, {
        batch: 200,
        microBatch,
        epochs: 4,
        onEpoch: (epoch) => {
          epochs.push(epoch)
        },
      })
      assert.is(results.length, 200)
      near(scaleOf(results), scale, 0.1, `in micro-batches of ${microBatch}`)
      for (const [i, { noiseScale }] of epochs.entries()) {
        if (noiseScale === null) return assert.unreachable('every step has several micro-batches')
        near(noiseScale, scaleOf(results.slice(50 * i, 50 * i + 50)), 1e-12, 'the scale of an epoch')
      }
      // over about the last 40 steps: a wider limit, which would still show a wrong factor
      near(results[199].noiseScale ?? Number.NaN, scale, 0.4, 'the scale of the last steps')
      for (const { peakBytes, plannedPeakBytes } of results) assert.is(peakBytes, plannedPeakBytes)
      await device.close()
    }
  })
}

test('one micro-batch, or noise: false, tells nothing: null', async () => {
  const device = await openDevice('cpu', { memory: '4MiB' })
  const { model, streamer } = regression(device, FEATURES)
  const { set } = problem(2)
  const optimizer = optim.sgd(model, { learningRate: 0 })
  const without = new Streamer({ model, loss: mse, optimizer, noise: false })
  const step = await without.step(set.gather([0, 1, 2, 3]), { microBatch: 2 })
  assert.equal([step.parts, step.noise, step.noiseScale], [[{ size: 2, count: 2 }], null, null])
  assert.match(String(await errorOf(without.fit(set, { batch: 'auto' }).next())), /this streamer has noise: false/)
  const normed = new nn.Sequential(new nn.BatchNorm1d(device, FEATURES), new nn.Linear(device, FEATURES, 1))
  nn.setBatchNormPolicy(normed, 'exact')
  const inPasses = new Streamer({ model: normed, loss: mse, optimizer: optim.sgd(normed, { learningRate: 0.1 }) })
  assert.is((await inPasses.step(set.gather([0, 1, 2, 3]), { microBatch: 2 })).noise, null)
  assert.match(
    String(await errorOf(inPasses.fit(set, { batch: 'auto' }).next())),
    /where a mini-batch goes in several passes/,
  )
  const epochs: EpochResult[] = []
  const [result] = await steps(streamer, data.subset(set, [0, 1, 2, 3]), {
    batch: 4,
    onEpoch: (epoch) => {
      epochs.push(epoch)
    },
  })
  assert.equal([result.noise, result.noiseScale, epochs[0].noiseScale], [null, null, null])
  await device.close()
})

test("batch: 'auto' doubles until the mini-batch is about as large as the noise scale, and stays there", async () => {
  const { xs, ts, set } = problem(3)
  const device = await openDevice('cpu', { memory: '4MiB' })
  const { model, streamer } = regression(device, FEATURES)
  const { scale } = truth((await valuesOf(model))[0], xs, ts)
  const results = await steps(streamer, set, { batch: 'auto', epochs: 4 })
  const last = SAMPLES * 4
  let seen = 0
  const sizes: number[] = []
  for (const { samples, parts, noise } of results) {
    seen += samples
    assert.ok(parts.reduce((sum, { count }) => sum + count, 0) >= 2, 'two micro-batches at least')
    assert.ok(noise)
    // the last mini-batch of an epoch has the remaining samples
    if (seen % SAMPLES !== 0 && sizes.at(-1) !== samples) sizes.push(samples)
  }
  assert.is(seen, last)
  assert.equal(sizes, [16, 32, 64, 128])
  near(scale, 127, 0.05, 'the noise scale')
  await device.close()
})

/** A regression on a part of problem 4, whose parameters move. */
const run = async (
  batch: FitOptions['batch'],
  { stops = [] as number[], rate = 0.01 as number | ((step: number) => number), file = false } = {},
) => {
  const device = await openDevice('reference', { memory: '4MiB' })
  let { model, streamer } = regression(device, FEATURES, rate)
  const { set } = problem(4)
  const some = data.subset(
    set,
    Array.from({ length: 2000 }, (_, i) => i),
  )
  const results: StepResult[] = []
  const options = { batch, epochs: 3 }
  for (const stop of [...stops, Infinity]) {
    for await (const result of streamer.fit(some, { ...options, from: streamer.cursor })) {
      results.push(result)
      if (results.length === stop) break
    }
    if (!file) continue
    const saved = await loadCheckpoint(checkpointToSafetensors(await streamer.checkpoint()))
    streamer.dispose()
    ;({ model, streamer } = regression(device, FEATURES, rate))
    streamer.restore(saved)
  }
  const [values] = await valuesOf(model)
  await device.close()
  return {
    values,
    sizes: results.map(({ samples }) => samples),
    scales: results.map(({ noiseScale }) => noiseScale),
    set: some,
  }
}

test('a growing mini-batch goes on after a break, and from a file, as without one', async () => {
  const grows: GrowingBatch = { from: 8, to: 64, learningRate: 'sqrt' }
  const whole = await run(grows)
  assert.equal([...new Set(whole.sizes)].slice(0, 4), [8, 16, 32, 64])
  for (const file of [false, true]) {
    const broken = await run(grows, { stops: [3, 25, 47, 120], file })
    assert.equal(broken.sizes, whole.sizes)
    assert.equal(broken.scales, whole.scales)
    assert.equal(broken.values, whole.values)
  }
})

for (const [rule, factor] of [
  ['none', () => 1],
  ['linear', (times: number) => times],
  ['sqrt', Math.sqrt],
] as const) {
  test(`the rule '${rule}' multiplies the learning rate as said`, async () => {
    const grown = await run({ from: 8, to: 32, learningRate: rule })
    // the same mini-batches with a schedule that says the rates
    const device = await openDevice('reference', { memory: '4MiB' })
    const sizes: number[] = []
    const { model, streamer } = regression(device, FEATURES, (step) => 0.01 * factor(sizes[step] / 8))
    let size = 8
    let at = 0
    for (const [i, samples] of grown.sizes.entries()) {
      // the last mini-batch of an epoch has the remaining samples, and the rate of their number
      const last = (at % 2000) + samples === 2000
      size = last ? Math.max(size, samples) : samples
      sizes.push(size)
      const order = data.permutation(2000, 0, Math.floor(at / 2000))
      const batch = grown.set.gather(order.subarray(at % 2000, (at % 2000) + samples))
      await streamer.step(batch, { microBatch: Math.ceil(samples / 2) })
      assert.is(streamer.optimizer.steps, i + 1)
      at += samples
    }
    const [values] = await valuesOf(model)
    for (const [j, value] of values.entries()) near(value, grown.values[j], 1e-12, `weight ${j}`)
    await device.close()
  })
}

test('sizes and rules that make no sense are refused before anything runs', async () => {
  const device = await openDevice('cpu', { memory: '4MiB' })
  const { streamer } = regression(device, FEATURES)
  const { set } = problem(5)
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [{ from: 0 }, /batch grows from 0 to 10000/],
    [{ from: 2.5 }, /batch grows from 2.5/],
    [{ from: 64, to: 32 }, /from 64 to 32: give whole numbers of samples, the smaller one first/],
    [{ to: 'all' }, /fit: to is 'all'; it must be a number/],
    [{ learningRate: 'cubic' }, /fit: learningRate is 'cubic'; it must be 'none' or 'linear' or 'sqrt'/],
    [{ form: 8 }, /there is no option 'form'/],
  ]
  for (const [batch, message] of refused) {
    const error = await errorOf(async () => streamer.fit(set, { batch: batch as GrowingBatch }).next())
    assert.ok(error instanceof ArgumentError, `${JSON.stringify(batch)}: ${error}`)
    assert.match(error.message, message)
  }
  const chunks = [set.gather([0, 1, 2])]
  const endless = await errorOf(async () => streamer.fit(chunks, { batch: 'auto' }).next())
  assert.match(String(endless), /the largest size of a growing mini-batch has to be given for chunks/)
  assert.is((await steps(streamer, set, { batch: { to: 1 }, epochs: 0 })).length, 0)
  await device.close()
})

test.run()
