/**
 * The choices for a step in passes: which values are stored for later passes, and which are made again there. A value can be
 * dropped for the time of its pause, or at all times: see `keptWithout`.
 */

import type { Choices, Outcome } from './choices.js'
import { timeOf } from './cost.js'
import { bestChoices, type Point } from './greedy.js'
import { Stretches } from './kept.js'
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
  readonly mostTogether = 1
  readonly lesser: ReadonlyMap<number, number>
  /** what the host holds anyway: to upload it again takes no longer than to load it from the store */
  readonly free: ReadonlySet<number>
  /** the bytes of a value times all passes */
  readonly #waits: Float64Array
  readonly #levels: Levels
  readonly #times: Float64Array
  readonly #bytes: Float64Array
  constructor(levels: Levels, costOf: (bytes: number) => number) {
    const { graph, candidates } = levels
    this.#levels = levels
    const { length } = graph.values
    this.count = 2 * length
    const isUpload = (instruction: number): boolean => graph.instructions[instruction].name === 'upload'
    this.#times = Float64Array.from(graph.instructions, (each, i) => (isUpload(i) ? 0 : timeOf(each)))
    this.#bytes = Float64Array.from(graph.values, ({ bytes }) => costOf(bytes))
    const [all, free, lesser]: [number[], Set<number>, Map<number, number>] = [[], new Set(), new Map()]
    this.#waits = new Float64Array(this.count)
    for (const [maker, values] of candidates) {
      const [value] = values
      const bytes = values.reduce((sum, each) => sum + this.#bytes[each], 0)
      if (isUpload(maker)) free.add(length + value)
      if (levels.pauses[value] >= 0) lesser.set(length + value, value)
      for (const choice of levels.pauses[value] < 0 ? [length + value] : [length + value, value]) {
        all.push(choice)
        this.#waits[choice] = bytes * levels.count
      }
    }
    this.candidates = all
    this.free = free
    this.lesser = lesser
  }

  timeToMake(choice: number): number {
    return this.#levels.makersOf(choice % (this.count / 2)).reduce((sum, maker) => sum + this.#times[maker], 0)
  }

  take(): void {}
  foresee(): void {}
  forget(): void {}

  bound(choice: number): number {
    return this.#waits[choice]
  }

  estimate(choice: number): number {
    return this.#waits[choice]
  }

  mayHelp(): boolean {
    return true
  }

  mayKeep(): boolean {
    return true
  }

  simulate(dropped: Uint8Array, target: number): Outcome {
    const levels = this.#levels
    const kept = levels.keptWithout((choice) => dropped[choice] === 1)
    const stretches = new Stretches()
    let time = 0
    for (let level = 0; level < levels.count; level++) {
      levels.walk(
        level,
        kept,
        (instruction) => {
          time += this.#times[instruction]
        },
        (value, begins) => stretches.touch(value, level, begins),
      )
    }
    const changes = new Float64Array(levels.count + 1)
    for (const { value, birth, death } of stretches.all) {
      changes[birth] += this.#bytes[value]
      changes[death + 1] -= this.#bytes[value]
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
