/**
 * What the process holds besides the budget, measured while a training runs, so that a person can choose the size of a
 * container. docs/memory.md says what belongs to which part.
 */
import { readFileSync } from 'node:fs'
import type { Device } from '../device/device.js'
import { HeapAllocator } from '../memory/heap.js'

/** The peak is the sum of the touched memory of the device, the heap, the data on the host, and the rest. */
export interface ProcessBytes {
  /** the most memory that the process had at once, as the system counts it */
  readonly peakBytes: number
  /**
   * the memory of the device on cpu and reference: the bytes reserved, and the bytes that a kernel has touched, which alone
   * take memory of the machine
   */
  readonly webAssemblyReservedBytes: number
  readonly webAssemblyTouchedBytes: number
  /** objects and code of the main thread */
  readonly javaScriptHeapBytes: number
  /** array buffers: data sets, mini-batches, copies for checkpoints, files */
  readonly hostDataBytes: number
  /** the rest: Node itself, its threads and compiled kernels; on a gpu also driver and textures, if they are in the process */
  readonly otherBytes: number
}

export class ProcessMemory {
  #most = process.memoryUsage()

  /** Measure the parts. Those at the largest size of the process are kept. */
  sample(): void {
    const now = process.memoryUsage()
    if (now.rss > this.#most.rss) this.#most = now
  }

  /** @param touchedBytes  the highest peak of the device */
  measure({ allocator }: Device, touchedBytes: number): ProcessBytes {
    this.sample()
    const { heapTotal: javaScriptHeapBytes, arrayBuffers: hostDataBytes } = this.#most
    const webAssemblyReservedBytes = allocator instanceof HeapAllocator ? allocator.limitBytes : 0
    const webAssemblyTouchedBytes = Math.min(touchedBytes, webAssemblyReservedBytes)
    const peakBytes = Math.max(this.#most.rss, peakOfSystem())
    const known = webAssemblyTouchedBytes + javaScriptHeapBytes + hostDataBytes
    return {
      peakBytes,
      webAssemblyReservedBytes,
      webAssemblyTouchedBytes,
      javaScriptHeapBytes,
      hostDataBytes,
      otherBytes: Math.max(0, peakBytes - known),
    }
  }
}

/**
 * The largest resident set. Linux has that of this program in /proc; resourceUsage can give that of the program that
 * started it.
 */
function peakOfSystem(): number {
  try {
    const [, kibibytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    if (kibibytes !== undefined) return 1024 * Number(kibibytes)
  } catch {
    // not Linux
  }
  return 1024 * process.resourceUsage().maxRSS
}
