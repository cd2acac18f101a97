/**
 * A scope frees values early, writes outputs over inputs and keeps masks in place of tensors. None of it may change a bit:
 * the results are those of the same program run at once, which keeps everything.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backward } from '../src/autograd/backward.js'
import type { Device } from '../src/device/device.js'
import { HeapDevice } from '../src/device/heap-device.js'
import { HeapAllocator } from '../src/memory/heap.js'
import { generator } from '../src/nn/index.js'
import { mul } from '../src/ops/binary.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import { reshape } from '../src/ops/movement.js'
import { layerNorm } from '../src/ops/norm.js'
import { apply } from '../src/ops/op.js'
import { mse } from '../src/ops/point-loss.js'
import { maxPool2d } from '../src/ops/pool.js'
import { mean, sum } from '../src/ops/reduce.js'
import { softmax } from '../src/ops/softmax.js'
import { opTable } from '../src/ops/table.js'
import { noGrad } from '../src/ops/tape.js'
import { clamp, leakyRelu, relu } from '../src/ops/unary.js'
import { planOf } from '../src/step/pass.js'
import { scope } from '../src/step/scope.js'
import { gradientOf, requireGrad, tensor, zeros } from '../src/tensor/create.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { TEST_RUNS } from './fixtures.js'
import { describe, hasGradient, samplesOf, upload, weightsFor } from './outcomes.js'
import { fc } from './property.js'
import { CHANNELS, RandomNet, SIDE, steps } from './random-nets.js'

const KINDS = ['cpu', 'reference'] as const
const SAMPLES = 3

const open = (kind: (typeof KINDS)[number]): Device =>
  new HeapDevice(kind, new HeapAllocator(2 ** 26), { threads: kind === 'cpu' ? 2 : 1 })

type Within = <T>(device: Device, fn: () => T) => T
const atOnce: Within = (_, fn) => fn()

/** Loss, gradients and the outputs of a prediction. */
async function numbersOf(kind: (typeof KINDS)[number], within: Within, model: (device: Device) => RandomNet) {
  const device = open(kind)
  const net = model(device)
  const random = generator(5)
  const inputs = Array.from({ length: SAMPLES * CHANNELS * SIDE * SIDE }, () => 2 * random() - 1)
  const input = () => tensor(device, inputs, [SAMPLES, ...net.inputShape])
  device.step.call = 0
  const loss = within(device, () => {
    const result = crossEntropy(net.forward(input()), tensor(device, [0, 1, 2]))
    backward(result)
    return result
  })
  const outputs = within(device, () => noGrad(device, () => net.forward(input())))
  const gradients = [...net.parameters()].flatMap(({ grad }) => grad ?? [])
  const all = await Promise.all([loss, outputs, ...gradients].map((each) => each.data()))
  await device.close()
  return all
}

test('random networks', () =>
  fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(...KINDS), async (drawn, kind) => {
      const model = (device: Device) => new RandomNet(device, drawn)
      assert.equal(await numbersOf(kind, scope, model), await numbersOf(kind, atOnce, model))
    }),
    { seed: 11, numRuns: 30 * TEST_RUNS },
  ))

test('every op, on inputs that are not needed after it', async () => {
  for (const kind of KINDS) {
    const device = open(kind)
    for (const [op, drawn] of samplesOf(opTable)) {
      const run = (within: Within): Tensor =>
        within(device, () => {
          const inputs = upload(device, drawn).map((x) => mul(x, 1))
          return apply(op, inputs, drawn.options)
        })
      const [found, expected] = await Promise.all([run(scope).data(), run(atOnce).data()])
      assert.equal(found, expected, `${op.name} on ${kind}`)
    }
    await device.close()
  }
})

