/**
 * Textures of a GPU, kept for reuse; or its buffers, in the same way.
 *
 * A tensor is one texture of RGBA32F texels, four values each, row after row. The policy, in English:
 *   1. A request is rounded up to whole texels, and those to a full rectangle (`sidesOf`). The sides follow from the
 *      bytes alone, so all textures with the same number of bytes are interchangeable. A buffer has no sides: it is as
 *      long as its texels.
 *   2. A request takes the pooled texture of exactly its bytes that was freed last; where there is none, a new one
 *      is made.
 *   3. A freed texture goes to the pool, not back to the driver, which is slow to make them.
 *   4. Before a new texture would take live and pooled bytes beyond the budget, pooled ones are given back: the largest
 *      first, so that few of them go; among equal ones, the one freed first. A training asks for every size again, and
 *      no size is more likely to come next than another.
 *   5. If the live bytes alone leave no room, the request fails and nothing has changed.
 *
 * Textures do not share one range of addresses, so there are no holes. By 4 and 5 the peak of a program is the most
 * bytes that are live at once, and the program fits every budget that is at least its peak. The pool is never larger
 * than what remains.
 */
import { type Allocator, type Block, BudgetExceededError, type Category, type MemoryStats } from './allocator.js'
import { type Arrangement, type Life, mostAlive } from './arrange.js'
import { checkRequest, Ledger } from './ledger.js'

/** Four float32 values. */
export const TEXEL_BYTES = 16

/**
 * The longest side of a texture. Every WebGL2 allows it, so plans are the same everywhere. A square of this side holds
 * 2^24 values.
 */
export const LONGEST_SIDE = 2048

/**
 * Texels in a row, unless there would be too many rows. Rows are short because a software GL spreads rows over the
 * cores of the processor.
 */
const SHORT_SIDE = 256

/** Who owns the textures behind the blocks. `address` names a texture for as long as it exists. */
export interface Textures {
  /** @throws  the driver cannot make the texture; the allocator has not changed */
  create(address: number, bytes: number): void
  delete(address: number): void
}

/** The sides of the texture for `bytes`, in texels. */
export function sidesOf(bytes: number): readonly [width: number, height: number] {
  const texels = Math.max(1, Math.ceil(bytes / TEXEL_BYTES))
  const height = Math.max(Math.min(Math.ceil(texels / SHORT_SIDE), LONGEST_SIDE), Math.ceil(texels / LONGEST_SIDE))
  return [Math.ceil(texels / height), height]
}

/** What a request for `bytes` costs, in bytes. */
export function textureBytes(bytes: number): number {
  const [width, height] = sidesOf(bytes)
  return width * height * TEXEL_BYTES
}

/** What a request for `bytes` costs if tensors are buffers. */
export const bufferBytes = (bytes: number): number => Math.max(1, Math.ceil(bytes / TEXEL_BYTES)) * TEXEL_BYTES

/** A freed texture that is kept for reuse. */
interface Pooled {
  readonly address: number
  readonly bytes: number
}

export class TextureAllocator implements Allocator {
  /** in the order in which the textures were freed */
  #pool: Pooled[] = []
  #pooledBytes = 0
  #nextAddress = 1
  #ledger = new Ledger()
  /** live ones that the driver has turned out not to have made */
  readonly #broken = new Set<number>()

  /**
   * @param textures  null: sizes only, as on a virtual device
   * @param costOf    what a request for `bytes` costs
   */
  constructor(
    readonly budgetBytes: number,
    readonly textures: Textures | null = null,
    readonly costOf: (bytes: number) => number = textureBytes,
  ) {}

  get heldBytes(): number {
    return this.#ledger.heldBytes
  }

  get peakBytes(): number {
    return this.#ledger.peakHeldBytes
  }

  alloc(requestedBytes: number, category: Category, op: string): Block {
    checkRequest(requestedBytes, op)
    const bytes = this.costOf(requestedBytes)
    if (this.heldBytes + bytes > this.budgetBytes) {
      throw new BudgetExceededError(requestedBytes, category, op, this.stats())
    }
    const block: Block = { address: this.#reuse(bytes) ?? this.#create(bytes), bytes, requestedBytes, category }
    this.#ledger.open(block, op)
    return block
  }

  free(block: Block): void {
    const { address, bytes } = block
    this.#ledger.close(block)
    if (this.#broken.delete(address)) this.textures?.delete(address)
    else {
      this.#pool.push({ address, bytes })
      this.#pooledBytes += bytes
    }
  }

  /** Do not reuse this texture: the driver could not make it, and said so late. */
  discard(address: number): void {
    const at = this.#pool.findIndex((pooled) => pooled.address === address)
    if (at < 0) {
      this.#broken.add(address)
      return
    }
    this.#pooledBytes -= this.#pool.splice(at, 1)[0].bytes
    this.textures?.delete(address)
  }

  /**
   * Hold bytes that the device needs beside textures, for as long as it is open.
   * @throws BudgetExceededError  they do not fit
   */
  reserve(bytes: number, op: string): void {
    if (this.heldBytes + bytes > this.budgetBytes) throw new BudgetExceededError(bytes, 'runtime', op, this.stats())
    this.#trim(this.budgetBytes - this.heldBytes - bytes)
    this.#ledger.take('runtime', bytes, op)
  }

  /** Textures have no addresses to choose from, so only the peak is computed. */
  arrange(lives: readonly Life[], besideBytes = 0): Arrangement {
    const more = besideBytes > 0 ? this.costOf(besideBytes) : 0
    return { addresses: null, peakBytes: this.heldBytes + more + mostAlive(lives).bytes }
  }

  /** Give all pooled textures back. */
  trim(): void {
    this.#trim(0)
  }

  resetPeak(): void {
    this.#ledger.resetPeak()
  }

  /** Peaks depend only on the live bytes. */
  signature(): string {
    return String(this.heldBytes)
  }

  budgetFor(peakBytes: number): number {
    return peakBytes
  }

  blocks(): readonly Block[] {
    return this.#ledger.blocks()
  }

  stats(): MemoryStats {
    const remainingBytes = this.budgetBytes - this.heldBytes
    return {
      ...this.#ledger.stats(),
      budgetBytes: this.budgetBytes,
      pooledBytes: this.#pooledBytes,
      remainingBytes,
      unusableBytes: 0,
      peakBytes: this.peakBytes,
      largestHoleBytes: remainingBytes,
    }
  }

  #reuse(bytes: number): number | undefined {
    const at = this.#pool.findLastIndex((pooled) => pooled.bytes === bytes)
    if (at < 0) return undefined
    this.#pooledBytes -= bytes
    return this.#pool.splice(at, 1)[0].address
  }

  #create(bytes: number): number {
    this.#trim(this.budgetBytes - this.heldBytes - bytes)
    const address = this.#nextAddress
    this.textures?.create(address, bytes)
    this.#nextAddress++
    return address
  }

  /** Give pooled textures back, the largest first, until at most `limitBytes` of them are left. */
  #trim(limitBytes: number): void {
    const pool = this.#pool
    while (this.#pooledBytes > limitBytes && pool.length > 0) {
      const largest = pool.reduce((best, { bytes }, i) => (bytes > pool[best].bytes ? i : best), 0)
      const [{ address, bytes }] = pool.splice(largest, 1)
      this.#pooledBytes -= bytes
      this.textures?.delete(address)
    }
  }
}
