/** The backward walk: which nodes of a tape it uses, what it refuses, and how little memory it holds. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backward, zeroGrad } from '../src/autograd/backward.js'
import type { Device } from '../src/device/device.js'
import { openDevice } from '../src/device/open.js'
import { CATEGORIES } from '../src/memory/allocator.js'
import { ArgumentError } from '../src/memory/errors.js'
import { apply } from '../src/ops/op.js'
import { ops } from '../src/ops/table.js'
import { tapeOf } from '../src/ops/tape.js'
import { full, requireGrad, tensor } from '../src/tensor/create.js'
import { DisposedError, ShapeError } from '../src/tensor/errors.js'
import { scope } from '../src/tensor/scope.js'
import type { Tensor } from '../src/tensor/tensor.js'

const reference = await openDevice('reference', { memory: '1MiB' })

const gradient = async ({ grad }: Tensor): Promise<number[]> => Array.from((await grad?.data()) ?? [])

function thrown(attempt: () => void): unknown {
  try {
    attempt()
  } catch (error) {
    return error
  }
  return null
}

test('two losses on one tape: each backward uses up its own nodes, and the others stay', async () => {
  const leaves = [1, 2, 3].map((value) => requireGrad(tensor(reference, [value, -value])))
  const [a, b, c] = leaves
  scope(reference, () => {
    const first = ops.sum(ops.square(a))
    const second = ops.sum(ops.mul(b, c))
    const third = ops.sum(ops.square(c))
    backward(second)
    assert.is(tapeOf(reference).length, 4)
    assert.is(a.grad, null)
    backward(first, 0.5)
    backward(third)
    assert.is(tapeOf(reference).length, 0)
  })
  assert.equal(await Promise.all(leaves.map(gradient)), [
    [1, -1],
    [3, -3],
    [2 + 6, -2 - 6],
  ])
  zeroGrad([...leaves, tensor(reference, [7])])
  assert.equal(await Promise.all(leaves.map(gradient)), [
    [0, 0],
    [0, 0],
    [0, 0],
  ])
  for (const leaf of leaves) leaf.grad?.dispose()
  assert.throws(() => zeroGrad(leaves), /^zeroGrad: /)
})

test('inputs that need no gradient get none, on whichever side they are', async () => {
  const x = requireGrad(tensor(reference, [2, 5]))
  const constant = tensor(reference, [3, -4])
  scope(reference, () => backward(ops.sum(ops.sub(ops.mul(x, constant), ops.mul(constant, x)))))
  assert.equal(await gradient(x), [0, 0])
  scope(reference, () => backward(ops.sum(ops.sub(ops.mul(constant, 2), ops.mul(constant, x)))))
  assert.equal(await gradient(x), [-3, 4])
  assert.is(constant.grad, null)
  x.grad?.dispose()
  const [table, row] = [
    [
      [1, 2],
      [3, 4],
    ],
    [1],
  ].map((values) => requireGrad(tensor(reference, values)))
  scope(reference, () => backward(ops.sum(ops.embedding(table, row))))
  assert.equal(await gradient(table), [0, 0, 1, 1])
  assert.is(row.grad, null, 'an index has no gradient, even if it requires one')
  table.grad?.dispose()
})

test('a loss of more than one element, without a recording, or disposed is refused, and no node is used up', async () => {
  const x = requireGrad(tensor(reference, [1, 2]))
  scope(reference, () => {
    const y = ops.mul(x, 3)
    const shape = thrown(() => backward(y))
    assert.instance(shape, ShapeError)
    assert.match(String(shape), /backward: the loss has shape \[2\]/)
    const none = thrown(() => backward(tensor(reference, 1)))
    assert.instance(none, ArgumentError)
    const loss = ops.sum(y)
    const gone = ops.sum(y)
    gone.dispose()
    const disposed = thrown(() => backward(gone))
    assert.instance(disposed, DisposedError)
    assert.match(String(disposed), /DisposedError: backward: /)
    assert.is(tapeOf(reference).length, 2, 'the nodes that led only to the disposed loss are gone')
    backward(loss)
  })
  assert.equal(await gradient(x), [3, 3])
  x.grad?.dispose()
})

test('an op whose gradient uses an undeclared tensor is refused, and the error names the tensor', () => {
  const { op } = ops.square
  const [{ send }] = op.gradients.flatMap((found) => found ?? [])
  for (const saves of [[], ['output' as const]]) {
    const careless = { ...op, gradients: [{ saves, send }] }
    scope(reference, () => {
      const loss = ops.sum(apply(careless, [requireGrad(full(reference, [2, 3], 1))], { a: 0, b: 0 }))
      const error = thrown(() => backward(loss))
      assert.instance(error, ArgumentError)
      assert.match(String(error), /square: its gradient uses '0', which it does not declare/)
    })
  }
})

/** The most memory that backward holds beyond what is held before it, in numbers of float64. */
function extraNumbers(device: Device, loss: Tensor): number {
  const { heldBytes } = device.memory
  device.allocator.resetPeak()
  backward(loss)
  return (device.memory.peakHeldBytes - heldBytes) / 8
}

test('a pending gradient is copied before a sum only while it is shared; all of it counts as activation', () => {
  const size = 16 * 16
  scope(reference, () => {
    const x = requireGrad(full(reference, [16, 16], 1))
    const h = ops.reshape(ops.reshape(x, [256, 1]), [16, 16])
    const w = full(reference, [16, 16], 1)
    const loss = ops.sum(ops.add(ops.add(ops.matmul(h, w), ops.matmul(h, w)), ops.matmul(h, w)))
    const { activation, gradient } = reference.memory.held
    // first the dy that all three share and the pending gradient of h; then that gradient and dx
    assert.ok(extraNumbers(reference, loss) <= 2 * size + 2 * 8)
    assert.equal(Object.keys(reference.memory.held), CATEGORIES)
    assert.is(reference.memory.held.gradient, gradient + 8 * size)
    assert.is(reference.memory.held.activation, activation)
    x.grad?.dispose()
  })
  scope(reference, () => {
    const x = requireGrad(full(reference, [16, 16], 1))
    const h = ops.mul(x, 3)
    backward(ops.sum(ops.add(ops.square(h), ops.reshape(h, [16, 16]))))
    x.grad?.dispose()
  })
  assert.equal(Object.keys(reference.memory.held), CATEGORIES)
})

test('a gradient is added directly to its buffer: a second backward takes no temporary', () => {
  const size = 16 * 16
  scope(reference, () => {
    const x = requireGrad(full(reference, [16, 16], 1))
    const w = requireGrad(full(reference, [16, 16], 1))
    const loss = (): Tensor => ops.sum(ops.matmul(x, w))
    const [first, second] = [loss(), loss()]
    // dy, dx, dw, and the seed of two cache lines at most; then dy alone
    const lines = 2 * 8
    assert.ok(extraNumbers(reference, first) <= 3 * size + lines)
    assert.ok(extraNumbers(reference, second) <= size + lines)
    for (const leaf of [x, w]) leaf.grad?.dispose()
  })
})

test.run()
