/** What a rehearsal finds: see Note [Rehearsal] in device.ts. */
import type { MemoryStats } from '../memory/allocator.js'
import type { Placement } from '../memory/arrange.js'
import type { TimelinePoint } from '../memory/timeline.js'

export interface Rehearsal<T> {
  /** what fn returned; tensors in it belong to the rehearsal and cannot be used */
  result: T
  /** Note [Peak] in memory/allocator.ts; independent of the budget */
  peakBytes: number
  memory: MemoryStats
  /** name and shapes of every op, in order */
  ops: readonly string[]
  timeline: readonly TimelinePoint[]
}

/** What a rehearsal has shown that the real run is held to. */
export interface Rehearsed {
  /** name and shapes of every op, in order */
  readonly ops: readonly string[]
  /** where the blocks go; null: where the allocator's policy puts them */
  readonly placement: Placement | null
}
