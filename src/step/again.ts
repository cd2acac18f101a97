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
 *   Some kernels may write their output over an input of the same size (traits.ts). Where that input is not needed any more, the
 *   two share a place, and only one of them counts.
 */
import { OVERWRITING } from '../../kernels/traits.js'
import type { Planned } from '../device/instruction.js'
import type { Storage } from '../device/storage.js'
import { Walk } from './walk.js'

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
  /** how many of them it reads: the first ones */
  readonly inputs: Int32Array
  /** for each value, the instruction that can make it again, or -1 */
  readonly maker: Int32Array
  /** 1 for each value that the backward reads */
  readonly named: Uint8Array
  /** the values that may be dropped: made in the forward, read in the backward, and possible to make again */
  readonly droppable: readonly number[]
  /** those that are made late if they are dropped: Note [Late] */
  readonly late: ReadonlySet<number>
  /** 1 for each result that is held after the last turn; copies never are */
  readonly stays: Uint8Array
  /** for each instruction, the operands that its output may overwrite: Note [One place for two] */
  readonly #overwritable: readonly (readonly number[])[]
  /** the recording in its own order */
  readonly #plain: readonly Turn[]
  #walk: Walk | undefined

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
    this.inputs = Int32Array.from(instructions, ({ reads }) => reads.length)
    this.#plain = this.operands.map((operands, instruction) => ({ instruction, operands }))
    this.stays = Uint8Array.from(values, ({ references }) => (references > 0 ? 1 : 0))
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
    this.named = new Uint8Array(values.length)
    const readInForward = new Uint8Array(values.length)
    instructions.forEach(({ name, reads, writes: written, changes }, i) => {
      const isForward = i < this.backward
      for (const storage of reads)
        if (storage.list === list) (isForward ? readInForward : this.named)[storage.index] = 1
      if (!isForward || changes || name === 'upload' || name === 'read' || !reads.every(once)) return
      if (!written.every((storage) => storage.list === list && once(storage) && storage.references === 0)) return
      for (const { index } of written) this.maker[index] = i
    })
    this.droppable = [...values.keys()].filter((value) => this.named[value] === 1 && this.maker[value] >= 0)
    this.late = new Set(
      this.droppable.filter((value) => readInForward[value] === 0 && this.#canBeLate(this.maker[value])),
    )
    this.#overwritable = instructions.map(({ name, reads, writes: [output, more] }) => {
      if (!aliases || more || !OVERWRITING.has(name)) return []
      const isAlike = ({ bytes, category }: Storage) => bytes === output.bytes && category === output.category
      return [...reads.keys()].filter((i) => isAlike(reads[i]))
    })
  }

  /** Does it write one value, from inputs that the backward reads itself? */
  #canBeLate(instruction: number): boolean {
    const { reads, writes } = this.instructions[instruction]
    const inputs = this.operands[instruction].slice(0, reads.length)
    return writes.length === 1 && inputs.every((input) => input < 0 || this.named[input] === 1)
  }

  /** May its output overwrite an input? */
  mayOverwrite(instruction: number): boolean {
    return this.#overwritable[instruction].length > 0
  }

  /**
   * The value whose place the output of an instruction takes, or -1: Note [One place for two].
   * @param operands  the operands of its turn, from `start` on
   * @param births    for each value the first turn that touches it; `deaths`: the last turn
   * @param settled   values that keep their places
   */
  predecessor(
    instruction: number,
    operands: ArrayLike<number>,
    start: number,
    turn: number,
    births: ArrayLike<number>,
    deaths: ArrayLike<number>,
    settled: ReadonlySet<number> = NONE,
  ): number {
    const overwritable = this.#overwritable[instruction]
    if (overwritable.length === 0) return -1
    const output = operands[start + this.inputs[instruction]]
    if (output < 0 || births[output] !== turn || this.#isFixed(output, settled)) return -1
    for (const i of overwritable) {
      const value = operands[start + i]
      if (value >= 0 && deaths[value] === turn && !this.#isFixed(value, settled)) return value
    }
    return -1
  }

  #isFixed(value: number, settled: ReadonlySet<number>): boolean {
    return (value < this.values.length && this.stays[value] === 1) || settled.has(value)
  }

  /** The recording as it is run with these values dropped: Note [By demand]. */
  schedule(dropped: ReadonlySet<number>): Schedule {
    const flags = new Uint8Array(this.values.length)
    for (const value of dropped) flags[value] = 1
    const { walk } = this
    walk.run(flags, 0)
    const turns = Array.from({ length: walk.turns }, (_, turn): Turn => {
      const instruction = walk.instructions[turn]
      const plain = this.#plain[instruction]
      const start = walk.ends[turn]
      if (plain.operands.every((value, j) => walk.operands[start + j] === value)) return plain
      return { instruction, operands: Array.from(walk.operands.subarray(start, walk.ends[turn + 1])) }
    })
    return { turns, copyOf: Array.from(walk.copyOf.subarray(0, walk.copies)) }
  }

  /** Walks through the recording: one at a time. */
  get walk(): Walk {
    this.#walk ??= new Walk(this)
    return this.#walk
  }
}
