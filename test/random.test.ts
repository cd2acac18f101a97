/**
 * Random tensors against the generator and the formula by hand; their distribution; and a variational autoencoder, whose
 * step does not depend on the split.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { threefry } from '../kernels/reference/machine/threefry.js'
import {
  ArgumentError,
  BudgetExceededError,
  checkGradient,
  type Device,
  mse,
  openDevice,
  optim,
  planOf,
  rand,
  randn,
  ShapeError,
  Streamer,
  scope,
  type Tensor,
} from '../src/index.js'
import { Autoencoder, images, samples } from './autoencoder.js'
import { errorOf } from './error-of.js'
import { BOX_MULLER_FLOAT32, SPLIT_GRADIENT } from './tolerances.js'

const KEY = { seed: 5, step: 9, firstSample: 3, call: 2 }

async function opened(kind: 'reference' | 'cpu', key: Partial<Device['step']> = KEY) {
  const device = await openDevice(kind, { memory: '4MiB' })
  Object.assign(device.step, key)
  return device
}

/** The uniform number at this position. */
const byHand = (position: number, call: number): number =>
  (threefry(KEY.seed, KEY.step, position >>> 1, call)[position & 1] >>> 8) / 2 ** 24

for (const kind of ['reference', 'cpu'] as const) {
  test(`${kind}: rand has the bits of the generator, and randn the values of the formula up to rounding`, async () => {
    const device = await opened(kind)
    const shape = [7, 5, 3]
    const uniform = await rand(device, shape).data()
    const normal = await randn(device, shape).data()
    assert.is(device.step.call, KEY.call + 3)
    const limit = kind === 'cpu' ? BOX_MULLER_FLOAT32 : 1e-13
    for (const [i, value] of uniform.entries()) {
      const position = 15 * KEY.firstSample + i
      assert.is(value, byHand(position, KEY.call))
      const [u, v] = [byHand(position, KEY.call + 1), byHand(position, KEY.call + 2)]
      const wanted = Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v)
      assert.ok(Math.abs(normal[i] - wanted) <= limit, `${normal[i]} for ${wanted}`)
    }
  })
}

test('the distributions: moments, and the largest distance of the distribution functions', async () => {
  const device = await opened('cpu')
  const count = 2 ** 16
  const sorted = async (x: Tensor) => Float64Array.from(await x.data()).sort()
  const distance = (values: Float64Array, cumulative: (x: number) => number) =>
    values.reduce((most, value, i) => Math.max(most, Math.abs(cumulative(value) - (i + 0.5) / count)), 0)
  // beyond 2 / sqrt(count) with probability 0.0007, by Kolmogorov
  const limit = 2 / Math.sqrt(count)
  assert.ok(distance(await sorted(rand(device, [count])), (x) => x) < limit)
  const normal = await sorted(randn(device, [count]))
  const [mean, square] = [1, 2].map((power) => normal.reduce((sum, x) => sum + x ** power, 0) / count)
  assert.ok(Math.abs(mean) < 5 / Math.sqrt(count) && Math.abs(square - 1) < (5 * Math.SQRT2) / Math.sqrt(count))
  // the normal distribution function by Simpson's rule, from 0
  const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)
  const cumulative = (x: number) => {
    const h = x / 64
    const inner = Array.from({ length: 63 }, (_, i) => (i % 2 === 0 ? 4 : 2) * density((i + 1) * h))
    return 0.5 + (h / 3) * (density(0) + density(x) + inner.reduce((sum, y) => sum + y, 0))
  }
  assert.ok(distance(normal, cumulative) < limit)
})

async function learned(microBatch: number, seed = 3, kind: 'reference' | 'cpu' = 'reference') {
  const model = new Autoencoder(await opened(kind, {}))
  const streamer = new Streamer({ model, loss: mse, optimizer: optim.sgd(model, { learningRate: 0 }), seed })
  const seen: number[] = []
  for (let step = 0; step < 2; step++) {
    const result = await streamer.step({ inputs: images, targets: images }, { microBatch })
    assert.is(result.peakBytes, result.plannedPeakBytes)
    seen.push(result.loss, result.gradNorm)
  }
  return seen
}

test('a step does not depend on the split; noise differs from step to step and from seed to seed', async () => {
  const whole = await learned(samples)
  for (const size of [1, 2, 3, 5]) {
    const parts = await learned(size)
    for (const [i, value] of whole.entries())
      assert.ok(Math.abs(parts[i] - value) <= SPLIT_GRADIENT * Math.max(1, value), `${size}`)
  }
  const other = await learned(samples, 4)
  assert.is(new Set([whole[0], whole[2], other[0], other[2]]).size, 4)
  const onCpu = await learned(2, 3, 'cpu')
  for (const [i, value] of whole.entries()) assert.ok(Math.abs(onCpu[i] - value) < 1e-4 * value)
})

test('gradients pass beside the noise, and a plan uses no draw up', async () => {
  const { ok } = await checkGradient(
    (mean, deviation) => mean.add(deviation.mul(randn(mean.device, mean.shape))).square(),
    [
      [
        [1, 2],
        [0.5, -1],
      ],
      [
        [0.25, 1],
        [2, 0.125],
      ],
    ],
  )
  assert.ok(ok)
  const device = await opened('cpu')
  const { call } = device.step
  const pass = planOf(device, () => scope(device, () => randn(device, [64, 4]).mul(2).sum()))
  assert.is(device.step.call, call)
  assert.ok(pass.peakBytes > 0)
})

test('errors leave no byte and use no draw up', async () => {
  const device = await opened('cpu')
  const { heldBytes } = device.memory
  const refused: [() => unknown, new (...args: never[]) => Error, RegExp][] = [
    [() => randn(device, [2 ** 20]), BudgetExceededError, /randn/],
    [() => rand(device, [2, 0]), ShapeError, /rand/],
    [() => randn([2] as never, device as never), ArgumentError, /randn: device/],
  ]
  for (const [call, kind, says] of refused) {
    const error = await errorOf(call)
    assert.instance(error, kind)
    assert.match(String(error), says)
    assert.is(device.memory.heldBytes, heldBytes)
    assert.is(device.step.call, KEY.call)
  }
  Object.assign(device.step, { firstSample: 2 ** 31, call: 2046 })
  randn(device, [1, 2])
  Object.assign(device.step, { call: 2047 })
  assert.throws(() => randn(device, [1, 2]), /randn: .*beyond 2\^32 for the first 2048 draws/)
  rand(device, [1, 2])
})

test.run()
