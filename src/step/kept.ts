/**
 * What waits in the store while a step runs in passes.
 *
 * Note [Pauses]
 *   The forward reads many a value in a pass or two, and the backward much later. In between the value need not wait: it
 *   leaves the store, the first later pass that needs it makes it again, and from there on it waits once more. So it is made
 *   twice, and not in every pass that reads it.
 */

/** How a value waits: not at all, without its longest pause, or always. */
export const NEVER = 0
export const PAUSING = 1
export const ALWAYS = 2

/** A walk through the levels in their order finds out what is there. */
export class Kept {
  /** for each value, the level at which it was made again after its pause; NOT_YET: it was not */
  readonly #since: Int32Array

  /**
   * @param how     of each value
   * @param pauses  for each value, the last level before its longest pause
   */
  constructor(
    readonly how: Uint8Array,
    readonly pauses: Int32Array,
  ) {
    this.#since = new Int32Array(how.length).fill(NOT_YET)
  }

  /** Is the value there when the pass of a level begins, or from where that pass writes it first? */
  waits(value: number, level: number): boolean {
    const how = this.how[value]
    return how === ALWAYS || (how === PAUSING && (level <= this.pauses[value] || this.#since[value] < level))
  }

  /** The value is made again. @returns whether it stays from now on */
  again(value: number, level: number): boolean {
    if (this.how[value] !== PAUSING || level <= this.pauses[value] || this.#since[value] < NOT_YET) return false
    this.#since[value] = level
    return true
  }
}

const NOT_YET = 0x7fffffff

/** A stretch of passes in which a value is stored. */
export interface Stretch {
  readonly value: number
  readonly birth: number
  readonly death: number
}

/** The stretches of all values, from the passes that touch them. */
export class Stretches {
  readonly all: Stretch[] = []
  readonly #open = new Map<number, { value: number; birth: number; death: number }>()

  /** @param begins  does a stretch begin here? */
  touch(value: number, level: number, begins: boolean): void {
    const open = this.#open.get(value)
    if (open && !begins) {
      open.death = level
      return
    }
    const stretch = { value, birth: level, death: level }
    this.#open.set(value, stretch)
    this.all.push(stretch)
  }
}
