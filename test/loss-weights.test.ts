/**
 * The weights of samples and targets in step and evaluate: every split is compared with loops by hand, for the
 * library's losses and a user's own. Sample weights, ignored targets and masks are spread unevenly, so that some parts
 * have weight 0 and a mean of NaN.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Batch, fromArrays } from '../src/data/index.js'
import { HeapDevice } from '../src/device/heap-device.js'
import { openVirtualDevice } from '../src/device/open.js'
import { ArgumentError, type SluiceError } from '../src/memory/errors.js'
import { HeapAllocator } from '../src/memory/heap.js'
import { BatchNorm2d, Dropout, Flatten, GELU, generator, Linear, type Module, Sequential } from '../src/nn/index.js'
import { div, mul, sub } from '../src/ops/binary.js'
import { crossEntropyLoss } from '../src/ops/cross-entropy.js'
import type { Loss } from '../src/ops/loss.js'
import { reshape, slice } from '../src/ops/movement.js'
import { bceWithLogits, mse } from '../src/ops/point-loss.js'
import { mean, sum } from '../src/ops/reduce.js'
import { square } from '../src/ops/unary.js'
import { sgd } from '../src/optim/index.js'
import { EmptyBatchError, ModelError } from '../src/stream/errors.js'
import { checkSeparable } from '../src/stream/separable.js'
import { Streamer } from '../src/stream/streamer.js'
import type { HostArray } from '../src/tensor/host.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { StrictDevice } from './devices.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'
import { float32Sum, SPLIT_GRADIENT } from './tolerances.js'

const [FEATURES, OUTPUTS] = [3, 2]
const IGNORED = 1

/** One sample by hand: its weight without the sample weight, its mean loss, and the gradient of that loss. */
interface ByHand {
  counts: number
  loss: number
  dy: number[]
}

interface Kind {
  loss: Loss
  targetShape: number[]
  /** one sample's targets, from a draw in [0, 4) for each */
  target(draws: readonly number[]): number[]
  byHand(y: readonly number[], target: readonly number[]): ByHand
}

const meanSquare = (y: readonly number[], target: readonly number[]): ByHand => ({
  counts: 1,
  loss: y.reduce((total, value, c) => total + (value - target[c]) ** 2, 0) / y.length,
  dy: y.map((value, c) => (2 * (value - target[c])) / y.length),
})

/** Cross-entropy of [2] logits with a class, or with a target that is not one. */
function entropy(y: readonly number[], [target]: readonly number[]): ByHand {
  if (target === IGNORED) return { counts: 0, loss: 0, dy: [0, 0] }
  const total = y.reduce((all, value) => all + Math.exp(value), 0)
  return {
    counts: 1,
    loss: Math.log(total) - y[target],
    dy: y.map((value, c) => Math.exp(value) / total - (c === target ? 1 : 0)),
  }
}

const twoOf = (draws: readonly number[]): number[] => draws.slice(0, 2)
const classOf = ([draw]: readonly number[]): number[] => [draw % 2]
const perSample = (weights: Tensor | undefined, losses: Tensor): Tensor =>
  weights ? div(sum(mul(losses, weights)), sum(weights)) : mean(losses)

/** (values, mask) -> sum(m (y - v)^2) / sum(m): 0 / 0 if the mask is all zeros. */
const masked: Loss = Object.assign(
  (y: Tensor, target: Tensor, { weights }: { weights?: Tensor } = {}): Tensor => {
    const half = (from: number) => reshape(slice(target, [0, from], [y.shape[0], from + 1]), y.shape)
    const mask = weights ? mul(half(1), reshape(weights, [y.shape[0], 1])) : half(1)
    return div(sum(mul(mask, square(sub(y, half(0))))), sum(mask))
  },
  {
    weight: ({ data }: HostArray, weights?: HostArray): number => {
      let total = 0
      for (let i = 0; i < data.length; i++) {
        const [n, at] = [Math.floor(i / (2 * OUTPUTS)), i % (2 * OUTPUTS)]
        if (at >= OUTPUTS) total += data[i] * (weights?.data[n] ?? 1)
      }
      return total
    },
  },
)

