/**
 * Addresses in one linear memory.
 *
 * The policy, in English:
 *   1. Every block starts at a multiple of 64 bytes (a cache line) and its size is rounded up to 64.
 *   2. A request takes the smallest hole that can serve it; among equal holes, the lowest.
 *   3. The tail, the free space that reaches to the end of memory, is cut only when no hole serves.
 *   4. A freed block merges with free neighbours at once; beside the tail it becomes part of the tail.
 *   5. Where nothing serves, the request fails and nothing has changed.
 *   6. Inside `place`, requests go where a rehearsal has arranged them (arrange.ts), which knows the future.
 *
 * By 2 and 3 the size of the tail never influences where a block goes, so placement does not depend
 * on the budget, and the peak is the highest address ever reached: a program that peaks at P under
 * one budget peaks at P under every budget that is at least P, and fails under every smaller one.
 * (Plain best fit treats the tail as a hole like any other, and loses this.)
 *
 * Linear memory comes in 64 KiB pages. The part-page at the end of a budget cannot be used; it is
 * accounted as `runtime`, so that held + remaining = budget, to the byte.
 */
import { type Allocator, type Block, BudgetExceededError, type Category, type MemoryStats } from './allocator.js'
import { arrange, type Life, type Placement } from './arrange.js'
import { checkRequest, Ledger } from './ledger.js'

export const ALIGNMENT_BYTES = 64
export const PAGE_BYTES = 65536

interface Hole {
  address: number
  bytes: number
}

const roundUp = (bytes: number, unit: number): number => Math.ceil(bytes / unit) * unit

export class HeapAllocator implements Allocator {
  /** The usable bytes: whole pages of the budget. No block reaches beyond. */
  readonly limitBytes: number
  /** Free space below the tail, by address; no two touch. */
  #holes: Hole[] = []
  #tail = 0
  #ledger = new Ledger()
  #peakAddress = 0
  /** the lives of the blocks that `arrange` watches, or null */
  #lives: Map<Block, Life> | null = null
  /** the time: one tick for each birth and death */
  #clock = 0
  /** the places of the coming requests during `place`, or null */
  #arranged: { placement: Placement; next: number } | null = null

  constructor(readonly budgetBytes: number) {
    this.limitBytes = Math.floor(budgetBytes / PAGE_BYTES) * PAGE_BYTES
    this.#ledger.count('runtime', this.#partPage())
    this.resetPeak()
  }

  get heldBytes(): number {
    return this.#ledger.heldBytes
  }

  get peakBytes(): number {
    return this.#peakAddress
  }

  alloc(requestedBytes: number, category: Category, op: string): Block {
    checkRequest(requestedBytes, op)
    const bytes = roundUp(Math.max(requestedBytes, 1), ALIGNMENT_BYTES)
    const address = this.#cutArranged(bytes) ?? this.#cutHole(bytes) ?? this.#cutTail(bytes)
    if (address === undefined) throw new BudgetExceededError(requestedBytes, category, op, this.stats())
    const block: Block = { address, bytes, requestedBytes, category }
    this.#ledger.open(block, op)
    this.#lives?.set(block, { bytes, birth: this.#clock++, death: Infinity })
    this.#peakAddress = Math.max(this.#peakAddress, address + bytes)
    return block
  }

  free(block: Block): void {
    this.#ledger.close(block)
    const life = this.#lives?.get(block)
    if (life) life.death = this.#clock++
    this.#merge(block.address, block.bytes)
  }

  fork(budgetBytes = this.budgetBytes): HeapAllocator {
    const copy = new HeapAllocator(budgetBytes)
    copy.#holes = this.#holes.map((hole) => ({ ...hole }))
    copy.#tail = this.#tail
    copy.#ledger = this.#ledger.fork()
    copy.#ledger.count('runtime', copy.#partPage() - this.#partPage())
    copy.resetPeak()
    return copy
  }

  arrange(fn: () => void): Placement | null {
    const base = this.#tail
    const lives = new Map<Block, Life>()
    this.#lives = lives
    try {
      fn()
    } finally {
      this.#lives = null
    }
    const placement = arrange([...lives.values()], base)
    return highestEnd(placement) < highestEnd([...lives.keys()]) ? placement : null
  }

