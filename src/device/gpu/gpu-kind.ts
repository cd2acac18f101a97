/**
 * The common part of the real and the virtual gpu device: the size of an element, the workspace of the kernels, the
 * bytes that are held from the beginning, and the largest tensor. Both take these from here, so that a plan is exact.
 */
import { gpuWorkspaces, LARGEST_TENSOR } from '../../../kernels/gpu/index.js'
import type { KernelName, KernelParameters } from '../../../kernels/kernels.js'
import type { Category } from '../../memory/allocator.js'
import type { TextureAllocator } from '../../memory/texture-allocator.js'
import { Device } from '../device.js'
import { TensorTooLargeError } from '../errors.js'
import type { Storage } from '../storage.js'

/** The size of the buffer in which a band of values goes to a texture. */
export const UPLOAD_BYTES = 65536
/** The size of all pixel pack buffers, through which values are read. */
export const READ_BYTES = 65536
/** The size of the vertices of the two triangles that every program draws. */
export const VERTEX_BYTES = 64

export abstract class GpuKindDevice extends Device {
  readonly kind = 'gpu'
  readonly elementBytes = 4
  override readonly aliases = false
  override readonly volatile = true

  /** @throws BudgetExceededError  the bytes that the device itself needs do not fit */
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
