/**
 * How far training has got. A cursor counts samples, not mini-batches, and names their order. So training that goes on
 * with another batch size repeats no sample and leaves none out, and training in another order is refused.
 */
import { isPositive } from '../data/batch.js'
import { ArgumentError, showValue } from '../memory/errors.js'

/** How far a growing mini-batch has got. Plain numbers, fit for JSON. */
export interface Growth {
  /** the size of the next mini-batch */
  readonly batch: number
  /** the mini-batches of this size so far */
  readonly steps: number
}

/** Plain numbers, fit for JSON. Within an epoch every field must be given; `{ epoch }` alone is the start of that epoch. */
export interface Cursor {
  /** whole epochs done */
  readonly epoch: number
  /** samples of the running epoch that were learned from; if this is 0, the fields below are 0 or null */
  readonly samples: number
  /** the seed that shuffles the running epoch; null: the samples come in the order of their source */
  readonly seed: number | null
  /** the number of samples of the data set; null: the source gives chunks, and the number is not known */
  readonly length: number | null
  /**
   * the total weight of the targets of these samples; the mean loss of the epoch is the sum of their losses divided by
   * it
   */
  readonly weight: number
  readonly lossSum: number
  /** of a fit whose mini-batch grows */
  readonly growth?: Growth
}

/** The facts that determine a sample's position in an epoch. */
export type Order = Pick<Cursor, 'seed' | 'length'>

/** The start of an epoch. */
export const epochStart = (epoch: number, growth?: Growth): Cursor =>
  Object.freeze({ epoch, samples: 0, seed: null, length: null, weight: 0, lossSum: 0, ...(growth && { growth }) })

/** The cursor with another growth; undefined: without any. */
export function withGrowth({ growth: _, ...cursor }: Cursor, growth: Growth | undefined): Cursor {
  return Object.freeze(growth ? { ...cursor, growth } : cursor)
}

/**
 * A checked copy of a cursor that a caller gives.
 * @throws ArgumentError  naming the field that is missing, unknown or wrong
 */
export function cursorFrom(given: Pick<Cursor, 'epoch'> & Partial<Cursor>): Cursor {
  const start = epochStart(given.epoch, given.growth && growthFrom(given.growth))
  const cursor: Cursor = withGrowth({ ...start, ...given }, start.growth)
  for (const name of Object.keys(given)) {
    if (!(name in start) && name !== 'growth')
      throw new ArgumentError(`from: a cursor has no '${name}'; it has ${Object.keys(start).join(', ')}`)
  }
  for (const [name, count, empty] of [
    ['epoch', cursor.epoch, false],
    ['samples', cursor.samples, false],
    ['length', cursor.length, true],
  ] as const) {
    if (count === null ? empty : Number.isSafeInteger(count) && count >= 0) continue
    throw new ArgumentError(`from: ${name} is ${count}; it must be a whole number, 0 or more`)
  }
  if (cursor.samples === 0) return start
  const missing = Object.keys(start).find((name) => !(name in given))
  if (missing) {
    throw new ArgumentError(`from: a cursor within an epoch needs '${missing}' as well: give a whole streamer.cursor`)
  }
  return cursor
}

function growthFrom({ batch, steps }: Growth): Growth {
  if (isPositive(batch) && Number.isSafeInteger(steps) && steps >= 0) return { batch, steps }
  const given = `batch ${showValue(batch)}, steps ${showValue(steps)}`
  throw new ArgumentError(`from: growth must be that of a cursor, whole numbers { batch, steps }, not ${given}`)
}

/**
 * Check that the samples learned from so far are also the first ones of this order.
 * @throws ArgumentError  they are not, so some samples would be learned from twice, and some never
 */
export function checkOrder({ epoch, samples, seed, length }: Cursor, now: Order): void {
  if (samples === 0) return
  const differs = (what: string, then: number | null, is: number | null): never => {
    throw new ArgumentError(
      `from: ${samples} samples of epoch ${epoch} were learned from with ${what} ${then ?? 'none'}, and now it is ` +
        `${is ?? 'none'}: some samples would come twice and some never. Go on with the old value, or begin an epoch: ` +
        `from: { epoch: ${epoch} }`,
    )
  }
  if (seed !== now.seed) differs('the shuffling seed', seed, now.seed)
  if (length !== now.length) differs('the data set length', length, now.length)
}
