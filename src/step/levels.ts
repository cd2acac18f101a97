/**
 * Levels: the order of a step that uses values of the whole mini-batch in its middle.
 *
 * Note [Barriers]
 *   All micro-batches add to a total (Storage.isTotal): the moments of a batch norm, the sums of its gradient. Where the step
 *   itself reads a total, it must wait until every micro-batch has added its part: this is a barrier. The level of an
 *   instruction is the number of barriers on the longest path to it. So a step runs in passes: pass l does the instructions
 *   of level l for one micro-batch after the other, and completes the totals of level l. Without barriers there is one pass.
 *
 * Note [Between passes]
 *   A value that a later pass reads has to wait, in every micro-batch. Either they are stored, or the later pass makes the
 *   value again, from values that are stored or made again themselves: it runs all instructions of earlier levels that
 *   wrote it, in their order. Instructions that change standing memory run once, at their level. A value that is written
 *   again after another instruction has read it cannot be made again, so it is always stored.
 */
import type { Graph, Turn } from './again.js'
import { changingOf, levelsOf, movingOf, spreadLosses } from './dependencies.js'
import { ALWAYS, Kept, NEVER, PAUSING } from './kept.js'

/** A pass of one level. */
export interface LevelSchedule {
  readonly turns: readonly Turn[]
  /** the stored values that it reads or writes */
  readonly stored: readonly number[]
  /** those of them that are stored from here on */
  readonly begun: ReadonlySet<number>
}

/** Does it read totals? Without barriers there is one pass. */
export const hasBarriers = ({ instructions }: Graph): boolean =>
  instructions.some(({ reads }) => reads.some(({ isTotal }) => isTotal))

export class Levels {
  /** the level of each instruction */
  readonly of: Int32Array
  /** how many passes there are */
  readonly count: number
  /** for each value, the level of the pass that writes it first; -1: no instruction writes it */
  readonly births: Int32Array
  /** the values that a later pass reads */
  readonly crossing: readonly number[]
  /** crossing values that can be made again, by the instruction that writes them first */
  readonly candidates: ReadonlyMap<number, readonly number[]>
  /** the last level that sends values out: see sendOut; -1: none does */
  readonly sending: number
  /** the instructions of each level */
  readonly #byLevel: readonly (readonly number[])[]
  /** 1 for each instruction that has to run at its level, because it does more than write values */
  readonly #effects: Uint8Array
  /** for each value, the instructions that write it, in their order */
  readonly #writers: readonly (readonly number[])[]
  /** 1 for each value that its writers can make again */
  readonly #repeatable: Uint8Array
  /** for each value, the last level before its longest pause; -1: it has none (Note [Pauses] in kept.ts) */
  readonly pauses: Int32Array
  /** the values that each instruction reads, and writes */
  readonly #reads: readonly (readonly number[])[]
  readonly #writes: readonly (readonly number[])[]
  /** marks of a walk: a value is marked if it has the number of the walk */
  readonly #present: Int32Array
  readonly #wanted: Int32Array
  #stamp = 0

