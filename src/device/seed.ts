/** Seeds: the numbers that are allowed, and the context from which dropout masks follow. */
import { ArgumentError, showValue } from '../memory/errors.js'

/** Seeds have 32 bits, because the key of a dropout mask has room for no more. */
export const LARGEST_SEED = 2 ** 32 - 1

/** @throws ArgumentError  not a whole number from 0 to 2^32 - 1; rounding others would give two seeds the same numbers */
export function checkSeed(what: string, seed: unknown): asserts seed is number {
  if (typeof seed === 'number' && Number.isInteger(seed) && seed >= 0 && seed <= LARGEST_SEED) return
  throw new ArgumentError(`${what}: seed ${showValue(seed)} is not a whole number from 0 to ${LARGEST_SEED} (2^32 - 1)`)
}

/** The numbers that determine a dropout mask. `call` counts the dropouts of one forward. */
export interface StepContext {
  seed: number
  step: number
  firstSample: number
  call: number
}
