/**
 * `Streamer.step` against the same training written out by hand: losses, weights, parameters, and the faults that are
 * never committed.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Batch } from '../src/data/index.js'
import { openDevice } from '../src/device/open.js'
import { fc } from './property.js'
import '../src/ops/chain.js'
import { ArgumentError, SluiceError } from '../src/memory/errors.js'
import { BatchNorm2d, Flatten, generator, Linear, Module, Sequential } from '../src/nn/index.js'
import { crossEntropy, crossEntropyLoss } from '../src/ops/cross-entropy.js'
import type { Loss } from '../src/ops/loss.js'
import { bceWithLogits, mse } from '../src/ops/point-loss.js'
import { adam, type Optimizer, sgd } from '../src/optim/index.js'
import { BusyError, EmptyBatchError, InterruptedError, NonFiniteError } from '../src/stream/errors.js'
import { Streamer } from '../src/stream/streamer.js'
import { tensor, zeros } from '../src/tensor/create.js'
import type { Tensor } from '../src/tensor/tensor.js'
import {
  adamByHand,
  classBatch,
  crossEntropyByHand,
  evenly,
  learnByHand,
  OUTPUTS,
  type PointLoss,
  perceptron,
  type Rule,
  type Sample,
  samplesOf,
  sgdByHand,
  squaredErrorByHand,
  type Values,
  valueBatch,
  valuesOf,
} from './by-hand.js'
import { errorOf } from './error-of.js'
import { TEST_RUNS } from './fixtures.js'
import { BY_HAND } from './tolerances.js'

const open = () => openDevice('reference', { memory: '1MiB' })

function expectClose(seen: Values, wanted: Values, tolerance: number, what: string): void {
  wanted.flat().forEach((value, i) => {
    assert.ok(Math.abs(seen.flat()[i] - value) <= tolerance, `${what}: ${seen.flat()[i]} at ${i}, by hand ${value}`)
  })
}

/** A perceptron whose parameters change by their gradient in each step. */
async function trained(loss: Loss) {
  const model = perceptron(await open())
  return { model, streamer: new Streamer({ model, loss, optimizer: sgd(model, { learningRate: 1 }) }) }
}

/** Asserts that a step of `trained` equals the step by hand. */
async function stepsAsByHand(
  loss: Loss,
  byHand: PointLoss,
  batch: Batch,
  { microBatch, samples = samplesOf(batch) }: { microBatch: number; samples?: readonly Sample[] },
): Promise<void> {
  const { model, streamer } = await trained(loss)
  const values = await valuesOf(model)
  const wanted = learnByHand(values, samples, byHand)
  const step = await streamer.step(batch, { microBatch })
  sgdByHand({ rate: () => 1 })(values, wanted.gradient)
  assert.ok(Math.abs(step.loss - wanted.loss) <= BY_HAND)
  assert.is(step.weight, wanted.weight)
  expectClose(await valuesOf(model), values, BY_HAND, 'after the step')
}

// Losses and optimizers, each with its counterpart by hand

interface Task {
  loss: Loss
  byHand: PointLoss
  draw: (count: number, seed: number, options: { weighted: boolean; ignored: readonly number[] }) => Batch
}

/** A user's loss that takes the weights, and has no function `weight`. */
const ownLoss: Loss = (output, target, options) => mse(output, target, options)

const TASKS: Readonly<Record<string, Task>> = {
  'cross-entropy': { loss: crossEntropy, byHand: crossEntropyByHand(), draw: classBatch },
  'cross-entropy with another ignored class, smoothed': {
    loss: crossEntropyLoss({ ignoreIndex: 1, labelSmoothing: 0.25 }),
    byHand: crossEntropyByHand(0.25, 1),
    draw: (count, seed, { weighted }) => classBatch(count, seed, { weighted }),
  },
  'squared error': { loss: mse, byHand: squaredErrorByHand, draw: valueBatch },
  "a loss of the user's own": { loss: ownLoss, byHand: squaredErrorByHand, draw: valueBatch },
}

