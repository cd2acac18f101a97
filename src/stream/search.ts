/**
 * Planning: the largest micro-batch that fits, found by recording.
 *
 * Note [Search]
 *   The recording of a size gives two peaks: the address peak, which decides whether the size fits, and the peak of
 *   live bytes, which is never above it. Live bytes grow with the size; the address peak need not (holes, rounding,
 *   workspace). So the search bisects on live bytes, which gives a size above which nothing can fit, and from there
 *   tries every size downward. The first that fits is the largest. If that would be a long way (mini-batches of many
 *   thousands), it begins at most WALK sizes above one that is known to fit: a size that fits beyond WALK sizes that do
 *   not would be missed.
 *   The same search finds the largest of other numbers that make a step larger: largest.ts.
 */
import { TensorTooLargeError } from '../device/errors.js'
import { noBytes } from '../memory/allocator.js'
import { groupDigits } from '../memory/bytes.js'
import { ArgumentError } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import type { Budget } from './budget.js'
import { DoesNotFitError, OutputShapeError } from './errors.js'
import { balanced, describePlan, type Measured, type MicroBatchOption, type Split } from './plan.js'

export interface PlanRequest {
  mode: string
  batch: number
  microBatch: MicroBatchOption
  allocator: Budget
  /** the share of time that making values again takes; default 0 */
  extraTime?: number
  /** records a step with one micro-batch of `size` samples */
  measure(size: number): Measured
  /** Does `measure` take the balanced parts of at most `size` samples together? Default: one micro-batch alone */
  together?: boolean
  /** the same without recompute, for the whole mini-batch; default `measure` */
  whole?(size: number): Measured
  /** the same with the fewest bytes that the settings allow, for the smallest budget; default `measure` */
  frugal?(size: number): Measured
}

/**
 * @throws ArgumentError    batch or microBatch is not a positive integer
 * @throws DoesNotFitError  no size (or not the one asked for) fits; says which budget is enough
 */
export function makePlan(request: PlanRequest): Split {
  const { mode, batch, allocator, together = false } = request
  checkCount('batch', batch)
  if (batch > LARGEST_BATCH) {
    throw new ArgumentError(`batch must be at most ${groupDigits(LARGEST_BATCH)} samples, not ${groupDigits(batch)}`)
  }
  if (request.microBatch !== 'fit') checkCount('microBatch', request.microBatch)
  const measure = attempting(request.batch, request.measure)
  const stats = allocator.stats()
  const frugal = request.frugal ? attempting(batch, request.frugal) : measure
  const smallest = leastDemanding(batch, allocator, frugal, together)
  const minimumBudgetBytes = needs(allocator, smallest)
  const microBatch =
    request.microBatch === 'fit' ? largestFit(batch, allocator, measure, together) : Math.min(request.microBatch, batch)
  const worst = worstPart(batch, microBatch ?? smallest.size, measure, together)
  if (microBatch === null || !fits(allocator, worst)) {
    throw new DoesNotFitError(
      microBatch ?? smallest.size,
      worst.size,
      needs(allocator, worst),
      minimumBudgetBytes,
      allocator.budgetBytes,
      worst.peakOp,
      worst.heldAtPeak,
      fitsWithoutHoles(allocator, worst),
    )
  }
  const parts = balanced(batch, microBatch)
  const peak = highest(together ? [measure(microBatch)] : parts.map(({ size }) => measure(size)))
  const largest = measure(batch)
  const whole = request.whole ? attempting(batch, request.whole)(batch) : largest
  const { size } = smallest
  const { peakBytes } = measure(size)
  const most = Number.isFinite(largest.peakBytes) ? batch : microBatch
  const perSample =
    most > size ? (measure(most).peakBytes - peakBytes) / (most - size) : (peakBytes - stats.heldBytes) / size
  const plan: Split = {
    mode,
    batch,
    microBatch,
    parts,
    budgetBytes: allocator.budgetBytes,
    heldBytes: stats.held,
    remainingBytes: stats.remainingBytes,
    bytesPerSample: Math.round(perSample),
    plannedPeakBytes: peak.peakBytes,
    neededBudgetBytes: needs(allocator, worst),
    wholeBatchBytes: allocator.budgetFor(whole.peakBytes),
    minimumBudgetBytes,
    peakOp: peak.peakOp,
    heldAtPeak: peak.heldAtPeak,
    modulesAtPeak: peak.modulesAtPeak,
    extraTime: request.extraTime ?? 0,
    passes: peak.passes[0]?.length ?? 1,
    storeBytes: peak.waitingBytes,
    storeTrafficBytes: peak.store?.trafficBytes ?? 0,
    notes: peak.notes,
    outputShape: peak.outputShape,
    outputRows: peak.outputRows,
    toString: () => describePlan(plan),
  }
  return plan
}

