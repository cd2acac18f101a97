/**
 * A tensor's place on a device: an opaque operand for kernels, reference counted.
 */
import type { Block } from '../memory/allocator.js'

export class Storage {
  /** Its scope, `keep`, every view and the tape hold one reference each. At zero the device frees the block. */
  references = 1

  constructor(
    readonly block: Block,
    /** number of elements */
    readonly size: number,
    /** the rehearsal it belongs to, or null when it is real */
    readonly rehearsal: object | null,
  ) {}
}