const RULES: Readonly<Record<string, { make: (model: Module) => Optimizer; byHand: () => Rule }>> = {
  'sgd with momentum, decay and a clipped norm': {
    make: (model) => sgd(model, { learningRate: 0.25, momentum: 0.5, weightDecay: 0.125, clipNorm: 0.25 }),
    byHand: () => sgdByHand({ rate: () => 0.25, momentum: 0.5, decay: 0.125, clip: 0.25 }),
  },
  'adam with a rate that changes': {
    make: (model) => adam(model, { learningRate: (step) => 0.125 / (step + 1), eps: 1e-3 }),
    byHand: () => adamByHand({ rate: (step) => 0.125 / (step + 1), eps: 1e-3 }),
  },
}

const drawn = fc.record({
  batches: fc.array(fc.record({ count: fc.integer({ min: 1, max: 12 }), seed: fc.nat(1000) }), {
    minLength: 2,
    maxLength: 4,
  }),
  most: fc.integer({ min: 1, max: 6 }),
  weighted: fc.boolean(),
  // some micro-batches have more of them than others, and some have no other targets
  ignored: fc.uniqueArray(fc.nat(11), { maxLength: 6 }),
})

for (const [name, { loss, byHand, draw }] of Object.entries(TASKS)) {
  for (const [rule, { make, byHand: ruleByHand }] of Object.entries(RULES)) {
    test(`${name}, ${rule}: every step equals the step of a loop by hand`, async () => {
      await fc.assert(
        fc.asyncProperty(drawn, async ({ batches, most, weighted, ignored }) => {
          const device = await open()
          const model = perceptron(device)
          const streamer = new Streamer({ model, loss, optimizer: make(model) })
          const values = await valuesOf(model)
          const apply = ruleByHand()
          let steps = 0
          for (const { count, seed } of batches) {
            const batch = draw(count, seed, { weighted, ignored })
            const wanted = learnByHand(values, samplesOf(batch), byHand)
            const progress: { done: number; of: number; samples: number }[] = []
            const run = streamer.step(batch, { microBatch: most, onMicroBatch: (state) => void progress.push(state) })
            if (wanted.weight === 0) {
              assert.instance(await errorOf(run), EmptyBatchError)
              continue
            }
            const result = await run
            apply(values, wanted.gradient)
            steps++
            assert.ok(Math.abs(result.loss - wanted.loss) <= BY_HAND * Math.max(1, wanted.loss), 'loss')
            assert.equal([result.weight, result.samples, result.step], [wanted.weight, count, steps])
            const sizes = evenly(count, most)
            assert.equal(
              progress,
              sizes.map((_, j) => ({
                done: j + 1,
                of: sizes.length,
                samples: sizes.slice(0, j + 1).reduce((sum, size) => sum + size, 0),
              })),
            )
            expectClose(await valuesOf(model), values, BY_HAND, `step ${steps}`)
          }
          device.close()
        }),
        { seed: 31, numRuns: 10 * TEST_RUNS },
      )
    })
  }
}

test('bceWithLogits: a weighted step in parts equals the step of a loop by hand', async () => {
  const byHand: PointLoss = (z, target) => {
    const terms = z.map((x, c) => Math.log(1 + Math.exp(x)) - x * target[c])
    return {
      loss: terms.reduce((sum, term) => sum + term / z.length, 0),
      dz: z.map((x, c) => (1 / (1 + Math.exp(-x)) - target[c]) / z.length),
    }
  }
  const { targets, ...rest } = valueBatch(7, 5, { weighted: true })
  const batch = {
    ...rest,
    targets: { ...targets, data: targets.data.map((value) => (value > 0 ? 2 : 0)), scale: 1 / 2 },
  }
  await stepsAsByHand(bceWithLogits, byHand, batch, { microBatch: 2 })
})

