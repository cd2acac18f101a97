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
import { type Batch, checkBatch, type DataSource, type Dataset, sliceBatch } from '../data/index.js'
import { PlanMismatchError } from '../device/errors.js'
import type { TimelinePoint } from '../device/rehearsal.js'
import { checkSeed } from '../device/seed.js'
import type { Module } from '../nn/module.js'
import { sumOf } from '../ops/targets.js'
import type { Optimizer } from '../optim/optimizer.js'
import type { HostArray } from '../tensor/host.js'
import { refuse } from '../tensor/saved-state.js'
import type { Shape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Checkpoint, Checkpoints, takeCheckpoint } from './checkpoint.js'
import { type Cursor, cursorFrom, epochStart } from './cursor.js'
import { BusyError, EmptyBatchError, InterruptedError } from './errors.js'
import { checkIdle, exclusively } from './exclusive.js'
import { race, type Trial } from './fastest.js'
import { checkFinite } from './finite.js'
import { fit } from './fit.js'
import { Accuracy } from './metric.js'
import type { FitOptions, StepOptions, StreamerOptions } from './options.js'
import type { MicroBatchOption, Plan } from './plan.js'
import { Planner, type PlanOptions } from './planner.js'
import { type Mode, Program, sampleShapeOf, userCode } from './program.js'
import type { Committed, Evaluation, StepResult } from './results.js'
import { sizesOf } from './split.js'
import { checkWeights, weigh } from './weights.js'

export type { Checkpoint } from './checkpoint.js'
export type { Cursor } from './cursor.js'
export type { FitOptions, StepOptions, StreamerOptions } from './options.js'
export type { PlanOptions } from './planner.js'
export type { EpochResult, Evaluation, StepResult } from './results.js'

/** Between micro-batches, let timers and signals run at least this often. */
const BREATH_MS = 50

export class Streamer {
  readonly model: Module
  readonly optimizer: Optimizer
  readonly #program: Program
  readonly #planner: Planner
  readonly #seed: number
  readonly #checkFinite: boolean
  readonly #checkpoints: Checkpoints
  #cursor: Cursor = epochStart(0)
  /** of the fit that goes on; one begun before it does not */
  #turn = {}
  /** when timers and signals last ran, across steps: a run of short ones must breathe as well */
  #breath = performance.now()

  /** @throws BudgetExceededError  what must stand between steps does not fit */
  constructor({ model, loss, optimizer, seed = 0, checkFinite = true, checkpointEvery }: StreamerOptions) {
    checkSeed('Streamer', seed)
    this.#checkpoints = new Checkpoints(model, optimizer, checkpointEvery)
    this.model = model
    this.optimizer = optimizer
    this.#program = new Program(model, loss, optimizer)
    this.#planner = new Planner(this.#program)
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
    return this.#exclusively('fastest', async () => {
      checkBatch(batch)
      const samples = batch.inputs.shape[0]
      const shape = sampleShapeOf(batch)
      const planFor = (size: MicroBatchOption) => this.#planner.planFor('train', samples, size, shape)
      this.#checkTargets(batch, planFor('fit'))
      return race(planFor, async (plan, sizes) => {
        this.#program.reset()
        let firstSample = 0
        for (const [j, size] of sizes.entries()) {
          if (signal?.aborted) throw new InterruptedError('interrupted: nothing was committed')
          this.#microBatch('train', plan, j, sliceBatch(batch, firstSample, size), firstSample, size / samples)
          firstSample += size
          await this.#breathe()
        }
        await this.#program.readLoss()
      })
    })
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
      const { plan, weight } = await this.#gather('train', batch, options)
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
      const { plan } = await this.#gather('evaluate', batch, options, (values, shape, piece) =>
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
      const { plan } = await this.#gather('predict', batch, options, (values) => parts.push(values))
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

  /** Note [Gather, then commit]: everything of a step up to the commit. */
  async #gather(
    mode: Mode,
    batch: Batch,
    { microBatch = 'fit', signal, onMicroBatch }: StepOptions,
    onOutput?: (values: Floats, shape: Shape, piece: Batch) => void,
  ): Promise<{ plan: Plan; weight: number }> {
    const program = this.#program
    const { device } = program
    checkBatch(batch)
    const samples = batch.inputs.shape[0]
    const shape = sampleShapeOf(batch)
    const plan = this.#planner.planFor(mode, samples, microBatch, shape)
    const sizes = [...sizesOf(plan.parts)]
    const pieces = cut(batch, sizes)
    const weights = mode === 'predict' ? sizes : this.#weigh(batch, pieces, plan)
    const weight = sumOf({ data: Float64Array.from(weights), shape: [weights.length] })
    if (weight === 0) {
      throw new EmptyBatchError('nothing in this mini-batch counts: every target is ignored, or every weight is zero')
    }
    device.allocator.resetPeak()
    program.reset()
    let firstSample = 0
    for (const [j, piece] of pieces.entries()) {
      if (signal?.aborted) throw new InterruptedError('interrupted: nothing of this mini-batch was committed')
      const output = this.#microBatch(mode, plan, j, piece, firstSample, weights[j] / weight)
      try {
        if (output) onOutput?.(await output.data(), output.shape, piece)
      } finally {
        output?.dispose()
      }
      firstSample += sizes[j]
      await onMicroBatch?.({ done: j + 1, of: pieces.length, samples: firstSample })
      await this.#breathe()
    }
    return { plan, weight }
  }

  /** Micro-batch j of a plan, as it was rehearsed. */
  #microBatch(mode: Mode, plan: Plan, j: number, piece: Batch, firstSample: number, share: number): Tensor | null {
    const program = this.#program
    Object.assign(program.device.step, { seed: this.#seed, step: this.optimizer.steps, firstSample, call: 0 })
    const part = j < plan.parts[0].count ? 0 : 1
    const { size } = plan.parts[part]
    return program.device.follow(plan.rehearsals[part], () =>
      program.microBatch(mode, sampleShapeOf(piece), size, piece, share),
    )
  }

  /** Let timers, signals and input handlers have their turn, now and then. */
  async #breathe(): Promise<void> {
    if (performance.now() - this.#breath <= BREATH_MS) return
    await macrotask()
    this.#breath = performance.now()
  }

  /** What each micro-batch counts: the loss says, or its samples, or their weights. */
  #weigh(batch: Batch, pieces: readonly Batch[], plan: Plan): number[] {
    const { lossFunction, device } = this.#program
    this.#checkTargets(batch, plan)
    if (batch.weights) checkWeights(device, batch.weights)
    return pieces.map(({ targets, weights }) =>
      userCode("the loss's weight", () => weigh(lossFunction, targets, weights)),
    )
  }

  #checkTargets({ targets }: Batch, { batch, outputRows, outputShape }: Plan): void {
    const { lossFunction } = this.#program
    userCode("the loss's check", () => lossFunction.check?.(targets, [batch * outputRows, ...outputShape]))
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

function cut(batch: Batch, sizes: readonly number[]): Batch[] {
  let start = 0
  return sizes.map((size) => {
    start += size
    return sliceBatch(batch, start - size, size)
  })
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

/** Let timers, signals and input handlers run. Where there is setImmediate it does not make us wait for a timer. */
function macrotask(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
}