/** A user's cross-entropy that names the ignored class, but has no `weight`. */
const ignoring: Loss = Object.assign(
  (y: Tensor, target: Tensor, options?: { weights?: Tensor }): Tensor =>
    crossEntropyLoss({ ignoreIndex: IGNORED })(y, target, options),
  { ignores: (target: number) => target === IGNORED },
)

const KINDS: Readonly<Record<string, Kind>> = {
  mse: { loss: mse, targetShape: [OUTPUTS], target: twoOf, byHand: meanSquare },
  bceWithLogits: {
    loss: bceWithLogits,
    targetShape: [OUTPUTS],
    target: (draws) => twoOf(draws).map((draw) => draw % 2),
    byHand: (y, target) => ({
      counts: 1,
      loss: y.reduce((total, value, c) => total + Math.log1p(Math.exp(value)) - value * target[c], 0) / y.length,
      dy: y.map((value, c) => (1 / (1 + Math.exp(-value)) - target[c]) / y.length),
    }),
  },
  'crossEntropy, a class of two ignored': {
    loss: crossEntropyLoss({ ignoreIndex: IGNORED }),
    targetShape: [],
    target: classOf,
    byHand: entropy,
  },
  "a user's mean that uses weights": {
    loss: (y, target, { weights } = {}) => perSample(weights, mean(square(sub(y, target)), { axes: 1 })),
    targetShape: [OUTPUTS],
    target: twoOf,
    byHand: meanSquare,
  },
  "a user's loss with ignores": { loss: ignoring, targetShape: [], target: classOf, byHand: entropy },
  "a user's masked loss with weight": {
    loss: masked,
    targetShape: [2, OUTPUTS],
    target: (draws) => [...twoOf(draws), ...draws.slice(2, 4).map((draw) => (draw === 0 ? 1 : 0))],
    byHand: (y, target) => {
      const mask = target.slice(OUTPUTS)
      const counts = mask.reduce((a, b) => a + b, 0)
      const share = mask.map((m) => (counts > 0 ? m / counts : 0))
      return {
        counts,
        loss: y.reduce((total, value, c) => total + share[c] * (value - target[c]) ** 2, 0),
        dy: y.map((value, c) => 2 * share[c] * (value - target[c])),
      }
    },
  },
}

const quarter = fc.integer({ min: -8, max: 8 }).map((i) => i / 4)
const sample = fc.record({
  x: fc.array(quarter, { minLength: FEATURES, maxLength: FEATURES }),
  draws: fc.array(fc.nat(3), { minLength: 4, maxLength: 4 }),
  weight: fc.constantFrom(0, 0, 0.25, 1, 3),
})
const cases = fc.record({
  samples: fc.array(sample, { minLength: 1, maxLength: 9 }),
  microBatch: fc.integer({ min: 1, max: 9 }),
  weighted: fc.boolean(),
  // samples of weight 0 side by side, so that whole parts consist of them
  gathered: fc.boolean(),
  device: fc.constantFrom('reference', 'cpu', 'no aliasing' as const),
})
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never

const WEIGHT = [
  [0.5, -0.25, 1],
  [-1, 0.75, 0.25],
]

const open = (device: string): HeapDevice =>
  device === 'no aliasing'
    ? new StrictDevice('cpu', new HeapAllocator(1 << 20))
    : new HeapDevice(device === 'cpu' ? 'cpu' : 'reference', new HeapAllocator(1 << 20))

/** y = x WEIGHT^T */
function linearModel(device: HeapDevice): Linear {
  const values = WEIGHT.flat()
  const model = new Linear(device, FEATURES, OUTPUTS, { bias: false })
  device.upload(model.weight.storage('test'), values)
  return model
}

function batchOf({ samples, weighted }: Pick<Case, 'samples' | 'weighted'>, kind: Kind): Batch {
  const count = samples.length
  const targets = samples.flatMap(({ draws }) => kind.target(draws))
  return {
    inputs: { data: Float64Array.from(samples.flatMap(({ x }) => x)), shape: [count, FEATURES] },
    targets: { data: Float64Array.from(targets), shape: [count, ...kind.targetShape] },
    ...(weighted && { weights: { data: Float64Array.from(samples, ({ weight }) => weight), shape: [count] } }),
  }
}

