/** What a search for values to drop (greedy.ts) asks of a step. */

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
  /** for a choice that drops a value at all times, the choice that drops it for part of the time, if there is one */
  readonly lesser: ReadonlyMap<number, number>
  /** can it be that no bytes remain? */
  readonly canBeNone: boolean
  /** how many of them may be tried together: Note [Several at once] */
  readonly mostTogether: number
  /** the time to make a value once, at least */
  timeToMake(value: number): number
  /** @param dropped  1 for each value that is dropped */
  simulate(dropped: Uint8Array, target: number): Outcome
  /** The choice that was simulated last is taken. */
  take(): void
  /**
   * The excess that a value takes away if it is dropped beside those of the choice that was taken: rarely more than the
   * bound, and about the estimate.
   */
  bound(value: number, target: number): number
  estimate(value: number, target: number): number
  /** Estimate as if this value were dropped too. */
  foresee(value: number): void
  /** Estimate as before. */
  forget(): void
  /** May it take excess away to drop or to keep a value that takes no time? */
  mayHelp(value: number, target: number): boolean
  /** Can a value that is dropped in the choice that was taken be kept? True also where only a simulation can tell. */
  mayKeep(value: number, limit: number): boolean
}
