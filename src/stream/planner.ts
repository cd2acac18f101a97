/**
 * Plans for a model, its loss and its optimizer. Rehearses their step program, and remembers the latest results for as long
 * as the free list of the device is the same.
 */

import { groupDigits } from '../memory/bytes.js'
import { ArgumentError } from '../memory/errors.js'
import type { TimelinePoint } from '../memory/timeline.js'
import type { Shape } from '../tensor/shape.js'
import { NotSeparableError } from './errors.js'
import { countOf, type Measured, type MicroBatchOption, type Plan } from './plan.js'
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

/** A training meets few sizes of mini-batch; a rehearsal takes 5 to 55 KB. */
const REMEMBERED = 64

export class Planner {
  readonly #program: Program
  /** the signature of the free list for which the rehearsals and plans below hold */
  #signature = ''
  readonly #rehearsals = new Recent<Measured>(REMEMBERED)
  readonly #plans = new Recent<Plan>(REMEMBERED)

  constructor(program: Program) {
    this.#program = program
  }

  /** See Streamer.plan. */
  plan(options: PlanOptions): Plan {
    const { batch, microBatch = 'fit', mode = 'train' } = options
    return this.planFor(mode, batch, microBatch, this.#sampleShape(options))
  }

  /** See Streamer.timeline. */
  timeline(options: PlanOptions): readonly TimelinePoint[] {
    const { parts, rehearsals } = this.plan(options)
    const bySize = new Map(parts.map(({ size }, i) => [size, rehearsals[i]]))
    const shape = this.#sampleShape(options)
    const { device } = this.#program
    return device.rehearse(() => this.#program.rehearse(options.mode ?? 'train', shape, bySize), { timeline: true })
      .timeline
  }

  /**
   * @throws DoesNotFitError    says the smallest budget that would do
   * @throws NotSeparableError  the loss couples samples, and the mini-batch would be split
   */
  planFor(mode: Mode, batch: number, microBatch: MicroBatchOption, shape: SampleShape): Plan {
    const { device, lossFunction } = this.#program
    const state = this.#program.prepare()
    const signature = device.allocator.signature()
    if (signature !== this.#signature) {
      this.#rehearsals.clear()
      this.#plans.clear()
      this.#signature = signature
    }
    const key = JSON.stringify([mode, batch, microBatch, shape, state])
    const known = this.#plans.get(key)
    if (known) return known
    const plan = makePlan({
      mode,
      batch,
      microBatch,
      allocator: device.allocator,
      measure: (size) => this.#measure(mode, size, shape, state),
    })
    const count = countOf(plan.parts)
    const coupled = mode === 'predict' ? undefined : lossFunction.coupled
    if (coupled === undefined) checkRows(plan, shape.input, (size) => this.#measure(mode, size, shape, state))
    if (count > 1 && coupled !== undefined) {
      throw new NotSeparableError(
        `this loss cannot be split over ${groupDigits(count)} micro-batches: ${coupled}. ` +
          (Number.isFinite(plan.wholeBatchBytes)
            ? `Give a budget of ${plan.wholeBatchBytes} bytes, which holds the whole mini-batch, or a smaller batch.`
            : 'Give a smaller batch: no budget lets this device hold the whole mini-batch.'),
      )
    }
    this.#plans.set(key, plan)
    return plan
  }

  /**
   * Rehearse one micro-batch of `size` to find places for its blocks, then a whole step that uses them: the peak
   * that counts is the one of the second, over the same allocator that will run the real step.
   */
  #measure(mode: Mode, size: number, shape: SampleShape, state: string): Measured {
    const key = JSON.stringify([mode, size, shape, state])
    const known = this.#rehearsals.get(key)
    if (known) return known
    const program = this.#program
    const { device } = program
    const placement = device.rehearse(() => {
      program.reset()
      return device.allocator.arrange(() => program.rehearseMicroBatch(mode, shape, size))
    }).result
    const { memory, ops } = device.rehearse(() => program.rehearse(mode, shape, new Map([[size, { placement }]])))
    const { peakBytes, peakHeldBytes, peakOp, heldAtPeak } = memory
    const notes = program.notes(mode)
    const { outputShape, outputRows } = program
    const output = { outputShape, outputRows }
    const measured: Measured = { peakBytes, peakHeldBytes, peakOp, heldAtPeak, ops, placement, ...output, notes }
    this.#rehearsals.set(key, measured)
    return measured
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