/** A size that is recorded anyway. */
const SMALL = 8

/** How many sizes are tried one by one: few enough to plan a transformer of a few blocks within a second. */
export const WALK = 100

/** The largest mini-batch that can be planned: up to this size the byte counts of common models are exact. */
export const LARGEST_BATCH = 2 ** 32

const highest = <M extends Measured>(all: readonly M[]): M => all.reduce((a, b) => (b.peakBytes > a.peakBytes ? b : a))

/** The part that needs the most, among `size` itself and the balanced parts of at most `size` samples. */
function worstPart(
  batch: number,
  size: number,
  measure: (size: number) => Measured,
  together: boolean,
): Measured & { size: number } {
  if (together) return { size, ...measure(size) }
  const sizes = [size, ...balanced(batch, size).map((part) => part.size)]
  return highest(sizes.map((each) => ({ size: each, ...measure(each) })))
}

/** The budget that a step needs: for the device, and for a store outside of it that has no budget of its own. */
const needs = (allocator: Budget, { peakBytes, besideBytes }: Pick<Measured, 'peakBytes' | 'besideBytes'>): number =>
  allocator.budgetFor(peakBytes) + besideBytes

/** A size that the model refuses fits no budget, not even an unlimited one. */
export const fits = (allocator: Budget, measured: Measured): boolean =>
  fitsWithoutHoles(allocator, measured) &&
  Number.isFinite(measured.peakBytes) &&
  needs(allocator, measured) <= allocator.budgetBytes

/** Would the bytes that live at once fit, if there were no holes between them? */
const fitsWithoutHoles = (allocator: Budget, { peakHeldBytes: peakBytes, besideBytes }: Measured): boolean =>
  needs(allocator, { peakBytes, besideBytes }) <= allocator.budgetBytes

/** The largest micro-batch that fits with `measure`; 0: none does. */
export const largestMicroBatch = (
  batch: number,
  allocator: Budget,
  measure: (size: number) => Measured,
  together = false,
): number => largestFit(batch, allocator, attempting(batch, measure), together) ?? 0

/** Null when not even one sample fits. */
function largestFit(
  batch: number,
  allocator: Budget,
  measure: (size: number) => Measured,
  together: boolean,
): number | null {
  const alone = (size: number): boolean => fits(allocator, measure(size))
  if (alone(batch)) return batch
  // a store takes nearly the same bytes whatever the size, and each size has many passes to plan
  if (together) return bisect(1, batch - 1, alone) || null
  return searchLargest(1, batch - 1, {
    guess: guessOf(batch, allocator, measure),
    holds: (size) => fitsWithoutHoles(allocator, measure(size)),
    nearly: alone,
    fits: (size) => alone(size) && fits(allocator, worstPart(batch, size, measure, together)),
  })
}

/** The largest size that fits, if bytes grow on a straight line; undefined: they do not. */
function guessOf(batch: number, { budgetBytes }: Budget, measure: (size: number) => Measured): number | undefined {
  const small = Math.min(SMALL, batch - 1)
  const [few, many] = [small, batch].map((size) => measure(size).peakHeldBytes)
  const perSample = (many - few) / (batch - small)
  const guess = Math.floor(small + (budgetBytes - few) / perSample)
  return Number.isSafeInteger(guess) ? guess : undefined
}

