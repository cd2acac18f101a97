/** What planning asks of an allocator, and the same under another budget. */
import type { Allocator, MemoryStats } from '../memory/allocator.js'
import { PAGE_BYTES } from '../memory/heap.js'

/** Places do not depend on the budget (the policy in memory/heap.ts), so one allocator answers for all. */
export type Budget = Pick<Allocator, 'budgetBytes' | 'arrange' | 'costOf' | 'budgetFor' | 'stats'>

/** The allocator as if it had this budget; it may be less than what is held. */
export function underBudget(allocator: Allocator, budgetBytes: number): Budget {
  // a heap is used in whole pages, and the rest of its budget counts as held
  const over = allocator.budgetFor(budgetBytes) - budgetBytes
  const unusableBytes = over > 0 ? PAGE_BYTES - over : 0
  const stats = (): MemoryStats => {
    const own = allocator.stats()
    const more = unusableBytes - own.unusableBytes
    const heldBytes = own.heldBytes + more
    return {
      ...own,
      budgetBytes,
      unusableBytes,
      heldBytes,
      held: { ...own.held, runtime: own.held.runtime + more },
      remainingBytes: budgetBytes - heldBytes,
    }
  }
  return {
    budgetBytes,
    stats,
    arrange: (lives, besideBytes) => allocator.arrange(lives, besideBytes),
    costOf: (bytes) => allocator.costOf(bytes),
    budgetFor: (bytes) => allocator.budgetFor(bytes),
  }
}
