/**
 * The error function, to about 1e-15 in double precision, from two formulas that can be checked by hand
 * instead of a table of fitted coefficients. Speed is not the point.
 */

const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI)

/**
 * Below this x the series is used, which needs more terms for larger x; above it the continued fraction, which needs
 * fewer.
 */
const SWITCH = 2.5
const FRACTION_TERMS = 40

/** erf(x) = 2/sqrt(pi) exp(-x^2) sum 2^n x^(2n+1) / (1 3 5 ... (2n+1)): no cancellation. Abramowitz & Stegun 7.1.6. */
function series(x: number): number {
  let term = x
  let total = x
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1)
    total += term
  }
  return TWO_OVER_SQRT_PI * Math.exp(-x * x) * total
}

/** erfc(x) = exp(-x^2)/sqrt(pi) 1/(x + (1/2)/(x + (2/2)/(x + (3/2)/(x + ...)))) for x > 0. Abramowitz & Stegun 7.1.14. */
function fraction(x: number): number {
  let tail = x
  for (let n = FRACTION_TERMS; n > 0; n--) tail = x + n / 2 / tail
  return ((TWO_OVER_SQRT_PI / 2) * Math.exp(-x * x)) / tail
}

export function erf(x: number): number {
  if (Math.abs(x) < SWITCH) return series(x)
  return x < 0 ? fraction(-x) - 1 : 1 - fraction(x)
}

/** 1 - erf(x), keeping its relative precision in the right tail. */
export function erfc(x: number): number {
  if (x >= SWITCH) return fraction(x)
  return 1 - erf(x)
}
