/**
 * The exports of `sluice/testing`: arbitraries with the documented values, and checkGradient on a user's own functions.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openDevice } from '../src/device/open.js'
import { add, mul } from '../src/ops/binary.js'
import { conv2d } from '../src/ops/conv.js'
import { matmul } from '../src/ops/matmul.js'
import { noGrad } from '../src/ops/tape.js'
import { sigmoid, tanh } from '../src/ops/unary.js'
import { fromHost } from '../src/tensor/create.js'
import { sizeOf } from '../src/tensor/shape.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { checkGradient, gridValue, hostArrays, offGridValue, shapes } from '../src/testing.js'
import { fc } from './property.js'

const SEED = { seed: 16, numRuns: 500 }

test('shapes: they keep their bounds, all ranks and dims occur, and 1 occurs more often than the others', () => {
  const bounds = fc.record({ minRank: fc.nat(2), more: fc.nat(3), maxDim: fc.integer({ min: 1, max: 6 }) })
  fc.assert(
    fc.property(
      bounds.chain(({ minRank, more, maxDim }) => {
        const limits = { minRank, maxRank: minRank + more, maxDim }
        return fc.tuple(fc.constant(limits), shapes(limits))
      }),
      ([{ minRank, maxRank, maxDim }, shape]) => {
        assert.ok(shape.length >= minRank && shape.length <= maxRank, `rank ${shape.length}`)
        for (const dim of shape) assert.ok(Number.isInteger(dim) && dim >= 1 && dim <= maxDim, `dim ${dim}`)
      },
    ),
    SEED,
  )
  const drawn = fc.sample(fc.noBias(shapes()), { seed: 16, numRuns: 2000 })
  const ranks = new Set(drawn.map((shape) => shape.length))
  assert.equal([...ranks].sort(), [0, 1, 2, 3, 4])
  const dims = drawn.flat()
  const often = [1, 2, 3, 4].map((dim) => dims.filter((other) => other === dim).length)
  assert.is(
    often.reduce((sum, count) => sum + count, 0),
    dims.length,
  )
  assert.ok(Math.min(...often) > 0.1 * dims.length && often[0] > 1.5 * Math.max(...often.slice(1)), `${often}`)
})

/** The shrunk counterexample of a failing property. */
const shrunk = <T>(arbitrary: fc.Arbitrary<T>, fails: (value: T) => boolean): T | undefined =>
  fc.check(
    fc.property(arbitrary, (value) => !fails(value)),
    SEED,
  ).counterexample?.[0]

test('values: multiples of 1/16 and odd multiples of 1/32 up to 2, exact in float32, the latter never 0', () => {
  fc.assert(
    fc.property(gridValue(), offGridValue(), (on, off) => {
      assert.ok(Math.abs(on) <= 2 && Number.isInteger(16 * on))
      assert.ok(Math.abs(off) <= 2 && Number.isInteger(32 * off) && !Number.isInteger(16 * off))
      for (const value of [on, off, on * off, on + off]) assert.is(Math.fround(value), value)
    }),
    SEED,
  )
  const all = (arbitrary: fc.Arbitrary<number>) => new Set(fc.sample(fc.noBias(arbitrary), { seed: 16, numRuns: 3000 }))
  assert.is(all(gridValue()).size, 65)
  assert.is(all(offGridValue()).size, 64)
})

test('values shrink towards 0', () => {
  assert.is(
    shrunk(gridValue(), (value) => value >= 0.5),
    0.5,
  )
  assert.is(
    shrunk(gridValue(), () => true),
    0,
  )
  assert.is(
    shrunk(offGridValue(), (value) => value > 0.5),
    17 / 32,
  )
})

test('host arrays fill any shape, with values of the requested kind', async () => {
  const device = await openDevice('cpu', { memory: '1MiB' })
  const arrays = fc.oneof(
    hostArrays(),
    hostArrays([]),
    hostArrays([3, 1, 2]),
    shapes({ maxRank: 2 }).chain((shape) => hostArrays(shape, offGridValue())),
  )
  await fc.assert(
    fc.asyncProperty(arrays, async (array) => {
      assert.is(array.data.length, sizeOf(array.shape))
      using tensor = fromHost(device, array)
      assert.equal(Array.from(await tensor.data()), Array.from(array.data), 'exact in float32')
    }),
    { seed: 16, numRuns: 200 },
  )
  const ones = fc.sample(hostArrays([2, 2], fc.constant(1)), { seed: 1, numRuns: 5 })
  for (const { data, shape } of ones)
    assert.equal(
      [Array.from(data), shape],
      [
        [1, 1, 1, 1],
        [2, 2],
      ],
    )
  assert.equal(shrunk(hostArrays([2]), () => true)?.data, Float64Array.of(0, 0))
})

// checkGradient on functions as a user would write them

/** x sigmoid(1.5 x), composed from ops of the library. */
const swish = (x: Tensor): Tensor => mul(x, sigmoid(mul(x, 1.5)))

/** The same without the gradient of its second factor. */
const swishWrong = (x: Tensor): Tensor =>
  mul(
    x,
    noGrad(x.device, () => sigmoid(mul(x, 1.5))),
  )

test("checkGradient: a user's function passes on any input, and fails where its gradient is wrong", async () => {
  await fc.assert(
    fc.asyncProperty(
      shapes({ maxRank: 3 }).chain((shape) => hostArrays(shape, offGridValue())),
      async (x) => {
        const right = await checkGradient(swish, [x])
        assert.ok(right.ok, `error ${right.worstError}`)
        const wrong = await checkGradient(swishWrong, [x])
        assert.not(wrong.ok)
        assert.ok(wrong.worstError > right.worstError)
      },
    ),
    { seed: 16, numRuns: 40 },
  )
})

test('checkGradient: it names the input with the wrong gradient', async () => {
  const layer = (x: Tensor, weight: Tensor, bias: Tensor): Tensor =>
    tanh(
      add(
        matmul(
          x,
          noGrad(weight.device, () => mul(weight, 1)),
        ),
        bias,
      ),
    )
  const { ok, inputs } = await checkGradient(layer, [
    [
      [0.5, -1],
      [0.25, 2],
    ],
    [
      [1, -0.5, 0.75],
      [0.25, 1.5, -1],
    ],
    [0.125, 0.25, -0.5],
  ])
  assert.not(ok)
  assert.equal(
    inputs.map(({ error }) => error <= 1e-6),
    [true, false, true],
  )
  assert.is(inputs[1].analytic, 0)
})

test('checkGradient: a residual block with weights, by directions of any seed', async () => {
  const block = (x: Tensor, weight: Tensor): Tensor => add(x, tanh(conv2d(x, weight, null, { padding: 1 })))
  await fc.assert(
    fc.asyncProperty(hostArrays([2, 2, 3, 3]), hostArrays([2, 2, 3, 3]), fc.nat(1000), async (x, weight, seed) => {
      const { ok, worstError } = await checkGradient(block, [x, weight], { seed })
      assert.ok(ok, `error ${worstError}`)
    }),
    { seed: 16, numRuns: 20 },
  )
})

test('a property that fails prints the reason', () => {
  const failing = fc.property(fc.nat(), () => {
    throw new Error('no tolerance for softsign')
  })
  assert.throws(() => fc.assert(failing, SEED), /no tolerance for softsign/)
})

test.run()
