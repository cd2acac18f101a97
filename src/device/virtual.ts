/**
 * A device without values: it has the allocator of a real kind, with any budget, and kernels that do nothing. Whole
 * models are built and planned on it, without a real device.
 */
import type { Floats } from '../../kernels/kernels.js'
import { HeapAllocator } from '../memory/heap.js'
import { TextureAllocator } from '../memory/texture-allocator.js'
import { GpuKindDevice } from './gpu/gpu-kind.js'
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

/** The virtual gpu device: sizes of textures, without a context. */
export class VirtualGpuDevice extends GpuKindDevice {
  readonly executes = false

  constructor(budgetBytes: number, options: { seed?: number; trackOrigins?: boolean } = {}) {
    super(new TextureAllocator(budgetBytes), options)
  }

  protected execute(): void {}

  protected write(): void {}

  protected async fetch(): Promise<Floats> {
    return new Float32Array(0)
  }
}
