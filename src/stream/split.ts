/** Cutting a mini-batch into micro-batches. */

/** `count` micro-batches of `size` samples, one after the other. */
export interface Part {
  readonly size: number
  readonly count: number
}

/**
 * `samples` in as few micro-batches as the cap allows, balanced: 10 under cap 4 -> 1 x 4, 2 x 3.
 * Sizes differ by at most one, so there are at most two parts; the larger comes first.
 */
export function balanced(samples: number, cap: number): Part[] {
  const count = Math.ceil(samples / cap)
  const size = Math.floor(samples / count)
  const larger = samples % count
  return [
    { size: size + 1, count: larger },
    { size, count: count - larger },
  ].filter((part) => part.count > 0)
}

/** How many micro-batches there are. */
export const countOf = (parts: readonly Part[]): number => parts.reduce((sum, { count }) => sum + count, 0)

/** The size of each micro-batch: 1 x 4, 2 x 3 -> 4, 3, 3. */
export function* sizesOf(parts: readonly Part[]): Generator<number, void, void> {
  for (const { size, count } of parts) for (let i = 0; i < count; i++) yield size
}
