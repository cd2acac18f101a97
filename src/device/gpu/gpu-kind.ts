/**
 * What a gpu device is, whether it has values or not: what its elements are, what its kernels need beside their
 * operands, what is held from the beginning, and what no budget makes possible. A plan is exact because the real
 * device and the virtual one take all of it from here.
 */
import { gpuWorkspaces, LARGEST_TENSOR } from '../../../kernels/gpu/index.js'
import type { KernelName, KernelParameters } from '../../../kernels/kernels.js'
import type { Category } from '../../memory/allocator.js'
import type { TextureAllocator } from '../../memory/texture-allocator.js'
import { Device } from '../device.js'
import { TensorTooLargeError } from '../errors.js'
import type { Storage } from '../storage.js'

/** A band of values on its way to a texture. */
export const UPLOAD_BYTES = 65536
/** The pixel pack buffer that values are read through. */
export const READ_BYTES = 65536
/** The corners of two triangles, which all programs draw. */
export const VERTEX_BYTES = 64

export abstract class GpuKindDevice extends Device {
  readonly kind = 'gpu'
  readonly elementBytes = 4
  override readonly aliases = false
  override readonly volatile = true

  /** @throws BudgetExceededError  not even what the device needs itself fits */
  constructor(allocator: TextureAllocator, options: { seed?: number; trackOrigins?: boolean }) {
    super(allocator, options)
    allocator.reserve(UPLOAD_BYTES + READ_BYTES + VERTEX_BYTES, 'opening the device')
  }

  /** @throws TensorTooLargeError  more than 2^24 elements */
  override alloc(size: number, category: Category): Storage {
    if (size > LARGEST_TENSOR) {
      throw new TensorTooLargeError(
        `${this.op}: a tensor of ${size} elements is more than the gpu device can index, which is 2^24 = ` +
          `${LARGEST_TENSOR}. Use a smaller batch.`,
      )
    }
    return super.alloc(size, category)
  }

  protected workspaceBytes<Name extends KernelName>(name: Name, parameters: KernelParameters[Name]): readonly number[] {
    return gpuWorkspaces(name, parameters).map((size) => size * this.elementBytes)
  }
}
