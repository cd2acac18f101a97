/**
 * The common part of the real and the virtual heap devices: the size of an element, the workspace of the kernels, and
 * the memory that the kernels hold from the beginning. Both take these from here, so that a plan is exact.
 */
import type { KernelName, KernelParameters } from '../../kernels/kernels.js'
import { RUNTIME_BYTES, type SimdVariant, workspaceBytes } from '../../kernels/simd/index.js'
import type { HeapAllocator } from '../memory/heap.js'
import { Device } from './device.js'

/** cpu: float32. reference: float64, the definition of every op. */
export type HeapKind = 'cpu' | 'reference'

export interface DeviceOptions {
  /** the seed of dropout masks, from 0 to 2^32 - 1; default 0; a Streamer sets its own */
  seed?: number
  /** remember where every tensor was made: leaks and misuse are reported with the place; slow */
  trackOrigins?: boolean
  /**
   * the instructions that the kernels of the cpu device use; plans are the same for all
   *   'none'      plain loops
   *   'baseline'  SIMD
   *   'relaxed'   SIMD with fused multiply-add
   *   'wide'      the same on vectors of 256 bits, up to twice as fast, with the same results. Node 24 can run it if an
   *               experimental option of V8 is on while it compiles these kernels. Opening the first device switches it on
   *               for some 80 ms; other WebAssembly that V8 compiles meanwhile is compiled with it too. Where it does
   *               not work, the device takes the default.
   * default: the best of this platform except 'wide'
   */
  simd?: SimdVariant | 'none'
  /**
   * how many threads the kernels of the cpu device may use, 1 to 4; default one for each core. Plans and results are the
   * same. A page that is not cross-origin isolated always has one.
   */
  threads?: number
}

export abstract class HeapKindDevice extends Device {
  /** @throws BudgetExceededError  the memory that the kernels themselves need does not fit */
  constructor(
    readonly kind: HeapKind,
    allocator: HeapAllocator,
    options: DeviceOptions,
  ) {
    super(allocator, options)
    if (kind === 'cpu') allocator.alloc(RUNTIME_BYTES, 'runtime', 'opening the device')
  }

  get elementBytes(): 4 | 8 {
    return this.kind === 'cpu' ? 4 : 8
  }

  /** The workspace of the SIMD kernels, which is counted even if SIMD is missing, so that plans agree everywhere. */
  protected workspaceBytes<Name extends KernelName>(name: Name, parameters: KernelParameters[Name]): readonly number[] {
    const bytes = this.kind === 'cpu' ? workspaceBytes(name, parameters) : 0
    return bytes > 0 ? [bytes] : []
  }
}
