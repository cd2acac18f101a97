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

/** A choice of values to drop, the peak of live bytes with it, and the extra time. */
export interface Point {
  readonly dropped: ReadonlySet<number>
  readonly bytes: number
  /** the time that making again takes, as a share of the step without it */
  readonly extraTime: number
}

export interface Outcome {
  readonly time: number
  readonly peak: number
  /** the bytes above the target, summed over the turns */
  readonly excess: number
}

/** A step in which values can be dropped. */
export interface Choices {
  /** the number of values */
  readonly count: number
  /** the values that can be dropped */
  readonly candidates: readonly number[]
  /** those that take no time if they are dropped */
  readonly free: ReadonlySet<number>
  /** an upper bound of the score of each value */
  readonly bounds: Float64Array
  /** for a choice that drops a value at all times, the choice that drops it for part of the time, if there is one */
  readonly lesser: ReadonlyMap<number, number>
  /** can it be that no bytes remain? */
  readonly canBeNone: boolean
  /** the time to make a value once */
  timeToMake(value: number): number
  /** @param dropped  1 for each value that is dropped */
  simulate(dropped: Uint8Array, target: number): Outcome
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
    // the last result may reach a target that a new start misses
    if (found.every(({ peak }) => peak > target)) found.push(search.reach(target, progress.last, whole))
    const { dropped, peak, time } = found.reduce((a, b) =>
      a.peak <= target && (b.peak > target || a.time <= b.time) ? a : b,
    )
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
  reach(target: number, from: readonly number[], candidates = this.#choices.candidates): Found {
    this.#dropped.fill(0)
    for (const value of from) this.#dropped[value] = 1
    /** the last known score of each value; scores nearly always fall as values are dropped */
    const scores = this.#choices.bounds.slice()
    let now = this.#choices.simulate(this.#dropped, target)
    // values that are made late cost no time, so they come first; when nothing helps any more, each is tried the other way
    let isStuck = false
    while (now.peak > target) {
      let best = -1
      let outcome = now
      for (;;) {
        const next = this.#highest(candidates, scores, best)
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
        for (const value of this.#choices.free) scores[value] = Infinity
        continue
      }
      isStuck = false
      this.#dropped[best] = 1 - this.#dropped[best]
      now = outcome
    }
    return this.#repaired(Math.max(target, now.peak), now)
  }

  /** The candidate with the highest score above 0 that is not dropped, or is made late, and is not `except`; -1: none. */
  #highest(candidates: readonly number[], scores: Float64Array, except: number): number {
    let highest = -1
    for (const value of candidates) {
      if (value === except || scores[value] <= 0) continue
      if (this.#dropped[value] === 1 && !this.#choices.free.has(value)) continue
      if (highest < 0 || scores[value] > scores[highest]) highest = value
    }
    return highest
  }

  /** Keep again what the limit allows, the most expensive first. */
  #repaired(limit: number, reached: Outcome): Found {
    let now = reached
    for (const [choice, lesser] of this.#choices.lesser) if (this.#dropped[choice] === 1) this.#dropped[lesser] = 1
    const isDropped = (value: number): boolean => this.#dropped[value] === 1
    const timeToMake = (value: number): number => this.#choices.timeToMake(value)
    const dearest = this.#choices.candidates.filter(isDropped).sort((a, b) => timeToMake(b) - timeToMake(a))
    for (const value of dearest) {
      const outcome = this.#with(value, limit)
      if (outcome.peak > limit || outcome.time >= now.time) continue
      this.#dropped[value] = 0
      now = outcome
    }
    return { ...now, dropped: this.#choices.candidates.filter(isDropped) }
  }

  /** The outcome if one value were kept instead of dropped, or dropped instead of kept. */
  #with(value: number, target: number): Outcome {
    const flag = this.#dropped[value]
    this.#dropped[value] = 1 - flag
    const outcome = this.#choices.simulate(this.#dropped, target)
    this.#dropped[value] = flag
    return outcome
  }
}
