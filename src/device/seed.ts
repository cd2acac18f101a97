/** What a seed is, wherever one is taken. */
import { ArgumentError, showValue } from '../memory/errors.js'

/** Seeds are 32 bits, which is what a dropout mask's key has room for. */
export const LARGEST_SEED = 2 ** 32 - 1

/** @throws ArgumentError  not a whole number from 0 to 2^32 - 1: no two seeds mean the same */
export function checkSeed(what: string, seed: unknown): asserts seed is number {
  if (typeof seed === 'number' && Number.isInteger(seed) && seed >= 0 && seed <= LARGEST_SEED) return
  throw new ArgumentError(`${what}: seed ${showValue(seed)} is not a whole number from 0 to ${LARGEST_SEED} (2^32 - 1)`)
}
