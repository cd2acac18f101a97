/** The exercises of chapter 5. Try them: npm run learn -- 5 */

/**
 * The sizes of the micro-batches: as few as possible, none above `largest`, sizes that differ by at most 1, the
 * larger ones first. balance(10, 4) is [4, 3, 3].
 * @returns {number[]}
 */
export function balance(samples, largest) {
  throw new Error('TODO: the sizes of the micro-batches')
}

/**
 * The share of each micro-batch in the mini-batch: its number of targets that are not `ignored`, divided by that of the
 * mini-batch.
 * @param {number[]} targets  of the mini-batch
 * @param {number[]} sizes    of the micro-batches, in order; they add up to targets.length
 * @returns {number[]}
 */
export function shares(targets, sizes, ignored) {
  throw new Error('TODO: the share of each micro-batch')
}