/** What the search asks of a number. */
interface Tests {
  /** a number near the largest that holds: it saves tests */
  guess?: number
  /** are the bytes that live at once within the budget? Where not, no larger number fits */
  holds(value: number): boolean
  /** does it fit, as far as can be told at little cost? */
  nearly(value: number): boolean
  fits(value: number): boolean
}

/** Note [Search]. The largest number from `from` to `to` that fits, or null. */
export function searchLargest(from: number, to: number, { guess, holds, nearly, fits }: Tests): number | null {
  const bound = bisect(from, to, holds, guess)
  const near = bisect(from, bound - WALK, nearly, bound - WALK)
  for (let value = Math.min(bound, near + WALK); value >= from; value--) {
    if (fits(value)) return value
  }
  return null
}

/**
 * A number from `from` to `to` that passes, with the next failing, or `from - 1`; the largest that passes if `passes` is
 * monotone.
 */
function bisect(from: number, to: number, passes: (value: number) => boolean, guess?: number): number {
  let low = from - 1
  let high = to
  if (guess !== undefined && from < to) {
    // away from the guess, in steps that double, until the result lies between two numbers
    let at = Math.max(from, Math.min(guess, to))
    const isBelow = passes(at)
    for (let step = 1; low < high; step *= 2) {
      if (isBelow) low = at
      else high = at - 1
      at = isBelow ? Math.min(low + step, high) : Math.max(high + 1 - step, from)
      if (low >= high || passes(at) === isBelow) continue
      if (isBelow) high = at - 1
      else low = at
      break
    }
  }
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (passes(middle)) low = middle
    else high = middle - 1
  }
  return low
}

/**
 * The size that needs the least: one sample, unless that cannot run, or holes make a larger one cheaper. No peak is
 * below the address at which the free tail begins. Beyond WALK samples only doubled sizes are tried, and the whole
 * mini-batch.
 */
function leastDemanding(
  batch: number,
  allocator: Budget,
  measure: (size: number) => Measured,
  together: boolean,
): Measured & { size: number } {
  const floorBytes = allocator.arrange([]).peakBytes
  let best = { size: 1, ...measure(1) }
  let size = 1
  while (size < batch && best.peakBytes > floorBytes) {
    size = Math.min(batch, size < WALK ? size + 1 : 2 * size)
    if (measure(size).peakHeldBytes >= best.peakBytes) break
    const worst = worstPart(batch, size, measure, together)
    if (worst.peakBytes < best.peakBytes) best = { ...worst, size }
  }
  return best
}

/**
 * `measure`, for a model whose shapes may refuse some sizes (batch norm refuses one sample of one pixel), or a device
 * that limits the size of a tensor: a refused size fits no budget. A model that refuses the whole mini-batch too is at
 * fault, and its error is thrown; a device can still run the mini-batch in parts.
 */
function attempting(batch: number, measure: (size: number) => Measured): (size: number) => Measured {
  const known = new Map<number, Measured>()
  const attempt = (size: number): Measured => {
    const measured = known.get(size) ?? measuredOrRefused(size)
    known.set(size, measured)
    return measured
  }
  const measuredOrRefused = (size: number): Measured => {
    try {
      return measure(size)
    } catch (error) {
      // a model refuses small sizes, so larger ones may fit; a device refuses large ones, so no larger one fits
      if (error instanceof ShapeError && !(error instanceof OutputShapeError) && size < batch)
        return refused(error.message, 0)
      if (error instanceof TensorTooLargeError && size > 1) return refused(error.message, Infinity)
      throw error
    }
  }
  attempt(batch)
  return attempt
}

const refused = (peakOp: string, peakHeldBytes: number): Measured => ({
  peakBytes: Infinity,
  peakHeldBytes,
  peakOp,
  heldAtPeak: noBytes(),
  modulesAtPeak: [],
  passes: [],
  store: null,
  joint: null,
  waitingBytes: 0,
  besideBytes: 0,
  outputShape: [],
  outputRows: 1,
  notes: [],
})

function checkCount(name: string, count: number): void {
  if (Number.isSafeInteger(count) && count > 0) return
  throw new ArgumentError(`${name} must be a positive whole number of samples, not ${count}`)
}
