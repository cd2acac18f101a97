/**
 * Making values again: a value that a gradient needs late can be dropped after the forward and computed a second time.
 * The same kernels run on the same inputs, so they give the same bits.
 *
 * Note [By demand]
 *   A dropped value is made again right before the first instruction of the backward that reads it, by the instruction that
 *   wrote it, into a value of its own, and stays until its last reader. If an input of that instruction was dropped
 *   too, or no gradient reads it, it is made again first; one that no gradient reads is freed at once. So in a chain
 *   (convolution, norm, relu) only one value has to be kept, and the others follow from it.
 *
 * Note [Late]
 *   If only the backward reads a value (a mask), and the inputs of its instruction are kept for the backward anyway, then
 *   dropping it costs nothing: its instruction runs once all the same, in the backward.
 *
 * Note [One place for two]
 *   An elementwise kernel may write its output over an input of the same size. Where that input is not needed any more, the two
 *   share a place, and only one of them counts.
 */
import { ELEMENTWISE } from '../../kernels/traits.js'
import type { Planned } from '../device/instruction.js'
import type { Storage } from '../device/storage.js'

/** An instruction in its turn. A plain turn has the recorded list of operands itself, not a copy. */
export interface Turn {
  /** its number in the recording */
  readonly instruction: number
  /** the numbers of the values it touches, in the order reads, writes, workspaces; -1 for standing memory */
  readonly operands: readonly number[]
  /** instead of the instruction: bring a value that it wrote, the only operand, from the store or into it */
  readonly transfer?: { readonly what: 'load' | 'save'; readonly value: number }
}

/**
 * A recording in the order in which it is run. Copies are numbered after the recorded values; `copyOf` gives the value
 * that each is a copy of.
 */
export interface Schedule {
  readonly turns: readonly Turn[]
  readonly copyOf: readonly number[]
}

const NONE: ReadonlySet<number> = new Set()

/** The facts about a recording that making values again needs. */
export class Graph {
  /** the first instruction of the backward; without a backward, the number of instructions */
  readonly backward: number
  /** the numbers of the values that each instruction touches; -1 for standing memory */
  readonly operands: readonly (readonly number[])[]
  /** for each value, the instruction that can make it again, or -1 */
  readonly maker: Int32Array
  /** is the value read by the backward? */
  readonly named: readonly boolean[]
  /** the values that are made late if they are dropped: Note [Late] */
  readonly late: ReadonlySet<number>
  /** for each instruction, how many of its first operands its output may overwrite: Note [One place for two] */
  readonly #overwritable: Uint8Array
  /** the recording in its own order */
  readonly #plain: readonly Turn[]

  constructor(
    readonly instructions: readonly Planned[],
    readonly values: readonly Storage[],
    list: object,
    aliases: boolean,
  ) {
    const start = instructions.findIndex(({ op }) => op === 'backward')
    this.backward = start < 0 ? instructions.length : start
    const numberOf = (storage: Storage): number => (storage.list === list ? storage.index : -1)
    this.operands = instructions.map(({ reads, writes, workspaces }) =>
      [...reads, ...writes, ...workspaces].map(numberOf),
    )
    this.#plain = this.operands.map((operands, instruction) => ({ instruction, operands }))
    const writes = new Int32Array(values.length)
    const standing = new Set<Storage>()
    for (const { writes: written } of instructions) {
      for (const storage of written) {
        if (storage.list === list) writes[storage.index]++
        else standing.add(storage)
      }
    }
    const once = (storage: Storage): boolean =>
      storage.list === list ? writes[storage.index] === 1 : !standing.has(storage)
    this.maker = new Int32Array(values.length).fill(-1)
    const named = values.map(() => false)
    instructions.forEach(({ name, reads, writes: written, changes }, i) => {
      if (i >= this.backward) {
        for (const storage of reads) if (storage.list === list) named[storage.index] = true
        return
      }
      if (changes || name === 'upload' || name === 'read' || !reads.every(once)) return
      if (!written.every((storage) => storage.list === list && once(storage) && storage.references === 0)) return
      for (const { index } of written) this.maker[index] = i
    })
    this.named = named
    const readInForward = new Set(instructions.slice(0, this.backward).flatMap(({ reads }) => reads))
    this.late = new Set(
      this.droppable.filter((value) => !readInForward.has(values[value]) && this.#canBeLate(this.maker[value])),
    )
    this.#overwritable = Uint8Array.from(instructions, ({ name, reads, writes }) =>
      aliases && writes.length === 1 && ELEMENTWISE.has(name) ? reads.length : 0,
    )
  }

