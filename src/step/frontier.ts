/** The choices for a step in one pass: which values are dropped after the forward and made again for the backward. */
import type { Device } from '../device/device.js'
import { Graph } from './again.js'
import { timeOf } from './cost.js'
import { bestChoices, type Choices, type Outcome, type Point } from './greedy.js'
import type { Recording } from './record.js'

/**
 * To make one value again, others may have to be made first, and so on. A choice that multiplies the number of
 * instructions by this is given up.
 */
const MOST_TIMES = 4

/**
 * The best choices for a recording, the fastest first: see bestChoices.
 * @param mostTime  the largest `extraTime` that is wanted
 */
export function frontier({ allocator, aliases }: Device, recording: Recording, mostTime: number): Point[] {
  const graph = new Graph(recording.instructions, recording.values, recording, aliases)
  return bestChoices(new OnePass(graph, (bytes) => allocator.costOf(bytes)), mostTime)
}

/** For each value, the number of turns between its last use in the forward and its first in the backward. */
function waitsOf({ operands, backward, values }: Graph, lastUses: Int32Array): Int32Array {
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
  /** the bytes of a value times the turns in which it only waits, divided by its time */
  readonly bounds: Float64Array
  readonly #graph: Graph
  readonly #times: Float64Array
  readonly #bytes: Float64Array
  readonly #forward: ReturnType<typeof forwardOf>

  constructor(graph: Graph, costOf: (bytes: number) => number) {
    this.#graph = graph
    this.count = graph.values.length
    this.candidates = graph.droppable
    this.free = graph.late
    this.#times = Float64Array.from(graph.instructions, timeOf)
    this.#bytes = Float64Array.from(graph.values, (value) => costOf(value.bytes))
    this.#forward = forwardOf(graph, this.#times)
    const waits = waitsOf(graph, this.#forward.deaths)
    this.bounds = this.#bytes.map((bytes, value) =>
      graph.late.has(value) ? Infinity : (bytes * waits[value]) / this.timeToMake(value),
    )
  }

  timeToMake(value: number): number {
    return this.#times[this.#graph.maker[value]]
  }

  simulate(dropped: Uint8Array, target: number): Outcome {
    const { values, instructions, backward } = this.#graph
    // the forward is the same for every choice
    const births: number[] = Array.from(this.#forward.births)
    const deaths: number[] = Array.from(this.#forward.deaths)
    let turns = backward
    const { late } = this.#graph
    let time = this.#forward.time
    for (const value of late) if (dropped[value] === 1) time -= this.#times[this.#graph.maker[value]]
    const elementwise = this.#forward.elementwise.slice()
    const copyOf = this.#graph.walk(
      dropped,
      (instruction, operands) => {
        time += this.#times[instruction]
        if (this.#graph.isElementwise(instruction)) elementwise.push({ turn: turns, instruction, operands })
        for (let j = 0; j < operands.length; j++) {
          const value = operands[j]
          if (value < 0) continue
          if (!(births[value] >= 0)) births[value] = turns
          deaths[value] = turns
        }
        turns++
      },
      backward,
    )
    if (turns > MOST_TIMES * instructions.length) return { time: Infinity, peak: Infinity, excess: Infinity }
    const changes = new Float64Array(turns + 1)
    for (let value = 0; value < births.length; value++) {
      if (!(births[value] >= 0) || (dropped[value] === 1 && late.has(value))) continue
      const isCopy = value >= values.length
      const bytes = this.#bytes[isCopy ? copyOf[value - values.length] : value]
      changes[births[value]] += bytes
      if (isCopy || values[value].references === 0) changes[deaths[value] + 1] -= bytes
    }
    // a place that two values share counts once
    for (const { turn, instruction, operands } of elementwise) {
      const value = this.#graph.predecessor(instruction, operands, turn, births, deaths)
      if (value < 0) continue
      const bytes = this.#bytes[value < values.length ? value : copyOf[value - values.length]]
      changes[turn] -= bytes
      changes[turn + 1] += bytes
    }
    let [alive, peak, excess] = [0, 0, 0]
    for (let i = 0; i < turns; i++) {
      alive += changes[i]
      if (alive > peak) peak = alive
      if (alive > target) excess += alive - target
    }
    return { time, peak, excess }
  }
}

/** The first and the last turn of the forward that touches each value, its time, and its elementwise turns. */
function forwardOf(graph: Graph, times: Float64Array) {
  const { operands, backward, values } = graph
  const births = new Int32Array(values.length).fill(-1)
  const deaths = new Int32Array(values.length).fill(-1)
  const elementwise: { turn: number; instruction: number; operands: readonly number[] }[] = []
  let time = 0
  for (let i = 0; i < backward; i++) {
    time += times[i]
    if (graph.isElementwise(i)) elementwise.push({ turn: i, instruction: i, operands: operands[i] })
    for (const value of operands[i]) {
      if (value < 0) continue
      if (births[value] < 0) births[value] = i
      deaths[value] = i
    }
  }
  return { births, deaths, time, elementwise }
}
