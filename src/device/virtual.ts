/**
 * A device without values: it has the allocator of a real kind, with any budget, and kernels that do nothing. Whole
 * models are built and planned on it, without a real device.
 */
import type { Floats } from '../../kernels/kernels.js'
import { HeapAllocator } from '../memory/heap.js'
import { type GpuApi, GpuKindDevice } from './gpu/gpu-kind.js'
import { type DeviceOptions, type HeapKind, HeapKindDevice } from './heap-kind.js'

export class VirtualDevice extends HeapKindDevice {
  readonly executes = false

  /** @param kind  the device whose rules it follows */
  constructor(kind: HeapKind, budgetBytes: number, options: DeviceOptions = {}) {
    super(kind, new HeapAllocator(budgetBytes), options)
  }

  protected execute(): void {}

  protected write(): void {}

  protected async fetch(): Promise<Floats> {
    return new Float32Array(0)
  }
}

/** The virtual gpu device: sizes of textures or buffers, without a context. */
export class VirtualGpuDevice extends GpuKindDevice {
  readonly executes = false

  constructor(budgetBytes: number, options: { api?: GpuApi; seed?: number; trackOrigins?: boolean } = {}) {
    super(options.api ?? 'webgl2', budgetBytes, null, options)
  }

  protected execute(): void {}

  protected write(): void {}

  protected async fetch(): Promise<Floats> {
    return new Float32Array(0)
  }
}
