/**
 * Addresses in one linear memory.
 *
 * The policy, in English:
 *   1. Every block starts at a multiple of 64 bytes (a cache line) and its size is rounded up to 64.
 *   2. A request takes the smallest hole that can serve it; among equal holes, the lowest.
 *   3. The tail, the free space that reaches to the end of memory, is cut only when no hole serves.
 *   4. A freed block merges with free neighbours at once; beside the tail it becomes part of the tail.
 *   5. If no block serves, the request fails and nothing has changed.
 *   6. The blocks of a planned step go where they were arranged (arrange.ts), because their lives are known beforehand.
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
import { checkArgument, NUMBER } from './arguments.js'
import { type Arrangement, arrange, type Life } from './arrange.js'
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

  constructor(readonly budgetBytes: number) {
    checkArgument('HeapAllocator', 'budgetBytes', budgetBytes, NUMBER)
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

  alloc(requestedBytes: number, category: Category, op: string, place?: number): Block {
    checkRequest(requestedBytes, op)
    const bytes = this.costOf(requestedBytes)
    const address = place === undefined ? (this.#cutHole(bytes) ?? this.#cutTail(bytes)) : this.#cutAt(place, bytes)
    if (address === undefined) throw new BudgetExceededError(requestedBytes, category, op, this.stats())
    const block: Block = { address, bytes, requestedBytes, category }
    this.#ledger.open(block, op)
    this.#peakAddress = Math.max(this.#peakAddress, address + bytes)
    return block
  }

  free(block: Block): void {
    this.#ledger.close(block)
    this.#merge(block.address, block.bytes)
  }

  costOf(bytes: number): number {
    return roundUp(Math.max(bytes, 1), ALIGNMENT_BYTES)
  }

  arrange(lives: readonly Life[], besideBytes = 0): Arrangement {
    const starts = [0, ...this.#holes.map(({ address, bytes }) => address + bytes)]
    const ends = [...this.#holes.map(({ address }) => address), this.#tail]
    const taken = starts.map((address, i) => ({ address, bytes: ends[i] - address })).filter(({ bytes }) => bytes > 0)
    const besideAddress = besideBytes > 0 ? this.#placeFor(this.costOf(besideBytes)) : undefined
    if (besideAddress !== undefined) taken.push({ address: besideAddress, bytes: this.costOf(besideBytes) })
    const { addresses, endBytes } = arrange(lives, taken)
    return { addresses, peakBytes: endBytes, ...(besideAddress !== undefined && { besideAddress }) }
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

  blocks(): readonly Block[] {
    return this.#ledger.blocks()
  }

  stats(): MemoryStats {
    return {
      ...this.#ledger.stats(),
      budgetBytes: this.budgetBytes,
      pooledBytes: 0,
      remainingBytes: this.budgetBytes - this.heldBytes,
      unusableBytes: this.#partPage(),
      peakBytes: this.#peakAddress,
      largestHoleBytes: Math.max(this.limitBytes - this.#tail, ...this.#holes.map((hole) => hole.bytes)),
    }
  }

  #partPage(): number {
    return Number.isFinite(this.budgetBytes) ? this.budgetBytes - this.limitBytes : 0
  }

  /** Take [address, address + bytes), if all of it is free. */
  #cutAt(address: number, bytes: number): number | undefined {
    const end = address + bytes
    if (address >= this.#tail) {
      if (end > this.limitBytes) return undefined
      if (address > this.#tail) this.#holes.push({ address: this.#tail, bytes: address - this.#tail })
      this.#tail = end
      return address
    }
    const index = this.#holes.findIndex((hole) => hole.address <= address && end <= hole.address + hole.bytes)
    if (index < 0) return undefined
    const hole = this.#holes[index]
    const rest = [
      { address: hole.address, bytes: address - hole.address },
      { address: end, bytes: hole.address + hole.bytes - end },
    ]
    this.#holes.splice(index, 1, ...rest.filter((part) => part.bytes > 0))
    return address
  }

  /** The smallest hole that can serve, or -1. */
  #bestHole(bytes: number): number {
    let best = -1
    for (let i = 0; i < this.#holes.length; i++) {
      const size = this.#holes[i].bytes
      if (size >= bytes && (best < 0 || size < this.#holes[best].bytes)) best = i
    }
    return best
  }

  /** Where a request would go if the budget had no end. */
  #placeFor(bytes: number): number {
    return this.#holes[this.#bestHole(bytes)]?.address ?? this.#tail
  }

  #cutHole(bytes: number): number | undefined {
    const best = this.#bestHole(bytes)
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
