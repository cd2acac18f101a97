/**
 * The exports of `sluice/testing`: arbitraries with the documented values, and checks of a user's own functions, losses and
 * modules.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Device } from '../src/device/device.js'
import { openDevice } from '../src/device/open.js'
import { BudgetExceededError } from '../src/memory/allocator.js'
import { ArgumentError } from '../src/memory/errors.js'
import { Dropout, LayerNorm, Linear, Module, Sequential } from '../src/nn/index.js'
import { add, mul, sub } from '../src/ops/binary.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import { matmul } from '../src/ops/matmul.js'
import { concat } from '../src/ops/movement.js'
import { mse } from '../src/ops/point-loss.js'
import { relu, square, tanh } from '../src/ops/unary.js'
import { detach } from '../src/ops/views.js'
import { fromHost, tensor } from '../src/tensor/create.js'
import { sizeOf } from '../src/tensor/shape.js'
import type { Tensor } from '../src/tensor/tensor.js'
import {
  CheckError,
  checkDevices,
  checkEveryAllocation,
  checkGradient,
  checkPlan,
  checkSplitInvariant,
  type Fn,
  gridValue,
  hostArrays,
  type Inputs,
  modules,
  offGridValue,
  shapes,
  type Training,
  tensors,
} from '../src/testing/index.js'
import { gatedProduct } from './defined.js'
import { errorOf } from './error-of.js'
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

// The checks, on what a user wrote. What they find in more than a hundred faults is in faults.test.ts.

const X = [
  [0.5, -1.25, 3],
  [-0.75, 2, 0.25],
]

test('checkGradient names the worst element, with a line that finds it again', async () => {
  const mask = [
    [1, 1, 1],
    [0, 1, 1],
  ]
  const wrong = (x: Tensor): Tensor => {
    const kept = tensor(x.device, mask)
    return square(add(mul(x, kept), mul(detach(x), sub(1, kept))))
  }
  const error = await errorOf(checkGradient(wrong, [X], { seed: 3 }))
  assert.instance(error, CheckError)
  const { message } = error as CheckError
  assert.match(
    message,
    /^checkGradient: the gradient of input 0 at \[1,0\] is wrong: backward says 0, differences [-\d.]+\. /,
  )
  const line = message.slice(message.indexOf('await '))
  const again = new Function('checkGradient', 'fn', `return (async () => { ${line} })()`)
  assert.is(String(await errorOf(again(checkGradient, wrong))), String(error))
})

test('checkGradient: the full Jacobian, of every element by every element', async () => {
  const right = await checkGradient((x, w) => tanh(matmul(x, w)), [X, [[1], [-0.5], [0.25]]], { jacobian: true })
  assert.ok(right.worstError < 1e-6 && right.inputs.length === 2 && right.skipped === 0)
  const wrong = (x: Tensor): Tensor => concat([square(x), mul(x, detach(x))], 0)
  const { message } = (await errorOf(checkGradient(wrong, [[1, 3]], { jacobian: true }))) as Error
  assert.match(
    message,
    /d y\[(2|3)\] \/ d input 0 at \[(0|1)\] is wrong: backward says (1|3), differences (1.9|2.0|5.9|6.0)/,
  )
})

test('checkGradient: a corner at the point is an error unless it is declared; one beside the point is none', async () => {
  const cornered = [0, 1, -2]
  assert.instance(await errorOf(checkGradient((x) => relu(x), [cornered])), CheckError)
  const declared = await checkGradient((x) => relu(x), [cornered], { kinks: [0] })
  assert.is(declared.skipped, 1)
  assert.is((await checkGradient((x) => relu(sub(x, 1)), [cornered], { kinks: [1], jacobian: true })).skipped, 1)
  // all weights of the row meet at the corner of the first sum
  const inputs = [
    [[1, -1]],
    [
      [1, 1],
      [1, 2],
    ],
  ]
  const inner = (x: Tensor, w: Tensor): Tensor => matmul(x, w)
  assert.instance(await errorOf(checkGradient((x, w) => relu(inner(x, w)), inputs)), CheckError)
  assert.is((await checkGradient((x, w) => relu(inner(x, w)), inputs, { kinks: inner })).skipped, 4)
  assert.is((await checkGradient((x) => relu(x), [[3e-5, 1]])).skipped, 0)
  // a declared kink hides no fault elsewhere
  const wrong = (x: Tensor): Tensor => mul(relu(x), detach(x))
  assert.instance(await errorOf(checkGradient(wrong, [cornered], { kinks: [0] })), CheckError)
})

const OF_FUNCTIONS: readonly ((fn: Fn, inputs: Inputs, options?: { inputs?: number[] }) => Promise<unknown>)[] = [
  checkGradient,
  checkPlan,
  checkEveryAllocation,
  checkDevices,
]

const net = (device: Device): Sequential =>
  new Sequential(
    new Linear(device, 4, 6),
    new Dropout(device, 0.25),
    new LayerNorm(device, 6),
    new Linear(device, 6, 3),
  )
const samples = (count: number) => ({
  data: Float64Array.from({ length: 4 * count }, (_, i) => Math.sin(3 * i)),
  shape: [count, 4],
})

test('a model alone, a loss alone and both pass every check; what they report', async () => {
  const classes = { data: Int32Array.of(0, 2, -100, 1, -100, 1), shape: [6] }
  const model = { model: net, batch: { inputs: samples(6) } }
  const loss = { loss: mse, batch: { inputs: samples(6), targets: samples(6) } }
  const both = { model: net, loss: crossEntropy, batch: { inputs: samples(6), targets: classes } }
  for (const training of [model, loss, both] as Training[]) {
    const gradient = await checkGradient(training)
    assert.ok(gradient.inputs.length === (training.model ? 7 : 2), `${gradient.inputs.length} inputs`)
    const { splits, worstError } = await checkSplitInvariant(training)
    assert.equal(splits, [1, 2, 3, 4, 5])
    assert.ok(worstError < 1e-12)
    const { peaks } = await checkPlan(training)
    assert.equal(
      peaks.map(({ recompute }) => recompute),
      ['cheap', 'cheap', 'needed'],
    )
    assert.ok(peaks[0].peakBytes > peaks[1].peakBytes)
    assert.ok((await checkEveryAllocation(training)).failures > 20)
    const devices = await checkDevices(training)
    assert.is(devices.compared[0], 'cpu')
    assert.ok(devices.withoutGpu === null || /gpu/.test(devices.withoutGpu))
    assert.ok(devices.worstError < 1e-5)
  }
})

test('a function of tensors, and several inputs and outputs in a record, pass', async () => {
  const gate = [
    [0, 1, 0],
    [1, 1, 0],
  ]
  const gated: Fn = (a, b, c) => gatedProduct(a, b, c)
  for (const check of OF_FUNCTIONS) await check(gated, [X, X, gate], { inputs: [0, 1] })
  class Two extends Module<{ a: Tensor; b: Tensor }, readonly [Tensor, Tensor]> {
    layer = new Linear(this.device, 4, 2)
    forward({ a, b }: { a: Tensor; b: Tensor }): readonly [Tensor, Tensor] {
      return [tanh(this.layer.forward(a)), mul(this.layer.forward(b), 2)]
    }
  }
  const training = { model: (device: Device) => new Two(device), batch: { inputs: { a: samples(4), b: samples(4) } } }
  assert.is((await checkGradient(training)).inputs.length, 4)
  await checkSplitInvariant(training)
  await checkPlan(training)
  await checkDevices(training)
})

test('what the checked code throws is the cause of a CheckError; its message is bounded', async () => {
  const oops = new TypeError('oops'.repeat(1000))
  const thrown = (): never => {
    throw oops
  }
  for (const check of OF_FUNCTIONS) {
    const error = await errorOf(check(thrown, [X]))
    assert.instance(error, CheckError, String(error))
    assert.ok((error as Error).message.length <= 2100 && String(error).includes('oops'))
  }
  const error = await errorOf(checkGradient((x) => square(x), [new Float64Array(1e5)], { memory: '64KiB' }))
  assert.match(String(error), /CheckError: checkGradient: tensor: /)
  assert.instance((error as Error).cause, BudgetExceededError)
})

type Untyped = (...given: unknown[]) => Promise<unknown>

test('wrong arguments are ArgumentErrors by name', async () => {
  const same = (x: Tensor): Tensor => x
  const training = { model: net, batch: { inputs: samples(6) } }
  const cases: [check: unknown, given: unknown[], says: RegExp][] = [
    [checkPlan, [{ modle: net }], /checkPlan: there is no option 'modle' \(do you mean model\?\)/],
    [checkPlan, [{ model: net }], /the option batch is missing/],
    [checkPlan, [{ batch: { inputs: samples(6) } }], /checkPlan: give a model, a loss, or both/],
    [checkPlan, [{ loss: mse, batch: { inputs: samples(6) } }], /the loss needs batch.targets/],
    [checkPlan, [same], /checkPlan: inputs is undefined; it must be a list/],
    [checkPlan, [same, [X], { memry: 1 }], /there is no option 'memry' \(do you mean memory\?\)/],
    [checkPlan, [training, { device: 'gpu' }], /device is 'gpu'; it must be 'cpu' or 'reference'/],
    [checkPlan, [training, { inputs: [0] }], /the option inputs is for a function of tensors/],
    [checkGradient, [same, [X], { kink: [0] }], /there is no option 'kink' \(do you mean kinks\?\)/],
    [checkGradient, [same, [X], { seed: -1 }], /seed -1 is not a whole number/],
    [checkSplitInvariant, [same, [X]], /it takes a training, \{ model, loss, batch \}/],
    [checkSplitInvariant, [{ ...training, batch: { inputs: samples(1) } }], /the batch has one sample/],
    [checkSplitInvariant, [training, { splits: [0] }], /splits has 0; a micro-batch has 1 to 6 samples/],
    [checkDevices, [same, [X], { devices: 'cpu' }], /devices is 'cpu'; it must be a list/],
    [checkEveryAllocation, [1], /a function or a training is 1; it must be an object/],
  ]
  for (const [check, given, says] of cases) {
    const error = await errorOf((check as Untyped)(...given))
    assert.instance(error, ArgumentError, `${says}: ${error}`)
    assert.match(String(error), says)
  }
})

test('modules: they are made alike on every device, and pass', async () => {
  await fc.assert(
    fc.asyncProperty(modules(3, 2), async ({ model, layers }) => {
      assert.ok(layers.length <= 4)
      const [a, b] = await Promise.all([1, 2].map(() => openDevice('reference', { memory: '256KiB' })))
      const states = await Promise.all([a, b].map((device) => model(device).stateDict()))
      assert.equal(states[0], states[1])
      const inputs = { data: Float64Array.from({ length: 12 }, (_, i) => Math.cos(5 * i)), shape: [4, 3] }
      await checkSplitInvariant({ model, batch: { inputs } }, { splits: [3], memory: '256KiB' })
    }),
    { seed: 5, numRuns: 5 },
  )
  const device = await openDevice('cpu', { memory: '64KiB' })
  const [make] = fc.sample(tensors(device, [2, 2]), { seed: 1, numRuns: 1 })
  assert.equal(make().shape, [2, 2])
})

test('a property that fails prints the reason', () => {
  const failing = fc.property(fc.nat(), () => {
    throw new Error('no tolerance for softsign')
  })
  assert.throws(() => fc.assert(failing, SEED), /no tolerance for softsign/)
})

test.run()
