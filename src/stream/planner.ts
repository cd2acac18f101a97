/**
 * Plans for a model, its loss and its optimizer: the planner records their step on shapes alone, in micro-batches of
 * several sizes, until it has found the largest that fits.
 */
import { groupDigits } from '../memory/bytes.js'
import { ArgumentError, showValue } from '../memory/errors.js'
import type { TimelinePoint } from '../memory/timeline.js'
import type { Point } from '../step/frontier.js'
import { timelineOf } from '../step/pass.js'
import { checkLike, type Shapes } from '../tensor/structure.js'
import { DoesNotFitError, NotSeparableError } from './errors.js'
import type { Mode, SampleShape } from './kind.js'
import { ANEW, largestImage, largestThatFits } from './largest.js'
import { atOneSize, StepMeasure } from './measure.js'
import type { Recompute } from './options.js'
import {
  countOf,
  type FrontierPoint,
  type Knob,
  type Largest,
  type Measured,
  type MicroBatchOption,
  type Plan,
  type PlannedStep,
  type Split,
} from './plan.js'
import { planFile } from './plan-file.js'
import type { Program } from './program.js'
import { Recent } from './recent.js'
import { checkRows } from './rows.js'
import { largestMicroBatch, makePlan } from './search.js'

export interface PlanOptions {
  /** samples in the mini-batch */
  batch: number
  /** default 'fit' */
  microBatch?: MicroBatchOption
  /** default 'train' */
  mode?: Mode
  /** shape of one sample, or a list or a record with the shapes of its inputs; default the model's `inputShape` */
  inputShape?: Shapes
  /** shape of one target, or a list or a record; default [], a class index */
  targetShape?: Shapes
  /** does each sample carry a weight? default false */
  weighted?: boolean
}

/** The plans that are kept: enough, because a training has few sizes of mini-batch. */
const REMEMBERED = 64

export interface PlanRequest {
  mode: Mode
  batch: number
  microBatch: MicroBatchOption
  shape: SampleShape
}

/**
 * The share of time that making values again can take. The limits are tried in order, and the first that lets the step
 * fit counts.
 */
const LIMITS: Readonly<Record<string, readonly number[]>> = { never: [], cheap: [0.03], needed: [0.03, Infinity] }

type Choice = Pick<Point, 'extraTime'> & Partial<Pick<Point, 'dropped'>>
const NEVER: Choice = { extraTime: 0 }

/** A plan, or why there is none. */
interface Attempt {
  plan: Split | null
  measure(size: number): Measured
  error?: DoesNotFitError
}

function fitting({ plan, measure, error }: Attempt): Attempt & { plan: Split } {
  if (!plan) throw error
  return { plan, measure }
}

/**
 * The largest micro-batch that fits, then the fastest step with it.
 * @param allowed  for each limit of time, the choices within it, the fastest first; the first limit that lets the step
 *   fit counts
 * @throws DoesNotFitError  says the smallest budget that is enough
 */
function choose(
  attempt: (choice: Choice, size?: number) => Attempt,
  allowed: readonly (readonly Choice[])[],
): Attempt & { plan: Split } {
  const never = attempt(NEVER)
  if (never.plan && never.plan.microBatch === never.plan.batch) return fitting(never)
  let last = never
  for (const choices of allowed) {
    last = attempt(choices.at(-1) ?? NEVER)
    if (!last.plan) continue
    const { microBatch } = last.plan
    if (never.plan && microBatch <= never.plan.microBatch) break
    for (const choice of choices) {
      const fastest = attempt(choice, microBatch)
      if (fastest.plan) return fitting(fastest)
    }
  }
  return fitting(never.plan ? never : last)
}

export class Planner {
  readonly #program: Program
  readonly #recompute: Recompute
  /** the signature of the free memory for which the plans below were made */
  #signature = ''
  readonly #plans = new Recent<PlannedStep>(REMEMBERED)

  constructor(program: Program, recompute: Recompute) {
    this.#program = program
    this.#recompute = recompute
  }

  /** See Streamer.plan. */
  plan(options: PlanOptions): Plan {
    return this.#planned(options).plan
  }

  /** See Streamer.timeline. */
  timeline(options: PlanOptions): readonly TimelinePoint[] {
    const { plan, passes } = this.#planned(options)
    const all = [passes.reset, ...passes.parts, passes.noise, passes.norm, passes.commit]
    return all.flatMap((pass) => (pass ? timelineOf(pass, plan.heldBytes) : []))
  }