test('for a loss with a `weight` of its own, the shares of the micro-batches come from that weight', async () => {
  // the targets of the third output are the weights of the samples
  const loss: Loss = Object.assign(
    (output: Tensor, target: Tensor) => {
      const sums = output
        .sub(target)
        .square()
        .mean({ axes: [1] })
      const weights = target.slice([0, 2], [target.shape[0], 3]).reshape([target.shape[0]])
      return sums.mul(weights).sum().div(weights.sum().add(1e-300))
    },
    {
      weight: ({ data, shape }: Batch['targets']) =>
        Array.from({ length: shape[0] }, (_, i) => data[3 * i + 2]).reduce((sum, weight) => sum + weight, 0),
    },
  )
  const { inputs, targets } = valueBatch(9, 8)
  const data = Float64Array.from(targets.data, (value, i) => (i % 3 === 2 ? Math.floor(i / 9) : value / 128))
  const batch: Batch = { inputs, targets: { data, shape: targets.shape } }
  const samples = samplesOf(batch).map((sample) => ({ ...sample, weight: sample.target[2] }))
  await stepsAsByHand(loss, squaredErrorByHand, batch, { microBatch: 4, samples })
})

test('a loss whose weight of a micro-batch is negative or not finite is refused before anything runs', async () => {
  for (const weight of [-1, Number.NaN, Infinity]) {
    const loss: Loss = Object.assign((output: Tensor, target: Tensor) => mse(output, target), { weight: () => weight })
    const { streamer } = await trained(loss)
    assert.instance(await errorOf(streamer.step(valueBatch(4, 1))), ArgumentError)
  }
})

test('targets that do not fit the loss are refused, and nothing is committed', async () => {
  const { model, streamer } = await trained(crossEntropy)
  const before = await valuesOf(model)
  const batch = classBatch(5, 1)
  batch.targets.data[4] = 2 * OUTPUTS
  assert.instance(await errorOf(streamer.step(batch, { microBatch: 2 })), ArgumentError)
  assert.equal(await valuesOf(model), before)
})

test("moments equal those of a loop by hand, under PyTorch's names", async () => {
  const [first, second] = [valueBatch(5, 1), valueBatch(5, 2)].map(samplesOf)
  for (const [make, wanted] of [
    [
      (model: Module) => adam(model, { learningRate: 0 }),
      {
        exp_avg: (g: number, h: number) => 0.09 * g + 0.1 * h,
        exp_avg_sq: (g: number, h: number) => 0.000999 * g * g + 0.001 * h * h,
      },
    ],
    [
      (model: Module) => sgd(model, { learningRate: 0, momentum: 0.5 }),
      { momentum_buffer: (g: number, h: number) => 0.5 * g + h },
    ],
  ] as const) {
    const device = await open()
    const model = perceptron(device)
    const optimizer = make(model)
    const streamer = new Streamer({ model, loss: mse, optimizer })
    const values = await valuesOf(model)
    for (const seed of [1, 2]) await streamer.step(valueBatch(5, seed), { microBatch: 2 })
    const [g, h] = [first, second].map((samples) => learnByHand(values, samples, squaredErrorByHand).gradient)
    const { steps, moments } = await optimizer.stateDict()
    assert.is(steps, 2)
    const names = Object.keys(moments)
    assert.is(names.length, 4 * Object.keys(wanted).length)
    for (const [name, formula] of Object.entries(wanted)) {
      const saved = names.filter((full) => full.endsWith(`.${name}`)).map((full) => [...moments[full].data])
      expectClose(
        saved,
        g.map((array, k) => array.map((value, i) => formula(value, h[k][i]))),
        BY_HAND,
        name,
      )
    }
  }
})

// Buffers

/** Statistics of a channel over a micro-batch: its mean and its unbiased variance. */
function statistics(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1) }
}

