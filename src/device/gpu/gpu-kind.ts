/**
 * The common part of the real and the virtual gpu device: the size of an element, the workspace of the kernels, the
 * bytes that are held from the beginning, and the largest tensor. Both take these from here, so that a plan is exact.
 */
import { type GpuApi, gpuWorkspaces, LARGEST_TENSOR } from '../../../kernels/gpu/index.js'
import type { KernelName, KernelParameters } from '../../../kernels/kernels.js'
import type { Category } from '../../memory/allocator.js'
import { bufferBytes, TextureAllocator, type Textures, textureBytes } from '../../memory/texture-allocator.js'
import { Device } from '../device.js'
import { TensorTooLargeError } from '../errors.js'
import type { Storage } from '../storage.js'

/** The size of the buffer in which a band of values goes to a texture. */
export const UPLOAD_BYTES = 65536
/** The size of all pixel pack buffers, through which values are read. */
export const READ_BYTES = 65536
/** The size of the vertices of the two triangles that every program draws. */
export const VERTEX_BYTES = 64

/** The size of the buffer with the arguments of the programs of one submit. */
export const PARAMETER_BYTES = 65536

export type { GpuApi }

const FORMS = {
  webgl2: { costOf: textureBytes, runtimeBytes: UPLOAD_BYTES + READ_BYTES + VERTEX_BYTES },
  webgpu: { costOf: bufferBytes, runtimeBytes: PARAMETER_BYTES + READ_BYTES },
} as const

export abstract class GpuKindDevice extends Device {
  readonly kind = 'gpu'
  readonly elementBytes = 4
  override readonly aliases = false
  override readonly volatile = true

  /**
   * @param textures  the textures or buffers; null: none, as on a virtual device
   * @throws BudgetExceededError  the bytes that the device itself needs do not fit
   */
  constructor(
    readonly api: GpuApi,
    budgetBytes: number,
    textures: Textures | null,
    options: { seed?: number; trackOrigins?: boolean },
  ) {
    const allocator = new TextureAllocator(budgetBytes, textures, FORMS[api].costOf)
    super(allocator, options)
    allocator.reserve(FORMS[api].runtimeBytes, 'opening the device')
  }

  /** Do not reuse the texture or buffer of this address: there was no memory for it. */
  protected discard(address: number): void {
    const { allocator } = this
    if (allocator instanceof TextureAllocator) allocator.discard(address)
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
    return gpuWorkspaces(name, parameters, this.api).map((size) => size * this.elementBytes)
  }
}
