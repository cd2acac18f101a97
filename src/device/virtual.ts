/**
 * A device without values: the allocator of a real kind, at any budget, and kernels that do nothing.
 * Whole models are built and rehearsed on it before, and without, opening the real one.
 */
import type { Floats } from '../../kernels/kernels.js'
import { HeapAllocator } from '../memory/heap.js'
import { Device } from './device.js'
import type { DeviceOptions } from './heap-device.js'

export class VirtualDevice extends Device {
  readonly executes = false

  /** @param kind  the device whose rules it follows */
  constructor(
    readonly kind: 'cpu' | 'reference',
    budgetBytes: number,
    options: DeviceOptions = {},
  ) {
    super(new HeapAllocator(budgetBytes), options)
  }

  get elementBytes(): 4 | 8 {
    return this.kind === 'cpu' ? 4 : 8
  }

  protected execute(): void {}

  protected write(): void {}

  protected async fetch(): Promise<Floats> {
    return new Float32Array(0)
  }
}
