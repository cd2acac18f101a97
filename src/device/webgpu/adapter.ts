/** Where a WebGPU device comes from, and what becomes of its errors: nothing is written to the console. */
import { DeviceError, DeviceLostError } from '../errors.js'

/** What WGSL needs beside its first version: tensors are handed to functions. */
const LANGUAGE = 'unrestricted_pointer_parameters'
/** Tensors that a program binds at most, its output included. */
const BUFFERS = 9

/** With it the threads of a group can exchange values. */
const SUBGROUPS = 'subgroups'

/** In the messages of errors that only follow from others. */
const CONSEQUENCE = 'due to a previous error'

/** A device of our own, and what has happened to it. */
export class Adapter {
  #isLost = false
  #fault: string | null = null

  private constructor(
    readonly device: GPUDevice,
    readonly info: GPUAdapterInfo,
  ) {
    device.lost.then(() => {
      this.#isLost = true
    })
    device.onuncapturederror = (event) => {
      event.preventDefault()
      if (!event.error.message.includes(CONSEQUENCE)) this.#fault ??= event.error.message
    }
  }

  /** @throws DeviceError  WebGPU is missing here, or has no adapter */
  static async open(): Promise<Adapter> {
    const missing = (what: string): DeviceError => new DeviceError(`the gpu device finds no WebGPU: ${what}`)
    const gpu = typeof navigator === 'undefined' ? undefined : navigator.gpu
    if (!gpu) throw missing('this platform has no navigator.gpu, which pages have on https and on http://localhost')
    if (!gpu.wgslLanguageFeatures?.has(LANGUAGE)) throw missing(`its language lacks ${LANGUAGE}`)
    const adapter = await gpu.requestAdapter().catch(() => null)
    if (!adapter) throw missing('there is no adapter')
    const { maxStorageBufferBindingSize, maxBufferSize, maxStorageBuffersPerShaderStage } = adapter.limits
    if (maxStorageBuffersPerShaderStage < BUFFERS) throw missing(`a program can bind fewer than ${BUFFERS} buffers`)
    const requiredLimits = { maxStorageBufferBindingSize, maxBufferSize, maxStorageBuffersPerShaderStage: BUFFERS }
    const requiredFeatures = adapter.features.has(SUBGROUPS) ? [SUBGROUPS as GPUFeatureName] : []
    const device = await adapter.requestDevice({ requiredFeatures, requiredLimits }).catch((error: unknown) => {
      throw missing(String(error))
    })
    return new Adapter(device, adapter.info)
  }

  /** Can the four threads of a quad exchange values? */
  get hasQuads(): boolean {
    return this.device.features.has(SUBGROUPS)
  }

  /**
   * @throws DeviceLostError  the device is gone
   * @throws DeviceError      it refused something
   */
  check(what: string): void {
    if (this.#isLost) throw new DeviceLostError(`${what}: the WebGPU device is lost, with all values on it.`)
    const fault = this.#fault
    this.#fault = null
    if (fault) throw new DeviceError(`${what}: WebGPU refused: ${fault}`)
  }

  /** Forget what was refused. */
  forgive(): void {
    this.#fault = null
  }

  /** From now on `check` throws DeviceLostError. */
  lose(): void {
    this.#isLost = true
  }

  close(): void {
    this.device.destroy()
  }
}
