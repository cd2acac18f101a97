/**
 * The interface of an allocator, through which all bytes of a device are taken: what it promises on every device.
 *
 * Note [Budget]
 *   `budgetBytes` is the budget that the user gave. An allocator never hands out more. All sizes that count against it
 *   are reserved bytes: the cost of a request after rounding.
 * Note [Peak]
 *   `peakBytes` is the smallest budget that would have served everything since the last `resetPeak`.
 *   A plan promises this number, and a step must reach exactly it.
 */
import type { Arrangement, Life } from './arrange.js'
import { formatBytes } from './bytes.js'
import { SluiceError } from './errors.js'

export const CATEGORIES = [
  'parameter',
  'gradient',
  'optimizer',
  'buffer',
  'store',
  'input',
  'activation',
  'workspace',
  'runtime',
] as const

/** What a block is for. `store`: values that a step keeps between its passes. `runtime`: bytes that the device itself needs or cannot use. */
export type Category = (typeof CATEGORIES)[number]

export type BytesByCategory = Readonly<Record<Category, number>>

/** A piece of device memory. Immutable; identity matters. */
export interface Block {
  readonly address: number
  /** the bytes asked for */
  readonly requestedBytes: number
  /** its cost: the bytes after rounding */
  readonly bytes: number
  readonly category: Category
}

export interface MemoryStats {
  readonly budgetBytes: number
  /** bytes live now, rounding included */
  readonly heldBytes: number
  /** free bytes kept for reuse; they are given back before a request is refused. Held and pooled never exceed the budget. */
  readonly pooledBytes: number
  readonly remainingBytes: number
  /** the part of the budget that no block can ever have; it is held as `runtime` */
  readonly unusableBytes: number
  /** Note [Peak] */
  readonly peakBytes: number
  /** the largest number of bytes live at once since resetPeak; the difference from peakBytes is fragmentation */
  readonly peakHeldBytes: number
  readonly largestHoleBytes: number
  readonly held: BytesByCategory
  /** each category's own peak since resetPeak; the peaks need not coincide in time */
  readonly peak: BytesByCategory
  /** the bytes held when the most were live at once, and the op of the last request before that */
  readonly heldAtPeak: BytesByCategory
  readonly peakOp: string
}

export interface Allocator {
  readonly budgetBytes: number
  readonly heldBytes: number
  readonly peakBytes: number
  /**
   * @param op       the op that asks, for errors and for `peakOp`
   * @param address  the place that `arrange` found; default the place that the policy chooses
   * @throws BudgetExceededError  no place within the budget; nothing has changed
   * @throws ArgumentError  not a whole number of bytes
   */
  alloc(bytes: number, category: Category, op: string, address?: number): Block
  /** @throws AllocatorError  not a live block of this allocator */
  free(block: Block): void
  /** The cost of a request for `bytes`, after rounding. */
  costOf(bytes: number): number
  /**
   * Find places for blocks whose lives are known, beside the blocks held now, and beside one more block of `besideBytes`
   * that `alloc` would place. Allocates nothing.
   */
  arrange(lives: readonly Life[], besideBytes?: number): Arrangement
  /**
   * Forget the peaks. Those of bytes restart at the bytes held now, and `peakBytes` at the smallest budget that holds
   * them, holes included.
   */
  resetPeak(): void
  /** Equal signatures place the same future requests in the same places. */
  signature(): string
  stats(): MemoryStats
  /** The blocks that are live now, in no order. */
  blocks(): readonly Block[]
  /** The smallest budget, as a user would give it, whose usable part is at least `peakBytes`. */
  budgetFor(peakBytes: number): number
}

/** Every category at zero. */
export function noBytes(): Record<Category, number> {
  return Object.fromEntries(CATEGORIES.map((category) => [category, 0])) as Record<Category, number>
}

/** 'parameter 1 KiB, activation 3 MiB': the categories that hold something. */
export function describeHeld(held: BytesByCategory): string {
  const parts = CATEGORIES.filter((category) => held[category] > 0).map(
    (category) => `${category} ${formatBytes(held[category])}`,
  )
  return parts.join(', ') || 'nothing'
}

/** The categories of a model's own tensors. */
const MODEL_CATEGORIES: ReadonlySet<Category> = new Set<Category>(['parameter', 'buffer'])
const MODEL_HINT = ' A model made in nn.allOrNothing(device, () => ...) leaves nothing behind when it does not fit.'

/** A request that the budget cannot serve. Nothing was allocated. */
export class BudgetExceededError extends SluiceError {
  constructor(
    readonly requestedBytes: number,
    readonly category: Category,
    readonly op: string,
    readonly memory: MemoryStats,
    /** what to do about it; default free tensors */
    hint = MODEL_CATEGORIES.has(category) ? MODEL_HINT : '',
  ) {
    super(
      `${op}: ${formatBytes(requestedBytes)} (${requestedBytes} bytes) for ${category} do not fit the budget of ` +
        `${formatBytes(memory.budgetBytes)}: ${formatBytes(memory.heldBytes)} are held (${describeHeld(memory.held)}), ` +
        `the largest hole is ${formatBytes(memory.largestHoleBytes)}. Raise the budget, use a smaller batch, ` +
        `or free tensors earlier.${hint}`,
    )
  }
}
