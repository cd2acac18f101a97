/**
 * Inverse questions: how large may a step be that fits the budget? Each value that is tried is planned, so the answer comes
 * from recordings alone. The search is that of Note [Search] in search.ts.
 */
import { TensorTooLargeError } from '../device/errors.js'
import { forget, isPromise } from '../device/promise.js'
import { BudgetExceededError } from '../memory/allocator.js'
import { ANYTHING, door, FUNCTION, options } from '../memory/arguments.js'
import { ArgumentError, SluiceError, showValue } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import { type Shape, sameShape } from '../tensor/shape.js'
import { isShape, mapMembers, showShapes } from '../tensor/structure.js'
import { DoesNotFitError } from './errors.js'
import type { SampleShape } from './kind.js'
import type { Largest, Plan } from './plan.js'
import { LARGEST_BATCH, searchLargest, WALK } from './search.js'

/**
 * The number of values above the result that must fail too. Each plan chooses anew which tensors are made again, so live
 * bytes can fall a little from one value to the next; in experiments at most four values fit after the first that did not.
 */
const BEYOND = 8

/** What becomes of a value. */
type Outcome = { readonly value: number } & (
  | { readonly plan: Plan; readonly holds: true; readonly refused: false }
  | {
      readonly plan: null
      readonly error: SluiceError
      /** are the bytes that live at once within the budget? */
      readonly holds: boolean
      /** no budget helps: the model does not take the value */
      readonly refused: boolean
    }
)

const check = door('largestThatFits', { planAt: FUNCTION, range: options({ from: ANYTHING, to: ANYTHING }) })

/**
 * The largest value whose plan fits. The value can be anything that makes a step larger: the width of a model, its context,
 * its depth, the side of its images. A plan contains all that the search needs: the budget, shapes, the wanted micro-batch.
 *
 * The bytes that live at once must grow with the value, small exceptions aside. A ShapeError or an ArgumentError means that
 * the model refuses a value, such as an image that is too small, or a width that is no multiple of the heads. The search
 * then takes the next value, at most 100 further.
 * @param planAt  makes the step of a value and plans it; a model that it makes needs a new virtual device with the budget
 * @param range   the values to search; default from 1 to 2^32
 * @returns  the value, its plan, and why the next value that is not refused does not fit
 * @throws ArgumentError  planAt returned no plan, or a plan without a budget; the range is not valid
 * @throws DoesNotFitError, BudgetExceededError  not even the smallest value fits
 */
export function largestThatFits(planAt: (value: number) => Plan, range: { from?: number; to?: number } = {}): Largest {
  check([planAt, range])
  const { from = 1, to = LARGEST_BATCH } = range
  if (!(Number.isSafeInteger(from) && Number.isSafeInteger(to) && 1 <= from && from <= to)) {
    const range = `from ${showValue(from)} to ${showValue(to)}`
    throw new ArgumentError(`largestThatFits: ${range} must be a range of whole numbers, 1 or more`)
  }
  const tried = new Map<number, Outcome>()
  const attempt = (value: number): Outcome => {
    const outcome = tried.get(value) ?? outcomeOf(planAt, value)
    tried.set(value, outcome)
    return outcome
  }
  /** The first value from here on that is not refused; where there is none near, the refusal of this one. */
  const next = (value: number): Outcome => {
    for (let near = value; near <= Math.min(to, value + WALK); near++) {
      const outcome = attempt(near)
      if (!outcome.refused) return outcome
    }
    return attempt(value)
  }
  const first = next(from)
  let end = first.value
  while (end < to && next(end).holds) end = Math.min(to, 2 * end)
  const value = searchLargest(first.value, end, {
    holds: (value) => next(value).holds,
    nearly: (value) => next(value).plan !== null,
    fits: (value) => attempt(value).plan !== null,
  })
  let found = value === null ? first : attempt(value)
  if (found.plan === null) throw found.error
  let failed: Largest['next'] = null
  let { value: at } = found
  for (let left = BEYOND; left > 0 && at < to; left--) {
    const beyond = next(at + 1)
    at = beyond.value
    if (beyond.plan === null) failed ??= { value: at, error: beyond.error }
    else [found, failed, left] = [beyond, null, BEYOND + 1]
    if (beyond.refused) break
  }
  return { value: found.value, plan: found.plan, next: failed }
}

function outcomeOf(planAt: (value: number) => Plan, value: number): Outcome {
  let plan: unknown
  try {
    plan = planAt(value)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const failed = (holds: boolean, refused = false): Outcome => ({ value, plan: null, error, holds, refused })
    if (error instanceof ShapeError || error instanceof ArgumentError) return failed(false, true)
    if (error instanceof DoesNotFitError) return failed(error.fragmented, error.neededBytes === Infinity)
    if (error instanceof BudgetExceededError) {
      const { heldBytes, budgetBytes } = error.memory
      return failed(heldBytes + error.requestedBytes <= budgetBytes)
    }
    if (error instanceof TensorTooLargeError) return failed(false)
    throw error
  }
  checkPlan(plan)
  return { value, plan, holds: true, refused: false }
}

/** @throws ArgumentError  no plan, whatever its type says, or a plan without a budget */
function checkPlan(plan: unknown): asserts plan is Plan {
  if (isPromise(plan)) forget(plan)
  const isPlan = typeof plan === 'object' && plan !== null && 'budgetBytes' in plan
  if (!isPlan) {
    const what = isPromise(plan) ? 'a Promise' : showValue(plan)
    throw new ArgumentError(`largestThatFits: the function must return streamer.plan({ ... }), not ${what}`)
  }
  if (plan.budgetBytes !== Infinity) return
  throw new ArgumentError(
    'without a budget everything fits: plan on a device that has one, as openVirtualDevice(kind, { memory: size })',
  )
}

/**
 * The largest square images. A target whose last axes are the sides of the image grows with it.
 * @param sample  the shapes of a sample as it is
 * @throws ArgumentError  the sample is no image, or the model refuses larger ones
 */
export function largestImage(sample: SampleShape, planAt: (sample: SampleShape) => Plan): Largest {
  const { input, target } = sample
  if (!isShape(input) || input.length !== 3) {
    throw new ArgumentError(
      `largest('image'): a sample of shape ${showShapes(input)} is no image [channels, height, width]. ${ANEW}`,
    )
  }
  const [channels, ...sides] = input
  const grow = (shape: Shape, side: number): Shape =>
    sameShape(shape.slice(-2), sides) ? [...shape.slice(0, -2), side, side] : shape
  const withSide = (side: number): SampleShape => ({
    ...sample,
    input: [channels, side, side],
    target: mapMembers(target, isShape, (shape) => grow(shape, side)),
  })
  try {
    const found = largestThatFits((side) => planAt(withSide(side)), { from: Math.min(...sides) })
    if (found.next?.error instanceof ShapeError) throw found.next.error
    return found
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
    throw new ArgumentError(`largest('image'): the model refuses larger square images (${error.message}). ${ANEW}`)
  }
}

export const ANEW =
  'If each value needs another model or other shapes, call largestThatFits((value) => plan) with a function that returns ' +
  'the plan of that value.'
