/**
 * The values that may be dropped next, in the order of their scores: the excess that each takes away for a second of time.
 *
 * Note [Stale scores]
 *   As values are dropped, the scores of the others nearly always fall. So a score that was found earlier is a bound, and it is
 *   found again only when its value comes to the front: first as a bound that takes no simulation, and if the value is
 *   still in front, by a simulation.
 *
 * Note [Several at once]
 *   Most values save the same bytes whether another is dropped or not. So the next few are simulated together, each chosen by
 *   an estimate as if those before it were dropped. If together they take away what was estimated, all of them are
 *   dropped, and next time twice as many are tried; if not, half as many, in the end one alone.
 */
import type { Choices } from './choices.js'

/** The least share of an estimate that has to come true. */
const SHARE = 0.9
/** Sums of times are equal if they differ by less, in seconds. */
const ROUNDING = 1e-12

export interface Group {
  readonly values: readonly number[]
  /** as estimated, each as if those before it were dropped */
  readonly scores: readonly number[]
  /** the excess that they should take away, and the time that they should take */
  readonly excess: number
  readonly time: number
}

/** A score of each value, found again when the value comes to the front and others have been dropped since. A binary heap. */
class Scores {
  readonly #find: (value: number) => number
  readonly #of: Float64Array
  /** how often values had been dropped when each score was found */
  readonly #found: Int32Array
  /** the values: none is above the one at half its place; and the place of each */
  readonly #heap: Int32Array
  readonly #places: Int32Array

  constructor(count: number, values: readonly number[], find: (value: number) => number) {
    this.#find = find
    this.#of = new Float64Array(count).fill(Infinity)
    this.#found = new Int32Array(count).fill(-1)
    this.#heap = Int32Array.from(values)
    this.#places = new Int32Array(count)
    values.forEach((value, place) => {
      this.#places[value] = place
    })
  }

  /** The value with the highest score, if it is above 0; or -1. */
  best(drops: number): number {
    for (;;) {
      const [best] = this.#heap
      if (best === undefined || this.#of[best] <= 0) return -1
      if (this.#found[best] === drops) return best
      this.#found[best] = drops
      this.lower(best, this.#find(best))
    }
  }

  /** A score that is lower than before, or else stays as it is. */
  lower(value: number, score: number): void {
    if (score >= this.#of[value]) return
    this.#of[value] = score
    this.#sink(this.#places[value])
  }

  /** Let these be tried again, whatever is found now. */
  retry(values: readonly number[], drops: number): void {
    for (const value of values) {
      this.#of[value] = Infinity
      this.#found[value] = drops
    }
    this.#order()
  }

  of(value: number): number {
    return this.#of[value]
  }

  /** Let these have scores that may be higher than before. */
  raise(values: readonly number[], scores: readonly number[]): void {
    values.forEach((value, i) => {
      this.#of[value] = scores[i]
    })
    this.#order()
  }

  #order(): void {
    for (let place = (this.#heap.length >> 1) - 1; place >= 0; place--) this.#sink(place)
  }

  /** Let a value that is lower than before find its place. */
  #sink(from: number): void {
    const [heap, scores, places] = [this.#heap, this.#of, this.#places]
    const value = heap[from]
    let place = from
    for (;;) {
      let next = 2 * place + 1
      if (next + 1 < heap.length && scores[heap[next + 1]] > scores[heap[next]]) next++
      if (next >= heap.length || scores[heap[next]] <= scores[value]) break
      heap[place] = heap[next]
      places[heap[place]] = place
      place = next
    }
    heap[place] = value
    places[value] = place
  }
}

export class Queue {
  readonly #choices: Choices
  readonly #candidates: readonly number[]
  readonly #target: number
  readonly #bounds: Scores
  readonly #estimates: Scores
  /** how often values had been dropped when each was simulated alone */
  readonly #simulated: Int32Array
  #drops = 0

  /** @param dropped  1 for each value that is dropped now */
  constructor(choices: Choices, candidates: readonly number[], dropped: Uint8Array, target: number) {
    const { count } = choices
    this.#choices = choices
    this.#candidates = candidates
    this.#target = target
    const scoreOf = (excess: number, value: number): number =>
      excess > 0 && dropped[value] === 0 ? excess / Math.max(this.#timeOf(value), Number.MIN_VALUE) : 0
    this.#bounds = new Scores(count, candidates, (value) => scoreOf(choices.bound(value, target), value))
    this.#estimates = new Scores(count, candidates, (value) => scoreOf(choices.estimate(value, target), value))
    this.#simulated = new Int32Array(count).fill(-1)
  }

  /**
   * The next values to try, at most so many, which may take away about half the excess; none if no value has a score above
   * 0.
   */
  group(most: number, allExcess: number): Group {
    const [values, scores]: number[][] = [[], []]
    let [excess, time] = [0, 0]
    while (most > 1 && values.length < most && 2 * excess < allExcess) {
      const best = this.#estimates.best(this.#drops)
      if (best < 0) break
      values.push(best)
      scores.push(this.#estimates.of(best))
      excess += this.#choices.estimate(best, this.#target)
      time += this.#timeOf(best)
      this.#choices.foresee(best)
      this.#estimates.lower(best, 0)
      this.#drops++
    }
    if (values.length > 1) return { values, scores, excess, time }
    if (values.length > 0) this.#undo({ values, scores })
    const best = this.#bounds.best(this.#drops)
    return { values: best < 0 ? [] : [best], scores: [0], excess: 0, time: 0 }
  }

  /** A group was simulated. @returns whether it is dropped */
  judge(group: Group, savedExcess: number, addedTime: number): boolean {
    const { values } = group
    if (values.length > 1) {
      const isLess = savedExcess < SHARE * group.excess || SHARE * addedTime > group.time + ROUNDING
      if (savedExcess <= 0 || isLess) {
        this.#undo(group)
        return false
      }
    } else {
      const [value] = values
      const isKnown = this.#simulated[value] === this.#drops
      this.#simulated[value] = this.#drops
      this.#bounds.lower(value, savedExcess > 0 ? savedExcess / Math.max(addedTime, Number.MIN_VALUE) : 0)
      if (savedExcess <= 0 || (!isKnown && this.#bounds.best(this.#drops) !== value)) return false
    }
    for (const value of values) {
      this.#bounds.lower(value, 0)
      this.#estimates.lower(value, 0)
    }
    this.#drops++
    return true
  }

  /** A group is not dropped. */
  #undo({ values, scores }: Pick<Group, 'values' | 'scores'>): void {
    this.#estimates.raise(values, scores)
    this.#choices.forget()
    this.#drops++
  }

  /** Let each value that takes no time be tried the other way. */
  retry(): void {
    const { free } = this.#choices
    this.#bounds.retry(
      this.#candidates.filter((value) => free.has(value) && this.#choices.mayHelp(value, this.#target)),
      this.#drops,
    )
  }

  #timeOf(value: number): number {
    return this.#choices.free.has(value) ? 0 : this.#choices.timeToMake(value)
  }
}
