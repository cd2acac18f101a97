/** Ops that users define, on the GPU: values and gradients are those of their loops, and a step is as planned. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backward } from '../../src/autograd/backward.js'
import type { Device } from '../../src/device/device.js'
import { DeviceError } from '../../src/device/errors.js'
import { openDevice } from '../../src/device/open.js'
import '../../src/ops/chain.js'
import { defineOp } from '../../src/ops/define.js'
import { planOf } from '../../src/step/pass.js'
import { scope } from '../../src/step/scope.js'
import { requireGrad, tensor } from '../../src/tensor/create.js'
import type { Tensor } from '../../src/tensor/tensor.js'
import { checkDevices } from '../../src/testing/index.js'
import { gatedProduct, rowLogSum, softplus } from '../defined.js'
import { errorOf } from '../error-of.js'
import { weightsFor } from '../outcomes.js'
import { gpuFunction } from '../tolerances.js'
import { api } from './form.js'

const gpu = await openDevice('gpu', { api, memory: '4MiB' })
const reference = await openDevice('reference', { memory: '4MiB' })

const values = (size: number, from: number): number[] =>
  Array.from({ length: size }, (_, i) => ((i * 37 + from) % 61) / 16 - 2)

const CALLS: Readonly<Record<string, (x: Tensor, y: Tensor, z: Tensor) => Tensor>> = {
  softplus: (x) => softplus(x, { beta: 1.5 }),
  rowLogSum: (x) => rowLogSum(x),
  gatedProduct: (x, y, z) => gatedProduct(x, y, z, { threshold: 0.25 }),
  'gatedProduct, open': (x, y, z) => gatedProduct(x, y, z, { open: true }),
}

async function outcome(device: Device, call: (x: Tensor, y: Tensor, z: Tensor) => Tensor, shape: number[]) {
  const size = shape.reduce((a, b) => a * b, 1)
  const { y, grads } = scope(device, () => {
    const [a, b, c] = [3, 11, 29].map((from) => tensor(device, values(size, from), shape))
    const leaves = [requireGrad(a), requireGrad(b)]
    const y = call(a, b, c)
    backward(y.mul(tensor(device, weightsFor(y.size), y.shape)).sum())
    return { y, grads: leaves.flatMap(({ grad }) => grad ?? []) }
  })
  const found = [y, ...grads].map((each) => each.data())
  for (const each of [y, ...grads]) each.dispose()
  return Promise.all(found)
}

for (const [name, call] of Object.entries(CALLS)) {
  test(`${name}: values and gradients are those of the loops`, async () => {
    for (const shape of [[1], [5], [3, 7], [2, 3, 4]]) {
      const [seen, wanted] = [await outcome(gpu, call, shape), await outcome(reference, call, shape)]
      assert.is(seen.length, wanted.length)
      wanted.forEach((expected, k) => {
        expected.forEach((value, i) => {
          assert.ok(
            Math.abs(seen[k][i] - value) <= 4 * gpuFunction(value),
            `${name} [${shape}] ${k}, ${i}: ${seen[k][i]}, not ${value}`,
          )
        })
      })
    }
  })
}

test('planned is measured, and all memory comes back', () => {
  const held = gpu.memory.heldBytes
  for (const [name, call] of Object.entries(CALLS)) {
    const step = () =>
      scope(gpu, () => {
        const x = requireGrad(tensor(gpu, values(24, 1), [4, 6]))
        backward(call(x, x, x).mean())
        x.grad?.dispose()
      })
    const { peakBytes } = planOf(gpu, step)
    gpu.allocator.resetPeak()
    step()
    assert.is(gpu.memory.peakBytes, peakBytes, name)
    assert.is(gpu.memory.heldBytes, held, name)
  }
})

test('checkDevices opens the gpu and agrees; it finds a function for the gpu that is another one', async () => {
  const inputs = [[values(12, 5)]]
  const { compared, withoutGpu } = await checkDevices((x) => softplus(x, { beta: 1.5 }), inputs)
  assert.equal([compared, withoutGpu], [['cpu', 'gpu'], null])
  const loop = ([x]: readonly (Float32Array | Float64Array)[], y: Float32Array | Float64Array) =>
    y.forEach((_, i) => {
      y[i] = 2 * x[i]
    })
  const gradients = { x: { saves: [], ops: ({ dy }: { dy: Tensor }) => dy.mul(2) } }
  const wrong = defineOp({ name: 'twice', inputs: ['x'], loop, gpu: '(i, x) => 2.125 * x[i]', gradients })
  assert.match(
    String(await errorOf(checkDevices(wrong, inputs))),
    /CheckError: checkDevices: the result at .* on gpu, and .* on reference/,
  )
})

/** WebGPU tells of a program that it cannot compile only when a read waits for it. */
const testAtOnce = api === 'webgpu' ? test.skip : test

testAtOnce('what a gpu cannot run is a DeviceError that says so', async () => {
  const loop = ([x]: readonly (Float32Array | Float64Array)[], y: Float32Array | Float64Array) => y.set(x)
  const definition = { name: 'same', inputs: ['x'], loop, gradients: { x: null } } as const
  const x = tensor(gpu, [1, 2])
  const held = gpu.memory.heldBytes
  for (const [op, says] of [
    [defineOp(definition), /same: it is not defined for the gpu device: give gpu/],
    [defineOp({ ...definition, gpu: '(i, x) => fetch(x[i])' }), /gpu.js cannot compile/],
    [defineOp({ ...definition, gpu: '(i, x) => { y = x[i]; return y }' }), /gpu.js cannot compile/],
  ] as const) {
    const error = await errorOf(() => op(x))
    assert.instance(error, DeviceError)
    assert.match(String(error), says)
    assert.is(gpu.memory.heldBytes, held)
  }
})

test.run()
