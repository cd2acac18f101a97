/**
 * A tensor's place on a device: an opaque operand for kernels, reference counted.
 *
 * In a recording (see step/record.ts) it is a value to come: it has a size and no block, and gets one when the list runs.
 */
import type { Block, Category } from '../memory/allocator.js'
import { AllocatorError } from '../memory/errors.js'

export class Storage {
  /** Its scope, `keep`, every view and the tape hold one reference each. At zero it is released. */
  references = 1
  /** the list whose value it is, or null when it stands by itself */
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

  /** @throws AllocatorError  it has no place now: a bug in what runs kernels */
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

  /** Take its place away. @returns the block, to be freed */
  leave(): Block {
    const { block } = this
    this.#block = null
    return block
  }
}
