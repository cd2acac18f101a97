/**
 * What only the form on WebGPU does: buffers that turn out not to exist, commands and reads in their order, few submits.
 * Skipped on WebGL2.
 */
import { test as always } from 'uvu'
import * as assert from 'uvu/assert'
import { DeviceError, DeviceLostError } from '../../src/device/errors.js'
import { openDevice } from '../../src/device/open.js'
import { crossEntropy, data, models, optim, Streamer } from '../../src/index.js'
import { ops } from '../../src/ops/table.js'
import { fromHost, tensor } from '../../src/tensor/create.js'
import { errorOf } from '../error-of.js'
import { api, nextDevice } from './form.js'

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

/** Let buffer number `failing` that is made from now on be one that the driver has no memory for. @returns how many were made */
function failAt(context: GPUDevice, failing: number): () => number {
  const { createBuffer } = GPUDevice.prototype
  let made = 0
  context.createBuffer = (options) => {
    made++
    // larger than any buffer can be: what comes back is what WebGPU gives when there is no memory
    return createBuffer.call(context, made === failing ? { ...options, size: 2 ** 40 } : options)
  }
  return () => made
}

test('each creation of a buffer failing in turn leaves the step undone, and no byte; then it can be tried again', async () => {
  const wanted: number[] = []
  {
    const { device } = await opened('1MiB')
    const streamer = streamerOn(device)
    for (let i = 0; i < 2; i++) wanted.push((await streamer.step(batch)).loss)
    await device.close()
  }
  let failures = 0
  for (const failing of [1, 2, 3, 5, 8, 13, 21, 34, 55, 89]) {
    const { device, context } = await opened('1MiB')
    const streamer = streamerOn(device)
    const before = await streamer.checkpoint()
    const { heldBytes } = device.memory
    const made = failAt(context, failing)
    const error = await errorOf(streamer.step(batch)).catch(() => null)
    if (made() < failing) {
      await device.close()
      break
    }
    failures++
    failAt(context, 0)
    if (error instanceof DeviceLostError) {
      // the commit had already put the buffer in the place of a parameter
      const second = (await opened('1MiB')).device
      const other = streamerOn(second)
      other.restore(streamer.lastCheckpoint ?? before)
      assert.is((await other.step(batch)).loss, wanted[0])
      await second.close()
    } else {
      assert.instance(error, DeviceError, `creation ${failing}: ${error}`)
      assert.match(String(error), /give a smaller budget|refused/)
      assert.is(device.memory.heldBytes, heldBytes, 'nothing is held that was not held before')
      assert.equal(await streamer.checkpoint(), before)
      for (const loss of wanted) assert.is((await streamer.step(batch)).loss, loss)
    }
    await device.close()
  }
  assert.ok(failures > 3, `${failures} creations failed`)
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