/** Loss, weight, weights after a step of learning rate 1, and the accuracy, by loops. */
function expected({ samples, weighted }: Pick<Case, 'samples' | 'weighted'>, kind: Kind) {
  const outputs = samples.map(({ x }) => WEIGHT.map((row) => row.reduce((y, w, k) => y + w * x[k], 0)))
  const hand = samples.map(({ draws, weight }, n) => {
    const { counts, ...rest } = kind.byHand(outputs[n], kind.target(draws))
    return { ...rest, counts: counts * (weighted ? weight : 1) }
  })
  const weight = hand.reduce((total, { counts }) => total + counts, 0)
  const loss = hand.reduce((total, { counts, loss }) => total + (counts / weight) * loss, 0)
  const learned = WEIGHT.map((row, c) =>
    row.map((w, k) =>
      hand.reduce((value, { counts, dy }, n) => value - (counts / weight) * dy[c] * samples[n].x[k], w),
    ),
  )
  const right = hand.reduce((total, { counts }, n) => {
    const [target] = kind.target(samples[n].draws)
    return total + (outputs[n].indexOf(Math.max(...outputs[n])) === target ? counts : 0)
  }, 0)
  return { loss, weight, learned: learned.flat(), accuracy: kind.targetShape.length === 0 ? right / weight : undefined }
}

for (const [name, kind] of Object.entries(KINDS)) {
  test(`${name}: any split equals the loop by hand, even if parts have weight 0`, async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ samples: drawn, microBatch, weighted, gathered, device: where }) => {
        const counts = ({ draws, weight }: Case['samples'][number]) =>
          kind.byHand([0, 0], kind.target(draws)).counts * (weighted ? weight : 1)
        const samples = gathered ? [...drawn].sort((a, b) => counts(a) - counts(b)) : drawn
        const batch = batchOf({ samples, weighted }, kind)
        const hand = expected({ samples, weighted }, kind)
        const device = open(where)
        const model = linearModel(device)
        const streamer = new Streamer({ model, loss: kind.loss, optimizer: sgd(model, { learningRate: 1 }) })
        if (hand.weight === 0) {
          const outcome = await streamer.step(batch, { microBatch }).catch((error: unknown) => error)
          assert.instance(outcome, EmptyBatchError)
          return
        }
        // some hundred terms below 64
        const bound = device.elementBytes === 8 ? 64 * SPLIT_GRADIENT : float32Sum(100, 64)
        const near = (actual: number, wanted: number): void =>
          assert.ok(Math.abs(actual - wanted) <= bound, `${actual} is not ${wanted}`)
        const evaluation = await streamer.evaluate(fromArrays(batch), { microBatch })
        near(evaluation.loss, hand.loss)
        assert.is(evaluation.accuracy, hand.accuracy)
        const result = await streamer.step(batch, { microBatch })
        near(result.loss, hand.loss)
        assert.is(result.weight, hand.weight)
        assert.is(result.peakBytes, result.plannedPeakBytes)
        const learned = await model.weight.data()
        hand.learned.forEach((wanted, i) => {
          near(learned[i], wanted)
        })
      }),
      { seed: 24, numRuns: 15 * TEST_RUNS },
    )
  })
}

const targetsOf = (values: readonly number[], shape = [values.length, 1]): HostArray => ({
  data: Float64Array.from(values),
  shape,
})

/** y = w x of N samples of one feature, w = 1. */
function trainer(loss: Loss, kind: 'cpu' | 'reference' = 'reference') {
  const device = new HeapDevice(kind, new HeapAllocator(1 << 20))
  const model = new Linear(device, 1, 1, { bias: false })
  device.upload(model.weight.storage('test'), [1])
  return { model, streamer: new Streamer({ model, loss, optimizer: sgd(model, { learningRate: 1 }) }) }
}

async function refused(outcome: Promise<unknown>, kind: new (...args: never[]) => SluiceError, says: string) {
  const error: unknown = await outcome.catch((thrown: unknown) => thrown)
  assert.ok(error instanceof kind && error.message.includes(says), String(error))
}

