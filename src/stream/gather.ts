/** The first half of Note [Gather, then commit] in streamer.ts: the micro-batches of a plan, one after the other. */
import { joinRows, samplesIn } from '../data/batch.js'
import { type AnyBatch, checkBatch } from '../data/index.js'
import type { PlanMismatchError } from '../device/errors.js'
import type { Pass } from '../step/pass.js'
import { type Recording, record } from '../step/record.js'
import { mismatch, perform, planned, run, runPlanned } from '../step/run.js'
import { StoreKeeper } from '../step/store.js'
import type { HostArray } from '../tensor/host.js'
import { type Arrays, isArray, isTensor, mapMembers, memberAt, membersOf, type Tensors } from '../tensor/structure.js'
import type { Place } from './elsewhere.js'
import { InterruptedError } from './errors.js'
import { race, type Trial } from './fastest.js'
import { type Mode, sampleShapeOf } from './kind.js'
import { countedSamples } from './noise.js'
import type { StepOptions } from './options.js'
import { checkCounts, cut, together, weighPieces } from './pieces.js'
import { countOf, type MicroBatchOption, type Passes, type Plan, type PlannedStep, sizesOf } from './plan.js'
import type { Planner, PlanRequest } from './planner.js'
import type { Program } from './program.js'
import { SplitCheck } from './split-check.js'
import { SumGatherer, type Summed } from './sum.js'

/** Timers and signals get to run between micro-batches at least this often. */
const BREATH_MS = 50

/** A mini-batch that is cut into pieces, with its first recordings. */
interface Opening {
  readonly mode: Mode
  /** dropout masks depend on these */
  readonly seed: number
  readonly step: number
  readonly batch: AnyBatch
  readonly plan: Plan
  readonly passes: Passes
  readonly pieces: readonly AnyBatch[]
  /** the weight of the mini-batch, and the share of each piece in it */
  readonly weight: number
  readonly shares: readonly number[]
  readonly reset: Recording
  readonly first: Recording<Tensors | null>
  /** the first difference between the recordings and the plan, or null */
  readonly fault: PlanMismatchError | null
}

/** A micro-batch: its share of the mini-batch, and the samples that it counts for. */
interface Part {
  readonly share: number
  readonly samples: number
}

type OnOutput = (output: Arrays, piece: AnyBatch) => void

export class Gatherer {
  readonly #program: Program
  readonly #planner: Planner
  /** the seed of dropout masks */
  readonly #seed: number
  readonly #splits: SplitCheck
  readonly #sums: SumGatherer
  readonly #store = new StoreKeeper()
  /** when timers and signals last ran; kept from step to step, because many steps may be shorter than BREATH_MS */
  #breath = performance.now()

  constructor(program: Program, planner: Planner, seed: number) {
    this.#program = program
    this.#planner = planner
    this.#seed = seed
    this.#splits = new SplitCheck(program.lossFunction)
    this.#sums = new SumGatherer(program, planner, seed)
  }

  /**
   * Run a step up to the commit.
   * @param onOutput  gets the output of each micro-batch, in `evaluate` and `predict`
   * @param place     the place of these samples, if they are a range of the mini-batch
   * @returns the plan, the total weight of the mini-batch, and its first micro-batch if the norm of its gradient was measured
   * @throws DoesNotFitError, DataError, EmptyBatchError, InterruptedError, ModelError, PlanMismatchError
   */
  async gather(
    mode: Mode,
    batch: AnyBatch,
    options: StepOptions,
    onOutput?: OnOutput,
    place?: Place,
  ): Promise<PlannedStep & { weight: number; part: Part | null }> {
    checkBatch(batch)
    if (options.elsewhere) {
      const summed = this.#sums.open(batch, options.microBatch)
      if (summed.pieces.length > 1) await this.#splits.check(batch, summed.plan)
      await this.#sums.gather(summed, options.elsewhere, options)
      return { ...summed, part: summed.passes.noise ? firstPart(summed) : null }
    }
    const microBatch = options.microBatch ?? 'fit'
    const request: PlanRequest = { mode, batch: samplesIn(batch), microBatch, shape: sampleShapeOf(batch) }
    const planned = this.#planner.planFor(request)
    if (mode !== 'predict' && countOf(planned.plan.parts) > 1) await this.#splits.check(batch, planned.plan)
    let opening = this.#open(mode, planned, batch, place)
    // the plan is out of date: a layer was frozen, or its mode was changed
    if (opening.fault) {
      opening.first.undo()
      opening.reset.undo()
      this.#planner.forget()
      opening = this.#open(mode, this.#planner.planFor(request), batch, place)
    }
    this.#program.device.allocator.resetPeak()
    await this.#stream(opening, options, onOutput)
    return { ...opening, part: opening.passes.noise ? firstPart(opening) : null }
  }

  /** Times forward and backward of the first micro-batches in several sizes: `Streamer.fastest`. */
  race(batch: AnyBatch, options: Pick<StepOptions, 'signal'>): Promise<Trial[]> {
    checkBatch(batch)
    const request = { mode: 'train', batch: samplesIn(batch), shape: sampleShapeOf(batch) } as const
    const planFor = (microBatch: MicroBatchOption) => this.#planner.planFor({ ...request, microBatch })
    this.#planner.forget()
    return race(planFor, async (planned, sizes) => {
      await this.#stream(this.#open('train', planned, batch, undefined, sizes), options)
      await this.#program.readLoss()
    })
  }

