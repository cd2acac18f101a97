/**
 * Axis 0 of the output is the sample, in step, evaluate, predict and plan. Other outputs are refused, even if their
 * shape is right by chance.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Batch, fromArrays } from '../src/data/index.js'
import { HeapDevice } from '../src/device/heap-device.js'
import { HeapAllocator } from '../src/memory/heap.js'
import { BatchNorm2d, Flatten, Linear, Module, Parameter, Sequential } from '../src/nn/index.js'
import { mul, sub } from '../src/ops/binary.js'
import type { Loss } from '../src/ops/loss.js'
import { matmul } from '../src/ops/matmul.js'
import { concat, reshape } from '../src/ops/movement.js'
import { mse } from '../src/ops/point-loss.js'
import { mean } from '../src/ops/reduce.js'
import { square } from '../src/ops/unary.js'
import { sgd } from '../src/optim/index.js'
import { OutputShapeError } from '../src/stream/errors.js'
import { Streamer } from '../src/stream/streamer.js'
import { ShapeError } from '../src/tensor/errors.js'
import type { HostArray } from '../src/tensor/host.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { SPLIT_GRADIENT } from './tolerances.js'

const open = (kind: 'cpu' | 'reference' = 'cpu') => new HeapDevice(kind, new HeapAllocator(1 << 20))

/** A module with the forward of a test, and one weight, 2. */
class Own extends Module {
  readonly weight = new Parameter(this.device, [], () => [2])

  constructor(
    device: HeapDevice,
    readonly of: (x: Tensor) => Tensor,
  ) {
    super(device)
  }

  forward(x: Tensor): Tensor {
    return mul(this.of(x), this.weight)
  }
}

const trainer = (model: Module, loss: Loss = (y) => mean(square(y))): Streamer =>
  new Streamer({ model, loss, optimizer: sgd(model, { learningRate: 0.125 }) })

const counting = (shape: readonly number[]): HostArray => ({
  data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i / 4),
  shape,
})

/** The error messages of step, evaluate, predict and plan, which must all refuse. */
async function refusals(streamer: Streamer, inputs: HostArray, microBatch: number | 'fit' = 'fit'): Promise<string[]> {
  const batch: Batch = { inputs, targets: counting([inputs.shape[0]]) }
  const shapes = { batch: inputs.shape[0], inputShape: inputs.shape.slice(1) }
  const before = await streamer.model.stateDict()
  const messages = []
  for (const call of [
    () => streamer.step(batch, { microBatch }),
    () => streamer.evaluate(fromArrays(batch), { microBatch }),
    () => streamer.predict(inputs, { microBatch }),
    async () => streamer.plan(shapes),
    async () => streamer.plan({ ...shapes, mode: 'predict' }),
  ]) {
    const outcome: unknown = await call().catch((error: unknown) => error)
    assert.instance(outcome, OutputShapeError, String(outcome))
    assert.instance(outcome, ShapeError)
    messages.push(String(outcome))
  }
  assert.equal(await streamer.model.stateDict(), before)
  return messages
}

test('one sample without its axis is refused, even with 3 outputs for 3 features', async () => {
  for (const outputs of [1, 2, 3]) {
    for (const message of await refusals(trainer(new Linear(open(), 3, outputs)), counting([3]))) {
      assert.match(message, /If this is one sample, its shape is \[1, 3\]/)
    }
  }
  assert.equal((await trainer(new Linear(open(), 3, 3)).predict(counting([1, 3]))).shape, [1, 3])
  await refusals(trainer(new Linear(open(), 1, 1)), counting([1]))
})

test('samples of single numbers are samples', async () => {
  const streamer = trainer(new Own(open(), (x) => reshape(x, [-1, 1])))
  assert.equal(await streamer.predict(counting([3])), { data: Float32Array.of(0, 0.5, 1), shape: [3, 1] })
  const scalars = trainer(new Own(open(), (x) => x))
  assert.equal((await scalars.predict(counting([3]), { microBatch: 2 })).data, Float32Array.of(0, 0.5, 1))
  assert.is((await scalars.step({ inputs: counting([1]), targets: counting([1]) })).samples, 1)
})

const AVERAGING: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  'the mean over samples': (x) => mean(x, { axes: [0] }),
  'the same, kept as an axis': (x) => mean(x, { axes: [0], keepDims: true }),
  'one number of all samples': (x) => mean(x),
  'features and samples exchanged': (x) => matmul(x, x, { transposeA: true }),
  'every sample with every other': (x) => matmul(x, x, { transposeB: true }),
  'one row more than samples': (x) => concat([x, mean(x, { axes: [0], keepDims: true })]),
}

