/** The bytes that an allocator holds, as a table for a person to read. */
import { CATEGORIES, type MemoryStats } from './allocator.js'
import { checkArgument, type Kind } from './arguments.js'
import { formatBytes } from './bytes.js'

const STATS: Kind = {
  told: 'the memory of a device, device.memory',
  fits: (value) => typeof value === 'object' && value !== null && 'held' in value && 'peak' in value,
}

/**
 * A table of held and peak bytes by category, under a line for the whole:
 *
 *     holds 632 KiB of 2 MiB; peak 1.89 MiB, of which 96 KiB were holes; most was live at 'conv2d'
 *     category          held        peak
 *     parameter   155.38 KiB  155.38 KiB
 */
export function describeMemory(stats: MemoryStats): string {
  checkArgument('describeMemory', 'stats', stats, STATS)
  const { budgetBytes, heldBytes, unusableBytes, peakBytes, peakHeldBytes, held, peak, peakOp } = stats
  // A peak of addresses leaves out bytes that are held without an address.
  const holes = Math.max(0, peakBytes - (peakHeldBytes - unusableBytes))
  const lines = CATEGORIES.filter((category) => peak[category] > 0).map((category) => [
    category,
    formatBytes(held[category]),
    formatBytes(peak[category]),
  ])
  const table = [['category', 'held', 'peak'], ...lines].map(
    ([name, now, most]) => `${name.padEnd(10)}${now.padStart(12)}${most.padStart(12)}`,
  )
  return [
    `holds ${formatBytes(heldBytes)} of ${formatBytes(budgetBytes)}; peak ${formatBytes(peakBytes)}, of which ` +
      `${formatBytes(holes)} were holes; most was live at '${peakOp}'`,
    ...table,
  ].join('\n')
}
