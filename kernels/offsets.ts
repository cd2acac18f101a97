/**
 * Where each of a batch begins: a list of numbers, or what makes it when a kernel runs. A rehearsal runs none, so a batch
 * is planned whatever its size, also where the list would not fit any memory.
 */
export type Offsets = readonly number[] | MadeOffsets

export interface MadeOffsets {
  /** the largest number of the list */
  readonly largest: number
  list(): readonly number[]
}

export const listed = (offsets: Offsets): readonly number[] => ('list' in offsets ? offsets.list() : offsets)

export const largestOf = (offsets: Offsets): number =>
  'list' in offsets ? offsets.largest : offsets.reduce((most, offset) => Math.max(most, offset), 0)