for (const [name, of] of Object.entries(AVERAGING)) {
  test(`refused for any number of samples and features: ${name}`, async () => {
    for (const [samples, features] of [
      [4, 4],
      [4, 8],
      [3, 4],
      [2, 1],
    ]) {
      for (const microBatch of ['fit', 1] as const) {
        const streamer = trainer(new Own(open(), of))
        for (const message of await refusals(streamer, counting([samples, features]), microBatch)) {
          assert.match(
            message,
            /\[.*\] of \d samples?.*(axis of its output must be the samples, \d|and \[.*\] of \d sample)/,
          )
        }
      }
    }
  })
}

test('with a loss that declares that it couples samples, the model may couple them too', async () => {
  const coupled = Object.assign((y: Tensor) => mean(square(y)), { coupled: 'it compares samples' })
  const model = new Own(open(), AVERAGING['every sample with every other'])
  const { parts } = await trainer(model, coupled).step({ inputs: counting([4, 2]), targets: counting([4]) })
  assert.equal(parts, [{ size: 4, count: 1 }])
})

test('rows [N T, V] train and evaluate exactly in any split, and the error of predict says what to return', async () => {
  const rows = (x: Tensor): Tensor => reshape(x, [-1, 2])
  const inputs = counting([5, 3, 2])
  const targets = counting([5, 3])
  const loss: Loss = (y, t) => mean(mul(square(sub(mean(y, { axes: 1 }), reshape(t, [-1]))), 2))
  // by hand: y = 2 x, the loss's mean over 15 rows, d loss / d weight through x's mean
  let [expectedLoss, slope] = [0, 0]
  for (let row = 0; row < 15; row++) {
    const x = (inputs.data[2 * row] + inputs.data[2 * row + 1]) / 2
    expectedLoss += (2 * (2 * x - targets.data[row]) ** 2) / 15
    slope += (4 * (2 * x - targets.data[row]) * x) / 15
  }
  const bound = SPLIT_GRADIENT * Math.max(expectedLoss, slope)
  for (const microBatch of [5, 3, 2, 1]) {
    const model = new Own(open('reference'), rows)
    const streamer = trainer(model, loss)
    const evaluation = await streamer.evaluate(fromArrays({ inputs, targets }), { microBatch })
    assert.ok(Math.abs(evaluation.loss - expectedLoss) <= bound)
    assert.ok(Math.abs((await streamer.step({ inputs, targets }, { microBatch })).loss - expectedLoss) <= bound)
    assert.ok(Math.abs((await model.weight.item()) - (2 - 0.125 * slope)) <= bound)
    const refused: unknown = await streamer.predict(inputs, { microBatch }).catch((error: unknown) => error)
    assert.instance(refused, OutputShapeError)
    assert.match(String(refused), /return y\.reshape\(\[x\.shape\[0\], 3, 2\]\)/)
  }
})

test('check gets the shape of the outputs of the whole mini-batch', async () => {
  const seen: (readonly number[])[] = []
  const loss: Loss = Object.assign((y: Tensor) => mean(square(y)), {
    check: (_: HostArray, shape: readonly number[]) => {
      seen.push(shape)
    },
  })
  const streamer = trainer(new Own(open(), (x) => reshape(x, [-1, 2])), loss)
  await streamer.step({ inputs: counting([5, 3, 2]), targets: counting([5]) }, { microBatch: 2 })
  assert.equal(seen, [[15, 2]])
})

test('models that refuse some sizes run: batch norm over one pixel, pairs of samples, one size alone', async () => {
  const device = open()
  const normed = new Sequential(new BatchNorm2d(device, 2), new Flatten(device), new Linear(device, 2, 1))
  const targets = counting([3, 1])
  assert.equal((await trainer(normed, mse).step({ inputs: counting([3, 2, 1, 1]), targets })).parts, [
    { size: 3, count: 1 },
  ])
  const pairs = trainer(new Own(open(), (x) => reshape(reshape(x, [-1, 2, 2]), [-1, 2])))
  assert.equal((await pairs.predict(counting([4, 2]))).shape, [4, 2])
  const fixed = trainer(new Own(open(), (x) => reshape(x, [4, 2])))
  assert.equal((await fixed.predict(counting([4, 2]))).shape, [4, 2])
})

test.run()
