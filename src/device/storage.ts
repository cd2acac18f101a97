/**
 * A tensor's place on a device: an opaque operand for kernels, reference counted.
 *
 * In a recording (see step/record.ts) a storage stands for a future value: it has a size, and gets its block when the
 * list runs.
 */
import '../../kernels/platform.js'
import type { Block, Category } from '../memory/allocator.js'
import { AllocatorError } from '../memory/errors.js'

export class Storage {
  /** Its scope, `keep`, every view and the tape hold one reference each. At zero it is released. */
  references = 1
  /**
   * Do the micro-batches of a mini-batch add to it? Then an instruction that reads it waits for all of them:
   * step/levels.ts.
   */
  isTotal = false
  /** the recorded list that it is a value of, or null for a storage outside any recording */
  list: object | null
  /** the number of the value in its list */
  readonly index: number
  #block: Block | null = null

  constructor(
    /** number of elements */
    readonly size: number,
    readonly bytes: number,
    readonly category: Category,
    list: object | null = null,
    index = -1,
  ) {
    this.list = list
    this.index = index
  }

  /** @throws AllocatorError  the storage has no block now: a bug in the code that runs kernels */
  get block(): Block {
    if (this.#block) return this.#block
    throw new AllocatorError(`a value of ${this.bytes} bytes has no place in memory`)
  }

  get placed(): boolean {
    return this.#block !== null
  }

  place(block: Block): void {
    this.#block = block
  }

  /** Detach the block. @returns the block, which the caller frees */
  leave(): Block {
    const { block } = this
    this.#block = null
    return block
  }
}