  #planned(options: PlanOptions): PlannedStep {
    const { batch, microBatch = 'fit', mode = 'train' } = options
    this.forget()
    return this.planFor({ mode, batch, microBatch, shape: this.#sampleShape(options) })
  }

  /** Forget all plans, because the model may have changed. */
  forget(): void {
    this.#plans.clear()
  }

  /**
   * A plan made before with the same free memory, or else a new one. Its runner checks whether it still holds.
   * @throws DoesNotFitError    says the smallest budget that is enough
   * @throws NotSeparableError  the loss couples samples, and the mini-batch would be split
   */
  planFor(request: PlanRequest): PlannedStep {
    const { allocator } = this.#program.device
    this.#program.prepare()
    const key = JSON.stringify(request)
    const known = allocator.signature() === this.#signature ? this.#plans.get(key) : undefined
    if (known) return known
    this.#makeTotals(request)
    const signature = allocator.signature()
    if (signature !== this.#signature) this.forget()
    this.#signature = signature
    const planned = this.#make(request)
    this.#plans.set(key, planned)
    return planned
  }

  /** Make the totals of layers, at the first size that the model takes; a plan says what is wrong with others. */
  #makeTotals(request: PlanRequest): void {
    atOneSize(request.batch, (size) => this.#program.makeTotals(request, size, request.batch))
  }

  #make(request: PlanRequest, step = this.#measured(request)): PlannedStep {
    const { mode, batch, microBatch, shape } = request
    const { device, lossFunction, model } = this.#program
    if (model.inputShape) checkLike('inputs', model.inputShape, shape.input)
    const limits = mode === 'train' ? (LIMITS[this.#recompute] ?? [this.#recompute]) : []
    const choices = limits.length > 0 ? step.points(batch, limits.at(-1) ?? 0) : []
    const within = (limit: number): readonly Choice[] => choices.filter(({ extraTime }) => extraTime <= limit)
    const whole = step.with(NEVER.dropped)
    const last = step.with((within(limits.at(-1) ?? 0).at(-1) ?? NEVER).dropped)
    // the choices were made for one size; for another the last may take more bytes than the first
    const frugal = (size: number): Measured => {
      const [first, least] = [whole(size), last(size)]
      return first.peakBytes < least.peakBytes ? first : least
    }
    const attempt = ({ dropped, extraTime }: Choice, size = microBatch): Attempt => {
      const measure = step.with(dropped)
      const { allocator } = device
      try {
        const plan = makePlan({ mode, batch, microBatch: size, extraTime, allocator, measure, whole, frugal })
        return { plan, measure }
      } catch (error) {
        if (error instanceof DoesNotFitError) return { plan: null, measure, error }
        throw error
      }
    }
    const { plan: split, measure } = choose(attempt, limits.map(within))
    const parts = split.parts.flatMap(({ size }) => measure(size).pass ?? [])
    const { noise, ...ends } = step.ends
    const passes = { ...ends, parts, ...(countOf(split.parts) > 1 && { noise }) }
    const blocks = device.allocator.blocks()
    const plan: Plan = {
      ...split,
      toJSON: () => planFile(device, split, passes, blocks),
      frontier: () => this.#frontier(request, split),
      largest: (knob) => this.#largest(request, knob),
    }
    const count = countOf(plan.parts)
    const coupled = mode === 'predict' ? undefined : lossFunction.coupled || undefined
    if (coupled === undefined) checkRows(plan, shape.input, measure)
    if (count > 1 && coupled !== undefined) {
      throw new NotSeparableError(
        `this loss cannot be split over ${groupDigits(count)} micro-batches: ${coupled}. ` +
          (Number.isFinite(plan.wholeBatchBytes)
            ? `Give a budget of ${plan.wholeBatchBytes} bytes, which holds the whole mini-batch, or a smaller batch.`
            : 'Give a smaller batch: no budget lets this device hold the whole mini-batch.'),
      )
    }
    return { plan, passes }
  }

  #measured({ mode, shape }: PlanRequest): StepMeasure {
    return new StepMeasure(this.#program, { mode, shape })
  }

  /** See Plan.frontier. */
  #frontier(request: PlanRequest, split: Split): FrontierPoint[] {
    const { mode, batch, parts } = split
    if (mode !== 'train') return []
    this.#program.prepare()
    const { allocator } = this.#program.device
    const step = this.#measured(request)
    const points: FrontierPoint[] = []
    for (const { dropped, extraTime } of step.points(batch, Infinity)) {
      const measure = step.with(extraTime > 0 ? dropped : NEVER.dropped)
      const peakBytes = Math.max(...parts.map(({ size }) => measure(size).peakBytes))
      const known = extraTime === 0 && split.extraTime === 0 && request.microBatch === 'fit'
      const microBatch = known ? split.microBatch : largestMicroBatch(batch, allocator, measure)
      // a promise of fewer bytes may come to nothing once every value has its place
      const better = points.every((faster) => peakBytes < faster.peakBytes || microBatch > faster.microBatch)
      if (better) points.push({ extraTime, peakBytes, microBatch })
    }
    return points
  }

  /** See Plan.largest. */
  #largest(request: PlanRequest, knob: Knob): Largest {
    this.#program.prepare()
    if (knob === 'batch') {
      const step = this.#measured(request)
      return largestThatFits((size) => this.#make({ ...request, batch: size, microBatch: size }, step).plan)
    }
    if (knob !== 'image') {
      throw new ArgumentError(`largest: ${showValue(knob)} must be 'batch' or 'image'. ${ANEW}`)
    }
    return largestImage(request.shape, (shape) => this.#make({ ...request, shape }).plan)
  }

  #sampleShape({
    inputShape = this.#program.model.inputShape,
    targetShape = [],
    weighted = false,
  }: PlanOptions): SampleShape {
    if (inputShape) return { input: inputShape, target: targetShape, weighted }
    throw new ArgumentError('plan: give inputShape, the shape of one sample: this model does not state it')
  }
}
