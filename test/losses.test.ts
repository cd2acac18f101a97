/**
 * The host half of losses: the targets that count, the targets that are refused, and the agreement of both halves under
 * any split.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backward } from '../src/autograd/backward.js'
import { openDevice } from '../src/device/open.js'
import { ArgumentError, SluiceError } from '../src/memory/errors.js'
import { crossEntropy, crossEntropyLoss } from '../src/ops/cross-entropy.js'
import type { Loss } from '../src/ops/loss.js'
import { bceWithLogitsLoss, diceLoss, huberLoss, klDivergence, l1, nll } from '../src/ops/losses.js'
import { bceWithLogits, mse } from '../src/ops/point-loss.js'
import { scope } from '../src/step/scope.js'
import { fromHost, requireGrad } from '../src/tensor/create.js'
import { ShapeError } from '../src/tensor/errors.js'
import type { HostArray } from '../src/tensor/host.js'
import { fc } from './property.js'
import { LITERAL } from './tolerances.js'

const device = await openDevice('reference', { memory: '1MiB' })
const RUNS = { seed: 41, numRuns: 200 }
const integers = (...values: number[]): HostArray => ({ data: Int32Array.from(values), shape: [values.length] })

test('losses are functions with a name, a weight and a check', () => {
  const losses: Loss[] = [crossEntropy, mse, bceWithLogits, crossEntropyLoss({ ignoreIndex: 0 })]
  assert.equal(
    losses.map(({ name }) => name),
    ['crossEntropy', 'mse', 'bceWithLogits', 'crossEntropy'],
  )
  for (const loss of losses) assert.is(loss.coupled, undefined)
})

test('weight: kept targets, or the weights of their samples', () => {
  assert.is(crossEntropy.weight(integers(1, -100, 0)), 2)
  assert.is(crossEntropy.weight(integers(1, -100, 0), { data: Float32Array.of(0.5, 8, 2), shape: [3] }), 2.5)
  const pixels: HostArray = { data: Int32Array.of(1, -100, 0, 0), shape: [2, 2] }
  assert.is(crossEntropy.weight(pixels), 3)
  assert.is(crossEntropy.weight(pixels, { data: Uint8Array.of(1, 3), shape: [2], scale: 0.5 }), 0.5 + 2 * 1.5)
  assert.is(crossEntropyLoss({ ignoreIndex: 0 }).weight?.(pixels), 2)
  assert.is(mse.weight({ data: new Float32Array(6), shape: [2, 3] }), 2)
  assert.is(
    mse.weight({ data: new Float32Array(6), shape: [2, 3] }, { data: Float32Array.of(0.5, 2), shape: [2] }),
    2.5,
  )
})

test('check: names the first bad target and where it is', () => {
  crossEntropy.check(integers(0, 2, -100), [3, 3])
  crossEntropyLoss({ ignoreIndex: 9 }).check?.(integers(0, 9), [2, 3])
  const refused: [() => void, new (message: string) => Error, string][] = [
    [() => crossEntropy.check(integers(0, 3, 7), [3, 3]), ArgumentError, 'crossEntropy: target 3 at [1] is not'],
    [
      () => crossEntropy.check({ data: Float32Array.of(0, 1, 0.5, 1), shape: [2, 2] }, [2, 3, 2]),
      ArgumentError,
      'target 0.5 at [1, 0]',
    ],
    [() => crossEntropy.check(integers(-1), [1, 3]), ArgumentError, 'target -1 at [0]'],
    [() => crossEntropyLoss({ ignoreIndex: 9 }).check?.(integers(-100), [1, 3]), ArgumentError, 'nor ignoreIndex 9'],
    [() => crossEntropy.check(integers(0, 1), [3, 3]), ShapeError, 'targets [2] must be [3]'],
    [
      () => mse.check({ data: Float32Array.of(0, Number.NaN), shape: [1, 2] }, [1, 2]),
      ArgumentError,
      'mse: target NaN at [0, 1]',
    ],
    [
      () => bceWithLogits.check({ data: new Float32Array(2), shape: [2] }, [2, 1]),
      ShapeError,
      'targets [2] must be [2, 1]',
    ],
    [() => crossEntropyLoss({ ignoreIndex: 0.5 }), ArgumentError, 'ignoreIndex 0.5'],
  ]
  for (const [call, kind, says] of refused) {
    assert.throws(call, (error: unknown) => error instanceof kind && error.message.includes(says), says)
  }
})

test('the losses that are made of other ops: names, checks, samples of weight 0 that hold NaN', async () => {
  const losses = [l1, huberLoss(), bceWithLogitsLoss(), klDivergence, nll, diceLoss()]
  assert.equal(
    losses.map(({ name }) => name),
    ['l1', 'huber', 'bceWithLogits', 'klDivergence', 'nll', 'dice'],
  )
  const refused: [() => unknown, string][] = [
    [() => nll.check(integers(0, 3), [2, 3]), 'nll: target 3 at [1]'],
    [() => klDivergence.check({ data: Float32Array.of(-1), shape: [1] }, [1]), 'klDivergence: target -1 at [0]'],
    [() => l1.check(integers(0, 3), [2, 1]), 'l1: the targets [2] must be [2, 1]'],
    [() => huberLoss({ delta: 0 }), 'huberLoss: '],
    [() => diceLoss({ smooth: -1 }), 'diceLoss: smooth -1'],
    [() => crossEntropyLoss({ classWeights: [1, -1] }), 'classWeights are [1,-1]'],
  ]
  for (const [call, says] of refused) {
    assert.throws(call, (error: unknown) => error instanceof SluiceError && error.message.includes(says), says)
  }
  for (const loss of losses.filter((loss) => loss !== nll)) {
    const [x, t] = [Float64Array.of(0.5, 0.25, Number.NaN, Infinity), Float64Array.of(1, 0, Number.NaN, 0)]
    const prediction = requireGrad(fromHost(device, { data: x, shape: [2, 2] }))
    const one = (weights?: number[]) =>
      scope(device, () => {
        const rows = weights ? 2 : 1
        const value = loss(
          weights ? prediction : fromHost(device, { data: x.slice(0, 2), shape: [1, 2] }),
          fromHost(device, { data: t.slice(0, 2 * rows), shape: [rows, 2] }),
          weights && { weights: fromHost(device, { data: Float64Array.from(weights), shape: [2] }) },
        )
        if (weights) backward(value)
        return value
      })
    const [weighted, alone] = [one([2, 0]), one()]
    assert.is(await weighted.item(), await alone.item(), loss.name)
    const gradient = (await prediction.grad?.data()) ?? []
    assert.equal([gradient[2], gradient[3], Number.isFinite(gradient[0])], [0, 0, true], loss.name)
    assert.throws(
      () => loss(prediction, fromHost(device, { data: t, shape: [4] })),
      new RegExp(`^${loss.name}: |${loss.name}: `),
    )
  }
})

test('a sum and single numbers: weighted by sample, without those of weight 0, which may hold NaN', async () => {
  const shape = [3, 2]
  const data = Float64Array.of(0.5, -1, Number.NaN, Infinity, 2, 0.25)
  const targets = fromHost(device, { data: Float64Array.of(1, 0, 1, 0, 0.5, 1), shape })
  const weights = fromHost(device, { data: Float64Array.of(2, 0, 0.5), shape: [3] })
  for (const loss of [mse, bceWithLogits, l1, huberLoss(), bceWithLogitsLoss({ posWeight: 3 }), klDivergence]) {
    const prediction = requireGrad(fromHost(device, { data, shape }))
    const [sum, each] = scope(device, () => {
      const sum = loss(prediction, targets, { weights, reduction: 'sum' })
      const each = loss(prediction, targets, { weights, reduction: 'none' })
      backward(sum)
      return [sum, each]
    })
    const numbers = Array.from(await each.data())
    assert.equal([each.shape, numbers.slice(2, 4)], [shape, [0, 0]], loss.name)
    assert.ok(Math.abs((await sum.item()) - numbers.reduce((total, value) => total + value, 0)) < 1e-12, loss.name)
    const gradient = Array.from((await prediction.grad?.data()) ?? [])
    assert.equal(gradient.slice(2, 4), [0, 0], loss.name)
    assert.ok(gradient.every(Number.isFinite) && gradient[0] !== 0, loss.name)
    // a mean over samples is the mean of their means, but klDivergence sums within a sample
    const perSample = loss === klDivergence ? 1 : 2
    const alone = await loss(prediction, targets, { weights }).item()
    assert.ok(Math.abs(alone - numbers.reduce((total, value) => total + value, 0) / perSample / 2.5) < 1e-12, loss.name)
  }
})

interface Samples {
  output: number[][]
  targets: number[][]
  weights: number[]
  size: number
}

const quarter = fc.integer({ min: -16, max: 16 }).map((i) => i / 4)
const weight = fc.integer({ min: 0, max: 8 }).map((i) => i / 4)

/** N samples, each of `size` outputs and as many targets as the loss wants. */
const samplesOf = (size: number, targetSize: number, target: fc.Arbitrary<number>): fc.Arbitrary<Samples> =>
  fc
    .array(
      fc.tuple(
        fc.array(quarter, { minLength: size, maxLength: size }),
        fc.array(target, { minLength: targetSize, maxLength: targetSize }),
        weight,
      ),
      {
        minLength: 1,
        maxLength: 6,
      },
    )
    .map((rows) => ({
      output: rows.map(([output]) => output),
      targets: rows.map(([, targets]) => targets),
      weights: rows.map(([, , weight]) => weight),
      size,
    }))

