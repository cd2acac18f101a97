/**
 * A device whose memory is one WebAssembly.Memory of the budget's whole pages. In float32 it is the `cpu` device, whose
 * kernels are those of kernels/simd. A kernel that kernels/simd lacks, and every kernel if the platform has no SIMD,
 * runs as the plain loops of kernels/reference over views of the same memory. In float64 it is the `reference` device,
 * which has plain loops only.
 */
import type { Floats, KernelName, KernelParameters } from '../../kernels/kernels.js'
import { reference } from '../../kernels/reference/index.js'
import {
  type Assembly,
  adoptWide,
  availableThreads,
  canThread,
  dropped,
  hasWebAssembly,
  instantiate,
  MAX_THREADS,
  type SimdVariant,
  simd,
  simdVariants,
  Workers,
} from '../../kernels/simd/index.js'
import { formatBytes } from '../memory/bytes.js'
import { ArgumentError, reasonOf } from '../memory/errors.js'
import { type HeapAllocator, PAGE_BYTES } from '../memory/heap.js'
import { DeviceError } from './errors.js'
import { type DeviceOptions, type HeapKind, HeapKindDevice } from './heap-kind.js'
import type { Storage } from './storage.js'

/** WebAssembly addresses have 32 bits. */
export const LARGEST_HEAP_BYTES = 2 ** 32

const addressOf = (storage: Storage): number => storage.block.address

export class HeapDevice extends HeapKindDevice {
  readonly executes = true
  /** the instructions that the kernels use; 'none': plain loops */
  readonly simd: SimdVariant | 'none'
  #memory: WebAssembly.Memory | null
  #assembly: Assembly | null = null
  #workers: Workers | null = null

  /**
   * @throws DeviceError  the budget is above 4 GiB or more than this process can get; WebAssembly is missing or forbidden
   * @throws BudgetExceededError  the budget is less than the kernels themselves need
   * @throws ArgumentError  the number of threads is out of range
   */
  constructor(kind: HeapKind, allocator: HeapAllocator, options: DeviceOptions = {}) {
    super(kind, allocator, options)
    const variant = kind === 'reference' ? 'none' : (options.simd ?? simdVariants()[0] ?? 'none')
    this.simd = variant
    const threads = threadsFor(options)
    const shared = variant !== 'none' && canShare(options)
    const memory = reserve(kind, allocator.limitBytes, shared)
    this.#memory = memory
    if (variant === 'none') return
    const assembly = compile(variant, memory)
    this.#assembly = assembly
    if (!shared) return
    this.#workers = new Workers(variant, assembly, memory, threads)
    dropped.register(this, this.#workers)
  }

  protected execute<Name extends KernelName>(
    name: Name,
    parameters: KernelParameters[Name],
    inputs: readonly Storage[],
    outputs: readonly Storage[],
    [workspace]: readonly Storage[],
  ): void {
    const kernel = simd[name]
    if (this.#assembly && kernel && (kernel.covers?.(parameters) ?? true)) {
      kernel.run(
        this.#assembly,
        parameters,
        inputs.map(addressOf),
        outputs.map(addressOf),
        workspace?.block.address ?? 0,
      )
      this.#workers?.startIfWanted()
      return
    }
    reference[name](
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

  override copyOut(storage: Storage, target: Floats): null {
    target.set(this.view(storage))
    return null
  }

  /** The elements of a storage, without the bytes of rounding. */
  protected view(storage: Storage): Floats {
    if (!this.#memory) throw new DeviceError(`the ${this.kind} device is closed: open another`)
    const { buffer } = this.#memory
    const { address } = storage.block
    return this.kind === 'cpu'
      ? new Float32Array(buffer, address, storage.size)
      : new Float64Array(buffer, address, storage.size)
  }

  /**
   * Drops every reference of the device to its memory: the platform frees memory that no device, tensor or worker
   * refers to.
   */
  protected override async shutDown(): Promise<void> {
    const workers = this.#workers
    this.#workers = null
    this.#memory = null
    this.#assembly = null
    await workers?.close()
  }
}

/** The reason why a real heap cannot have this many bytes, or null if it can. */
export function heapLimit(bytes: number): string | null {
  if (bytes <= LARGEST_HEAP_BYTES) return null
  return `a CPU device cannot hold ${formatBytes(bytes)}: WebAssembly memory ends at 4 GiB. Give a smaller budget.`
}

function threadsFor({ threads = availableThreads() }: DeviceOptions): number {
  if (Number.isInteger(threads) && threads >= 1 && threads <= MAX_THREADS) return threads
  throw new ArgumentError(`a device cannot have ${threads} threads: give a whole number from 1 to ${MAX_THREADS}`)
}

const canShare = (options: DeviceOptions): boolean => threadsFor(options) > 1 && canThread

/** The reason why a cpu device with these options cannot have the module `wide`, or null if it can. */
export const whyNotWide = (options: DeviceOptions): Promise<string | null> => adoptWide(canShare(options))

function reserve(kind: HeapKind, bytes: number, shared: boolean): WebAssembly.Memory {
  if (!hasWebAssembly()) {
    throw new DeviceError(
      `the ${kind} device needs WebAssembly, which holds its memory, and this platform has none: Node with --jitless, or ` +
        'a browser that has switched it off',
    )
  }
  const limit = heapLimit(bytes)
  if (limit) throw new DeviceError(limit)
  const pages = bytes / PAGE_BYTES
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared })
  } catch (cause) {
    throw new DeviceError(`this process could not reserve ${formatBytes(bytes)} of memory`, { cause })
  }
}

/** `simdVariants` has seen that the platform has the instructions, so a failure here comes from a policy of the platform. */
function compile(variant: SimdVariant, memory: WebAssembly.Memory): Assembly {
  try {
    return instantiate(variant, memory)
  } catch (cause) {
    throw new DeviceError(
      `the cpu device could not compile its kernels, which are WebAssembly (${reasonOf(cause)}). ` +
        "Where a Content-Security-Policy forbids it, allow 'wasm-unsafe-eval' in its script-src, and for workers in the policy of " +
        "their own script; or open the device with simd: 'none', whose plain loops need no permission.",
      { cause },
    )
  }
}
