/** The accuracy of `evaluate` against counts by hand, for all kinds of outputs, targets and losses. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Batch, fromArrays } from '../src/data/index.js'
import { HeapDevice } from '../src/device/heap-device.js'
import { HeapAllocator } from '../src/memory/heap.js'
import { Module, Parameter } from '../src/nn/index.js'
import { add, mul, sub } from '../src/ops/binary.js'
import { crossEntropy, crossEntropyLoss } from '../src/ops/cross-entropy.js'
import type { Loss } from '../src/ops/loss.js'
import { reshape, slice } from '../src/ops/movement.js'
import { mse } from '../src/ops/point-loss.js'
import { mean, sum } from '../src/ops/reduce.js'
import { square } from '../src/ops/unary.js'
import { sgd } from '../src/optim/index.js'
import { Streamer } from '../src/stream/streamer.js'
import type { HostArray } from '../src/tensor/host.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

/** A module whose output is its input, as rows if `rows` is set. */
class Same extends Module {
  readonly zero = new Parameter(this.device, [])
  rows = false

  forward(x: Tensor): Tensor {
    const y = add(x, this.zero)
    return this.rows ? reshape(y, [-1, x.shape[2]]) : y
  }
}

function evaluate(
  loss: Loss,
  batch: Batch,
  { microBatch = 'fit', rows = false }: { microBatch?: number | 'fit'; rows?: boolean } = {},
  kind: 'cpu' | 'reference' = 'cpu',
) {
  const device = new HeapDevice(kind, new HeapAllocator(1 << 20))
  const model = new Same(device)
  model.rows = rows
  const streamer = new Streamer({ model, loss, optimizer: sgd(model, { learningRate: 1 }) })
  return streamer.evaluate(fromArrays(batch), { microBatch })
}

const host = (values: readonly number[], shape: readonly number[]): HostArray => ({
  data: Float64Array.from(values),
  shape,
})
const indices = (values: readonly number[], shape: readonly number[] = [values.length]): HostArray => ({
  data: Int32Array.from(values),
  shape,
})

test('a target that the loss ignores is not counted, even if it is a class: 1, not 1 / 4', async () => {
  const logits = [
    [0, 9, 0],
    [9, 0, 0],
    [9, 0, 0],
    [9, 0, 0],
  ].flat()
  const batch = { inputs: host(logits, [4, 3]), targets: indices([1, 2, 2, 2]) }
  assert.is((await evaluate(crossEntropyLoss({ ignoreIndex: 2 }), batch)).accuracy, 1)
  assert.is((await evaluate(crossEntropy, batch)).accuracy, 1 / 4)
  const own: Loss = Object.assign((y: Tensor, t: Tensor) => crossEntropyLoss({ ignoreIndex: 2 })(y, t), {
    ignores: (target: number) => target === 2,
  })
  assert.is((await evaluate(own, batch, { microBatch: 1 })).accuracy, 1)
})

test('sample weights count as in the loss: 3 / 4, and a sample of weight 0 does not count', async () => {
  const batch = {
    inputs: host([9, 0, 9, 0, 9, 0], [3, 2]),
    targets: indices([0, 1, 1]),
    weights: { data: Uint8Array.of(6, 2, 0), shape: [3], scale: 0.5 },
  }
  assert.is((await evaluate(crossEntropy, batch)).accuracy, 3 / 4)
  assert.is((await evaluate(crossEntropy, batch, { microBatch: 1 })).accuracy, 3 / 4)
})

test('the first of equal outputs is the largest; a NaN among them names no class', async () => {
  const { NaN: nan } = Number
  const ties = { inputs: host([1, 1, 0, 0, 1, 1], [2, 3]), targets: indices([0, 1]) }
  assert.is((await evaluate(crossEntropy, ties)).accuracy, 1)
  const lost = { inputs: host([nan, 0, 0, nan, nan, nan, 5, 0], [4, 2]), targets: indices([0, 0, 0, 0]) }
  assert.is((await evaluate(crossEntropy, lost)).accuracy, 1 / 4)
})