const host = (rows: readonly (readonly number[])[], shape: readonly number[]): HostArray => ({
  data: Float64Array.from(rows.flat()),
  shape: [rows.length, ...shape],
})

/** The loss of samples from .. to, and its weight by `Loss.weight`. */
async function lossOf(loss: Loss, s: Samples, outputShape: number[], targetShape: number[], from: number, to: number) {
  const targets = host(s.targets.slice(from, to), targetShape)
  const weights = host(
    s.weights.slice(from, to).map((weight) => [weight]),
    [],
  )
  const value = scope(device, () =>
    loss(fromHost(device, host(s.output.slice(from, to), outputShape)), fromHost(device, targets), {
      weights: fromHost(device, weights),
    }),
  )
  const mean = await value.item()
  value.dispose()
  return { mean, weight: loss.weight?.(targets, weights) ?? Number.NaN }
}

/** A name of its own for the test. */
const named = (name: string, loss: Loss): Loss =>
  Object.defineProperty(loss, 'name', { value: `${loss.name}, ${name}` })
/** Outputs that are probabilities. */
const positive = (samples: Samples): Samples => ({
  ...samples,
  output: samples.output.map((row) => row.map((x) => (x + 4) / 8)),
})

const kinds: [Loss, fc.Arbitrary<Samples>, number[], number[]][] = [
  [crossEntropyLoss({ labelSmoothing: 0.25 }), samplesOf(6, 2, fc.constantFrom(0, 1, 2, -100)), [3, 2], [2]],
  [mse, samplesOf(3, 3, quarter), [3], [3]],
  [bceWithLogits, samplesOf(2, 2, fc.constantFrom(0, 0.5, 1)), [2], [2]],
  [
    named('class weights', crossEntropyLoss({ classWeights: [0.5, 0, 3] })),
    samplesOf(6, 2, fc.constantFrom(0, 1, 2, -100)),
    [3, 2],
    [2],
  ],
  [
    named('posWeight', bceWithLogitsLoss({ posWeight: [3, 0.5] })),
    samplesOf(2, 2, fc.constantFrom(0, 0.5, 1)),
    [2],
    [2],
  ],
  [l1, samplesOf(3, 3, quarter), [3], [3]],
  [huberLoss({ delta: 0.5 }), samplesOf(3, 3, quarter), [3], [3]],
  [klDivergence, samplesOf(2, 2, fc.constantFrom(0, 0.25, 1)), [2], [2]],
  [nll, samplesOf(3, 1, fc.constantFrom(0, 1, 2)), [3], []],
  [diceLoss(), samplesOf(3, 3, fc.constantFrom(0, 1)).map(positive), [3], [3]],
]
for (const [loss, arbitrary, outputShape, targetShape] of kinds) {
  test(`${loss.name}: the loss of a mini-batch is the weighted mean over any split of it`, async () => {
    await fc.assert(
      fc.asyncProperty(arbitrary, fc.nat(6), async (samples, at) => {
        const count = samples.output.length
        const cut = Math.min(at, count)
        const part = (from: number, to: number) => lossOf(loss, samples, outputShape, targetShape, from, to)
        const whole = await part(0, count)
        const parts = [...(cut > 0 ? [await part(0, cut)] : []), ...(cut < count ? [await part(cut, count)] : [])]
        const weight = parts.reduce((sum, part) => sum + part.weight, 0)
        const mean = weight === 0 ? 0 : parts.reduce((sum, part) => sum + (part.weight / weight) * part.mean, 0)
        assert.is(weight, whole.weight)
        assert.ok(Math.abs(mean - whole.mean) <= LITERAL * Math.max(1, mean), `${mean} is not ${whole.mean}`)
      }),
      RUNS,
    )
  })
}

test.run()