for (const policy of ['micro', 'deferred'] as const) {
  test(`running statistics after each step equal those of a loop by hand: ${policy}`, async () => {
    const device = await open()
    const norm = new BatchNorm2d(device, 2, { momentum: 0.25, policy })
    const random = generator(5)
    const model = new Sequential(norm, new Flatten(device), new Linear(device, 8, 3, { random }))
    const streamer = new Streamer({ model, loss: crossEntropy, optimizer: sgd(model, { learningRate: 0.1 }) })
    const running = [0, 1].map(() => ({ mean: 0, variance: 1 }))
    let tracked = 0
    for (const seed of [1, 2, 3]) {
      const inputs = Float64Array.from({ length: 7 * 8 }, () => Math.floor(64 * random()) / 16 - seed)
      const targets = Int32Array.from({ length: 7 }, (_, i) => i % 3)
      const batch = { inputs: { data: inputs, shape: [7, 2, 2, 2] }, targets: { data: targets, shape: [7] } }
      await streamer.step(batch, { microBatch: 3 })
      let first = 0
      for (const size of policy === 'micro' ? evenly(7, 3) : [7]) {
        const samples = inputs.subarray(8 * first, 8 * (first + size))
        running.forEach((state, channel) => {
          const { mean, variance } = statistics([...samples].filter((_, i) => Math.floor(i / 4) % 2 === channel))
          state.mean = 0.75 * state.mean + 0.25 * mean
          state.variance = 0.75 * state.variance + 0.25 * variance
        })
        first += size
        tracked++
      }
      const saved = await model.stateDict()
      const [mean, variance, count] = ['running_mean', 'running_var', 'num_batches_tracked'].map((name) => [
        ...saved[`0.${name}`].data,
      ])
      const wanted = [running.map((state) => state.mean), running.map((state) => state.variance)]
      expectClose([mean, variance], wanted, BY_HAND, `step ${seed}`)
      assert.equal(count, [tracked])
    }
    const before = await model.stateDict()
    const bad = { data: new Float64Array(7 * 8).fill(Number.NaN), shape: [7, 2, 2, 2] }
    const refused = streamer.step({ inputs: bad, targets: { data: new Int32Array(7), shape: [7] } }, { microBatch: 3 })
    assert.instance(await errorOf(refused), NonFiniteError)
    assert.equal(await model.stateDict(), before, 'a step that fails changes no statistics')
  })
}

// Faults that are never committed

/** The loss of the output, times a number that a test sets. */
function scaledLoss(): { loss: Loss; factor: { value: number } } {
  const factor = { value: 1 }
  const loss: Loss = (output, target) => mse(output, target).mul(tensor(output.device, [factor.value]).reshape([]))
  return { loss, factor }
}

for (const value of [Infinity, -Infinity, Number.NaN]) {
  test(`a loss of ${value} is not committed, unless checkFinite is false`, async () => {
    for (const checkFinite of [true, undefined, false]) {
      const device = await open()
      const model = perceptron(device)
      const { loss, factor } = scaledLoss()
      const optimizer = adam(model)
      const streamer = new Streamer({ model, loss, optimizer, checkFinite })
      await streamer.step(valueBatch(4, 1))
      const before = [await model.stateDict(), await optimizer.stateDict()]
      factor.value = value
      if (checkFinite === false) {
        const { loss: seen, step } = await streamer.step(valueBatch(4, 2), { microBatch: 3 })
        assert.equal([seen, step], [value, 2])
        assert.ok((await valuesOf(model)).flat().some(Number.isNaN))
        continue
      }
      assert.instance(await errorOf(streamer.step(valueBatch(4, 2), { microBatch: 3 })), NonFiniteError)
      assert.equal([await model.stateDict(), await optimizer.stateDict()], before)
      factor.value = 1
      assert.is((await streamer.step(valueBatch(4, 2))).step, 2)
    }
  })
}

/** A linear model whose forward calls back. */
class Watched extends Module {
  fc = new Linear(this.device, 3, 3, { random: generator(1) })
  onForward: (samples: number) => void = () => {}

  forward(x: Tensor): Tensor {
    this.onForward(x.shape[0])
    return this.fc.forward(x)
  }
}