test('weights that a loss does not use are refused, in whole and in parts, before anything is learned', async () => {
  const weighted: Batch = {
    inputs: targetsOf([1, 1]),
    targets: targetsOf([1, 3]),
    weights: targetsOf([1, 3], [2]),
  }
  const says = 'the samples carry weights, but the loss does not use them'
  for (const kind of ['cpu', 'reference'] as const) {
    const { model, streamer } = trainer((y, t) => mse(y, t), kind)
    for (const microBatch of [1, 2]) {
      await refused(streamer.step(weighted, { microBatch }), ArgumentError, says)
      await refused(streamer.evaluate(fromArrays(weighted), { microBatch }), ArgumentError, says)
    }
    assert.equal([...(await model.weight.data())], [1])
    const { weights: _, ...plain } = weighted
    assert.is((await streamer.step(plain)).loss, 2)
  }
  const { streamer } = trainer((y, t, { weights } = {}) => (weights?.size ? mse(y, t) : mse(y, t)))
  await refused(streamer.step(weighted), ArgumentError, says)
  await refused(
    checkSeparable((y, t) => mse(y, t), weighted.inputs, weighted.targets, weighted.weights),
    ArgumentError,
    says,
  )
  const planned = new Linear(openVirtualDevice('cpu'), 1, 1)
  const planner = new Streamer({ model: planned, loss: (y, t) => mse(y, t), optimizer: sgd(planned) })
  const shapes = { batch: 4, inputShape: [1], targetShape: [1] }
  assert.is(planner.plan(shapes).batch, 4)
  assert.throws(
    () => planner.plan({ ...shapes, weighted: true }),
    (error: unknown) => error instanceof ArgumentError && error.message.includes(says),
  )
})

test('weights that float32 holds as 0 or Infinity are refused where float32 is used', async () => {
  for (const weight of [1e-46, 1e39]) {
    const batch = { inputs: targetsOf([1, 1]), targets: targetsOf([1, 3]), weights: targetsOf([weight, weight], [2]) }
    await refused(trainer(mse, 'cpu').streamer.step(batch), ArgumentError, `the weight of sample 0 is ${weight}`)
    assert.is((await trainer(mse).streamer.step(batch)).loss, 2)
  }
})

test('the weight that a loss returns must be a finite number, 0 or more; an error that it throws is passed on', async () => {
  const batch = { inputs: targetsOf([1, 1]), targets: targetsOf([1, 3]) }
  const saying = (weight: () => number): Loss => Object.assign((y: Tensor, t: Tensor) => mse(y, t), { weight })
  for (const wrong of [Number.NaN, -1, Infinity]) {
    await refused(trainer(saying(() => wrong)).streamer.step(batch), ArgumentError, `a micro-batch the weight ${wrong}`)
  }
  const throwing = saying(() => {
    throw new Error('no such column')
  })
  await refused(trainer(throwing).streamer.step(batch), ModelError, 'no such column')
})

test('weights are added up exactly: 10,000 times 0.1, in whole and in parts', async () => {
  const ones = targetsOf(new Array<number>(10_000).fill(1))
  const batch = { inputs: ones, targets: ones, weights: targetsOf(new Array<number>(10_000).fill(0.1), [10_000]) }
  for (const microBatch of [10_000, 777]) {
    assert.is((await trainer(mse).streamer.step(batch, { microBatch })).weight, 1000)
  }
})

test('checkSeparable: a masked loss is separable, with weights and without; one without its `weight` is not', async () => {
  const outputs = targetsOf([1, 2, 4, 8, 3, 5], [3, 2])
  const targets = targetsOf([0, 0, 1, 0, 5, 5, 0, 0, 1, 2, 1, 1], [3, 2, 2])
  const weights = targetsOf([0.5, 4, 2], [3])
  assert.ok((await checkSeparable(masked, outputs, targets)).separable)
  assert.ok((await checkSeparable(masked, outputs, targets, weights)).separable)
  assert.ok((await checkSeparable(masked, outputs, targets, targetsOf([0, 4, 2], [3]))).separable)
  const forgetful: Loss = (y, t, options) => masked(y, t, options)
  assert.not((await checkSeparable(forgetful, outputs, targets)).separable)
  const unfair: Loss = (y, _, { weights: w } = {}) => mean(mul(mean(square(sub(y, 1)), { axes: 1 }), w ?? 1))
  assert.ok((await checkSeparable(unfair, outputs, targets)).separable)
  assert.not((await checkSeparable(unfair, outputs, targets, weights)).separable)
})

