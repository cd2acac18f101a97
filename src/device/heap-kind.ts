/**
 * What the kinds of heap device are, whether they have values or not: how large an element is, what the kernels need
 * beside their operands, and what of the memory is theirs from the beginning. A plan is exact because the real
 * device and the virtual one take all of it from here.
 */
import type { KernelName, KernelParameters } from '../../kernels/kernels.js'
import { RUNTIME_BYTES, type SimdVariant, workspaceBytes } from '../../kernels/simd/index.js'
import type { HeapAllocator } from '../memory/heap.js'
import { Device } from './device.js'

/** cpu: float32. reference: float64, the definition of every op. */
export type HeapKind = 'cpu' | 'reference'

export interface DeviceOptions {
  /** of dropout, from 0 to 2^32 - 1; default 0; a Streamer sets its own */
  seed?: number
  /** remember where every tensor was made: leaks and misuse are reported with the place; slow */
  trackOrigins?: boolean
  /** of the cpu device; default the best that this platform runs. 'none': plain loops. The plan is the same. */
  simd?: SimdVariant | 'none'
  /**
   * that the kernels of the cpu device may use, 1 to 4; default one for each core. Plan and results are the same. In a
   * page that is not cross-origin isolated there is always one.
   */
  threads?: number
}

export abstract class HeapKindDevice extends Device {
  /** @throws BudgetExceededError  not even what the kernels need themselves fits */
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

  /** The same where SIMD is missing, so that plans agree everywhere. */
  protected workspaceBytes<Name extends KernelName>(name: Name, parameters: KernelParameters[Name]): readonly number[] {
    const bytes = this.kind === 'cpu' ? workspaceBytes(name, parameters) : 0
    return bytes > 0 ? [bytes] : []
  }
}
