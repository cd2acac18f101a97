/**
 * Making values again: what a gradient needs late can be dropped after the forward and computed a second time, by the same
 * kernels on the same inputs, so to the same bits.
 *
 * Note [By demand]
 *   A dropped value is made again right before the first instruction of the backward that reads it, by the instruction that
 *   wrote it, into a value of its own, and stays until its last reader. What that instruction reads is made again first, if it
 *   was dropped too or no gradient names it, and goes at once where no gradient names it. So of a chain (convolution, norm,
 *   relu) one value need be kept, and the others follow from it.
 */
import type { Planned } from '../device/instruction.js'
import type { Storage } from '../device/storage.js'

/** An instruction in its turn. A plain one has the operands that were recorded, the very list. */
export interface Turn {
  /** its number in the recording */
  readonly instruction: number
  /** the numbers of the values it touches, in the order reads, writes, workspaces; -1 for what stands */
  readonly operands: readonly number[]
}

/** A recording in the order in which it is run. Values from `values` on are copies; `copyOf` says of what. */
export interface Schedule {
  readonly turns: readonly Turn[]
  readonly copyOf: readonly number[]
}

/** What making again needs to know of a recording. */
export class Graph {
  /** the first instruction of the backward, or their number where there is none */
  readonly backward: number
  /** the numbers of the values that each instruction touches; -1 for what stands */
  readonly operands: readonly (readonly number[])[]
  /** for each value the instruction that can make it again, or -1 */
  readonly maker: Int32Array
  /** is the value read by the backward? */
  readonly named: readonly boolean[]
  /** the recording in its own order */
  readonly #plain: readonly Turn[]

  constructor(
    readonly instructions: readonly Planned[],
    readonly values: readonly Storage[],
    list: object,
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
  }

  /** The values that may be dropped: made in the forward, read in the backward, and possible to make again. */
  get droppable(): number[] {
    return [...this.values.keys()].filter((value) => this.named[value] && this.maker[value] >= 0)
  }

  /** The recording as it is run with these values dropped: Note [By demand]. */
  schedule(dropped: ReadonlySet<number>): Schedule {
    const { instructions, operands, maker, named, backward } = this
    if (dropped.size === 0) return { turns: this.#plain, copyOf: [] }
    const turns = this.#plain.slice(0, backward)
    const copyOf: number[] = []
    /** for each value that was made again and is still there, its copy */
    const copies = new Map<number, number>()
    const isGone = (value: number): boolean =>
      value >= 0 && !copies.has(value) && maker[value] >= 0 && (dropped.has(value) || !named[value])
    const copy = (value: number): number => {
      copyOf.push(value)
      return this.values.length + copyOf.length - 1
    }
    const make = (value: number, passing: number[]): void => {
      const instruction = maker[value]
      const { reads, writes } = instructions[instruction]
      const touched = operands[instruction]
      for (let i = 0; i < reads.length; i++) if (isGone(touched[i])) make(touched[i], passing)
      const now = touched.map((each, i) => {
        if (i < reads.length) return copies.get(each) ?? each
        const fresh = copy(each)
        if (i < reads.length + writes.length && isGone(each)) {
          copies.set(each, fresh)
          if (!dropped.has(each)) passing.push(each)
        }
        return fresh
      })
      turns.push({ instruction, operands: now })
    }
    for (let i = backward; i < instructions.length; i++) {
      const { length } = instructions[i].reads
      const touched = operands[i]
      const passing: number[] = []
      let changed = false
      for (let j = 0; j < length; j++) {
        if (!dropped.has(touched[j])) continue
        if (isGone(touched[j])) make(touched[j], passing)
        changed = true
      }
      turns.push(
        changed
          ? { instruction: i, operands: touched.map((each, j) => (j < length ? (copies.get(each) ?? each) : each)) }
          : this.#plain[i],
      )
      for (const value of passing) copies.delete(value)
    }
    return { turns, copyOf }
  }
}