  place<T>(placement: Placement | null, fn: () => T): T {
    this.#arranged = placement && { placement, next: 0 }
    try {
      return fn()
    } finally {
      this.#arranged = null
    }
  }

  resetPeak(): void {
    this.#peakAddress = this.#tail
    this.#ledger.resetPeak()
  }

  signature(): string {
    return JSON.stringify([this.#tail, ...this.#holes])
  }

  budgetFor(peakBytes: number): number {
    return roundUp(peakBytes, PAGE_BYTES)
  }

  stats(): MemoryStats {
    return {
      ...this.#ledger.stats(),
      budgetBytes: this.budgetBytes,
      pooledBytes: 0,
      remainingBytes: this.budgetBytes - this.heldBytes,
      unusableBytes: this.#partPage(),
      peakBytes: this.#peakAddress,
      largestHoleBytes: Math.max(0, this.limitBytes - this.#tail, ...this.#holes.map((hole) => hole.bytes)),
    }
  }

  #partPage(): number {
    return Number.isFinite(this.budgetBytes) ? this.budgetBytes - this.limitBytes : 0
  }

  #cutArranged(bytes: number): number | undefined {
    const arranged = this.#arranged
    if (!arranged) return undefined
    const spot = arranged.placement[arranged.next++]
    if (spot?.bytes === bytes && this.#cutAt(spot.address, bytes)) return spot.address
    this.#arranged = null
    return undefined
  }

  /** Take [address, address + bytes), if all of it is free. */
  #cutAt(address: number, bytes: number): boolean {
    const end = address + bytes
    if (address >= this.#tail) {
      if (end > this.limitBytes) return false
      if (address > this.#tail) this.#holes.push({ address: this.#tail, bytes: address - this.#tail })
      this.#tail = end
      return true
    }
    const index = this.#holes.findIndex((hole) => hole.address <= address && end <= hole.address + hole.bytes)
    if (index < 0) return false
    const hole = this.#holes[index]
    const rest = [
      { address: hole.address, bytes: address - hole.address },
      { address: end, bytes: hole.address + hole.bytes - end },
    ]
    this.#holes.splice(index, 1, ...rest.filter((part) => part.bytes > 0))
    return true
  }

  #cutHole(bytes: number): number | undefined {
    let best = -1
    for (let i = 0; i < this.#holes.length; i++) {
      const size = this.#holes[i].bytes
      if (size >= bytes && (best < 0 || size < this.#holes[best].bytes)) best = i
    }
    if (best < 0) return undefined
    const hole = this.#holes[best]
    const address = hole.address
    hole.address += bytes
    hole.bytes -= bytes
    if (hole.bytes === 0) this.#holes.splice(best, 1)
    return address
  }

  #cutTail(bytes: number): number | undefined {
    if (bytes > this.limitBytes - this.#tail) return undefined
    const address = this.#tail
    this.#tail += bytes
    return address
  }

  /** Give [address, address + bytes) back: find its place among the holes by binary search, and join it with neighbours. */
  #merge(address: number, bytes: number): void {
    let low = 0
    let high = this.#holes.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#holes[middle].address < address) low = middle + 1
      else high = middle
    }
    const before = this.#holes[low - 1]
    const after = this.#holes[low]
    const hole = { address, bytes }
    let from = low
    let count = 0
    if (before && before.address + before.bytes === address) {
      hole.address = before.address
      hole.bytes += before.bytes
      from--
      count++
    }
    if (after && hole.address + hole.bytes === after.address) {
      hole.bytes += after.bytes
      count++
    }
    if (hole.address + hole.bytes === this.#tail) {
      this.#tail = hole.address
      this.#holes.splice(from, count)
    } else {
      this.#holes.splice(from, count, hole)
    }
  }
}

const highestEnd = (blocks: readonly { address: number; bytes: number }[]): number =>
  blocks.reduce((end, { address, bytes }) => Math.max(end, address + bytes), 0)
