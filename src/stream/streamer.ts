/**
 * Micro-Batch Streaming: a mini-batch of any size through the bytes that remain.
 *
 * Note [Gather, then commit]
 *   Gather may fail and changes nothing that lasts: it runs the micro-batches into the gradient buffers,
 *   asks user schedules, checks the loss, the gradient and the peak. Commit cannot fail: no allocation, no user code,
 *   no await, no read. So whatever goes wrong (budget, data, NaN, Ctrl-C), parameters, optimizer state,
 *   buffers, counters and cursor are as after the last commit, and no code has to roll anything back.
 */
import type { Floats } from '../../kernels/kernels.js'
import { checkArray, checkDataset } from '../data/dataset.js'
import type { Batch, DataSource, Dataset } from '../data/index.js'
import { PlanMismatchError } from '../device/errors.js'
import { checkSeed } from '../device/seed.js'
import type { TimelinePoint } from '../memory/timeline.js'
import type { Module } from '../nn/module.js'
import type { Optimizer } from '../optim/optimizer.js'
import type { HostArray } from '../tensor/host.js'
import { refuse } from '../tensor/saved-state.js'
import { type Checkpoint, Checkpoints, takeCheckpoint } from './checkpoint.js'
import { type Cursor, cursorFrom, epochStart } from './cursor.js'
import { BusyError, checkFinite } from './errors.js'
import { checkIdle, exclusively } from './exclusive.js'
import type { Trial } from './fastest.js'
import { fit } from './fit.js'
import { Gatherer } from './gather.js'
import { Accuracy } from './metric.js'
import type { Committed, Evaluation, FitOptions, StepOptions, StepResult, StreamerOptions } from './options.js'
import type { Plan } from './plan.js'
import { Planner, type PlanOptions } from './planner.js'
import { Program } from './program.js'

export type { Checkpoint } from './checkpoint.js'
export type { Cursor } from './cursor.js'
export type { EpochResult, Evaluation, FitOptions, StepOptions, StepResult, StreamerOptions } from './options.js'
export type { PlanOptions } from './planner.js'

export class Streamer {
  readonly model: Module
  readonly optimizer: Optimizer
  readonly #program: Program
  readonly #planner: Planner
  readonly #gatherer: Gatherer
  readonly #seed: number
  readonly #checkFinite: boolean
  readonly #checkpoints: Checkpoints
  #cursor: Cursor = epochStart(0)
  /** of the fit that goes on; one begun before it does not */
  #turn = {}

  /** @throws BudgetExceededError  what must stand between steps does not fit */
  constructor({ model, loss, optimizer, seed = 0, checkFinite = true, checkpointEvery }: StreamerOptions) {
    checkSeed('Streamer', seed)
    this.#checkpoints = new Checkpoints(model, optimizer, checkpointEvery)
    this.model = model
    this.optimizer = optimizer
    this.#program = new Program(model, loss, optimizer)
    this.#planner = new Planner(this.#program)
    this.#gatherer = new Gatherer(this.#program, this.#planner, seed)
    this.#seed = seed
    this.#checkFinite = checkFinite
  }

  /** What `fit` has learned from: give it back as `from` to go on. Mini-batches given to `step` are not counted. */
  get cursor(): Cursor {
    return this.#cursor
  }

  /** What `checkpointEvery` has kept; it stays when the device is lost. */
  get lastCheckpoint(): Checkpoint | null {
    return this.#checkpoints.last
  }

  /** All that the last commit left, to go on from here or elsewhere. */
  checkpoint(): Promise<Checkpoint> {
    return this.#exclusively('a checkpoint', () => takeCheckpoint(this.model, this.optimizer, this.#cursor))
  }

  /**
   * Take everything back to a checkpoint, also one of another streamer; then `fit` with `from: streamer.cursor`. A fit
   * that was going on has ended.
   * @throws StateError, ArgumentError  it is not one of such a model and optimizer, or its cursor is none
   */
  restore({ model, optimizer, cursor }: Checkpoint): void {
    checkIdle(this.model.device, 'restore')
    const at = cursorFrom(cursor)
    const checked = [this.model.checkState(model), this.optimizer.checkState(optimizer, this.model)]
    refuse(checked.flatMap(({ faults }) => faults))
    for (const { write } of checked) write()
    this.#begin(at)
  }

  /**
   * What a mini-batch will take, proven by rehearsal; runs no kernel.
   * @throws DoesNotFitError  says the smallest budget that would do
   */
  plan(options: PlanOptions): Plan {
    return this.#planner.plan(options)
  }

  /**
   * What is held after every allocation and every free of one step, by category: one micro-batch of each
   * size that the plan has, then the commit.
   */
  timeline(options: PlanOptions): readonly TimelinePoint[] {
    return this.#planner.timeline(options)
  }

  /**
   * Measures how fast this mini-batch goes through in micro-batches of several sizes: the largest that fits, and down by
   * halves. Runs forward and backward of some of them, at least 4 times, and commits nothing.
   * @returns the fastest first; its `microBatch` is for `step`, `fit` and the like
   * @throws what `step` does, but for NonFiniteError
   */
  async fastest(batch: Batch, { signal }: Pick<StepOptions, 'signal'> = {}): Promise<readonly Trial[]> {
    return this.#exclusively('fastest', async () => this.#gatherer.race(batch, { signal }))
  }

  /**
   * Learn from one mini-batch: gather, then commit.
   * @throws DoesNotFitError, EmptyBatchError, NonFiniteError, ModelError, PlanMismatchError, InterruptedError,
   *   BudgetExceededError, DataError  nothing was committed; the step may be tried again
   * @throws DeviceLostError  all values are gone: go on from `lastCheckpoint`
   */
  step(batch: Batch, options: StepOptions = {}): Promise<StepResult> {
    return this.#step(batch, options, () => this.#cursor)
  }

