/** A plan as a person reads it. */
import { CATEGORIES } from '../memory/allocator.js'
import { formatBytes, groupDigits } from '../memory/bytes.js'
import type { Plan } from './plan.js'
import { countOf, type Part } from './split.js'

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
