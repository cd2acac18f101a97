/**
 * The choices of values to drop and make again, from none (the most bytes and the least time) to the fewest bytes that
 * can be reached.
 *
 * Note [Greedy by excess]
 *   For a target of bytes, values are dropped one after the other until no turn holds more. The next value is the one
 *   that lowers the excess the most for each second that it costs. (The excess is the sum, over all turns, of the bytes
 *   above the target: the peak alone has plateaus.) Then a repair keeps every value that need not be dropped after all,
 *   the most expensive first. The targets come down in steps. Each search starts with nothing dropped; if it misses the
 *   target, it starts again from the last result.
 */
import type { Device } from '../device/device.js'
import { Graph } from './again.js'
import { timeOf } from './cost.js'
import type { Recording } from './record.js'

/** A choice of values to drop, the peak of live bytes with it, and the extra time. */
export interface Point {
  readonly dropped: ReadonlySet<number>
  readonly bytes: number
  /** the time that making again takes, as a share of the step without it */
  readonly extraTime: number
}

const TARGETS = 32
/**
 * To make one value again, others may have to be made first, and so on. A choice that multiplies the number of
 * instructions by this is given up.
 */
const MOST_TIMES = 4

/**
 * The best choices for a recording, the fastest first: no other choice that was found has both fewer bytes and less
 * time.
 * @param mostTime  the largest `extraTime` that is wanted
 */
export function frontier({ allocator, aliases }: Device, recording: Recording, mostTime: number): Point[] {
  const graph = new Graph(recording.instructions, recording.values, recording, aliases)
  const costOf = (bytes: number): number => allocator.costOf(bytes)
  const search = new Search(graph, costOf)
  const never = [new Set<number>(), graph.late]
    .map((dropped) => ({ dropped, ...search.outcomeOf(dropped) }))
    .reduce((a, b) => (b.peak < a.peak ? b : a))
  const points: Point[] = [{ dropped: never.dropped, bytes: never.peak, extraTime: 0 }]
  let last: readonly number[] = []
  for (let step = 1; step < TARGETS; step++) {
    const target = never.peak * (1 - step / TARGETS)
    let found = search.reach(target, [])
    // the last result may reach a target that a new start misses
    if (found.peak > target) found = search.reach(target, last)
    const { dropped, peak, time } = found
    points.push({ dropped: new Set(dropped), bytes: peak, extraTime: time / never.time - 1 })
    if (peak > target || time > (1 + mostTime) * never.time) break
    last = dropped
  }
  const best: Point[] = []
  for (const point of points.sort((a, b) => a.extraTime - b.extraTime || a.bytes - b.bytes)) {
    if (point.extraTime <= mostTime && point.bytes < (best.at(-1)?.bytes ?? Infinity)) best.push(point)
  }
  return best
}

interface Outcome {
  readonly time: number
  readonly peak: number
  /** the bytes above the target, summed over the turns */
  readonly excess: number
}

interface Found extends Outcome {
  readonly dropped: readonly number[]
}

/** For each value, the number of turns between its last use in the forward and its first in the backward. */
function waitsOf({ operands, backward, values }: Graph, lastUses: Int32Array): Int32Array {
  const firstUses = new Int32Array(values.length).fill(operands.length)
  for (let i = operands.length - 1; i >= backward; i--) {
    for (const value of operands[i]) if (value >= 0) firstUses[value] = i
  }
  return firstUses.map((use, value) => use - lastUses[value])
}

/** Note [Greedy by excess]. */
class Search {
  readonly #graph: Graph
  readonly #candidates: readonly number[]
  readonly #times: Float64Array
  readonly #bytes: Float64Array
  /** an upper bound of the score of a value: its bytes times the turns in which it only waits, divided by its time */
  readonly #bounds: Float64Array
  readonly #forward: ReturnType<typeof forwardOf>
  /** 1 for each value that is dropped now */
  readonly #dropped: Uint8Array