  /** @param next  the cursor after it */
  async #step(batch: Batch, options: StepOptions, next: (result: Committed) => Cursor): Promise<StepResult> {
    return this.#exclusively('a step', async () => {
      const started = performance.now()
      const { device } = this.#program
      await this.#checkpoints.beforeStep(this.#cursor)
      const { plan, weight } = await this.#gatherer.gather('train', batch, options)
      this.#program.measureNorm()
      const { loss, gradNorm } = await this.#program.readMeasured()
      if (this.#checkFinite) checkFinite(loss, gradNorm)
      const updates = this.#program.updates()
      device.op = 'commit'
      device.commit(updates, () => this.#holdToPlan(plan))
      this.optimizer.committed()
      this.#cursor = next({ samples: plan.batch, loss, weight })
      await this.#checkpoints.afterStep(this.#cursor)
      return {
        epoch: this.#cursor.epoch,
        step: this.optimizer.steps,
        samples: plan.batch,
        parts: plan.parts,
        loss,
        gradNorm,
        weight,
        peakBytes: device.allocator.peakBytes,
        plannedPeakBytes: plan.plannedPeakBytes,
        ms: performance.now() - started,
      }
    })
  }

  /**
   * Train for some epochs, yielding after every mini-batch. Leave the loop whenever you like. A second call goes on with
   * the next epoch, in its own order; one that is begun before the first has ended takes its place.
   * After an error, `fit(source, { ...options, from: streamer.cursor })` goes on from the last commit.
   * @throws what `step` does, and ArgumentError: options, or a cursor that does not fit this order of samples
   */
  fit(source: DataSource, options: FitOptions): AsyncGenerator<StepResult, void, void> {
    let turn = {}
    const mine = (): void => {
      if (this.#turn === turn) return
      throw new BusyError(
        'fit: a later fit, or restore, has taken the place of this one; `from: streamer.cursor` goes on',
      )
    }
    const trainer = {
      seed: this.#seed,
      cursor: () => this.#cursor,
      begin: (at: Cursor) => {
        checkIdle(this.model.device, 'fit')
        turn = this.#begin(at)
      },
      endEpoch: (next: Cursor) => {
        mine()
        this.#cursor = next
        this.#checkpoints.moved(next)
      },
      planFor: this.#planner.planFor.bind(this.#planner),
      step: (batch: Batch, next: (result: Committed) => Cursor) => {
        mine()
        return this.#step(batch, options, next)
      },
      evaluate: (dataset: Dataset) => {
        mine()
        return this.evaluate(dataset, options)
      },
    }
    return fit(trainer, source, { ...options, from: options.from && { ...options.from } })
  }

  /** Training goes on from another place. */
  #begin(at: Cursor): object {
    this.#cursor = at
    this.#checkpoints.restart()
    this.#turn = {}
    return this.#turn
  }

  /** Loss and accuracy of a data set, in evaluation mode, streamed through its own plan. */
  async evaluate(dataset: Dataset, options: StepOptions = {}): Promise<Evaluation> {
    return this.#exclusively('evaluate', async () => {
      const started = performance.now()
      checkDataset('evaluate', dataset)
      const batch = dataset.gather(Array.from({ length: dataset.length }, (_, i) => i))
      const accuracy = new Accuracy(this.#program.lossFunction)
      const { plan } = await this.#gatherer.gather('evaluate', batch, options, (values, shape, piece) =>
        accuracy.add(values, shape, piece),
      )
      this.#holdToPlan(plan)
      return {
        loss: await this.#program.readLoss(),
        accuracy: accuracy.value,
        samples: plan.batch,
        peakBytes: this.#program.device.allocator.peakBytes,
        plannedPeakBytes: plan.plannedPeakBytes,
        ms: performance.now() - started,
      }
    })
  }

  /** The model's outputs for N samples, in evaluation mode: [N, ...] -> [N, ...]. */
  async predict(inputs: HostArray, options: StepOptions = {}): Promise<HostArray> {
    return this.#exclusively('predict', async () => {
      checkArray('inputs', inputs)
      const samples = inputs.shape[0]
      const batch = { inputs, targets: { data: new Uint8Array(samples), shape: [samples] } }
      const parts: Floats[] = []
      const { plan } = await this.#gatherer.gather('predict', batch, options, (values) => parts.push(values))
      this.#holdToPlan(plan)
      return { data: join(parts), shape: [samples, ...plan.outputShape] }
    })
  }

  /**
   * Free what the streamer itself holds; model and optimizer stay.
   * @throws BusyError  a step is running on the device
   */
  dispose(): void {
    checkIdle(this.model.device, 'dispose')
    this.#program.dispose()
  }

  /** @throws PlanMismatchError  the step did not peak where its plan says */
  #holdToPlan(plan: Plan): void {
    const { peakBytes } = this.#program.device.allocator
    if (peakBytes === plan.plannedPeakBytes) return
    throw new PlanMismatchError(
      `the step peaked at ${peakBytes} bytes where its plan says ${plan.plannedPeakBytes}. Something allocated or ` +
        'freed tensors outside the rehearsed program: let the model make and free tensors only in its forward. ' +
        'Nothing was committed.',
    )
  }

  async #exclusively<T>(what: string, fn: () => Promise<T>): Promise<T> {
    try {
      return await exclusively(this.model.device, what, fn)
    } catch (error) {
      throw this.#checkpoints.explain(error)
    }
  }
}

function join(parts: readonly Floats[]): Floats {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const data = parts[0] instanceof Float64Array ? new Float64Array(length) : new Float32Array(length)
  let at = 0
  for (const part of parts) {
    data.set(part, at)
    at += part.length
  }
  return data
}
