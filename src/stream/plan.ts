/** A plan: how a mini-batch is split, what the split takes, and how a person reads it. How one is found: search.ts. */
import type { Rehearsed } from '../device/rehearsal.js'
import { type BytesByCategory, CATEGORIES } from '../memory/allocator.js'
import { formatBytes, groupDigits } from '../memory/bytes.js'
import type { Shape } from '../tensor/shape.js'

/** `count` micro-batches of `size` samples, one after the other. */
export interface Part {
  readonly size: number
  readonly count: number
}

/**
 * `samples` in as few micro-batches as the cap allows, balanced: 10 under cap 4 -> 1 x 4, 2 x 3.
 * Sizes differ by at most one, so there are at most two parts; the larger comes first.
 */
export function balanced(samples: number, cap: number): Part[] {
  const count = Math.ceil(samples / cap)
  const size = Math.floor(samples / count)
  const larger = samples % count
  return [
    { size: size + 1, count: larger },
    { size, count: count - larger },
  ].filter((part) => part.count > 0)
}

/** How many micro-batches there are. */
export const countOf = (parts: readonly Part[]): number => parts.reduce((sum, { count }) => sum + count, 0)

/** The size of each micro-batch: 1 x 4, 2 x 3 -> 4, 3, 3. */
export function* sizesOf(parts: readonly Part[]): Generator<number, void, void> {
  for (const { size, count } of parts) for (let i = 0; i < count; i++) yield size
}

/** What one rehearsal of a whole step, with micro-batches of one size, has shown. */
export interface Measured extends Rehearsed {
  peakBytes: number
  peakHeldBytes: number
  peakOp: string
  heldAtPeak: BytesByCategory
  /** of the model, without its first axis */
  outputShape: Shape
  /** rows on the first axis of the output, for each sample */
  outputRows: number
  /** what a user should know about this step's mathematics */
  notes: readonly string[]
}

/** 'fit': the largest that fits. A number: at most this many samples. */
export type MicroBatchOption = 'fit' | number

export interface Plan {
  readonly mode: string
  /** samples in the mini-batch */
  readonly batch: number
  /** the largest micro-batch that fits, or what was asked for; never above `batch` */
  readonly microBatch: number
  /** the micro-batches in their order: all of one size, or the larger before those of a sample less */
  readonly parts: readonly Part[]
  readonly budgetBytes: number
  readonly heldBytes: BytesByCategory
  /** budget minus held: what is left for micro-batches */
  readonly remainingBytes: number
  /** what one more sample adds to the peak, on average up to the whole mini-batch, or to the largest that can run */
  readonly bytesPerSample: number
  /** the highest byte that the step will reach; the step is held to it exactly */
  readonly plannedPeakBytes: number
  /** the smallest budget under which this very plan runs */
  readonly neededBudgetBytes: number
  /** the budget that the whole mini-batch in one piece needs; Infinity where the device has no tensors so large */
  readonly wholeBatchBytes: number
  /** the smallest budget under which this mini-batch can run at all */
  readonly minimumBudgetBytes: number
  /** the op at the peak, and what was held there */
  readonly peakOp: string
  readonly heldAtPeak: BytesByCategory
  /** what a user should know about this step's mathematics */
  readonly notes: readonly string[]
  /** of the model, without its first axis */
  readonly outputShape: Shape
  /** rows on the first axis of the output, for each sample */
  readonly outputRows: number
  /** what rehearsing a micro-batch of each of `parts` has shown */
  readonly rehearsals: readonly Measured[]
  toString(): string
}

/** '1 x 4 + 2 x 3' */
export const describeParts = (parts: readonly Part[]): string =>
  parts.map(({ size, count }) => `${groupDigits(count)} x ${groupDigits(size)}`).join(' + ')

/** The memory report: a table of the budget and what becomes of it. */
export function describePlan(plan: Plan): string {
  const share = ((100 * plan.plannedPeakBytes) / plan.budgetBytes).toFixed(1)
  const times = plan.wholeBatchBytes / plan.budgetBytes
  const count = countOf(plan.parts)
  const steps = count === 1 ? '1 accumulation step' : `${groupDigits(count)} accumulation steps`
  const bytes = (label: string, count: number, more = ''): string =>
    `  ${label.padEnd(22)}${formatBytes(count).padStart(12)}  ${groupDigits(count).padStart(16)} B${more && `   ${more}`}`
  const lines = [
    `Memory plan (${plan.mode}): mini-batch ${groupDigits(plan.batch)}`,
    bytes('budget', plan.budgetBytes),
    ...CATEGORIES.filter((category) => plan.heldBytes[category] > 0).map((category) =>
      bytes(`- ${category}`, plan.heldBytes[category]),
    ),
    bytes('remaining', plan.remainingBytes),
    bytes('per sample', plan.bytesPerSample),
    bytes('planned peak', plan.plannedPeakBytes, `${share} % of the budget, at '${plan.peakOp}'`),
    Number.isFinite(times)
      ? bytes(
          'whole batch needs',
          plan.wholeBatchBytes,
          times > 1 ? `${times.toFixed(1)} times the budget` : 'within the budget',
        )
      : `  ${'whole batch needs'.padEnd(22)}tensors larger than this device has, whatever the budget`,
    bytes('smallest budget', plan.minimumBudgetBytes),
    `  micro-batch ${groupDigits(plan.microBatch)}: ${steps}, ${describeParts(plan.parts)}`,
    ...plan.notes.map((note) => `  note: ${note}`),
  ]
  return lines.join('\n')
}