test("targets' scale is applied", async () => {
  const targets = { data: Uint8Array.of(4, 2, 0), shape: [3], scale: 0.5 }
  assert.is(
    (await evaluate(crossEntropy, { inputs: host([0, 0, 1, 0, 1, 0, 0, 1, 0], [3, 3]), targets })).accuracy,
    2 / 3,
  )
})

const flatRows: Loss = (y, t) => crossEntropy(y, reshape(t, [-1]))

test('[N, C, T] with targets [N, T], and rows [N T, C] with targets [N, T], any split, by hand', async () => {
  const drawn = fc.record({
    samples: fc.array(
      fc.array(fc.record({ y: fc.array(fc.nat(3), { minLength: 3, maxLength: 3 }), target: fc.nat(2) }), {
        minLength: 2,
        maxLength: 2,
      }),
      { minLength: 1, maxLength: 7 },
    ),
    microBatch: fc.integer({ min: 1, max: 7 }),
    ignoreIndex: fc.integer({ min: 0, max: 3 }),
    kind: fc.constantFrom('cpu' as const, 'reference' as const),
  })
  await fc.assert(
    fc.asyncProperty(drawn, async ({ samples, microBatch, ignoreIndex, kind }) => {
      const places = samples.flat()
      const kept = places.filter(({ target }) => target !== ignoreIndex)
      fc.pre(kept.length > 0)
      const share = (of: typeof places) =>
        of.filter(({ y, target }) => y.indexOf(Math.max(...y)) === target).length / of.length
      const targets = indices(
        places.map(({ target }) => target),
        [samples.length, 2],
      )
      const byClass = samples.flatMap((sample) => [0, 1, 2].flatMap((c) => sample.map(({ y }) => y[c])))
      const loss = crossEntropyLoss({ ignoreIndex })
      const pixels = await evaluate(
        loss,
        { inputs: host(byClass, [samples.length, 3, 2]), targets },
        { microBatch },
        kind,
      )
      assert.is(pixels.accuracy, share(kept))
      const byRow = host(
        places.flatMap(({ y }) => y),
        [samples.length, 2, 3],
      )
      const rows = await evaluate(flatRows, { inputs: byRow, targets }, { microBatch, rows: true }, kind)
      assert.is(rows.accuracy, share(places))
    }),
    { seed: 26, numRuns: 15 * TEST_RUNS },
  )
})

test('a target outside the classes is not counted, even if a loss of your own uses it', async () => {
  const own: Loss = (y) => mean(y)
  const batch = { inputs: host([1, 0, 1, 0, 1, 0], [3, 2]), targets: indices([0, 1, -1]) }
  assert.is((await evaluate(own, batch)).accuracy, 1 / 2)
})

test('a regression has no accuracy, for any shapes', async () => {
  const flat: Loss = (y, t) => mse(reshape(y, t.shape), t)
  /** mean and log variance */
  const gaussian: Loss = (y, t) => mean(square(sub(sum(slice(y, [0, 0], [y.shape[0], 1]), { axes: 1 }), t)))
  /** no mean over samples, which matters to nobody here */
  const paired: Loss = Object.assign((y: Tensor, t: Tensor) => mul(mean(y), mean(t)), { coupled: false as const })
  const ambiguous: [Loss, HostArray, HostArray][] = [
    [mse, host([0, 1, 1, 0], [2, 2]), host([0, 1, 1, 0], [2, 2])],
    [flat, host([0, 1], [2, 1]), host([0, 1], [2])],
    [flat, host([0, 1], [2, 1]), host([0, 0], [2])],
    [gaussian, host([0, 1, 1, 0], [2, 2]), host([0.5, 1], [2])],
    [flat, host([0, 1], [2]), host([0, 1], [2])],
    [paired, host([0, 1, 1, 0], [2, 2]), host([0, 1, 0, 1, 0, 1], [2, 3])],
  ]
  for (const [loss, inputs, targets] of ambiguous) {
    for (const microBatch of [1, 2]) {
      assert.is((await evaluate(loss, { inputs, targets }, { microBatch })).accuracy, undefined)
    }
  }
})

test.run()
