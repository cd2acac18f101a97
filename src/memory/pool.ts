/**
 * Textures of a GPU, kept for reuse.
 *
 * A tensor is one texture of RGBA32F texels, four values each, row after row. The policy, in English:
 *   1. A request is rounded up to whole texels, and those to a full rectangle (`sidesOf`). The sides follow from the
 *      bytes alone, so all textures of as many bytes are alike.
 *   2. A request takes the pooled texture of exactly its bytes that was freed last; where there is none, a new one
 *      is made.
 *   3. A freed texture goes to the pool, not back to the driver, which is slow to make them.
 *   4. Before a new texture would take live and pooled bytes beyond the budget, pooled ones are given back, those
 *      that have waited longest first.
 *   5. Where the live bytes alone leave no room, the request fails and nothing has changed.
 *
 * Textures have no addresses among each other, so there are no holes: by 4 and 5 a program fits exactly the budgets
 * that hold its most live bytes, and that is its peak. The pool is never larger than what remains.
 */
import {
  type Allocator,
  type Block,
  BudgetExceededError,
  type BytesByCategory,
  type Category,
  type MemoryStats,
  noBytes,
} from './allocator.js'
import { AllocatorError, ArgumentError } from './errors.js'

/** Four float32 values. */
export const TEXEL_BYTES = 16

/** The longest side. Every WebGL2 has it, so that plans are the same on all; its square holds 2^24 values. */
export const LONGEST_SIDE = 2048

/** Who owns the textures behind the blocks. `address` names a texture for as long as it exists. */
export interface Textures {
  /** @throws  the driver has no such texture to give; the allocator has not changed */
  create(address: number, width: number, height: number): void
  delete(address: number): void
}

/** Texels in a row, and rows, of the texture for so many bytes. */
export function sidesOf(bytes: number): readonly [width: number, height: number] {
  const texels = Math.max(1, Math.ceil(bytes / TEXEL_BYTES))
  const height = Math.ceil(texels / LONGEST_SIDE)
  return [Math.ceil(texels / height), height]
}

/** What a request costs. */
export function textureBytes(bytes: number): number {
  const [width, height] = sidesOf(bytes)
  return width * height * TEXEL_BYTES
}

/** A texture that waits. */
interface Pooled {
  readonly address: number
  readonly bytes: number
}

export class PoolAllocator implements Allocator {
  #live = new Map<number, Block>()
  /** in the order in which they were freed */
  #pool: Pooled[] = []
  #pooledBytes = 0
  #nextAddress = 1
  #held = noBytes()
  #heldTotal = 0
  #peak = noBytes()
  #peakTotal = 0
  #heldAtPeak: BytesByCategory = noBytes()
  #peakOp = ''

  /** @param textures  null: sizes only, as in a rehearsal */
  constructor(
    readonly budgetBytes: number,
    readonly textures: Textures | null = null,
  ) {
    this.resetPeak()
  }

  get heldBytes(): number {
    return this.#heldTotal
  }

  get peakBytes(): number {
    return this.#peakTotal
  }

  alloc(requestedBytes: number, category: Category, op: string): Block {
    if (!Number.isSafeInteger(requestedBytes) || requestedBytes < 0) {
      throw new ArgumentError(`${op}: a block cannot have ${requestedBytes} bytes: ask for a whole number, 0 or more`)
    }
    const bytes = textureBytes(requestedBytes)
    if (this.#heldTotal + bytes > this.budgetBytes) {
      throw new BudgetExceededError(requestedBytes, category, op, this.stats())
    }
    const block: Block = { address: this.#reuse(bytes) ?? this.#create(bytes), bytes, requestedBytes, category }
    this.#live.set(block.address, block)
    this.#count(category, bytes, op)
    return block
  }

  free(block: Block): void {
    const { address, bytes, category } = block
    if (this.#live.get(address) !== block) {
      throw new AllocatorError(`the texture ${address} is not live here: freed twice, or not from this allocator`)
    }
    this.#live.delete(address)
    this.#pool.push({ address, bytes })
    this.#pooledBytes += bytes
    this.#count(category, -bytes, '')
  }

  /**
   * Count bytes that the device needs beside textures, for good.
   * @throws BudgetExceededError  they do not fit
   */
  reserve(bytes: number, op: string): void {
    if (this.#heldTotal + bytes > this.budgetBytes) throw new BudgetExceededError(bytes, 'runtime', op, this.stats())
    this.#trim(this.budgetBytes - this.#heldTotal - bytes)
    this.#count('runtime', bytes, op)
  }

  fork(budgetBytes = this.budgetBytes): PoolAllocator {
    const copy = new PoolAllocator(budgetBytes)
    copy.#live = new Map(this.#live)
    copy.#pool = [...this.#pool]
    copy.#pooledBytes = this.#pooledBytes
    copy.#nextAddress = this.#nextAddress
    copy.#held = { ...this.#held }
    copy.#heldTotal = this.#heldTotal
    copy.#trim(budgetBytes - copy.#heldTotal)
    copy.resetPeak()
    return copy
  }

  /** There are no places to choose among. */
  arrange(fn: () => void): null {
    fn()
    return null
  }

  place<T>(_placement: null, fn: () => T): T {
    return fn()
  }

  /** Give all pooled textures back. */
  trim(): void {
    this.#trim(0)
  }

  resetPeak(): void {
    this.#peak = { ...this.#held }
    this.#peakTotal = this.#heldTotal
    this.#heldAtPeak = { ...this.#held }
    this.#peakOp = 'standing tensors'
  }

  /** Peaks depend on what is live alone. */
  signature(): string {
    return String(this.#heldTotal)
  }

  budgetFor(peakBytes: number): number {
    return peakBytes
  }

  stats(): MemoryStats {
    const remainingBytes = this.budgetBytes - this.#heldTotal
    return {
      budgetBytes: this.budgetBytes,
      heldBytes: this.#heldTotal,
      pooledBytes: this.#pooledBytes,
      remainingBytes,
      unusableBytes: 0,
      peakBytes: this.#peakTotal,
      peakHeldBytes: this.#peakTotal,
      largestHoleBytes: Math.max(0, remainingBytes),
      held: { ...this.#held },
      peak: { ...this.#peak },
      heldAtPeak: { ...this.#heldAtPeak },
      peakOp: this.#peakOp,
    }
  }

  #reuse(bytes: number): number | undefined {
    const at = this.#pool.findLastIndex((pooled) => pooled.bytes === bytes)
    if (at < 0) return undefined
    this.#pooledBytes -= bytes
    return this.#pool.splice(at, 1)[0].address
  }

  #create(bytes: number): number {
    this.#trim(this.budgetBytes - this.#heldTotal - bytes)
    const address = this.#nextAddress
    this.textures?.create(address, ...sidesOf(bytes))
    this.#nextAddress++
    return address
  }

  /** Give pooled textures back until at most `limitBytes` of them are left. */
  #trim(limitBytes: number): void {
    let count = 0
    while (this.#pooledBytes > limitBytes && count < this.#pool.length) {
      const { address, bytes } = this.#pool[count++]
      this.#pooledBytes -= bytes
      this.textures?.delete(address)
    }
    this.#pool.splice(0, count)
  }

  #count(category: Category, bytes: number, op: string): void {
    this.#held[category] += bytes
    this.#heldTotal += bytes
    this.#peak[category] = Math.max(this.#peak[category], this.#held[category])
    if (this.#heldTotal <= this.#peakTotal) return
    this.#peakTotal = this.#heldTotal
    this.#heldAtPeak = { ...this.#held }
    this.#peakOp = op
  }
}
