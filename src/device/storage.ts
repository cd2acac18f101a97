/**
 * A tensor's place on a device: an opaque operand for kernels, reference counted.
 * Its block changes when an update had to go through a spare.
 */
import type { Block } from '../memory/allocator.js'

export class Storage {
  /** The scope that made it, `keep`, views and the tape hold one each; at zero the device frees the block. */
  references = 1

  constructor(
    public block: Block,
    /** number of elements */
    readonly size: number,
    /** the rehearsal it belongs to, or null when it is real */
    readonly rehearsal: object | null,
  ) {}
}
