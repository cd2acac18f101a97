/** The choices for a step in one pass: which values are dropped after the forward and made again for the backward. */
import type { Device } from '../device/device.js'
import type { Graph } from './again.js'
import { timeOf } from './cost.js'
import { bestChoices, type Choices, type Outcome, type Point, type Progress } from './greedy.js'

/**
 * To make one value again, others may have to be made first, and so on. A choice that multiplies the number of
 * instructions by this is given up.
 */
const MOST_TIMES = 4

/**
 * The best choices for a recording, the fastest first: see bestChoices.
 * @param mostTime  the largest `extraTime` that is wanted
 * @param progress  the progress of an earlier search of the same recording
 */
export const frontier = ({ allocator }: Device, graph: Graph, mostTime: number, progress?: Progress): Point[] =>
  bestChoices(new OnePass(graph, (bytes) => allocator.costOf(bytes)), mostTime, progress)

/** For each value, the number of turns between its last use in the forward and its first in the backward. */
function waitsOf({ operands, backward, values }: Graph, lastUses: readonly number[]): Int32Array {
  const firstUses = new Int32Array(values.length).fill(operands.length)
  for (let i = operands.length - 1; i >= backward; i--) {
    for (const value of operands[i]) if (value >= 0) firstUses[value] = i
  }
  return firstUses.map((use, value) => use - lastUses[value])
}

class OnePass implements Choices {
  readonly count: number
  readonly candidates: readonly number[]
  /** masks: Note [Late] */
  readonly free: ReadonlySet<number>
  readonly canBeNone = false
  readonly lesser: ReadonlyMap<number, number> = new Map()
  /** the bytes of a value times the turns in which it only waits, divided by its time */
  readonly bounds: Float64Array
  readonly #graph: Graph
  readonly #times: Float64Array
  readonly #bytes: Float64Array
  readonly #forward: ReturnType<typeof forwardOf>
  /** the change of live bytes at each turn of the choice that is simulated */
  readonly #changes: Float64Array

  constructor(graph: Graph, costOf: (bytes: number) => number) {
    this.#graph = graph
    this.count = graph.values.length
    this.candidates = graph.droppable
    this.free = graph.late
    this.#times = Float64Array.from(graph.instructions, timeOf)
    this.#bytes = Float64Array.from(graph.values, (value) => costOf(value.bytes))
    this.#forward = forwardOf(graph, this.#times)
    this.#changes = new Float64Array(MOST_TIMES * graph.instructions.length + 1)
    const waits = waitsOf(graph, this.#forward.deaths)
    this.bounds = this.#bytes.map((bytes, value) =>
      graph.late.has(value) ? Infinity : (bytes * waits[value]) / this.timeToMake(value),
    )
  }

  timeToMake(value: number): number {
    return this.#times[this.#graph.maker[value]]
  }

  simulate(dropped: Uint8Array, target: number): Outcome {
    const graph = this.#graph
    const { values, instructions, backward, late } = graph
    // the forward is the same for every choice, but for masks
    const births = this.#forward.births.slice()
    const deaths = this.#forward.deaths.slice()
    let { time } = this.#forward
    for (const value of late) {
      if (dropped[value] === 0) continue
      time -= this.timeToMake(value)
      births[value] = -1
    }
    const overwriting: Overwriting[] = []
    let turns = backward
    const copyOf = graph.walk(
      dropped,
      (instruction, operands) => {
        time += this.#times[instruction]
        if (graph.mayOverwrite(instruction)) overwriting.push({ turn: turns, instruction, operands })
        for (const value of operands) {
          if (value < 0) continue
          // copies are numbered as they come
          if (value === births.length) births.push(turns)
          else if (births[value] < 0) births[value] = turns
          deaths[value] = turns
        }
        turns++
      },
      backward,
    )
    if (turns > MOST_TIMES * instructions.length) return { time: Infinity, peak: Infinity, excess: Infinity }
    const bytesOf = (value: number): number =>
      this.#bytes[value < values.length ? value : copyOf[value - values.length]]
    const changes = this.#changes.fill(0, 0, turns + 1)
    for (let value = 0; value < births.length; value++) {
      if (births[value] < 0) continue
      const bytes = bytesOf(value)
      changes[births[value]] += bytes
      if (value >= values.length || values[value].references === 0) changes[deaths[value] + 1] -= bytes
    }
    // a place that two values share counts once
    const countOnce = ({ turn, instruction, operands }: Overwriting): void => {
      const value = graph.predecessor(instruction, operands, turn, births, deaths)
      if (value < 0) return
      const bytes = bytesOf(value)
      changes[turn] -= bytes
      changes[turn + 1] += bytes
    }
    for (const each of this.#forward.overwriting) countOnce(each)
    for (const each of overwriting) countOnce(each)
    let [alive, peak, excess] = [0, 0, 0]
    for (let i = 0; i < turns; i++) {
      alive += changes[i]
      if (alive > peak) peak = alive
      if (alive > target) excess += alive - target
    }
    return { time, peak, excess }
  }
}

/** A turn whose output may take the place of an input. */
interface Overwriting {
  readonly turn: number
  readonly instruction: number
  readonly operands: readonly number[]
}

/** The first and the last turn of the forward that touches each value, its time, and the turns that may overwrite an input. */
function forwardOf(graph: Graph, times: Float64Array) {
  const { operands, backward, values } = graph
  const births = values.map(() => -1)
  const deaths = values.map(() => -1)
  const overwriting: Overwriting[] = []
  let time = 0
  for (let i = 0; i < backward; i++) {
    time += times[i]
    if (graph.mayOverwrite(i)) overwriting.push({ turn: i, instruction: i, operands: operands[i] })
    for (const value of operands[i]) {
      if (value < 0) continue
      if (births[value] < 0) births[value] = i
      deaths[value] = i
    }
  }
  return { births, deaths, time, overwriting }
}
