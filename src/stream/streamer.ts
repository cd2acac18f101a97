/**
 * Micro-Batch Streaming: a mini-batch of any size through the bytes that remain.
 *
 * Note [Gather, then commit]
 *   Gather can fail, but it changes nothing that lasts. It runs the micro-batches, which add to the gradient buffers,
 *   asks user schedules, and checks the loss, the gradient and the peak. Commit cannot fail: it allocates nothing, runs
 *   no user code, awaits nothing and reads nothing. So after any error (budget, data, NaN, Ctrl-C) parameters,
 *   optimizer state, buffers, counters and cursor are still those of the last commit, and nothing has to be rolled
 *   back.
 */
import type { AnyBatch, AnySource } from '../data/index.js'
import { checkSeed } from '../device/seed.js'
import { checkArgument } from '../memory/arguments.js'
import type { ByteSize } from '../memory/bytes.js'
import type { TimelinePoint } from '../memory/timeline.js'
import type { AnyModule } from '../nn/module.js'
import type { AnyLoss } from '../ops/loss.js'
import type { Optimizer } from '../optim/optimizer.js'
import { record } from '../step/record.js'
import { runPlanned } from '../step/run.js'
import type { HostArray } from '../tensor/host.js'
import type { Arrays, Like } from '../tensor/structure.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Checkpoint, Checkpoints, type SavedCheckpoint, takeCheckpoint, writeCheckpoint } from './checkpoint.js'
import { type Cursor, epochStart } from './cursor.js'
import * as doors from './doors.js'
import type { Place, RangeResult } from './elsewhere.js'
import { BusyError, checkFinite } from './errors.js'
import { evaluate, predict } from './evaluate.js'
import { checkIdle, exclusively } from './exclusive.js'
import type { Trial } from './fastest.js'
import { fit, type StepOfFit } from './fit.js'
import { Gatherer } from './gather.js'
import { rangeOf } from './gradient.js'
import { NO_NOISE, type NoiseSum, noiseOfPart, REMEMBERED, scaleOf, withNoise } from './noise.js'
import {
  type EvaluateOptions,
  type Evaluation,
  evaluationOf,
  type FitOptions,
  type PredictOptions,
  planningOf,
  type StepOptions,
  type StepResult,
  type StreamerOptions,
} from './options.js'
import { holdToPlan, type Plan } from './plan.js'
import { Planner, type PlanOptions } from './planner.js'
import { Program } from './program.js'
import { awaitable, type Training } from './training.js'

export type { Checkpoint, SavedCheckpoint } from './checkpoint.js'
export type { Cursor } from './cursor.js'
export type { Metric, Metrics } from './metric.js'
export type * from './options.js'
export type { PlanOptions } from './planner.js'
export type { Training } from './training.js'

/**
 * Micro-Batch Streaming: trains a model on mini-batches of any size through the bytes that remain beside it.
 *
 *     const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optim.adam(model) })
 *     for await (const { loss } of streamer.fit(data.digits(), { batch: 1024, epochs: 3 })) console.log(loss)
 * @throws BudgetExceededError  the tensors that stay between steps do not fit
 */
export class Streamer<Outputs = Tensor, Targets = Tensor> {
  readonly model: AnyModule
  readonly optimizer: Optimizer
  readonly #program: Program
  readonly #planner: Planner
  readonly #gatherer: Gatherer
  readonly #seed: number
  readonly #checks: Pick<StreamerOptions, 'checkFinite' | 'onGradients'>
  readonly #checkpoints: Checkpoints
  #cursor: Cursor = epochStart(0)
  /** the averages that the gradient noise scale is made of */
  #noise: NoiseSum = NO_NOISE
  /** identifies the latest fit; an earlier one sees here that it has been replaced */
  #turn = {}

  constructor(options: StreamerOptions<Outputs, Targets>) {
    doors.checkStreamer(options as StreamerOptions<unknown, unknown>)
    const { model, loss, optimizer, seed = 0, checkFinite = true, noise = true, onGradients, checkpointEvery } = options
    checkSeed('Streamer', seed)
    const planning = planningOf(options)
    this.#checkpoints = new Checkpoints(model, optimizer, seed, checkpointEvery)
    this.model = model
    this.optimizer = optimizer
    // model and data decide what outputs and targets are, whatever the types say
    this.#program = new Program(model, loss as AnyLoss, optimizer, noise, onGradients !== undefined)
    this.#planner = new Planner(this.#program, planning)
    this.#gatherer = new Gatherer(this.#program, this.#planner, seed)
    this.#seed = seed
    this.#checks = { checkFinite, onGradients }
  }

