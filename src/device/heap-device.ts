/**
 * A device whose memory is one WebAssembly.Memory of the budget's whole pages, and whose kernels are
 * the plain loops of kernels/reference. In float32 it is the `cpu` device, in float64 the `reference`
 * device: the same code, so that each checks the other.
 */
import type { Floats, KernelName, KernelParameters, Kernels } from '../../kernels/kernels.js'
import { formatBytes } from '../memory/bytes.js'
import { type HeapAllocator, PAGE_BYTES } from '../memory/heap.js'
import { Device } from './device.js'
import { DeviceError } from './errors.js'
import type { Storage } from './storage.js'

/** WebAssembly addresses have 32 bits. */
export const LARGEST_HEAP_BYTES = 2 ** 32

export interface DeviceOptions {
  /** default seed of dropout; a Streamer sets its own */
  seed?: number
  /** remember where every tensor was made: leaks and misuse are reported with the place; slow */
  trackOrigins?: boolean
}

export class HeapDevice extends Device {
  readonly executes = true
  readonly #kernels: Kernels
  #memory: WebAssembly.Memory | null

  /** @throws DeviceError  more than 4 GiB, or more than this process can get */
  constructor(
    readonly kind: 'cpu' | 'reference',
    kernels: Kernels,
    allocator: HeapAllocator,
    options: DeviceOptions = {},
  ) {
    super(allocator, options)
    this.#kernels = kernels
    this.#memory = reserve(allocator.limitBytes)
  }

  get elementBytes(): 4 | 8 {
    return this.kind === 'cpu' ? 4 : 8
  }

  protected execute<Name extends KernelName>(
    name: Name,
    parameters: KernelParameters[Name],
    inputs: readonly Storage[],
    outputs: readonly Storage[],
  ): void {
    this.#kernels[name](
      parameters,
      inputs.map((storage) => this.view(storage)),
      outputs.map((storage) => this.view(storage)),
    )
  }

  protected write(storage: Storage, data: ArrayLike<number>, scale: number): void {
    const view = this.view(storage)
    if (scale === 1) view.set(data)
    else for (let i = 0; i < view.length; i++) view[i] = data[i] * scale
  }

  protected async fetch(storage: Storage): Promise<Floats> {
    return this.view(storage).slice()
  }

  /** The elements of a storage, and not one byte more. */
  protected view(storage: Storage): Floats {
    if (!this.#memory) throw new DeviceError(`the ${this.kind} device is closed: open another`)
    const { address } = storage.block
    return this.kind === 'cpu'
      ? new Float32Array(this.#memory.buffer, address, storage.size)
      : new Float64Array(this.#memory.buffer, address, storage.size)
  }

  override close(): void {
    super.close()
    this.#memory = null
  }
}

/** Why no real heap can have this many bytes, or null where one can. */
export function heapLimit(bytes: number): string | null {
  if (bytes <= LARGEST_HEAP_BYTES) return null
  return `a CPU device cannot hold ${formatBytes(bytes)}: WebAssembly memory ends at 4 GiB. Give a smaller budget.`
}

function reserve(bytes: number): WebAssembly.Memory {
  const limit = heapLimit(bytes)
  if (limit) throw new DeviceError(limit)
  const pages = bytes / PAGE_BYTES
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages })
  } catch (cause) {
    throw new DeviceError(`this process could not reserve ${formatBytes(bytes)} of memory`, { cause })
  }
}
