/**
 * The key and the position that determine random numbers: those of a dropout mask, or of a random tensor.
 *
 * Note [Counter of a mask]
 *   Threefry takes a key of two words, (seed, step), and a counter of two. Positions come in blocks of 2^32 elements.
 *   The first word of the counter is half the position within its block; the second is call + DROPOUT_CALLS * block. No
 *   position up to 2^53 makes it overflow, so no two elements under the first DROPOUT_CALLS dropouts of a forward share
 *   a counter.
 */
export interface Drawing {
  size: number
  seed: number
  step: number
  /** the number of this draw within the forward */
  call: number
  /** index of the first element within the mini-batch, below 2^53 */
  first: number
}

export interface Dropout extends Drawing {
  /** probability of zero, in [0, 1) */
  rate: number
}

/** The draws in a forward that never repeat, in a mini-batch of any size: Note [Counter of a mask]. */
export const DROPOUT_CALLS = 2 ** 11
