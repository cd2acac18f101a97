/**
 * The form of the gpu device on which these tests run: the address of a page names it, as in ?api=webgpu. And devices of
 * that form whose memory is counted by hooks, or that a test loses.
 */
import * as assert from 'uvu/assert'
import { openContext } from '../../src/device/gpu/context.js'
import { GpuDevice } from '../../src/device/gpu/gpu-device.js'
import type { GpuApi } from '../../src/device/gpu/gpu-kind.js'
import { openDevice } from '../../src/device/open.js'
import { type Account, counting } from './counting.js'
import { lose } from './lose.js'

const asked = typeof location === 'undefined' ? null : new URLSearchParams(location.search).get('api')

export const api: GpuApi = asked === 'webgpu' ? 'webgpu' : 'webgl2'

export interface Counted {
  readonly device: GpuDevice
  readonly account: Account
  /** Lose the device, as the platform can at any time. */
  lose(): void
}

export async function openCounted(memory: number | string): Promise<Counted> {
  if (api === 'webgpu') return openCountedBuffers(memory)
  const context = await openContext()
  const account = counting(context)
  const device = await openDevice('gpu', { api, memory, context })
  return { device, account, lose: () => lose(context) }
}

const STORAGE = 0x80

/** The next WebGPU device that anyone opens. */
export function nextDevice(): Promise<GPUDevice> {
  const { prototype } = GPUAdapter
  const { requestDevice } = prototype
  return new Promise((resolve) => {
    prototype.requestDevice = async function (...args) {
      prototype.requestDevice = requestDevice
      const device = await requestDevice.apply(this, args)
      resolve(device)
      return device
    }
  })
}

async function openCountedBuffers(memory: number | string): Promise<Counted> {
  const account: Account = { textureBytes: 0, textures: 0, bufferBytes: 0, programs: 0, framebuffers: 0 }
  const made = nextDevice().then((device) => {
    count(device, account)
    return device
  })
  const device = await openDevice('gpu', { api, memory })
  assert.ok(device instanceof GpuDevice)
  const context = await made
  return { device, account, lose: () => context.destroy() }
}

/** Buffers that can be bound for storage hold tensors, and count as textures; all others count as buffers. */
function count(device: GPUDevice, account: Account): void {
  const createBuffer = device.createBuffer.bind(device)
  device.createBuffer = (options) => {
    const buffer = createBuffer(options)
    const { size, usage } = options
    let bytes = size
    const change = (by: number): void => {
      if (usage & STORAGE) {
        account.textures += by
        account.textureBytes += by * bytes
      } else account.bufferBytes += by * bytes
    }
    change(1)
    const destroy = buffer.destroy.bind(buffer)
    buffer.destroy = () => {
      destroy()
      if (bytes > 0) change(-1)
      bytes = 0
      return undefined
    }
    return buffer
  }
  const createComputePipeline = device.createComputePipeline.bind(device)
  device.createComputePipeline = (options) => {
    account.programs++
    return createComputePipeline(options)
  }
}
