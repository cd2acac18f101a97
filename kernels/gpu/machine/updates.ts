/** What the updates of several optimizers call. */

/** The gradient is multiplied by the root of the clipping factor twice, so that no product over- or underflows. */
export function clipping(scale: number, ratio: number, clip: number, maxNorm: number): number {
  if (clip > 0) {
    const root = Math.sqrt(maxNorm / (ratio + 0.000001 / scale)) / Math.sqrt(scale)
    // A NaN stays a NaN.
    return root > 1 ? 1 : root
  }
  return 1
}

/** An average that moves: rest is 1 - beta. */
export function moment(old: number, term: number, beta: number, rest: number): number {
  return beta * old + rest * term
}
