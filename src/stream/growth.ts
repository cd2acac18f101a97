/**
 * A mini-batch that grows to follow the gradient noise scale (noise.ts): small while the gradient is large, because more
 * samples would hardly make it better, and larger when noise prevails.
 *
 * It doubles, because each size has a plan of its own and near the noise scale the size matters little. It never shrinks:
 * the noise scale grows as the loss falls.
 */
import { isPositive } from '../data/batch.js'
import { checkArgument, NUMBER, oneOf, options } from '../memory/arguments.js'
import { ArgumentError, showValue } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import { isRecord } from '../tensor/saved-state.js'
import type { Growth } from './cursor.js'
import { DoesNotFitError } from './errors.js'
import { type NoiseSum, scaleOf } from './noise.js'
import type { GrowingBatch, RateRule } from './options.js'
import type { MicroBatchOption, PlannedStep } from './plan.js'
import type { PlanRequest } from './planner.js'
import { LARGEST_BATCH } from './search.js'

/** The first size, if none is given. */
export const FIRST = 16

/** The number of mini-batches of one size after which it can be judged. */
const LEAST_STEPS = 20

/** It doubles when the noise scale is nearer to twice the size than to the size. */
const NEARER = Math.SQRT2

/** The sizes of the mini-batches of one fit. */
export class MiniBatchSizes {
  /** undefined: the size is fixed */
  growth: Growth | undefined
  readonly #from: number
  readonly #to: number
  readonly #rule: RateRule

  /**
   * @param samples  the samples of the data set; null for chunks
   * @param before   growth to go on with
   * @throws ArgumentError  a size or the rule is not valid
   */
  constructor(batch: number | 'auto' | GrowingBatch, samples: number | null, before?: Growth) {
    const limits = limitsOf(batch, samples)
    this.#from = limits.from
    this.#to = limits.to
    this.#rule = limits.learningRate
    if (!isGrowing(batch)) return
    this.growth = before
      ? { ...before, batch: Math.min(Math.max(before.batch, this.#from), this.#to) }
      : { batch: this.#from, steps: 0 }
  }

  /** The size of the next mini-batch. */
  get now(): number {
    return this.growth?.batch ?? this.#from
  }

  /** The next size, and the largest. */
  get ahead(): readonly number[] {
    return this.growth ? [this.now, this.#to] : [this.now]
  }

  /** The factor on the learning rate of the next step. */
  get rateFactor(): number {
    const times = this.now / this.#from
    return { none: 1, linear: times, sqrt: Math.sqrt(times) }[this.#rule]
  }

  /** After a step. @param noise  the averages after it */
  advance(noise: NoiseSum): Growth | undefined {
    if (!this.growth) return undefined
    const { batch, steps } = this.growth
    const enough = steps + 1 >= LEAST_STEPS && (scaleOf(noise) ?? 0) >= NEARER * batch
    this.growth =
      enough && batch < this.#to ? { batch: Math.min(this.#to, 2 * batch), steps: 0 } : { batch, steps: steps + 1 }
    return this.growth
  }

  /**
   * The micro-batch to ask for. A mini-batch that grows goes in two at least, if that is possible, so that its noise can be
   * measured.
   * @throws ArgumentError  it goes in several passes, in which nothing is measured
   */
  microBatchOf(request: PlanRequest, planFor: (request: PlanRequest) => PlannedStep): MicroBatchOption {
    if (!this.growth) return request.microBatch
    const half = Math.ceil(request.batch / 2)
    const asked = planFor(request)
    if (asked.plan.microBatch <= half) return measurable(asked, request.microBatch)
    try {
      return measurable(planFor({ ...request, microBatch: half }), half)
    } catch (error) {
      // a model can refuse the smaller size, and holes can leave no room for it
      if (error instanceof ShapeError || error instanceof DoesNotFitError) return request.microBatch
      throw error
    }
  }
}

/** @throws ArgumentError  the mini-batch goes in several passes, in which nothing is measured */
function measurable({ passes }: PlannedStep, microBatch: MicroBatchOption): MicroBatchOption {
  if (passes.parts[0].length === 1) return microBatch
  throw new ArgumentError(
    'fit: a growing mini-batch follows the noise of the gradient, which is not measured where a mini-batch goes in ' +
      'several passes, as with exact batch norm: give batch a number, or the layers another policy',
  )
}

function limitsOf(batch: number | 'auto' | GrowingBatch, samples: number | null): Required<GrowingBatch> {
  // a fixed size is checked where mini-batches are cut
  if (!isGrowing(batch)) return { from: batch, to: batch, learningRate: 'none' }
  if (batch !== 'auto') checkArgument('fit', 'batch', batch, GROWING)
  const { from, to, learningRate = 'none' } = batch === 'auto' ? {} : batch
  const most = samples ?? Infinity
  const largest = Math.min(to ?? most, most)
  if (largest === Infinity) {
    throw new ArgumentError(
      'fit: the largest size of a growing mini-batch has to be given for chunks: batch: { to: 1024 }',
    )
  }
  const first = from ?? Math.min(FIRST, largest)
  if (!(isPositive(first) && isPositive(largest) && first <= largest && largest <= LARGEST_BATCH)) {
    const sizes = `from ${showValue(first)} to ${showValue(largest)}`
    throw new ArgumentError(`fit: batch grows ${sizes}: give whole numbers of samples, the smaller one first`)
  }
  return { from: first, to: largest, learningRate }
}

const GROWING = options<GrowingBatch>({ from: NUMBER, to: NUMBER, learningRate: oneOf('none', 'linear', 'sqrt') })

const isGrowing = (batch: number | 'auto' | GrowingBatch): batch is 'auto' | GrowingBatch =>
  batch === 'auto' || isRecord(batch)
