/** Opening a device by name. */
import { type ByteSize, parseBytes } from '../memory/bytes.js'
import { ArgumentError } from '../memory/errors.js'
import { HeapAllocator } from '../memory/heap.js'
import type { Device } from './device.js'
import type { GpuDevice } from './gpu/gpu-device.js'
import { HeapDevice } from './heap-device.js'
import type { DeviceOptions, HeapKind } from './heap-kind.js'
import { checkSeed } from './seed.js'
import { VirtualDevice, VirtualGpuDevice } from './virtual.js'

export type DeviceKind = HeapKind | 'gpu'

export const DEVICE_KINDS: readonly DeviceKind[] = ['cpu', 'gpu', 'reference']

export interface OpenOptions extends DeviceOptions {
  /** the hard byte budget: '8MiB', '512 KiB', 4096 */
  memory: ByteSize
  /** for the gpu device: a WebGL2 context that nothing else uses; default a new one */
  context?: WebGL2RenderingContext
}

/**
 * Open a device that will never hold more than `memory` bytes.
 * On cpu and reference the budget, in whole pages of 64 KiB, is the size of the memory itself. On the gpu the budget
 * limits the textures that exist.
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
  const budgetBytes = parseBytes(options.memory)
  // checked first, because a context that was made would have to be given back
  checkSeed('openDevice', options.seed ?? 0)
  if (kind === 'gpu') {
    // imported here, so that a program without a gpu device does not load its code
    const { openGpu } = await import('./gpu/gpu-device.js')
    return openGpu(budgetBytes, options)
  }
  return new HeapDevice(kind, new HeapAllocator(budgetBytes), options)
}

/**
 * A device for planning: it follows the rules of a real one, holds no values and takes no memory.
 * @param options.memory  any size, even beyond the limit of the real device; default unlimited
 */
export function openVirtualDevice(kind: DeviceKind, options: Partial<OpenOptions> = {}): Device {
  checkKind(kind)
  const budgetBytes = options.memory === undefined ? Infinity : parseBytes(options.memory)
  if (kind === 'gpu') return new VirtualGpuDevice(budgetBytes, options)
  return new VirtualDevice(kind, budgetBytes, options)
}

function checkKind(kind: string): void {
  if (DEVICE_KINDS.some((known) => known === kind)) return
  throw new ArgumentError(`there is no device '${kind}': use ${DEVICE_KINDS.join(', ')}`)
}
