/** Loops by hand in scopes, which are recorded and run at their end. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backward } from '../src/autograd/backward.js'
import { RehearsalError } from '../src/device/errors.js'
import { openDevice } from '../src/device/open.js'
import { BudgetExceededError } from '../src/memory/allocator.js'
import { Linear } from '../src/nn/index.js'
import { ops } from '../src/ops/table.js'
import { sgd } from '../src/optim/index.js'
import { planOf } from '../src/step/pass.js'
import { scope } from '../src/step/scope.js'
import { fromHost, full, requireGrad, tensor, zeros } from '../src/tensor/create.js'
import { keep } from '../src/tensor/scope.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { errorOf } from './error-of.js'

const open = (memory = '1MiB') => openDevice('reference', { memory })

test('data() within a scope gives the values at the time of the call, and resolves when the scope has run', async () => {
  const device = await open()
  const x = requireGrad(tensor(device, [1, 2]))
  const optimizer = sgd([{ parameters: [x] }], { learningRate: 1 })
  const read = scope(device, () => {
    const before = x.data()
    backward(ops.sum(ops.mul(x, x)))
    optimizer.step()
    return [before, x.data(), ops.square(x).data()]
  })
  const [before, after, squares] = await Promise.all(read)
  // x - 2 x
  assert.equal(
    [[...before], [...after], [...squares]],
    [
      [1, 2],
      [-1, -2],
      [1, 4],
    ],
  )
})

test('an upload takes the values of its array at the call', async () => {
  const device = await open()
  const data = new Float64Array(3)
  const sums = scope(device, () =>
    [1, 2].map((value) => {
      data.fill(value)
      return ops.sum(fromHost(device, { data, shape: [3] }))
    }),
  )
  assert.equal(await Promise.all(sums.map((sum) => sum.item())), [3, 6])
})

test('intermediates live from first use to last, even if something still refers to them', async () => {
  const device = await open()
  const bytes = 8 * 4096
  const seen: Tensor[] = []
  const y = scope(device, () => {
    let h = zeros(device, [4096])
    for (let i = 0; i < 20; i++) {
      h = ops.tanh(h)
      seen.push(h)
    }
    return h
  })
  assert.is(device.memory.peak.activation, 2 * bytes)
  assert.is(device.memory.held.activation, bytes)
  assert.is(y.usable, true)
  assert.is(seen[3].usable, false)
})

test('a budget that is too small is refused before anything has run, and nothing is left', async () => {
  const device = await open('128KiB')
  const x = requireGrad(full(device, [64], 3))
  scope(device, () => backward(ops.sum(ops.mul(x, x))))
  const optimizer = sgd([{ parameters: [x] }])
  const { heldBytes } = device.memory
  const before = [...((await x.grad?.data()) ?? [])]
  const read: Promise<unknown>[] = []
  assert.throws(
    () =>
      scope(device, () => {
        backward(ops.sum(ops.mul(x, x)))
        optimizer.step()
        read.push(x.data())
        keep(ops.matmul(zeros(device, [100, 100]), zeros(device, [100, 100])))
      }),
    (error: unknown) => error instanceof BudgetExceededError && error.op === 'zeros',
  )
  assert.instance(await errorOf(read[0]), RehearsalError)
  assert.equal([...((await x.grad?.data()) ?? [])], before)
  assert.is(optimizer.steps, 0)
  assert.is(device.memory.heldBytes, heldBytes)
  scope(device, () => optimizer.step())
  assert.is(optimizer.steps, 1)
})

test('a scope that throws, or that is only planned, leaves no gradient behind', async () => {
  const device = await open()
  const layer = new Linear(device, 3, 2)
  const learn = () => backward(ops.sum(layer.forward(zeros(device, [4, 3]))))
  assert.throws(
    () =>
      scope(device, () => {
        learn()
        throw new Error('no')
      }),
    /^no$/,
  )
  planOf(device, () => scope(device, learn))
  assert.is(layer.weight.grad, null)
  const optimizer = sgd(layer)
  optimizer.zeroGrad()
  scope(device, learn)
  assert.is((await layer.bias?.grad?.data())?.[0], 4)
})

test('a tensor from outside can be disposed within a scope, and is freed when the scope has run', async () => {
  const device = await open()
  const x = full(device, [512], 2)
  const y = scope(device, () => {
    const squares = ops.square(x)
    x.dispose()
    return squares
  })
  assert.is(x.disposed, true)
  assert.is(device.memory.held.activation, 8 * 512)
  assert.is((await y.data())[0], 4)
})

test('a repeated step is not planned again, even if other results of it are kept', async () => {
  const device = await open()
  const x = full(device, [64], 2)
  const results: Tensor[][] = []
  for (const wanted of [1, 2, 1, 2]) {
    results.push(scope(device, () => [ops.square(x), ops.neg(x)].slice(0, wanted)))
  }
  assert.equal(
    results.map((made) => made.length),
    [1, 2, 1, 2],
  )
  for (const made of results) {
    assert.equal(await Promise.all(made.map(async (each) => (await each.data())[63])), [4, -2].slice(0, made.length))
  }
})

test.run()