  constructor(readonly graph: Graph) {
    const { instructions, operands, values } = graph
    const isValue = (value: number): boolean => value >= 0
    this.#reads = instructions.map(({ reads }, i) => operands[i].slice(0, reads.length).filter(isValue))
    this.#writes = instructions.map((_, i) => writesOf(graph, i).filter(isValue))
    this.#present = new Int32Array(values.length)
    this.#wanted = new Int32Array(values.length)
    this.of = levelsOf(graph, this.#writes)
    this.count = this.of.reduce((most, level) => Math.max(most, level + 1), 1)
    this.sending = instructions.reduce((last, { name }, i) => (name === 'send' ? Math.max(last, this.of[i]) : last), -1)
    this.births = new Int32Array(values.length).fill(-1)
    this.#effects = new Uint8Array(instructions.length)
    const byLevel: number[][] = Array.from({ length: this.count }, () => [])
    const writers: number[][] = values.map(() => [])
    this.#repeatable = new Uint8Array(values.length).fill(1)
    const changing = changingOf(this.#reads, this.#writes)
    const touches: number[][] = values.map(() => [])
    const moving = movingOf(graph)
    instructions.forEach((instruction, i) => {
      const level = this.of[i]
      byLevel[level].push(i)
      const written = this.#writes[i]
      const { length: outputs } = instruction.writes
      for (const value of operands[i]) if (value >= 0) touches[value].push(level)
      const hasEffect = instruction.name === 'read' || written.length < outputs
      if (hasEffect) this.#effects[i] = 1
      const canRepeat =
        !hasEffect &&
        !instruction.reads.some((read) => moving.has(read)) &&
        ![...this.#reads[i], ...written].some((value) => changing.has(value))
      for (const value of written) {
        if (this.births[value] < 0) this.births[value] = level
        writers[value].push(i)
        const isAlone = writers[value].length === 1 || written.length === 1
        if (!canRepeat || !isAlone) this.#repeatable[value] = 0
      }
    })
    this.#writers = writers
    this.#byLevel = byLevel
    this.crossing = [...values.keys()].filter(
      (value) => this.births[value] >= 0 && touches[value].some((level) => level > this.births[value]),
    )
    spreadLosses(this.#repeatable, this.#reads, this.#writes, new Set(this.crossing))
    this.pauses = new Int32Array(values.length).fill(-1)
    for (const value of this.crossing) this.pauses[value] = longestPause(touches[value])
    const candidates = new Map<number, number[]>()
    for (const value of this.crossing) {
      if (this.#repeatable[value] === 0) continue
      const [first] = writers[value]
      candidates.set(first, [...(candidates.get(first) ?? []), value])
    }
    this.candidates = candidates
  }

  /** The instructions that make a candidate again. */
  makersOf(value: number): readonly number[] {
    return this.#writers[value]
  }

  /**
   * The values that are kept if these choices are dropped. Choice v drops value v during its pause; choice v + the number
   * of values drops it at all times. The values that one instruction writes are dropped together.
   */
  keptWithout(isDropped: (choice: number) => boolean): Kept {
    const { length } = this.graph.values
    const how = new Uint8Array(length)
    for (const value of this.crossing) how[value] = ALWAYS
    for (const values of this.candidates.values()) {
      const kept = isDropped(length + values[0]) ? NEVER : isDropped(values[0]) ? PAUSING : ALWAYS
      for (const value of values) how[value] = kept === PAUSING && this.pauses[value] < 0 ? ALWAYS : kept
    }
    return new Kept(how, this.pauses)
  }

  /**
   * The pass of a level: its own instructions, and the makers of each value that is neither here nor stored, before its
   * first reader.
   */
  schedule(level: number, kept: Kept): LevelSchedule {
    const turns: Turn[] = []
    const stored: number[] = []
    const begun = new Set<number>()
    this.walk(
      level,
      kept,
      (instruction) => turns.push({ instruction, operands: this.graph.operands[instruction] }),
      (value, begins) => {
        stored.push(value)
        if (begins) begun.add(value)
      },
    )
    return { turns, stored, begun }
  }

  /**
   * A schedule in which stored values are copied: loaded before they are first touched, and saved after the last turn that
   * writes them, if a later pass needs them.
   */
  withTransfers({ turns, stored, begun }: LevelSchedule, isReadLater: (value: number) => boolean): LevelSchedule {
    const [first, lastWrite] = [new Map<number, number>(), new Map<number, number>()]
    turns.forEach(({ instruction, operands }, i) => {
      for (const value of operands) if (!first.has(value)) first.set(value, i)
      for (const value of this.#writes[instruction]) lastWrite.set(value, i)
    })
    const before: Turn[][] = turns.map(() => [])
    const after: Turn[][] = turns.map(() => [])
    for (const value of stored) {
      const turn = { instruction: this.#writers[value][0], operands: [value] }
      if (!begun.has(value)) before[first.get(value) ?? 0].push({ ...turn, transfer: { what: 'load', value } })
      const written = lastWrite.get(value)
      if (written === undefined || !isReadLater(value)) continue
      after[written].push({ ...turn, transfer: { what: 'save', value } })
    }
    return { turns: turns.flatMap((turn, i) => [...before[i], turn, ...after[i]]), stored: [], begun }
  }

  /**
   * Visit the instructions of a pass in the order in which they run.
   * @param visitStored  gets each stored value that the pass touches, once, and whether it is stored from here on
   */
  walk(
    level: number,
    kept: Kept,
    visit: (instruction: number) => void,
    visitStored: (value: number, begins: boolean) => void,
  ): void {
    const { births } = this
    const needed = this.#needed(level, kept)
    const present = this.#present
    const stamp = ++this.#stamp
    const demand = (value: number): void => {
      if (present[value] === stamp) return
      present[value] = stamp
      if (births[value] === level) return
      if (this.#repeatable[value] === 0 || kept.waits(value, level)) visitStored(value, false)
      else for (const writer of this.#writers[value]) if (this.of[writer] < level) make(writer)
    }
    const make = (instruction: number): void => {
      for (const value of this.#reads[instruction]) demand(value)
      visit(instruction)
      for (const value of this.#writes[instruction]) {
        present[value] = stamp
        if (kept.again(value, level)) visitStored(value, true)
      }
    }
    for (let k = needed.length - 1; k >= 0; k--) {
      const i = needed[k]
      for (const value of this.#reads[i]) demand(value)
      for (const value of this.#writes[i]) {
        if (this.graph.instructions[i].changes) demand(value)
        if (present[value] !== stamp && kept.waits(value, level)) visitStored(value, births[value] === level)
        present[value] = stamp
      }
      visit(i)
    }
  }

  /** The instructions of a level that have effects, or make what is stored or read in this pass, the last first. */
  #needed(level: number, { how }: Kept): number[] {
    const all = this.#byLevel[level]
    const wanted = this.#wanted
    const stamp = ++this.#stamp
    const needed: number[] = []
    for (let k = all.length - 1; k >= 0; k--) {
      const i = all[k]
      let isNeeded = this.#effects[i] === 1
      for (const value of this.#writes[i]) isNeeded ||= wanted[value] === stamp || how[value] !== NEVER
      if (!isNeeded) continue
      needed.push(i)
      for (const value of this.#reads[i]) wanted[value] = stamp
      if (this.graph.instructions[i].changes) for (const value of this.#writes[i]) wanted[value] = stamp
    }
    return needed
  }
}

/** The numbers of the values that an instruction writes; -1 for standing memory. */
function writesOf({ instructions, operands }: Graph, instruction: number): readonly number[] {
  const { reads, writes } = instructions[instruction]
  return operands[instruction].slice(reads.length, reads.length + writes.length)
}

/** The last level before the most levels without a touch, or -1. */
function longestPause(touches: readonly number[]): number {
  const levels = [...new Set(touches)].sort((a, b) => a - b)
  const gap = (i: number): number => levels[i + 1] - levels[i]
  const [longest] = [...levels.keys()].slice(0, -1).sort((a, b) => gap(b) - gap(a))
  return longest !== undefined && gap(longest) > 1 ? levels[longest] : -1
}
