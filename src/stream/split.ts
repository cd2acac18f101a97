/** Cutting a mini-batch into micro-batches. */

/**
 * `samples` in as few parts as the cap allows, balanced: 10 under cap 4 -> [4, 3, 3].
 * Sizes differ by at most one, so at most two micro-batch shapes occur.
 */
export function balancedSizes(samples: number, cap: number): number[] {
  const parts = Math.ceil(samples / cap)
  const larger = samples % parts
  return Array.from({ length: parts }, (_, i) => Math.floor(samples / parts) + (i < larger ? 1 : 0))
}
