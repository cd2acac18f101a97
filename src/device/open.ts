/** Opening a device by name. */
import { ANYTHING, BOOLEAN, checkArgument, oneOf, options as optionsOf } from '../memory/arguments.js'
import { type ByteSize, parseBytes } from '../memory/bytes.js'
import { ArgumentError, showValue } from '../memory/errors.js'
import { HeapAllocator, PAGE_BYTES } from '../memory/heap.js'
import { offeredShare } from '../memory/offered.js'
import type { Device } from './device.js'
import type { GpuDevice } from './gpu/gpu-device.js'
import type { GpuApi } from './gpu/gpu-kind.js'
import { HeapDevice, LARGEST_HEAP_BYTES, whyNotWide } from './heap-device.js'
import type { DeviceOptions, HeapKind } from './heap-kind.js'
import { checkSeed } from './seed.js'
import { VirtualDevice, VirtualGpuDevice } from './virtual.js'

export type DeviceKind = HeapKind | 'gpu'

export const DEVICE_KINDS: readonly DeviceKind[] = ['cpu', 'gpu', 'reference']

export interface OpenOptions extends DeviceOptions {
  /**
   * the hard byte budget: '8MiB', '512 KiB', 4096; on cpu and reference also '60%' of what the container or machine has, in
   * whole pages and at most 4 GiB
   */
  memory: ByteSize
  /** for the gpu device: the form that computes, and that a virtual device plans for; default 'webgl2' */
  api?: GpuApi
  /** for the gpu device on WebGL2: a context that nothing else uses; default a new one */
  context?: WebGL2RenderingContext
}

const OPEN = optionsOf<OpenOptions>({
  memory: ANYTHING,
  seed: ANYTHING,
  trackOrigins: BOOLEAN,
  simd: oneOf('none', 'baseline', 'relaxed', 'wide'),
  threads: ANYTHING,
  api: oneOf('webgl2', 'webgpu'),
  context: ANYTHING,
})

/**
 * Open a device that will never hold more than `memory` bytes.
 * On cpu and reference the budget, in whole pages of 64 KiB, is the size of the memory itself. On the gpu the budget
 * limits the textures or buffers that exist.
 * @throws ArgumentError  not a byte size, an unknown kind, or a seed that is not a whole number from 0 to 2^32 - 1
 * @throws DeviceError    cpu, reference: more than 4 GiB, or more than the process can get; gpu: something is missing, and
 *   the message says how to get it
 */
export function openDevice(kind: 'gpu', options: OpenOptions): Promise<GpuDevice>
export function openDevice(kind: DeviceKind, options: OpenOptions): Promise<Device>
export async function openDevice(kind: DeviceKind, options: OpenOptions): Promise<Device> {
  checkKind(kind)
  if (options?.memory === undefined) {
    throw new ArgumentError(`a device needs a byte budget: openDevice('${kind}', { memory: '8MiB' })`)
  }
  checkArgument('openDevice', 'options', options, OPEN)
  const budgetBytes = budgetOf(kind, options.memory)
  // checked first, because a context that was made would have to be given back
  checkSeed('openDevice', options.seed ?? 0)
  if (kind === 'gpu') {
    // imported here, so that a program without a gpu device does not load its code
    if (options.api === 'webgpu') {
      const { openWebGpu } = await import('./webgpu/webgpu-device.js')
      return openWebGpu(budgetBytes, options)
    }
    const { openWebGl2 } = await import('./gpu/webgl2-device.js')
    return openWebGl2(budgetBytes, options)
  }
  const simd = options.simd === 'wide' && (kind !== 'cpu' || (await whyNotWide(options))) ? undefined : options.simd
  return new HeapDevice(kind, new HeapAllocator(budgetBytes), { ...options, simd })
}

/**
 * A device for planning: it follows the rules of a real one, holds no values and takes no memory.
 * @param options.memory  any size, even beyond the limit of the real device; default unlimited
 */
export function openVirtualDevice(kind: DeviceKind, options: Partial<OpenOptions> = {}): Device {
  checkKind(kind)
  checkArgument('openVirtualDevice', 'options', options, OPEN)
  const budgetBytes = options.memory === undefined ? Infinity : budgetOf(kind, options.memory)
  if (kind === 'gpu') return new VirtualGpuDevice(budgetBytes, options)
  return new VirtualDevice(kind, budgetBytes, options)
}

/**
 * The budget that `memory` means. On cpu and reference '60%' is that share of the memory that the container, or without
 * a limit the machine, offers this process, in whole pages, and at most the 4 GiB that such a device can have.
 * @throws ArgumentError  neither a byte size nor a share; a share on the gpu, which does not say how much it has
 */
export function budgetOf(kind: DeviceKind, memory: ByteSize): number {
  const bytes = offeredShare(memory)
  if (bytes === null) return parseBytes(memory)
  if (kind === 'gpu') {
    throw new ArgumentError(`'${memory}': a gpu does not say how much memory it has. Give bytes, such as '256MiB'`)
  }
  return Math.min(LARGEST_HEAP_BYTES, Math.floor(bytes / PAGE_BYTES) * PAGE_BYTES)
}

function checkKind(kind: string): void {
  if (DEVICE_KINDS.some((known) => known === kind)) return
  throw new ArgumentError(`there is no device ${showValue(kind)}: use ${DEVICE_KINDS.join(', ')}`)
}
