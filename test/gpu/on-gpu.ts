/** Runs kernels on a gpu device, and checks that each leaves the held bytes unchanged. */
import * as assert from 'uvu/assert'
import { openDevice } from '../../src/device/open.js'
import type { Storage } from '../../src/device/storage.js'
import type { KernelRunner } from './agreement.js'
import { api } from './form.js'

export async function onGpu(): Promise<KernelRunner> {
  const gpu = await openDevice('gpu', { api, memory: '256MiB' })
  const place = (values: Float32Array): Storage => {
    const storage = gpu.alloc(values.length, 'activation')
    gpu.upload(storage, values)
    return storage
  }
  return async (name, parameters, inputs, sizes) => {
    const held = gpu.memory.heldBytes
    const from = inputs.map(place)
    const to = sizes.map((size) => place(new Float32Array(size).fill(Number.NaN)))
    gpu.run(name, parameters, from, to)
    const outputs = await Promise.all(to.map((storage) => gpu.read(storage)))
    for (const [i, storage] of from.entries()) {
      const now = await gpu.read(storage)
      assert.ok(
        inputs[i].every((value, j) => Object.is(now[j], value)),
        `${name} changed input ${i}`,
      )
    }
    for (const storage of [...from, ...to]) gpu.release(storage)
    assert.is(gpu.memory.heldBytes, held, `${name} kept memory`)
    return outputs
  }
}