test('the gradient of every op, where it may be written over its operands', async () => {
  for (const kind of KINDS) {
    const device = open(kind)
    for (const [op, drawn] of samplesOf(opTable)) {
      const run = (within: Within): Tensor[] => {
        const inputs = upload(device, drawn)
        const leaves = inputs.filter((_, i) => hasGradient(op, i)).map(requireGrad)
        if (leaves.length === 0) return []
        within(device, () => {
          device.step.call = 0
          const y = apply(
            op,
            inputs.map((x) => mul(x, 1)),
            drawn.options,
          )
          backward(sum(mul(y, tensor(device, weightsFor(y.size), y.shape))))
        })
        return leaves.map(gradientOf)
      }
      const [found, expected] = await Promise.all(
        [scope, atOnce].map((within) => Promise.all(run(within).map((each) => each.data()))),
      )
      assert.equal(found, expected, `${describe(op, drawn)} on ${kind}`)
    }
    await device.close()
  }
})

test('a scope that keeps a value is not run by the plan of one that does not', async () => {
  const device = open('cpu')
  const x = tensor(device, [-1, 2])
  const run = (keeps: boolean): Tensor[] =>
    scope(device, () => {
      const middle = mul(x, 3)
      const outer = relu(middle)
      const result = mul(outer, 2)
      return keeps ? [result, outer] : [result]
    })
  for (const keeps of [false, true, false]) {
    const results = run(keeps)
    const values = await Promise.all(results.map((each) => each.array()))
    for (const each of results) each.dispose()
    assert.equal(
      values,
      keeps
        ? [
            [0, 12],
            [0, 6],
          ]
        : [[0, 12]],
    )
  }
  await device.close()
})

/** The bytes that a training step of a chain of layers needs at once, beside its parameter of `size` elements. */
function bytesOf(size: number, layers: (x: Tensor) => Tensor): number {
  const device = open('cpu')
  const weight = requireGrad(zeros(device, [1, 1, size / 64, 64]))
  backward(mean(mul(weight, 2)))
  const before = device.memory.heldBytes
  return planOf(device, () => scope(device, () => backward(mean(layers(mul(weight, 2)))))).peakHeldBytes - before
}

test('a chain of elementwise layers holds one tensor, and a bit for each element of each layer', () => {
  const size = 64 * 960
  const layers = (x: Tensor) => clamp(leakyRelu(relu(x)), -1, 1)
  const bytes = bytesOf(size, layers)
  assert.ok(bytes <= 4 * size + (3 * 4 * size) / 24 + 1024, `${bytes}`)
})

test('max pooling holds a few bits for each window', () => {
  const size = 64 * 960
  const bytes = bytesOf(size, (x) => maxPool2d(relu(x), { kernel: 2 }))
  const windows = size / 4
  assert.ok(bytes <= 4 * size + 4 * windows + (4 * windows) / 12 + (4 * size) / 24 + 1024, `${bytes}`)
})

/** The largest number of bytes that these layers hold on their way to the loss and back, in tensors of `size` elements. */
const tensorsOf = (size: number, layers: (x: Tensor) => Tensor): number => bytesOf(size, layers) / (4 * size)

test('the gradient of cross-entropy lies where the logits were, and that of softmax and of a norm where dy was', () => {
  const size = 64 * 960
  const rows = (x: Tensor) => reshape(x, [960, 64])
  const loss = (x: Tensor) => crossEntropy(rows(x), zeros(x.device, [960]))
  assert.ok(tensorsOf(size, loss) < 1.1, `${tensorsOf(size, loss)}`)
  const smooth = (x: Tensor) => softmax(rows(x))
  assert.ok(tensorsOf(size, smooth) < 2.1, `${tensorsOf(size, smooth)}`)
  const norm = (x: Tensor) => layerNorm(rows(x))
  assert.ok(tensorsOf(size, norm) < 2.1, `${tensorsOf(size, norm)}`)
  const error = (x: Tensor) => mse(rows(x), zeros(x.device, [960, 64]))
  assert.ok(tensorsOf(size, error) < 2.1, `${tensorsOf(size, error)}`)
})

test.run()