  /** Cut a mini-batch, and record its beginning. Nothing has run yet, so it can still be planned again. */
  #open(
    mode: Mode,
    { plan, passes }: PlannedStep,
    batch: AnyBatch,
    place?: Place,
    sizes: readonly number[] = [...sizesOf(plan.parts)],
  ): Opening {
    const { device } = this.#program
    const pieces = cut(batch, sizes)
    const weights = mode === 'predict' ? sizes : weighPieces(this.#program, batch, pieces, plan)
    const weight = together(weights)
    const whole = place?.weight ?? weight
    checkCounts(whole)
    const shares = weights.map((counted) => counted / whole)
    this.#program.rangeStart = place?.firstSample ?? 0
    const reset = record(device, () => this.#program.reset())
    const { seed = this.#seed, step = this.#program.optimizer.steps } = place ?? {}
    const first = this.#record({ mode, plan, seed, step }, pieces[0], 0, shares[0])
    const fault = mismatch(passes.reset, reset) ?? mismatch(passes.parts[0][0], first)
    return { mode, seed, step, batch, plan, passes, pieces, weight, shares, reset, first, fault }
  }

  async #stream(opening: Opening, { signal, onMicroBatch }: StepOptions, onOutput?: OnOutput): Promise<void> {
    const { plan, passes, pieces, shares, reset, first, fault } = opening
    if (fault) throw fault
    const { device } = this.#program
    run(device, passes.reset, reset)
    if (passes.joint) this.#program.joint.begin(plan, plan.batch)
    const passesOf = (piece: number): readonly Pass[] => passes.parts[piece < plan.parts[0].count ? 0 : 1]
    const { length: levels } = passes.parts[0]
    /** the recordings of a step in several passes, which all passes run */
    const kept: Recording<Tensors | null>[] = []
    const store = passes.store ? this.#store.open(device, passes.store) : null
    try {
      for (let level = 0; level < levels; level++) {
        let firstSample = 0
        for (const [j, piece] of pieces.entries()) {
          if (signal?.aborted) throw new InterruptedError('interrupted: nothing of this mini-batch was committed')
          const samples = samplesIn(piece)
          const record = () => this.#record(opening, piece, firstSample, shares[j])
          if (levels === 1) {
            // the first was compared with its plan when it was recorded
            const [pass] = passesOf(j)
            await this.#give(j === 0 ? run(device, pass, first) : runPlanned(device, pass, record()), piece, onOutput)
            if (j === 0 && passes.noise) this.#measurePart(passes.noise)
          } else {
            if (level === 0) kept.push(j === 0 ? first : planned(passesOf(j)[0], record()))
            perform(device, passesOf(j)[level], kept[j], store?.valuesOf(j, level))
            await Promise.all([store?.saved(), this.#program.joint.sent()])
          }
          firstSample += samples
          const done = level * pieces.length + j + 1
          await onMicroBatch?.({ done, of: levels * pieces.length, samples: firstSample })
          await this.#breathe()
        }
        if (passes.joint?.after === level) await this.#joinLoss(passes.joint.pass, opening)
      }
    } catch (error) {
      for (const made of kept.reverse()) made.undo()
      throw error
    } finally {
      store?.close()
    }
    for (const made of kept) made.done(device)
  }

  async #give(output: Tensors | null, piece: AnyBatch, onOutput?: OnOutput): Promise<void> {
    try {
      if (output) onOutput?.(await onHost(output), piece)
    } finally {
      if (output) for (const [, tensor] of membersOf(output, isTensor)) tensor.dispose()
    }
  }

  /** The loss of all outputs together, and its gradient: Note [Joint loss]. */
  async #joinLoss(pass: Pass, { mode, batch, plan }: Opening): Promise<void> {
    const { device, joint } = this.#program
    await joint.sent()
    const made = record(device, () =>
      this.#program.jointLoss({ mode, shape: sampleShapeOf(batch) }, plan, plan.batch, batch),
    )
    runPlanned(device, pass, made)
    await joint.sent()
  }

  #measurePart(noise: Pass): void {
    const { device } = this.#program
    runPlanned(
      device,
      noise,
      record(device, () => this.#program.measurePart()),
    )
  }

  #record(
    { mode, plan, seed, step }: Pick<Opening, 'mode' | 'plan' | 'seed' | 'step'>,
    piece: AnyBatch,
    before: number,
    share: number,
  ): Recording<Tensors | null> {
    const { device, rangeStart } = this.#program
    Object.assign(device.step, { seed, step, firstSample: rangeStart + before, call: 0 })
    return record(device, () =>
      this.#program.microBatch({ mode, shape: sampleShapeOf(piece) }, samplesIn(piece), plan.batch, piece, share),
    )
  }

  /** Let timers, signals and input handlers run, if they have not run for BREATH_MS. */
  async #breathe(): Promise<void> {
    if (performance.now() - this.#breath <= BREATH_MS) return
    await macrotask()
    this.#breath = performance.now()
  }
}

function firstPart({ batch, pieces, shares }: Pick<Summed, 'batch' | 'pieces' | 'shares'>): Part {
  const [share] = shares
  return { share, samples: countedSamples(pieces[0], batch, samplesIn(batch), share) }
}

/** Let timers, signals and input handlers run. setImmediate, where there is one, takes less time than a timer. */
function macrotask(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
}

/** The outputs of a model as arrays on the host. */
async function onHost(outputs: Tensors): Promise<Arrays> {
  const arrays: HostArray[] = []
  for (const [, tensor] of membersOf(outputs, isTensor)) arrays.push({ data: await tensor.data(), shape: tensor.shape })
  let next = 0
  return mapMembers(outputs, isTensor, () => arrays[next++])
}

/** The outputs of all micro-batches, one after the other. */
export const joinedOutputs = (parts: readonly Arrays[]): Arrays =>
  mapMembers(parts[0], isArray, (_, key) => joinRows(parts.map((part) => memberAt(part, key))))
