/** The choices for a step in passes: which values are stored for later passes, and which are made again there. */
import { timeOf } from './cost.js'
import { bestChoices, type Choices, type Outcome, type Point } from './greedy.js'
import type { Levels } from './levels.js'

/**
 * The best choices, the fastest first: see bestChoices. Their bytes are those of the store for one micro-batch.
 * @param costOf  the bytes that a value takes in the store
 */
export const storeChoices = (levels: Levels, costOf: (bytes: number) => number, mostTime: number): Point[] =>
  bestChoices(new Stores(levels, costOf), mostTime)

class Stores implements Choices {
  readonly count: number
  readonly candidates: readonly number[]
  readonly canBeNone = true
  /** what the host holds anyway: to upload it again takes no longer than to load it from the store */
  readonly free: ReadonlySet<number>
  /** the bytes of a value times the passes in which it waits, divided by its time */
  readonly bounds: Float64Array
  readonly #levels: Levels
  readonly #times: Float64Array
  readonly #bytes: Float64Array
  /** for each candidate, all values that are dropped with it */
  readonly #together: ReadonlyMap<number, readonly number[]>
  /** 1 for each value that is stored if none is dropped */
  readonly #all: Uint8Array

  constructor(levels: Levels, costOf: (bytes: number) => number) {
    const { graph, candidates } = levels
    this.#levels = levels
    this.#all = levels.storedWithout(new Set())
    this.count = graph.values.length
    const isUpload = (instruction: number): boolean => graph.instructions[instruction].name === 'upload'
    this.#times = Float64Array.from(graph.instructions, (each, i) => (isUpload(i) ? 0 : timeOf(each)))
    this.#bytes = Float64Array.from(graph.values, ({ bytes }) => costOf(bytes))
    const entries = Array.from(candidates, ([maker, values]) => ({ maker, values, value: values[0] }))
    this.candidates = entries.map(({ value }) => value)
    this.#together = new Map(entries.map(({ value, values }) => [value, values]))
    this.free = new Set(entries.flatMap(({ value, maker }) => (isUpload(maker) ? [value] : [])))
    this.bounds = new Float64Array(this.count)
    for (const { value, values } of entries) {
      const bytes = values.reduce((sum, each) => sum + this.#bytes[each], 0)
      this.bounds[value] = (bytes * levels.count) / Math.max(this.timeToMake(value), Number.MIN_VALUE)
    }
  }

  timeToMake(value: number): number {
    return this.#levels.makersOf(value).reduce((sum, maker) => sum + this.#times[maker], 0)
  }

  simulate(dropped: Uint8Array, target: number): Outcome {
    const levels = this.#levels
    const stored = this.#all.slice()
    for (const [value, all] of this.#together) if (dropped[value] === 1) for (const each of all) stored[each] = 0
    const last = new Int32Array(this.count).fill(-1)
    let time = 0
    for (let level = 0; level < levels.count; level++) {
      levels.walk(
        level,
        stored,
        (instruction) => {
          time += this.#times[instruction]
        },
        (value) => {
          last[value] = level
        },
      )
    }
    const changes = new Float64Array(levels.count + 1)
    for (const value of levels.crossing) {
      if (last[value] < 0) continue
      changes[levels.births[value]] += this.#bytes[value]
      changes[last[value] + 1] -= this.#bytes[value]
    }
    let [held, peak, excess] = [0, 0, 0]
    for (let level = 0; level < levels.count; level++) {
      held += changes[level]
      peak = Math.max(peak, held)
      excess += Math.max(0, held - target)
    }
    return { time, peak, excess }
  }
}