  /** How far `fit` has got: pass it as `from` to go on. Mini-batches of `step` are not counted. */
  get cursor(): Cursor {
    return this.#cursor
  }

  /** The last checkpoint that `checkpointEvery` kept. It survives the loss of the device. */
  get lastCheckpoint(): Checkpoint | null {
    return this.#checkpoints.last
  }

  /** Copies of everything that the last commit changed, to go on from on any device. */
  checkpoint(): Promise<Checkpoint> {
    return this.#exclusively('a checkpoint', () =>
      takeCheckpoint(this.model, this.optimizer, this.#cursor, this.#seed, this.#noise),
    )
  }

  /**
   * Set everything back to a checkpoint, of any streamer. Then call `fit` with `from: streamer.cursor`. A running fit ends.
   * @throws StateError, ArgumentError  the checkpoint is of another model, optimizer or seed, or its cursor is not valid
   */
  restore(checkpoint: SavedCheckpoint): void {
    checkIdle(this.model.device, 'restore')
    const { cursor, noise } = writeCheckpoint(checkpoint, this.model, this.optimizer, this.#seed)
    this.#noise = noise
    this.#begin(cursor)
  }

  /**
   * How a mini-batch is split and what memory it takes, found by recording it. Runs no kernel.
   * @throws DoesNotFitError  says the smallest budget that is enough
   */
  plan(options: PlanOptions): Plan {
    checkArgument('plan', 'options', options, doors.PLAN_OPTIONS)
    return this.#planner.plan(options)
  }

  /**
   * The plans of a mini-batch under any budget, from one recording of the model as it is now, which the function keeps:
   * `plansUnder({ batch: 1024 })('2MiB')` is the plan of a device with a budget of 2 MiB.
   * @throws DoesNotFitError  also if the tensors that stay between steps do not fit
   */
  plansUnder(options: PlanOptions): (memory: ByteSize) => Plan {
    checkArgument('plansUnder', 'options', options, doors.PLAN_OPTIONS)
    return this.#planner.plansUnder(options)
  }

  /** The held bytes by category after every allocation and free of one step, with one micro-batch of each size. */
  timeline(options: PlanOptions): readonly TimelinePoint[] {
    checkArgument('timeline', 'options', options, doors.PLAN_OPTIONS)
    return this.#planner.timeline(options)
  }

  /**
   * Measures the speed of this mini-batch in micro-batches of several sizes: the largest that fits, and down by halves. Runs
   * forward and backward of some of them, at least 4 times, and commits nothing.
   * @returns the fastest first; give its `microBatch` to `step` or `fit`
   * @throws  what `step` throws, except NonFiniteError
   */
  async fastest(batch: AnyBatch, options: Pick<StepOptions, 'signal'> = {}): Promise<readonly Trial[]> {
    checkArgument('fastest', 'options', options, doors.RACE_OPTIONS)
    return this.#exclusively('fastest', async () => this.#gatherer.race(batch, options))
  }

  /**
   * Learn from one mini-batch: gather, then commit.
   * @throws DoesNotFitError, EmptyBatchError, NonFiniteError, ModelError, PlanMismatchError, InterruptedError,
   *   BudgetExceededError, DataError  nothing was committed; the step may be tried again
   * @throws DeviceLostError  all values are lost: go on from `lastCheckpoint`
   */
  async step(batch: AnyBatch, options: StepOptions = {}): Promise<StepResult> {
    checkArgument('step', 'options', options, doors.STEP_OPTIONS)
    return this.#step(batch, options, { next: () => this.#cursor })
  }

  async #step(batch: AnyBatch, options: StepOptions, { next, rateFactor }: StepOfFit): Promise<StepResult> {
    return this.#exclusively('a step', async () => {
      const started = performance.now()
      const { device } = this.#program
      await this.#checkpoints.beforeStep(this.#cursor, this.#noise)
      const { plan, passes, weight, part } = await this.#gatherer.gather('train', batch, options)
      const { norm, commit } = passes
      const ending = record(device, () => this.#program.end(plan.batch))
      if (norm) runPlanned(device, norm, ending)
      const { loss, gradNorm, partNorm } = await this.#program.readMeasured(part !== null)
      const norms = await this.#program.norms?.read()
      if (norms) await this.#checks.onGradients?.({ loss, gradNorm, norms })
      if (this.#checks.checkFinite) checkFinite(loss, gradNorm)
      const updates = record(device, () => this.#program.commit(rateFactor, () => holdToPlan(device, plan)))
      if (commit) runPlanned(device, commit, updates)
      this.optimizer.committed()
      const noise = noiseOfPart(part, partNorm, { samples: plan.batch, norm: gradNorm })
      if (noise) this.#noise = withNoise(this.#noise, noise, REMEMBERED)
      this.#cursor = next({ samples: plan.batch, loss, weight }, this.#noise)
      await this.#checkpoints.afterStep(this.#cursor, this.#noise)
      return {
        epoch: this.#cursor.epoch,
        step: this.optimizer.steps,
        samples: plan.batch,
        parts: plan.parts,
        loss,
        gradNorm,
        noise,
        noiseScale: scaleOf(this.#noise),
        weight,
        peakBytes: device.allocator.peakBytes,
        plannedPeakBytes: plan.plannedPeakBytes,
        ms: performance.now() - started,
      }
    })
  }

  /**
   * Train for some epochs, yielding after every mini-batch: `for await (const step of streamer.fit(...))`. The loop can be
   * left at any time; `await streamer.fit(...)` trains to the end. A second call goes on with the next epoch, and ends a call
   * that still runs. After an error, `fit(source, { ...options, from: streamer.cursor })` goes on from the last commit.
   * @throws  what `step` throws, and ArgumentError: bad options, or a cursor of another order of samples
   */
  fit(source: AnySource, options: FitOptions): Training {
    checkArgument('fit', 'options', options, doors.FIT_OPTIONS)
    let turn = {}
    const mine = (): void => {
      if (this.#turn === turn) return
      throw new BusyError('fit: a later fit, or restore, has replaced this one; `from: streamer.cursor` goes on')
    }
    const trainer = {
      measuresNoise: this.#program.measuresNoise,
      seed: this.#seed,
      cursor: () => this.#cursor,
      begin: (at: Cursor) => {
        checkIdle(this.model.device, 'fit')
        turn = this.#begin(at)
        this.#planner.forget()
      },
      moveTo: (next: Cursor) => {
        mine()
        this.#cursor = next
        this.#checkpoints.moved(next)
      },
      planFor: this.#planner.planFor.bind(this.#planner),
      step: (batch: AnyBatch, how: StepOfFit) => {
        mine()
        return this.#step(batch, { ...options, microBatch: how.microBatch ?? options.microBatch }, how)
      },
      evaluate: (source: AnySource) => {
        mine()
        return this.evaluate(source, evaluationOf(options))
      },
    }
    return awaitable(fit(trainer, source, { ...options, from: options.from && { ...options.from } }))
  }

  /** Let training go on from `at`. */
  #begin(at: Cursor): object {
    this.#cursor = at
    this.#checkpoints.restart()
    this.#turn = {}
    return this.#turn
  }

  /**
   * Evaluates any source that `fit` takes, in evaluation mode, a piece at a time: loss, accuracy and metrics of your own.
   * @throws  what `step` throws, except NonFiniteError
   */
  async evaluate(source: AnySource, options: EvaluateOptions = {}): Promise<Evaluation> {
    checkArgument('evaluate', 'options', options, doors.EVALUATE_OPTIONS)
    return this.#exclusively('evaluate', () => evaluate(this.#program, this.#gatherer, source, options))
  }

  /**
   * The model's outputs for N samples, in evaluation mode: [N, ...] -> [N, ...]. Where the forward returns a list or a record
   * of tensors, the result is one of arrays.
   */
  async predict(inputs: Arrays, options?: PredictOptions): Promise<Like<Outputs, Tensor, HostArray>>
  async predict(inputs: Arrays, options: PredictOptions = {}): Promise<unknown> {
    checkArgument('predict', 'options', options, doors.PREDICT_OPTIONS)
    return this.#exclusively('predict', () => predict(this.#program, this.#gatherer, inputs, options))
  }

  /**
   * What the samples of a range add to the step of a mini-batch, for another streamer to learn from: Note [Ranges] in
   * elsewhere.ts. Commits nothing.
   * @throws  what `step` throws, and NotSeparableError: the step cannot be computed in ranges
   */
  async gradient(batch: AnyBatch, place: Place): Promise<RangeResult> {
    checkArgument('gradient', 'place', place, doors.PLACE)
    return this.#exclusively('a gradient', () => rangeOf(this.#program, this.#gatherer, batch, place))
  }

  /**
   * Free the tensors of the streamer itself. Model and optimizer stay.
   * @throws BusyError  a step is running on the device
   */
  dispose(): void {
    checkIdle(this.model.device, 'dispose')
    this.#program.dispose()
  }

  #exclusively<T>(what: string, fn: () => Promise<T>): Promise<T> {
    return exclusively(this.model.device, what, fn).catch((error: unknown) => {
      throw this.#checkpoints.explain(error)
    })
  }
}
