/** Is a recording the one that was planned? A forward can do something else each time. */
import type { Planned } from '../device/instruction.js'
import type { Storage } from '../device/storage.js'
import type { Pass } from './pass.js'
import type { Recording } from './record.js'

/**
 * Does a recording do what was planned, on values of the same sizes? Only parameters of kernels and host data can
 * differ.
 * @returns null, or, in words, the action that was made and the action that was planned
 */
export function differenceOf(pass: Pass, made: Recording): { made: string; planned: string } | null {
  const { instructions, operands, lives } = pass
  const count = Math.max(instructions.length, made.instructions.length)
  for (let i = 0; i < count; i++) {
    const [a, b] = [instructions[i], made.instructions[i]]
    if (!a || !b || !alike(a, operands[i], b, made)) return { made: described(b), planned: described(a) }
  }
  const ended = lives.find(({ value, death }) => death === Infinity && made.values[value].references === 0)
  // a value that shares a place has no life of its own
  const lasting = made.values.findIndex(
    ({ references }, value) =>
      references > 0 &&
      !lives.some((life) => life.value === value && life.death === Infinity) &&
      operands.some((touched) => touched.includes(value)),
  )
  if (!ended && lasting < 0) return null
  const op = ended?.op ?? instructions[operands.findIndex((touched) => touched.includes(lasting))].op
  const words = [`a result of '${op}' that lasts`, `one of '${op}' that ends with the step`]
  const [planned, other] = ended ? words : words.reverse()
  return { made: other, planned }
}

/** @param numbers  the operands of `a` */
function alike(a: Planned, numbers: readonly number[], b: Planned, made: Recording): boolean {
  if (a.op !== b.op || a.name !== b.name) return false
  let at = 0
  const same = (planned: readonly Storage[], now: readonly Storage[]): boolean => {
    if (planned.length !== now.length) return false
    for (let i = 0; i < now.length; i++) {
      const { list, index, bytes } = now[i]
      if (numbers[at++] !== (list === made ? index : -1) || planned[i].bytes !== bytes) return false
    }
    return true
  }
  return same(a.reads, b.reads) && same(a.writes, b.writes) && same(a.workspaces, b.workspaces)
}

function described(instruction: Planned | undefined): string {
  if (!instruction) return 'nothing more'
  const { op, reads, writes } = instruction
  return `'${op}' on operands of ${[...reads, ...writes].map(({ size }) => size).join(', ')} elements`
}
