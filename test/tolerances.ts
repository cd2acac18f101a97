/** Every tolerance of the tests, with its reason. */

/**
 * float64 gradients of a split against those of the whole mini-batch, relative to max(1, largest gradient):
 * only the order of some hundred sums differs, each worth 2^-53 = 1.1e-16 of its terms.
 */
export const SPLIT_GRADIENT = 1e-12