/** Batch norm with momentum 1 / 2, dropout, a linear layer. */
function noisyModel(device: HeapDevice): Module {
  const random = generator(3)
  return new Sequential(
    new BatchNorm2d(device, 1, { momentum: 0.5, policy: 'micro' }),
    new Dropout(device, 0.5),
    new Flatten(device),
    new Linear(device, 4, 2, { random }),
  )
}

test('a part of weight 0 is seen by batch norm, draws its dropout, and changes nothing else', async () => {
  // samples 2 and 3 have weight 0; their loss is NaN
  const random = generator(9)
  const images = Array.from({ length: 6 * 4 }, () => random())
  const mask = [1, 1, 0, 0, 1, 1]
  const targets = mask.flatMap((kept) => [0.25, 0.5, kept, kept])
  const batch = { inputs: targetsOf(images, [6, 1, 2, 2]), targets: targetsOf(targets, [6, 2, 2]) }
  const device = new HeapDevice('reference', new HeapAllocator(1 << 20))
  const model = noisyModel(device)
  const streamer = new Streamer({ model, loss: masked, optimizer: sgd(model, { learningRate: 0.5 }), seed: 1 })
  const { parts, peakBytes, plannedPeakBytes } = await streamer.step(batch, { microBatch: 2 })
  assert.equal(parts, [{ size: 2, count: 3 }])
  assert.is(peakBytes, plannedPeakBytes)
  const state = await model.stateDict()
  const statistics = [0, 1, 2]
    .map((j) => images.slice(8 * j, 8 * j + 8))
    .map((part) => {
      const average = part.reduce((a, b) => a + b, 0) / 8
      return { average, variance: part.reduce((a, b) => a + (b - average) ** 2, 0) / 7 }
    })
  const running = statistics.reduce(
    (held, { average, variance }) => ({
      average: (held.average + average) / 2,
      variance: (held.variance + variance) / 2,
    }),
    { average: 0, variance: 1 },
  )
  assert.ok(Math.abs(state['0.running_mean'].data[0] - running.average) <= SPLIT_GRADIENT)
  assert.ok(Math.abs(state['0.running_var'].data[0] - running.variance) <= SPLIT_GRADIENT)
  assert.is(state['0.num_batches_tracked'].data[0], 3)

  // The result does not depend on the values of those samples, even if they make the loss NaN.
  const other = noisyModel(new HeapDevice('reference', new HeapAllocator(1 << 20)))
  const twin = new Streamer({ model: other, loss: masked, optimizer: sgd(other, { learningRate: 0.5 }), seed: 1 })
  const changed = targets.map((value, i) => (mask[Math.floor(i / 4)] === 0 && i % 4 < 2 ? Number.NaN : value))
  await twin.step({ ...batch, targets: targetsOf(changed, [6, 2, 2]) }, { microBatch: 2 })
  assert.equal(await other.stateDict(), state)
})

test('the only micro-batch of its size has weight 0, and the step still peaks as planned', async () => {
  /** A loss in which a sample counts if one of its targets is above 0. */
  const counted: Loss = Object.assign((y: Tensor, t: Tensor) => mse(y, t), {
    weight: ({ data, shape }: HostArray) => (data.some((target) => target > 0) ? shape[0] : 0),
  })
  for (const [where, width, size] of [
    ['reference', 8, 3],
    ['cpu', 32, 31],
    ['no aliasing', 8, 3],
  ] as const) {
    const samples = 2 * size - 1
    const batch = {
      inputs: targetsOf(Array.from({ length: samples }, (_, n) => n / samples)),
      targets: targetsOf(
        Array.from({ length: samples }, (_, n) => (n < size ? 0 : 1)),
        [samples, 1],
      ),
    }
    const device = open(where)
    const model = new Sequential(new Linear(device, 1, width), new GELU(device), new Linear(device, width, 1))
    const streamer = new Streamer({ model, loss: counted, optimizer: sgd(model, { learningRate: 1 / 128 }) })
    const { held } = device.memory
    const { parts, peakBytes, plannedPeakBytes, weight } = await streamer.step(batch, { microBatch: size })
    assert.equal(parts, [
      { size, count: 1 },
      { size: size - 1, count: 1 },
    ])
    assert.is(weight, size - 1)
    assert.is(peakBytes, plannedPeakBytes)
    assert.equal(device.memory.held, held)
  }
})

test.run()
