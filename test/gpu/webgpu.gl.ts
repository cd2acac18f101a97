/**
 * What only the form on WebGPU does: buffers that turn out not to exist, commands and reads in their order, few submits.
 * Skipped on WebGL2.
 */
import { test as always } from 'uvu'
import * as assert from 'uvu/assert'
import { DeviceError, DeviceLostError } from '../../src/device/errors.js'
import { openDevice } from '../../src/device/open.js'
import { crossEntropy, data, models, optim, Streamer } from '../../src/index.js'
import { TextureAllocator } from '../../src/memory/texture-allocator.js'
import { ops } from '../../src/ops/table.js'
import { fromHost, tensor } from '../../src/tensor/create.js'
import { errorOf } from '../error-of.js'
import { api, nextDevice } from './form.js'

const STORAGE = 0x80
const test = api === 'webgpu' ? always : always.skip

async function opened(memory: number | string) {
  const made = nextDevice()
  const device = await openDevice('gpu', { api: 'webgpu', memory })
  return { device, context: await made }
}

const streamerOn = (device: Awaited<ReturnType<typeof opened>>['device']) => {
  const model = models.mlp(device, { seed: 1 })
  return new Streamer({ model, loss: crossEntropy, optimizer: optim.adam(model), seed: 1 })
}

const batch = data.digits().gather(Array.from({ length: 12 }, (_, i) => i))

/** Let tensor number `failing` that is made from now on be one that the driver has no memory for. @returns how many were made */
function failAt(context: GPUDevice, failing: number): () => number {
  const { createBuffer } = GPUDevice.prototype
  let made = 0
  context.createBuffer = (options) => {
    if (options.usage & STORAGE) made++
    // larger than any buffer can be: what comes back is what WebGPU gives when there is no memory
    const fails = made === failing && options.usage & STORAGE
    return createBuffer.call(context, fails ? { ...options, size: 2 ** 40 } : options)
  }
  return () => made
}

test('a buffer that could not be made leaves the step undone, or loses the device with a checkpoint to go on from', async () => {
  const { device, context } = await opened('1MiB')
  const streamer = streamerOn(device)
  const before = await streamer.checkpoint()
  const { heldBytes } = device.memory
  const { allocator } = device
  assert.ok(allocator instanceof TextureAllocator)
  let failing = 1
  let error: unknown = null
  for (; ; failing++) {
    allocator.trim()
    const made = failAt(context, failing)
    error = await streamer.step(batch).then(
      () => null,
      (thrown: unknown) => thrown,
    )
    failAt(context, 0)
    if (error instanceof DeviceLostError) break
    if (error === null) {
      assert.ok(made() < failing, 'a creation that failed was not noticed')
      break
    }
    assert.instance(error, DeviceError, `creation ${failing}: ${error}`)
    assert.match(String(error), 'give a smaller budget')
    assert.is(device.memory.heldBytes, heldBytes, 'nothing is held that was not held before')
    assert.equal(await streamer.checkpoint(), before)
  }
  console.log(`${failing - 1} creations failed, and then ${error === null ? 'the step was done' : error}`)
  // lost: by a creation in the commit, which had begun to change parameters
  const second = (await opened('1MiB')).device
  const other = streamerOn(second)
  other.restore(streamer.lastCheckpoint ?? before)
  assert.is(other.optimizer.steps, error === null ? 1 : 0)
  assert.ok(Number.isFinite((await other.step(batch)).loss))
  await Promise.all([device.close(), second.close()])
})

test('a long read gives the values at the time of its call, whatever happens before its end', async () => {
  const size = 200_000
  const { device } = await opened('5MiB')
  const values = Float32Array.from({ length: size }, (_, i) => i % 1013)
  const x = fromHost(device, { shape: [size], data: values })
  const long = [x.data(), x.data()]
  const short = ops.sum(x).data()
  x.dispose()
  // takes the buffer of x, and later needs its bytes for others
  const y = fromHost(device, { shape: [size], data: values.map((value) => -value) })
  const after = y.data()
  y.dispose()
  const z = fromHost(device, { shape: [size, 3], data: new Float32Array(3 * size).fill(7) })
  assert.equal(await long[0], values)
  assert.equal(await long[1], values)
  assert.ok(Math.abs((await short)[0] - values.reduce((a, b) => a + b)) < 64)
  assert.equal(
    await after,
    values.map((value) => -value),
  )
  assert.ok((await z.data()).every((value) => value === 7))
  await device.close()
})

test('a step is submitted in few pieces, and writes nothing to the console', async () => {
  const { device, context } = await opened('4MiB')
  const streamer = streamerOn(device)
  await streamer.step(batch)
  let [submits, dispatches] = [0, 0]
  const { queue } = context
  const submit = queue.submit.bind(queue)
  queue.submit = (buffers) => {
    submits++
    return submit(buffers)
  }
  const { prototype } = GPUComputePassEncoder
  const { dispatchWorkgroups } = prototype
  prototype.dispatchWorkgroups = function (...groups) {
    dispatches++
    return dispatchWorkgroups.apply(this, groups)
  }
  await streamer.step(batch)
  prototype.dispatchWorkgroups = dispatchWorkgroups
  await device.close()
  console.log(`${dispatches} dispatches in ${submits} submits`)
  assert.ok(dispatches > 30 && submits < dispatches / 5, `${dispatches} dispatches in ${submits} submits`)
})

test('a tensor can be as large as the largest of the form on WebGL2', async () => {
  const { device } = await opened('160MiB')
  const size = 2 ** 24
  const x = fromHost(device, { shape: [size], data: Float32Array.from({ length: size }, (_, i) => i) })
  const y = ops.neg(x)
  assert.is((await ops.slice(y, [size - 3], [size]).data())[2], 1 - size)
  await device.close()
})

test('without an adapter the error says so', async () => {
  // the global name GPU is gpu.js here
  const prototype: GPU = Object.getPrototypeOf(navigator.gpu)
  const { requestAdapter } = prototype
  prototype.requestAdapter = async () => null
  try {
    const error = await errorOf(openDevice('gpu', { api: 'webgpu', memory: '1MiB' }))
    assert.instance(error, DeviceError)
    assert.match(String(error), 'there is no adapter')
  } finally {
    prototype.requestAdapter = requestAdapter
  }
  const device = await openDevice('gpu', { api: 'webgpu', memory: '1MiB' })
  assert.equal([...(await ops.square(tensor(device, [3])).data())], [9])
  await device.close()
})

always.run()
