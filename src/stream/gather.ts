/** The first half of Note [Gather, then commit] in streamer.ts: the micro-batches of a plan, one after the other. */
import type { Floats } from '../../kernels/kernels.js'
import { type Batch, checkBatch, sliceBatch } from '../data/index.js'
import { sumOf } from '../ops/targets.js'
import type { Shape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { EmptyBatchError, InterruptedError } from './errors.js'
import { race, type Trial } from './fastest.js'
import type { StepOptions } from './options.js'
import { type MicroBatchOption, type Plan, sizesOf } from './plan.js'
import type { Planner } from './planner.js'
import { type Mode, type Program, sampleShapeOf, userCode } from './program.js'
import { checkWeights, weigh } from './weights.js'

/** Timers and signals get to run between micro-batches at least this often. */
const BREATH_MS = 50

type OnOutput = (values: Floats, shape: Shape, piece: Batch) => void

export class Gatherer {
  readonly #program: Program
  readonly #planner: Planner
  /** the seed of dropout masks */
  readonly #seed: number
  /** when timers and signals last ran; kept from step to step, because many steps may be shorter than BREATH_MS */
  #breath = performance.now()

  constructor(program: Program, planner: Planner, seed: number) {
    this.#program = program
    this.#planner = planner
    this.#seed = seed
  }

  /**
   * Everything of a step up to the commit.
   * @param onOutput  gets the output of each micro-batch, in `evaluate` and `predict`
   * @returns the plan, and the total weight of the mini-batch
   * @throws DoesNotFitError, DataError, EmptyBatchError, InterruptedError, ModelError, PlanMismatchError
   */
  async gather(
    mode: Mode,
    batch: Batch,
    options: StepOptions,
    onOutput?: OnOutput,
  ): Promise<{ plan: Plan; weight: number }> {
    checkBatch(batch)
    const plan = this.#planner.planFor(mode, batch.inputs.shape[0], options.microBatch ?? 'fit', sampleShapeOf(batch))
    const sizes = [...sizesOf(plan.parts)]
    const pieces = cut(batch, sizes)
    const weights = mode === 'predict' ? sizes : this.#weigh(batch, pieces, plan)
    const weight = sumOf({ data: Float64Array.from(weights), shape: [weights.length] })
    if (weight === 0) {
      throw new EmptyBatchError('nothing in this mini-batch counts: every target is ignored, or every weight is zero')
    }
    this.#program.device.allocator.resetPeak()
    const shares = weights.map((counted) => counted / weight)
    await this.#stream(mode, plan, pieces, shares, options, onOutput)
    return { plan, weight }
  }

  /** Times forward and backward of the first micro-batches in several sizes: `Streamer.fastest`. */
  race(batch: Batch, options: Pick<StepOptions, 'signal'>): Promise<Trial[]> {
    checkBatch(batch)
    const samples = batch.inputs.shape[0]
    const shape = sampleShapeOf(batch)
    const planFor = (size: MicroBatchOption) => this.#planner.planFor('train', samples, size, shape)
    this.#checkTargets(batch, planFor('fit'))
    return race(planFor, async (plan, sizes) => {
      const shares = sizes.map((size) => size / samples)
      await this.#stream('train', plan, cut(batch, sizes), shares, options)
      await this.#program.readLoss()
    })
  }

  /** @param shares  the weight of each piece as a share of the mini-batch's */
  async #stream(
    mode: Mode,
    plan: Plan,
    pieces: readonly Batch[],
    shares: readonly number[],
    { signal, onMicroBatch }: StepOptions,
    onOutput?: OnOutput,
  ): Promise<void> {
    this.#program.reset()
    let firstSample = 0
    for (const [j, piece] of pieces.entries()) {
      if (signal?.aborted) throw new InterruptedError('interrupted: nothing of this mini-batch was committed')
      const output = this.#microBatch(mode, plan, j, piece, firstSample, shares[j])
      try {
        if (output) onOutput?.(await output.data(), output.shape, piece)
      } finally {
        output?.dispose()
      }
      firstSample += piece.inputs.shape[0]
      await onMicroBatch?.({ done: j + 1, of: pieces.length, samples: firstSample })
      await this.#breathe()
    }
  }

  /** Micro-batch j of a plan, as it was rehearsed. */
  #microBatch(mode: Mode, plan: Plan, j: number, piece: Batch, firstSample: number, share: number): Tensor | null {
    const { device, optimizer } = this.#program
    Object.assign(device.step, { seed: this.#seed, step: optimizer.steps, firstSample, call: 0 })
    const part = j < plan.parts[0].count ? 0 : 1
    return device.follow(plan.rehearsals[part], () =>
      this.#program.microBatch(mode, sampleShapeOf(piece), plan.parts[part].size, piece, share),
    )
  }

  /** Let timers, signals and input handlers run, if they have not run for BREATH_MS. */
  async #breathe(): Promise<void> {
    if (performance.now() - this.#breath <= BREATH_MS) return
    await macrotask()
    this.#breath = performance.now()
  }

  /** The weight of each micro-batch: see `weigh`. */
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
}

/** The first samples of a batch in pieces of these sizes. */
function cut(batch: Batch, sizes: readonly number[]): Batch[] {
  let start = 0
  return sizes.map((size) => {
    start += size
    return sliceBatch(batch, start - size, size)
  })
}

/** Let timers, signals and input handlers run. setImmediate, where there is one, takes less time than a timer. */
function macrotask(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
}
