/** Choosing a plan: how large the micro-batches are, and which values are made again. */
import type { Device } from '../device/device.js'
import type { Point } from '../step/greedy.js'
import type { Budget } from './budget.js'
import { DoesNotFitError, StoreExceededError } from './errors.js'
import type { Mode } from './kind.js'
import type { StepMeasure } from './measure.js'
import type { StorePlace } from './measure-passes.js'
import type { Recompute } from './options.js'
import type { Measured, MicroBatchOption, Split } from './plan.js'
import { fits, makePlan } from './search.js'

export interface Choosing {
  mode: Mode
  batch: number
  microBatch: MicroBatchOption
  recompute: Recompute
  allocator: Budget
  step: StepMeasure
  /** the budget of the store, or null: it takes a part of the device's */
  storeLimit: number | null
}

export interface Chosen {
  plan: Split
  measure(size: number): Measured
}

/**
 * The share of time that making values again can take. The limits are tried in order, and the first that lets the step
 * fit counts.
 */
const LIMITS: Readonly<Record<string, readonly number[]>> = { never: [], cheap: [0.03], needed: [0.03, Infinity] }

const limitsOf = ({ mode, recompute }: Choosing): readonly number[] =>
  mode === 'train' || mode === 'gradient' ? (LIMITS[recompute] ?? [Number(recompute)]) : []

type Choice = Pick<Point, 'extraTime'> & Partial<Pick<Point, 'dropped'>>
const NEVER: Choice = { extraTime: 0 }

/** A plan, or why there is none. */
interface Attempt {
  plan: Split | null
  measure(size: number): Measured
  error?: DoesNotFitError
}

function fitting({ plan, measure, error }: Attempt): Chosen {
  if (!plan) throw error
  return { plan, measure }
}

/**
 * The largest micro-batch that fits, then the fastest step with it.
 * @throws DoesNotFitError  says the smallest budget that is enough
 */
export function chooseInOnePass(choosing: Choosing): Chosen {
  const { mode, batch, microBatch, allocator, step } = choosing
  const { never, limits, within } = choicesOf(choosing)
  const whole = step.with(batch, never.dropped)
  const last = step.with(batch, (within(limits.at(-1) ?? 0).at(-1) ?? never).dropped)
  // the choices were made for one size; at another size the last choice may take more bytes than the first
  const frugal = (size: number): Measured => {
    const [first, least] = [whole(size), last(size)]
    return first.peakBytes < least.peakBytes ? first : least
  }
  const attempt = ({ dropped, extraTime }: Choice, size = microBatch): Attempt => {
    const measure = step.with(batch, dropped)
    try {
      const plan = makePlan({ mode, batch, microBatch: size, extraTime, allocator, measure, whole, frugal })
      return { plan, measure }
    } catch (error) {
      if (error instanceof DoesNotFitError) return { plan: null, measure, error }
      throw error
    }
  }
  const first = attempt(never)
  if (first.plan && first.plan.microBatch === first.plan.batch) return fitting(first)
  let tried = first
  for (const choices of limits.map(within)) {
    tried = attempt(choices.at(-1) ?? never)
    if (!tried.plan) continue
    const { microBatch } = tried.plan
    if (first.plan && microBatch <= first.plan.microBatch) break
    for (const choice of choices) {
      if (!fits(allocator, step.with(batch, choice.dropped)(microBatch))) continue
      const fastest = attempt(choice, microBatch)
      if (fastest.plan) return fitting(fastest)
    }
  }
  return fitting(first.plan ? first : tried)
}

/** The choices for a step in one pass: for each limit of time a list of those within the limit, the fastest first. */
function choicesOf(choosing: Choosing) {
  const limits = limitsOf(choosing)
  const choices = limits.length > 0 ? choosing.step.points(choosing.batch, limits.at(-1) ?? 0) : []
  const within = (limit: number): readonly Choice[] => choices.filter(({ extraTime }) => extraTime <= limit)
  return { never: NEVER, limits, within }
}

/** Smaller micro-batches make kernels slow, so a plan drops values rather than go below this size. */
const LEAST = 8

/** The store is outside the device if it has a budget of its own, or if the device's blocks have no addresses. */
export function storePlaceOf({ allocator }: Device, storeLimit: number | null): StorePlace {
  const hasBudget = storeLimit !== null
  return { onHost: hasBudget || allocator.arrange([]).addresses === null, hasBudget }
}

/**
 * A step with values of the whole mini-batch: in one piece if that fits, as fast as `recompute` lets it; else in several
 * passes, with the fastest choice of stored values that leaves room for micro-batches of some size.
 * @throws DoesNotFitError     says the smallest budget that is enough
 * @throws StoreExceededError  says the smallest store that is enough
 */
export function chooseInPasses(choosing: Choosing): Chosen {
  const { mode, batch, allocator, step, storeLimit } = choosing
  const asked = choosing.microBatch
  const { never, limits, within } = choicesOf(choosing)
  const inOnePiece = [never, ...within(limits.at(-1) ?? 0)]
  const choices = step.storePoints(batch)
  const least = choices.at(-1) ?? NEVER
  const measureWith = (whole: Choice, parts: Choice) => {
    const [ofWhole, ofParts] = [step.with(batch, whole.dropped), step.with(batch, parts.dropped)]
    return (size: number): Measured => (size === batch ? ofWhole(size) : ofParts(size))
  }
  const whole = step.with(batch, undefined)
  const frugal = measureWith(inOnePiece.at(-1) ?? never, least)
  const chosen = (microBatch: MicroBatchOption, { extraTime }: Choice, measure: Chosen['measure']): Chosen => ({
    plan: makePlan({ mode, batch, microBatch, extraTime, allocator, measure, whole, frugal, together: true }),
    measure,
  })
  if (asked === 'fit' || asked >= batch) {
    const fitsWhole = inOnePiece.find(({ dropped }) => fits(allocator, step.with(batch, dropped)(batch)))
    if (fitsWhole || asked !== 'fit') return chosen(batch, fitsWhole ?? never, measureWith(fitsWhole ?? never, least))
  }
  const size = Math.min(asked === 'fit' ? LEAST : asked, batch - 1)
  const isStored = ({ waitingBytes }: Measured): boolean => storeLimit === null || waitingBytes <= storeLimit
  for (const choice of choices) {
    const measure = measureWith(never, choice)
    const measured = measure(size)
    if (fits(allocator, measured) && isStored(measured)) return chosen(asked, choice, measure)
  }
  const measure = measureWith(never, least)
  const result = chosen(asked, least, measure)
  if (isStored(measure(result.plan.microBatch))) return result
  throw new StoreExceededError(result.plan.storeBytes, storeLimit ?? 0)
}
