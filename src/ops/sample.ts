/**
 * Sample inputs of ops, from which the checks of all ops are generated. Their values are exact in binary and never at a
 * kink, so that no check needs a wider tolerance for them.
 */
import type { Shape } from '../tensor/shape.js'

/** Draws `size` values; `random` is uniform in [0, 1). */
export type Domain = (size: number, random: () => number) => number[]

export interface Sample<Options> {
  /** shape and domain of each input */
  inputs: readonly (readonly [Shape, Domain])[]
  options: Options
}

export const sample = <Options>(options: Options, ...inputs: Sample<Options>['inputs']): Sample<Options> => ({
  inputs,
  options,
})

const whole = (low: number, high: number, random: () => number): number => low + Math.floor(random() * (high - low + 1))
const draw = (size: number, one: () => number): number[] => Array.from({ length: size }, one)

/** Multiples of 1/16 in [-2, 2]. */
export const grid: Domain = (size, random) => draw(size, () => whole(-32, 32, random) / 16)
/** Odd multiples of 1/32 in [-2, 2]: never 0, never a multiple of 1/16. */
export const offGrid: Domain = (size, random) => draw(size, () => (2 * whole(-32, 31, random) + 1) / 32)
/** Multiples of 1/16 in [1/2, 2]. */
export const positive: Domain = (size, random) => draw(size, () => whole(8, 32, random) / 16)
/** Multiples of 1/16 in [1/2, 2], with either sign. */
export const nonzero: Domain = (size, random) =>
  draw(size, () => (whole(8, 32, random) / 16) * (random() < 0.5 ? -1 : 1))
/** 0 or 1. */
export const bits: Domain = (size, random) => draw(size, () => whole(0, 1, random))
/** Whole numbers in [0, count). */
export const index =
  (count: number): Domain =>
  (size, random) =>
    draw(size, () => whole(0, count - 1, random))
/** All different, 1/8 apart, in random order: no ties. */
export const distinct: Domain = (size, random) => {
  const values = Array.from({ length: size }, (_, i) => (i - size / 2) / 8)
  for (let i = size - 1; i > 0; i--) {
    const j = whole(0, i, random)
    ;[values[i], values[j]] = [values[j], values[i]]
  }
  return values
}