  /** Does it write one value, from inputs that the backward reads itself? */
  #canBeLate(instruction: number): boolean {
    const { reads, writes } = this.instructions[instruction]
    const inputs = this.operands[instruction].slice(0, reads.length)
    return writes.length === 1 && inputs.every((input) => input < 0 || this.named[input])
  }

  /** May its output overwrite an input? */
  isElementwise(instruction: number): boolean {
    return this.#overwritable[instruction] > 0
  }

  /**
   * The value whose place the output of an instruction takes, or -1: Note [One place for two].
   * @param operands  those of its turn
   * @param births    of each value the first turn that touches it, and in `deaths` the last
   * @param settled   values that keep their places
   */
  predecessor(
    instruction: number,
    operands: readonly number[],
    turn: number,
    births: ArrayLike<number>,
    deaths: ArrayLike<number>,
    settled: ReadonlySet<number> = NONE,
  ): number {
    const count = this.#overwritable[instruction]
    const output = operands[count]
    const stays = (value: number): boolean => this.#stays(value) || settled.has(value)
    if (count === 0 || output < 0 || births[output] !== turn || stays(output)) return -1
    const { reads, writes } = this.instructions[instruction]
    for (let i = 0; i < count; i++) {
      const value = operands[i]
      if (value < 0 || deaths[value] !== turn || stays(value)) continue
      if (reads[i].bytes === writes[0].bytes && reads[i].category === writes[0].category) return value
    }
    return -1
  }

  /** Is it a result that is held after the last turn? Copies never are. */
  #stays(value: number): boolean {
    return value < this.values.length && this.values[value].references > 0
  }

  /** The values that may be dropped: made in the forward, read in the backward, and possible to make again. */
  get droppable(): number[] {
    return [...this.values.keys()].filter((value) => this.named[value] && this.maker[value] >= 0)
  }

  /** The recording as it is run with these values dropped: Note [By demand]. */
  schedule(dropped: ReadonlySet<number>): Schedule {
    const flags = new Uint8Array(this.values.length)
    for (const value of dropped) flags[value] = 1
    const turns: Turn[] = []
    const copyOf = this.walk(flags, (instruction, operands) => {
      turns.push(operands === this.operands[instruction] ? this.#plain[instruction] : { instruction, operands })
    })
    return { turns, copyOf }
  }

  /**
   * Visit the instructions in the order in which they are run.
   * @param dropped  1 for each value that is dropped
   * @param visit    gets the recorded list of operands itself if none of them is a copy
   * @param from     the first instruction to visit, at most the first of the backward
   * @returns        for each copy, the value that it is a copy of
   */
  walk(dropped: Uint8Array, visit: (instruction: number, operands: readonly number[]) => void, from = 0): number[] {
    const { instructions, operands, maker, named, backward, values } = this
    const copyOf: number[] = []
    /** for each value, its copy while one is alive; else -1 */
    const copies = new Int32Array(values.length).fill(-1)
    /** copies that no gradient reads: they are freed as soon as the value that needed them is made */
    let passing: number[] = []
    const isGone = (value: number): boolean =>
      value >= 0 && copies[value] < 0 && maker[value] >= 0 && (dropped[value] === 1 || !named[value])
    const present = (value: number): number => (value >= 0 && copies[value] >= 0 ? copies[value] : value)
    const make = (value: number): void => {
      const instruction = maker[value]
      const { reads, writes } = instructions[instruction]
      const touched = operands[instruction]
      for (let i = 0; i < reads.length; i++) if (isGone(touched[i])) make(touched[i])
      const now = touched.map((each, i) => {
        if (i < reads.length) return present(each)
        const fresh = values.length + copyOf.push(each) - 1
        if (i < reads.length + writes.length && isGone(each)) {
          copies[each] = fresh
          if (dropped[each] === 0) passing.push(each)
        }
        return fresh
      })
      visit(instruction, now)
    }
    for (let i = from; i < instructions.length; i++) {
      const touched = operands[i]
      const output = touched[instructions[i].reads.length]
      if (i < backward && dropped[output] === 1 && this.late.has(output)) continue
      let changed = false
      if (i >= backward) {
        const { length } = instructions[i].reads
        for (let j = 0; j < length; j++) {
          const value = touched[j]
          if (value < 0 || dropped[value] === 0) continue
          if (isGone(value)) make(value)
          changed = true
        }
        if (changed) {
          visit(
            i,
            touched.map((each, j) => (j < length ? present(each) : each)),
          )
        }
      }
      if (!changed) visit(i, touched)
      for (const value of passing) copies[value] = -1
      passing = []
    }
    return copyOf
  }
}
