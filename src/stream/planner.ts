/**
 * Plans for a model, its loss and its optimizer: the planner records their step on shapes alone, in micro-batches of
 * several sizes, until it has found the largest that fits.
 */
import { type ByteSize, parseBytes } from '../memory/bytes.js'
import { ArgumentError, showValue } from '../memory/errors.js'
import type { TimelinePoint } from '../memory/timeline.js'
import { timelineOf } from '../step/pass.js'
import { checkLike, type Shapes } from '../tensor/structure.js'
import { type Budget, underBudget } from './budget.js'
import { chooseInOnePass, chooseInPasses, storePlaceOf } from './choose.js'
import type { Mode, SampleShape } from './kind.js'
import { ANEW, largestImage, largestThatFits } from './largest.js'
import { atOneSize, StepMeasure } from './measure.js'
import type { Planning, Recompute } from './options.js'
import {
  countOf,
  type FrontierPoint,
  type Knob,
  type Largest,
  type MicroBatchOption,
  type Passes,
  type Plan,
  type PlannedStep,
  type Split,
} from './plan.js'
import { planFile } from './plan-file.js'
import type { Program } from './program.js'
import { Recent } from './recent.js'
import { checkRows } from './rows.js'
import { largestMicroBatch } from './search.js'

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

export class Planner {
  readonly #program: Program
  readonly #recompute: Recompute
  /** the budget of the store, or null: it takes a part of the device's */
  readonly #store: number | null
  /** the signature of the free memory for which the plans below were made */
  #signature = ''
  readonly #plans = new Recent<PlannedStep>(REMEMBERED)

  constructor(program: Program, { recompute, storeLimit }: Planning) {
    this.#program = program
    this.#recompute = recompute
    this.#store = storeLimit
  }

  /** See Streamer.plan. */
  plan(options: PlanOptions): Plan {
    return this.#planned(options).plan
  }

  /** See Streamer.plansUnder. */
  plansUnder(options: PlanOptions): (memory: ByteSize) => Plan {
    const { batch, microBatch = 'fit', mode = 'train' } = options
    const request = { mode, batch, microBatch, shape: this.#sampleShape(options) }
    const { device } = this.#program
    this.#program.prepare()
    this.#makeTotals(request)
    const signature = device.allocator.signature()
    const step = this.#measured(request)
    return (memory) => {
      const known = signature === device.allocator.signature() ? step : undefined
      return this.#make(request, known, underBudget(device.allocator, parseBytes(memory))).plan
    }
  }

  /** See Streamer.timeline. */
  timeline(options: PlanOptions): readonly TimelinePoint[] {
    const { plan, passes } = this.#planned(options)
    const { heldBytes } = plan
    const { store, parts, reset, joint, ...ends } = passes
    const beside = { ...heldBytes, store: heldBytes.store + (store && !store.onHost ? store.bytes : 0) }
    return [
      ...timelineOf(reset, heldBytes),
      ...[...parts.flat(), joint?.pass].flatMap((pass) => (pass ? timelineOf(pass, beside) : [])),
      ...[ends.noise, ends.norm, ends.commit].flatMap((pass) => (pass ? timelineOf(pass, heldBytes) : [])),
    ]
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

  #make(
    request: PlanRequest,
    step = this.#measured(request),
    allocator: Budget = this.#program.device.allocator,
  ): PlannedStep {
    const { mode, batch, shape } = request
    const { device, lossFunction, model } = this.#program
    if (model.inputShape) checkLike('inputs', model.inputShape, shape.input)
    const choosing = {
      ...request,
      allocator,
      recompute: this.#recompute,
      step,
      storeLimit: this.#store,
    }
    const { plan: split, measure } = step.hasPasses(batch) ? chooseInPasses(choosing) : chooseInOnePass(choosing)
    const largest = measure(split.microBatch)
    const inPasses = split.passes > 1
    const parts = inPasses ? largest.passes : split.parts.flatMap(({ size }) => measure(size).passes)
    const { noise, ...ends } = step.ends
    const passes: Passes = {
      ...ends,
      parts,
      store: largest.store,
      joint: largest.joint,
      ...(countOf(split.parts) > 1 && !inPasses && { noise }),
    }
    const blocks = device.allocator.blocks()
    const signature = device.allocator.signature()
    // a frontier is mostly asked for at once; a recording takes too much memory to be kept for it
    const measured = new WeakRef(step)
    const plan: Plan = {
      ...split,
      toJSON: () => planFile(device, split, passes, blocks),
      frontier: () =>
        this.#frontier(
          request,
          split,
          allocator,
          signature === device.allocator.signature() ? measured.deref() : undefined,
        ),
      largest: (knob) => this.#largest(request, allocator, knob),
    }
    // if a loss compares the samples of a mini-batch in one piece, the model may compare them too
    const isSplit = countOf(plan.parts) > 1
    const couples = mode !== 'predict' && Boolean(lossFunction.coupled)
    if (isSplit || !couples) checkRows(plan, shape.input, (size) => step.outputOf(size, batch))
    return { plan, passes }
  }

  #measured({ mode, shape }: PlanRequest): StepMeasure {
    return new StepMeasure(this.#program, { mode, shape }, storePlaceOf(this.#program.device, this.#store))
  }

  /** See Plan.frontier. */
  #frontier(request: PlanRequest, split: Split, allocator: Budget, known?: StepMeasure): FrontierPoint[] {
    const { mode, batch, parts } = split
    if (mode !== 'train') return []
    this.#program.prepare()
    const step = known ?? this.#measured(request)
    const inPasses = split.passes > 1
    const sizes = inPasses ? [split.microBatch] : parts.map(({ size }) => size)
    const points: FrontierPoint[] = []
    for (const { dropped, extraTime } of inPasses ? step.storePoints(batch) : step.points(batch, Infinity)) {
      const measure = step.with(batch, inPasses || extraTime > 0 ? dropped : undefined)
      const peakBytes = Math.max(...sizes.map((size) => measure(size).peakBytes))
      const known = extraTime === 0 && split.extraTime === 0 && request.microBatch === 'fit'
      const microBatch = known ? split.microBatch : largestMicroBatch(batch, allocator, measure, inPasses)
      // a promise of fewer bytes may come to nothing once every value has its place
      const better = points.every((faster) => peakBytes < faster.peakBytes || microBatch > faster.microBatch)
      if (better) points.push({ extraTime, peakBytes, microBatch })
    }
    return points
  }

  /** See Plan.largest. */
  #largest(request: PlanRequest, allocator: Budget, knob: Knob): Largest {
    this.#program.prepare()
    if (knob === 'batch') {
      const step = this.#measured(request)
      return largestThatFits((size) => this.#make({ ...request, batch: size, microBatch: size }, step, allocator).plan)
    }
    if (knob !== 'image') {
      throw new ArgumentError(`largest: ${showValue(knob)} must be 'batch' or 'image'. ${ANEW}`)
    }
    return largestImage(request.shape, (shape) => this.#make({ ...request, shape }, undefined, allocator).plan)
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
