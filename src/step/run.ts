/** Runs a recording as it was planned. */
import type { Device } from '../device/device.js'
import { PlanMismatchError } from '../device/errors.js'
import { Storage } from '../device/storage.js'
import { BudgetExceededError } from '../memory/allocator.js'
import { differenceOf } from './difference.js'
import type { Pass } from './pass.js'
import type { Recording } from './record.js'
import type { StoredValues } from './store.js'

/**
 * Run a recording in one pass. Results that are held keep their memory.
 * @param made  its values live as those of `pass`, because the two agree (see `differenceOf`)
 */
export function run<T>(device: Device, pass: Pass, made: Recording<T>): T {
  try {
    perform(device, pass, made)
  } catch (error) {
    made.undo()
    throw error
  }
  made.done(device)
  return made.result
}

/**
 * Do the instructions of a pass one after the other: each value takes its place before the first that touches it and
 * leaves it after the last. If an instruction fails, all values are freed.
 * @param store  the stored values of this recording
 */
export function perform(device: Device, pass: Pass, made: Recording, store?: StoredValues): void {
  const { allocator } = device
  const { turns, operands, copyOf, lives, stored, addresses, births, deaths } = pass
  const { instructions } = made
  const values = [...made.values, ...copyOf.map((value) => copyFor(made.values[value]))]
  const free = (value: number): void => allocator.free(values[value].leave())
  try {
    checkBudget(device, pass, made)
    for (const value of stored) store?.place(values[value], value)
    turns.forEach((turn, i) => {
      const { op, reads, writes, workspaces, perform } = instructions[turn.instruction]
      for (const life of births[i]) {
        const value = values[lives[life].value]
        value.place(allocator.alloc(value.bytes, value.category, op, addresses?.[life]))
      }
      if (turn.transfer) {
        const { what, value } = turn.transfer
        store?.[what](values[turn.operands[0]], value)
      } else if (turn.operands === operands[turn.instruction]) {
        perform(reads, writes, workspaces)
      } else {
        const all = [...reads, ...writes, ...workspaces].map((own, j) => values[turn.operands[j]] ?? own)
        const end = reads.length + writes.length
        perform(all.slice(0, reads.length), all.slice(reads.length, end), all.slice(end))
      }
      for (const life of deaths[i]) free(lives[life].value)
    })
  } catch (error) {
    for (const { value } of lives) if (values[value].placed) free(value)
    throw error
  } finally {
    for (const value of stored) if (values[value].placed) values[value].leave()
  }
}

const copyFor = ({ size, bytes, category }: Storage): Storage => new Storage(size, bytes, category)

/** @throws BudgetExceededError  naming the first value that has no room, and the bytes held at that point */
function checkBudget(
  { allocator }: Device,
  { turns, copyOf, lives, addresses, peakBytes }: Pass,
  { values, instructions }: Recording,
): void {
  const fits = (bytes: number): boolean => allocator.budgetFor(bytes) <= allocator.budgetBytes
  if (fits(peakBytes)) return
  const memory = allocator.stats()
  const held = { ...memory.held }
  for (const [i, { birth, category, bytes, value }] of lives.entries()) {
    const before = lives.filter(
      (other, j) => other.birth <= birth && birth <= other.death && (other.birth < birth || j < i),
    )
    const heldBytes = before.reduce((sum, other) => sum + other.bytes, memory.heldBytes)
    if (fits(addresses ? addresses[i] + bytes : heldBytes + bytes)) continue
    for (const other of before) held[other.category] += other.bytes
    const remainingBytes = Math.max(0, allocator.budgetBytes - heldBytes)
    throw new BudgetExceededError(
      values[copyOf[value - values.length] ?? value].bytes,
      category,
      instructions[turns[birth].instruction].op,
      {
        ...memory,
        held,
        heldBytes,
        remainingBytes,
        largestHoleBytes: remainingBytes,
      },
    )
  }
}

/** The error for a recording that does not do what was planned, or null. */
export function mismatch(pass: Pass, recording: Recording): PlanMismatchError | null {
  const difference = differenceOf(pass, recording)
  if (!difference) return null
  return new PlanMismatchError(
    `the step has ${difference.made} where its plan has ${difference.planned}. A forward must run the same ops for the ` +
      'same shapes: let it not depend on values, counters or randomness. Nothing was committed.',
  )
}

/** The recording, which must do what was planned. @throws PlanMismatchError  it does not; it is undone */
export function planned<T>(pass: Pass, made: Recording<T>): Recording<T> {
  const fault = mismatch(pass, made)
  if (!fault) return made
  made.undo()
  throw fault
}

/** `run`, for a recording that must do what was planned. @throws PlanMismatchError  it does not; nothing has run */
export const runPlanned = <T>(device: Device, pass: Pass, made: Recording<T>): T =>
  run(device, pass, planned(pass, made))
