/**
 * Plans for a model, its loss and its optimizer: their step is recorded on shapes alone, for as many sizes of micro-batch as
 * it takes to find the largest that fits.
 */

import { groupDigits } from '../memory/bytes.js'
import { ArgumentError } from '../memory/errors.js'
import type { TimelinePoint } from '../memory/timeline.js'
import { planOf, timelineOf } from '../step/pass.js'
import type { Shape } from '../tensor/shape.js'
import { NotSeparableError } from './errors.js'
import { countOf, type Measured, type MicroBatchOption, type Passes, type Plan, type PlannedStep } from './plan.js'
import type { Mode, Program, SampleShape } from './program.js'
import { Recent } from './recent.js'
import { checkRows } from './rows.js'
import { makePlan } from './search.js'

export interface PlanOptions {
  /** samples in the mini-batch */
  batch: number
  /** default 'fit' */
  microBatch?: MicroBatchOption
  /** default 'train' */
  mode?: Mode
  /** shape of one sample; default the model's `inputShape` */
  inputShape?: Shape
  /** shape of one target; default [], a class index */
  targetShape?: Shape
  /** does each sample carry a weight? default false */
  weighted?: boolean
}

/** A training meets few sizes of mini-batch; the recording of one takes 5 to 55 KB. */
const REMEMBERED = 64

export interface PlanRequest {
  mode: Mode
  batch: number
  microBatch: MicroBatchOption
  shape: SampleShape
}

export class Planner {
  readonly #program: Program
  /** of the free memory, in which the plans below have their places */
  #signature = ''
  readonly #plans = new Recent<PlannedStep>(REMEMBERED)

  constructor(program: Program) {
    this.#program = program
  }

  /** See Streamer.plan. */
  plan(options: PlanOptions): Plan {
    return this.#planned(options).plan
  }

  /** See Streamer.timeline. */
  timeline(options: PlanOptions): readonly TimelinePoint[] {
    const { plan, passes } = this.#planned(options)
    const all = [passes.reset, ...passes.parts, passes.norm, passes.commit]
    return all.flatMap((pass) => (pass ? timelineOf(pass, plan.heldBytes) : []))
  }

  #planned(options: PlanOptions): PlannedStep {
    const { batch, microBatch = 'fit', mode = 'train' } = options
    this.forget()
    return this.planFor({ mode, batch, microBatch, shape: this.#sampleShape(options) })
  }

  /** Plan anew from now on: the model may have changed. */
  forget(): void {
    this.#plans.clear()
  }

  /**
   * A plan that was made before with the same free memory, or else a new one. Whoever runs it sees whether it still holds.
   * @throws DoesNotFitError    says the smallest budget that would do
   * @throws NotSeparableError  the loss couples samples, and the mini-batch would be split
   */
  planFor(request: PlanRequest): PlannedStep {
    const { device } = this.#program
    this.#program.prepare()
    const signature = device.allocator.signature()
    if (signature !== this.#signature) this.forget()
    this.#signature = signature
    const key = JSON.stringify(request)
    const planned = this.#plans.get(key) ?? this.#make(request)
    this.#plans.set(key, planned)
    return planned
  }

  #make({ mode, batch, microBatch, shape }: PlanRequest): PlannedStep {
    const { device, lossFunction } = this.#program
    const ends = this.#ends(mode)
    const known = new Map<number, Measured>()
    const measure = (size: number): Measured => {
      const measured = known.get(size) ?? this.#measure(mode, size, shape, ends)
      known.set(size, measured)
      return measured
    }
    const plan = makePlan({ mode, batch, microBatch, allocator: device.allocator, measure })
    const count = countOf(plan.parts)
    const coupled = mode === 'predict' ? undefined : lossFunction.coupled
    if (coupled === undefined) checkRows(plan, shape.input, measure)
    if (count > 1 && coupled !== undefined) {
      throw new NotSeparableError(
        `this loss cannot be split over ${groupDigits(count)} micro-batches: ${coupled}. ` +
          (Number.isFinite(plan.wholeBatchBytes)
            ? `Give a budget of ${plan.wholeBatchBytes} bytes, which holds the whole mini-batch, or a smaller batch.`
            : 'Give a smaller batch: no budget lets this device hold the whole mini-batch.'),
      )
    }
    return { plan, passes: { ...ends, parts: plan.parts.flatMap(({ size }) => measure(size).pass ?? []) } }
  }

  #ends(mode: Mode): Omit<Passes, 'parts'> {
    const program = this.#program
    const { device } = program
    const reset = planOf(device, () => program.reset())
    if (mode !== 'train') return { reset }
    return {
      reset,
      norm: planOf(device, () => program.measureNorm()),
      commit: planOf(device, () => program.commit()),
    }
  }

  #measure(
    mode: Mode,
    size: number,
    shape: SampleShape,
    { reset, norm = reset, commit = reset }: Omit<Passes, 'parts'>,
  ): Measured {
    const program = this.#program
    const { device } = program
    const pass = planOf(device, () => program.rehearseMicroBatch(mode, shape, size))
    const { outputShape, outputRows } = program
    const all = [pass, reset, norm, commit]
    const { peakHeldBytes, peakOp, heldAtPeak } = all.reduce((a, b) => (b.peakHeldBytes > a.peakHeldBytes ? b : a))
    const peakBytes = Math.max(...all.map((each) => each.peakBytes))
    return { pass, peakBytes, peakHeldBytes, peakOp, heldAtPeak, outputShape, outputRows, notes: program.notes(mode) }
  }

  #sampleShape({
    inputShape = this.#program.model.inputShape,
    targetShape = [],
    weighted = false,
  }: PlanOptions): SampleShape {
    if (inputShape) return { input: inputShape, target: targetShape, weighted }
    throw new ArgumentError('plan: give inputShape, the shape of one sample: this model does not say its own')
  }
}