  constructor(graph: Graph, costOf: (bytes: number) => number) {
    this.#graph = graph
    this.#candidates = graph.droppable
    this.#times = Float64Array.from(graph.instructions, timeOf)
    this.#bytes = Float64Array.from(graph.values, (value) => costOf(value.bytes))
    this.#dropped = new Uint8Array(graph.values.length)
    this.#forward = forwardOf(graph, this.#times)
    const waits = waitsOf(graph, this.#forward.deaths)
    this.#bounds = this.#bytes.map((bytes, value) =>
      graph.late.has(value) ? Infinity : (bytes * waits[value]) / this.#times[graph.maker[value]],
    )
  }

  /** The outcome if exactly these values are dropped. */
  outcomeOf(dropped: ReadonlySet<number>): Outcome {
    this.#dropped.fill(0)
    for (const value of dropped) this.#dropped[value] = 1
    return this.simulate()
  }

  /**
   * Drop values until no turn holds more than the target, or no further drop helps; then keep again what can be kept.
   */
  reach(target: number, from: readonly number[]): Found {
    this.#dropped.fill(0)
    for (const value of from) this.#dropped[value] = 1
    /** the last known score of each value; scores nearly always fall as values are dropped */
    const scores = this.#bounds.slice()
    let now = this.simulate(target)
    // values that are made late cost no time, so they come first; when nothing helps any more, each is tried the other way
    let isStuck = false
    while (now.peak > target) {
      let best = -1
      let outcome = now
      for (;;) {
        const next = this.#highest(scores, best)
        if (next < 0 || (best >= 0 && scores[next] <= scores[best])) break
        const tried = this.#with(next, target)
        scores[next] = (now.excess - tried.excess) / Math.max(tried.time - now.time, Number.MIN_VALUE)
        if (scores[next] <= 0 || (best >= 0 && scores[next] <= scores[best])) continue
        best = next
        outcome = tried
      }
      if (best < 0) {
        if (isStuck) break
        isStuck = true
        for (const value of this.#graph.late) scores[value] = Infinity
        continue
      }
      isStuck = false
      this.#dropped[best] = 1 - this.#dropped[best]
      now = outcome
    }
    return this.#repaired(Math.max(target, now.peak), now)
  }

  /** The candidate with the highest score above 0 among those not dropped, or made late; except one; or -1. */
  #highest(scores: Float64Array, except: number): number {
    let highest = -1
    for (const value of this.#candidates) {
      if (value === except || scores[value] <= 0) continue
      if (this.#dropped[value] === 1 && !this.#graph.late.has(value)) continue
      if (highest < 0 || scores[value] > scores[highest]) highest = value
    }
    return highest
  }

  /** Keep again what the limit allows, the most expensive first. */
  #repaired(limit: number, reached: Outcome): Found {
    let now = reached
    const isDropped = (value: number): boolean => this.#dropped[value] === 1
    const timeToMake = (value: number): number => this.#times[this.#graph.maker[value]]
    const dearest = this.#candidates.filter(isDropped).sort((a, b) => timeToMake(b) - timeToMake(a))
    for (const value of dearest) {
      const outcome = this.#with(value, limit)
      if (outcome.peak > limit || outcome.time >= now.time) continue
      this.#dropped[value] = 0
      now = outcome
    }
    return { ...now, dropped: this.#candidates.filter(isDropped) }
  }

  /** The outcome if a value were dropped that is kept, or kept that is dropped. */
  #with(value: number, target: number): Outcome {
    const flag = this.#dropped[value]
    this.#dropped[value] = 1 - flag
    const outcome = this.simulate(target)
    this.#dropped[value] = flag
    return outcome
  }

  simulate(target = Infinity): Outcome {
    const { values, instructions, backward } = this.#graph
    // the forward is the same for every choice
    const births: number[] = Array.from(this.#forward.births)
    const deaths: number[] = Array.from(this.#forward.deaths)
    let turns = backward
    const { late } = this.#graph
    let time = this.#forward.time
    for (const value of late) if (this.#dropped[value] === 1) time -= this.#times[this.#graph.maker[value]]
    const elementwise = this.#forward.elementwise.slice()
    const copyOf = this.#graph.walk(
      this.#dropped,
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
      if (!(births[value] >= 0) || (this.#dropped[value] === 1 && late.has(value))) continue
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
