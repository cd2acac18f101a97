/**
 * The choices of values to drop and make again, from none (the most bytes and the least time) to the fewest bytes that
 * can be reached.
 *
 * Note [Greedy by excess]
 *   For a target of bytes, values are dropped until no turn holds more. The next value is the one that lowers the excess
 *   the most for each second that it costs (queue.ts). (The excess is the sum, over all turns, of the bytes above the target:
 *   the peak alone has plateaus.) Then a repair keeps every value that need not be dropped after all, the most expensive
 *   first. The targets come down in steps. Each is reached twice, with nothing dropped at first and from the last result,
 *   and the faster result counts. If both miss it, a third search drops one value at a time.
 */

import type { Choices, Outcome } from './choices.js'
import { Queue } from './queue.js'

/** A choice of values to drop, the peak of live bytes with it, and the extra time. */
export interface Point {
  readonly dropped: ReadonlySet<number>
  readonly bytes: number
  /** the time that making again takes, as a share of the step without it */
  readonly extraTime: number
}

const TARGETS = 32
/** What a search has found: a point for each target so far, and the values from which the next target begins. */
export interface Progress {
  readonly points: Point[]
  last: readonly number[]
  /** can no further target give a new point? */
  isDone: boolean
}

export const NO_PROGRESS = (): Progress => ({ points: [], last: [], isDone: false })

/**
 * The best choices, the fastest first: no other choice that was found has both fewer bytes and less time.
 * @param mostTime  the largest `extraTime` that is wanted
 * @param progress  an earlier search of the same choices, which goes on from there
 */
export function bestChoices(choices: Choices, mostTime: number, progress = NO_PROGRESS()): Point[] {
  const search = new Search(choices)
  const greater = new Map(Array.from(choices.lesser, ([choice, lesser]) => [lesser, choice]))
  const whole = choices.candidates.filter((choice) => !greater.has(choice))
  const never = [new Set<number>(), choices.free]
    .map((dropped) => ({ dropped, ...search.outcomeOf(dropped) }))
    .reduce((a, b) => (b.peak < a.peak ? b : a))
  const { points } = progress
  if (points.length === 0) points.push({ dropped: never.dropped, bytes: never.peak, extraTime: 0 })
  const lastStep = choices.canBeNone ? TARGETS : TARGETS - 1
  for (let step = points.length; step <= lastStep && !progress.isDone; step++) {
    if (points[step - 1].extraTime > mostTime) break
    const target = never.peak * (1 - step / TARGETS)
    const found = [search.reach(target, [])]
    // lesser choices can stand in each other's way
    if (greater.size > 0) found.push(search.reach(target, [], whole))
    // the last result may reach a target that a new start misses, or in less time
    if (step > 1) found.push(search.reach(target, progress.last, whole))
    // the most careful search is the slowest
    if (found.every(({ peak }) => peak > target)) found.push(search.reach(target, [], whole, 1))
    const { dropped, peak, time } = found.reduce((a, b) => {
      if (a.peak <= target && b.peak <= target) return a.time <= b.time ? a : b
      return a.peak <= b.peak ? a : b
    })
    points.push({ dropped: new Set(dropped), bytes: peak, extraTime: time / never.time - 1 })
    progress.isDone = peak > target
    progress.last = dropped.map((choice) => greater.get(choice) ?? choice)
  }
  const best: Point[] = []
  for (const point of [...points].sort((a, b) => a.extraTime - b.extraTime || a.bytes - b.bytes)) {
    if (point.extraTime <= mostTime && point.bytes < (best.at(-1)?.bytes ?? Infinity)) best.push(point)
  }
  return best
}

interface Found extends Outcome {
  readonly dropped: readonly number[]
}

/** Note [Greedy by excess]. */
class Search {
  readonly #choices: Choices
  /** 1 for each value that is dropped now */
  readonly #dropped: Uint8Array

  constructor(choices: Choices) {
    this.#choices = choices
    this.#dropped = new Uint8Array(choices.count)
  }

  /** The outcome if exactly these values are dropped. */
  outcomeOf(dropped: ReadonlySet<number>): Outcome {
    this.#dropped.fill(0)
    for (const value of dropped) this.#dropped[value] = 1
    return this.#choices.simulate(this.#dropped, Infinity)
  }

  /**
   * Drop values until no turn holds more than the target, or no further drop helps; then keep again what can be kept.
   */
  reach(
    target: number,
    from: readonly number[],
    candidates = this.#choices.candidates,
    mostTogether = this.#choices.mostTogether,
  ): Found {
    const choices = this.#choices
    this.#dropped.fill(0)
    for (const value of from) this.#dropped[value] = 1
    let now = choices.simulate(this.#dropped, target)
    choices.take()
    const queue = new Queue(choices, candidates, this.#dropped, target)
    let most = 1
    // when nothing helps any more, each value that takes no time is tried the other way
    let isStuck = false
    while (now.peak > target) {
      const group = queue.group(most, now.excess)
      if (group.values.length === 0) {
        if (isStuck) break
        isStuck = true
        most = 1
        queue.retry()
        continue
      }
      const outcome = this.#with(group.values, target)
      const isTaken = queue.judge(group, now.excess - outcome.excess, outcome.time - now.time)
      if (!isTaken) {
        most = Math.max(1, group.values.length >> 1)
        continue
      }
      this.#flip(group.values)
      choices.take()
      now = outcome
      isStuck = false
      most = Math.min(2 * most, mostTogether)
    }
    return this.#repaired(Math.max(target, now.peak), now)
  }

  #flip(values: readonly number[]): void {
    for (const value of values) this.#dropped[value] = 1 - this.#dropped[value]
  }

  /** The outcome if values were kept instead of dropped, or dropped instead of kept. */
  #with(values: readonly number[], target: number): Outcome {
    this.#flip(values)
    const outcome = this.#choices.simulate(this.#dropped, target)
    this.#flip(values)
    return outcome
  }

  /** Keep again what the limit allows, the most expensive first. */
  #repaired(limit: number, reached: Outcome): Found {
    let now = reached
    for (const [choice, lesser] of this.#choices.lesser) if (this.#dropped[choice] === 1) this.#dropped[lesser] = 1
    const isDropped = (value: number): boolean => this.#dropped[value] === 1
    const timeToMake = (value: number): number => this.#choices.timeToMake(value)
    const dearest = this.#choices.candidates.filter(isDropped).sort((a, b) => timeToMake(b) - timeToMake(a))
    for (const value of dearest) {
      if (!this.#choices.mayKeep(value, limit)) continue
      const outcome = this.#with([value], limit)
      if (outcome.peak > limit || outcome.time >= now.time) continue
      this.#choices.take()
      this.#dropped[value] = 0
      now = outcome
    }
    return { ...now, dropped: this.#choices.candidates.filter(isDropped) }
  }
}
