/** The books of every allocator: the bytes held by category, the peaks, and the op at the highest peak. */
import { type Block, type BytesByCategory, type Category, type MemoryStats, noBytes } from './allocator.js'
import { AllocatorError, ArgumentError } from './errors.js'

/** The books' share of an allocator's statistics. */
type Books = Pick<MemoryStats, 'heldBytes' | 'peakHeldBytes' | 'held' | 'peak' | 'heldAtPeak' | 'peakOp'>

/** The name that stands for an op while no request has raised the peak. */
const STANDING = 'standing tensors'

export class Ledger {
  readonly #live = new Map<number, Block>()
  #held: Record<Category, number> = noBytes()
  #total = 0
  #peak: Record<Category, number> = noBytes()
  #peakTotal = 0
  #heldAtPeak: BytesByCategory = noBytes()
  #peakOp = STANDING

  get heldBytes(): number {
    return this.#total
  }

  get peakHeldBytes(): number {
    return this.#peakTotal
  }

  /** Enter a new block. */
  open(block: Block, op: string): void {
    this.#live.set(block.address, block)
    this.take(block.category, block.bytes, op)
  }

  /** Strike a block out. @throws AllocatorError  it is not live here */
  close(block: Block): void {
    if (this.#live.get(block.address) !== block) {
      throw new AllocatorError(
        `the block at ${block.address} is not live here: freed twice, or not from this allocator`,
      )
    }
    this.#live.delete(block.address)
    this.count(block.category, -block.bytes)
  }

  /** Enter bytes that belong to no block. */
  take(category: Category, bytes: number, op: string): void {
    this.count(category, bytes)
    this.#peak[category] = Math.max(this.#peak[category], this.#held[category])
    if (this.#total <= this.#peakTotal) return
    this.#peakTotal = this.#total
    this.#heldAtPeak = { ...this.#held }
    this.#peakOp = op
  }

  /** Add bytes, or take them away where negative, without raising a peak. */
  count(category: Category, bytes: number): void {
    this.#held[category] += bytes
    this.#total += bytes
  }

  /** Restart the peaks at what is held now. */
  resetPeak(): void {
    this.#peak = { ...this.#held }
    this.#peakTotal = this.#total
    this.#heldAtPeak = { ...this.#held }
    this.#peakOp = STANDING
  }

  blocks(): readonly Block[] {
    return [...this.#live.values()]
  }

  stats(): Books {
    return {
      heldBytes: this.#total,
      peakHeldBytes: this.#peakTotal,
      held: { ...this.#held },
      peak: { ...this.#peak },
      heldAtPeak: { ...this.#heldAtPeak },
      peakOp: this.#peakOp,
    }
  }
}

/** @throws ArgumentError  no block can have this size */
export function checkRequest(bytes: number, op: string): void {
  if (Number.isSafeInteger(bytes) && bytes >= 0) return
  throw new ArgumentError(`${op}: a block cannot have ${bytes} bytes: ask for a whole number, 0 or more`)
}