test('after a failure at any point of a step, parameters, moments, step count and cursor are unchanged, and the next step goes on from there', async () => {
  const make = async () => {
    const device = await open()
    const model = new Watched(device)
    const fault = { schedule: false, loss: false }
    const optimizer = adam(model, {
      learningRate: () => {
        if (fault.schedule) throw new Error('no rate today')
        return 0.01
      },
    })
    const loss: Loss = (output, target) => {
      if (fault.loss) throw new Error('no loss today')
      return mse(output, target)
    }
    return { device, model, fault, optimizer, streamer: new Streamer({ model, loss, optimizer }) }
  }
  const batches = [1, 2, 3].map((seed) => valueBatch(6, seed))
  const straight = await make()
  for (const batch of batches) await straight.streamer.step(batch, { microBatch: 2 })

  const run = await make()
  const { device, model, fault, optimizer, streamer } = run
  const lasting = async () => ({
    model: await model.stateDict(),
    optimizer: await optimizer.stateDict(),
    cursor: streamer.cursor,
    held: device.memory.heldBytes,
  })
  await streamer.step(batches[0], { microBatch: 2 })
  const before = await lasting()
  /** Runs `act` after micro-batch `at` of the step that fails. */
  const during = (at: number, act: () => void) =>
    streamer.step(batches[1], {
      microBatch: 2,
      onMicroBatch: ({ done }) => {
        if (done === at) act()
      },
    })
  const { targets, ...rest } = valueBatch(6, 2)
  const spoilt = { ...rest, targets: { ...targets, data: Float64Array.from(targets.data).fill(Number.NaN, 17) } }
  const faults: Readonly<Record<string, () => Promise<unknown>>> = {
    'the model throws in the last micro-batch': () => {
      let forwards = 0
      model.onForward = () => {
        if (++forwards === 3) throw new Error('no forward today')
      }
      return streamer.step(batches[1], { microBatch: 2 })
    },
    'the loss throws': () => {
      fault.loss = true
      return streamer.step(batches[1], { microBatch: 2 })
    },
    'the schedule throws': () => {
      fault.schedule = true
      return streamer.step(batches[1], { microBatch: 2 })
    },
    'a target is NaN': () => streamer.step(spoilt, { microBatch: 2 }),
    'the signal is aborted before': () => streamer.step(batches[1], { signal: AbortSignal.abort() }),
    'the signal is aborted within': () => {
      const controller = new AbortController()
      return streamer.step(batches[1], {
        microBatch: 2,
        signal: controller.signal,
        onMicroBatch: () => controller.abort(),
      })
    },
    'a tensor is made and freed in the middle': () => during(2, () => zeros(device, [4096]).dispose()),
    'a tensor is made and freed at the end': () => during(3, () => zeros(device, [4096]).dispose()),
    'a sample too few': () => streamer.step({ ...batches[1], inputs: { ...batches[1].inputs, shape: [5, 3] } }),
    'no sample counts': () =>
      streamer.step({ ...batches[1], weights: { data: new Float32Array(6), shape: [6] } }, { microBatch: 2 }),
  }
  for (const [name, act] of Object.entries(faults)) {
    const error = await errorOf(act())
    assert.instance(error, SluiceError, `${name}: ${error}`)
    Object.assign(fault, { schedule: false, loss: false })
    model.onForward = () => {}
    assert.equal(await lasting(), before, name)
  }
  for (const batch of batches.slice(1)) await streamer.step(batch, { microBatch: 2 })
  assert.equal(await model.stateDict(), await straight.model.stateDict())
  assert.equal(await optimizer.stateDict(), await straight.optimizer.stateDict())
})

test('one step runs at a time, and refused ones do not disturb it', async () => {
  const { model, streamer } = await trained(mse)
  const values = await valuesOf(model)
  const batch = valueBatch(6, 1)
  const running = streamer.step(batch, { microBatch: 2 })
  const others = [streamer.step(batch), streamer.predict(batch.inputs), streamer.checkpoint()].map(errorOf)
  for (const error of await Promise.all(others)) assert.instance(error, BusyError)
  await running
  sgdByHand({ rate: () => 1 })(values, learnByHand(values, samplesOf(batch), squaredErrorByHand).gradient)
  expectClose(await valuesOf(model), values, BY_HAND, 'after the step')
  assert.instance(await errorOf(streamer.step(batch, { signal: AbortSignal.abort() })), InterruptedError)
  assert.is((await streamer.step(batch)).step, 2, 'an error ends a step as well')
})

test.run()
