/** Dependencies in a recording: the levels of its instructions, and the values that cannot be made again at another time. */
import type { Planned } from '../device/instruction.js'
import type { Storage } from '../device/storage.js'
import type { Graph } from './again.js'

/** The values that are written again after another instruction has read them: the result of a read depends on when it runs. */
export function changingOf(reads: readonly (readonly number[])[], writes: readonly (readonly number[])[]): Set<number> {
  const [wasRead, changing] = [new Set<number>(), new Set<number>()]
  reads.forEach((read, i) => {
    for (const value of writes[i]) if (wasRead.has(value)) changing.add(value)
    for (const value of read) if (!writes[i].includes(value)) wasRead.add(value)
  })
  return changing
}

/** The level of each instruction: Note [Barriers] in levels.ts. */
export function levelsOf(
  { instructions, operands, values }: Graph,
  writesOf: readonly (readonly number[])[],
): Int32Array {
  const levels = new Int32Array(instructions.length)
  const written = new Int32Array(values.length)
  const touched = new Int32Array(values.length)
  const totals = new Map<Storage, number>()
  const standing = new Map<Storage, number>()
  instructions.forEach(({ reads, writes }, i) => {
    let level = 0
    reads.forEach((storage, j) => {
      const value = operands[i][j]
      if (value >= 0) level = Math.max(level, written[value])
      else if (storage.isTotal) level = Math.max(level, 1 + (totals.get(storage) ?? -1))
      else level = Math.max(level, standing.get(storage) ?? 0)
    })
    // a write comes after all earlier reads and writes of the value
    for (const value of writesOf[i]) level = Math.max(level, touched[value])
    levels[i] = level
    for (const value of operands[i]) if (value >= 0) touched[value] = Math.max(touched[value], level)
    writes.forEach((storage, j) => {
      const value = operands[i][reads.length + j]
      const known = storage.isTotal ? totals : standing
      if (value >= 0) written[value] = level
      // it is complete when its last writer has run
      else known.set(storage, Math.max(level, known.get(storage) ?? 0))
    })
  })
  return levels
}

/** The standing memory that the recording changes, except totals: the result of a read depends on when it runs. */
export function movingOf({ instructions, operands }: Graph): ReadonlySet<Storage> {
  const moving = new Set<Storage>()
  instructions.forEach(({ reads, writes }: Planned, i) => {
    writes.forEach((storage, j) => {
      if (operands[i][reads.length + j] < 0 && !storage.isTotal) moving.add(storage)
    })
  })
  return moving
}

/**
 * A value that cannot be made again and does not wait is missing in later passes. So all that is made from it cannot be
 * made again.
 * @param repeatable  1 for each value that can be made again; set to 0 for a value made from a missing one
 * @param crossing    the values that wait unless they can be made again
 */
export function spreadLosses(
  repeatable: Uint8Array,
  reads: readonly (readonly number[])[],
  writes: readonly (readonly number[])[],
  crossing: ReadonlySet<number>,
): void {
  reads.forEach((read, i) => {
    if (!read.some((value) => repeatable[value] === 0 && !crossing.has(value))) return
    for (const value of writes[i]) repeatable[value] = 0
  })
}
