/** The loop of `Streamer.fit`: epochs of mini-batches from a source. */
import { samplesIn } from '../data/batch.js'
import { type AnyBatch, type AnySource, miniBatches } from '../data/index.js'
import { checkSource, isDataset } from '../data/source.js'
import { ArgumentError } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import { untilAborted } from './abort.js'
import { type Cursor, checkOrder, cursorFrom, epochStart, type Order, withGrowth } from './cursor.js'
import { EmptyBatchError, NonFiniteError } from './errors.js'
import { piecesOf } from './evaluate.js'
import { MiniBatchSizes } from './growth.js'
import { type SampleShape, sampleShapeOf } from './kind.js'
import { NO_NOISE, type NoiseSum, scaleOf, withNoise } from './noise.js'
import type { Committed, Evaluation, FitOptions, StepResult, Unlearned } from './options.js'
import type { MicroBatchOption, PlannedStep } from './plan.js'
import type { PlanRequest } from './planner.js'

/**
 * A streamer as seen by one fit. Once a later fit has replaced this one, `moveTo`, `step` and `evaluate` throw a
 * BusyError.
 */
export interface Trainer {
  readonly measuresNoise: boolean
  readonly seed: number
  cursor(): Cursor
  /** @throws BusyError  a step is running */
  begin(at: Cursor): void
  step(batch: AnyBatch, how: StepOfFit): Promise<StepResult>
  evaluate(source: AnySource): Promise<Evaluation>
  /** @param next  the cursor after an epoch, or after a mini-batch that is skipped */
  moveTo(next: Cursor): void
  planFor(request: PlanRequest): PlannedStep
}

/** What a fit adds to a step. */
export interface StepOfFit {
  /** the cursor after the step. @param noise  the averages of the noise scale */
  next(result: Committed, noise: NoiseSum): Cursor
  /** default: `microBatch` of the options */
  readonly microBatch?: MicroBatchOption
  /** multiplies the learning rates; default 1 */
  readonly rateFactor?: number
}

/** See Streamer.fit. */
export async function* fit(
  trainer: Trainer,
  source: AnySource,
  options: FitOptions,
): AsyncGenerator<StepResult, void, void> {
  const {
    batch,
    microBatch = 'fit',
    epochs = 1,
    shuffle = true,
    dropLast = false,
    evaluate,
    onEpoch,
    from,
    signal,
  } = options
  if (!Number.isSafeInteger(epochs) || epochs < 0) {
    throw new ArgumentError(`fit: epochs is ${epochs}; it must be a whole number, 0 or more`)
  }
  checkSource(source)
  if (evaluate !== undefined) checkSource(evaluate, 'fit: evaluate')
  const begin = from ? cursorFrom(from) : nextEpoch(trainer.cursor())
  const end = from ? epochs : begin.epoch + epochs
  const order = orderOf(source, shuffle ? trainer.seed : null)
  checkOrder(begin, order)
  const sizes = new MiniBatchSizes(batch, order.length, begin.growth)
  if (sizes.growth && !trainer.measuresNoise) {
    throw new ArgumentError(
      'fit: a growing mini-batch follows the noise of the gradient, and this streamer has noise: false',
    )
  }
  const mode = options.elsewhere ? 'sum' : 'train'
  trainer.begin(withGrowth(begin, sizes.growth))
  let planned = false
  for (let { epoch, samples: skip } = begin; epoch < end; epoch++, skip = 0) {
    const again = skip > 0 || epoch > begin.epoch
    const cut = { batch: () => sizes.now, dropLast, epoch, seed: trainer.seed, shuffle, skip, again }
    const trained = { samples: 0, ms: 0, noise: NO_NOISE }
    const skipped = { empty: 0, nonFinite: 0 }
    for await (const miniBatch of untilAborted(miniBatches(source, cut), signal)) {
      const shape = sampleShapeOf(miniBatch)
      const toCome = samplesToCome(order, skip, end - epoch)
      if (!planned) await planAhead(trainer, shape, toCome, options, sizes)
      planned = true
      const request = { mode, batch: samplesIn(miniBatch), microBatch, shape } as const
      const how: StepOfFit = {
        next: (done, noise) => withGrowth(advanced(trainer.cursor(), done, order), sizes.advance(noise)),
        microBatch: sizes.microBatchOf(request, trainer.planFor),
        rateFactor: sizes.rateFactor,
      }
      const result = await learned(() => trainer.step(miniBatch, how), options)
      if (typeof result === 'string') {
        skipped[result]++
        const nothing = { samples: request.batch, weight: 0, loss: 0 }
        trainer.moveTo(withGrowth(advanced(trainer.cursor(), nothing, order), sizes.growth))
        continue
      }
      trained.samples += result.samples
      trained.ms += result.ms
      if (result.noise) trained.noise = withNoise(trained.noise, result.noise)
      yield result
    }
    const evaluation = evaluate !== undefined ? await trainer.evaluate(evaluate) : undefined
    const { weight, lossSum } = trainer.cursor()
    trainer.moveTo(epochStart(epoch + 1, sizes.growth))
    const imagesPerSecond = trained.ms > 0 ? (1000 * trained.samples) / trained.ms : 0
    const noiseScale = scaleOf(trained.noise)
    const ended = { epoch, trainLoss: lossSum / weight, skipped, evaluation, noiseScale, imagesPerSecond }
    if ((await onEpoch?.(ended)) === false) return
  }
}

/** The result of `step`, or why the mini-batch teaches nothing, if `skip` has that reason. */
async function learned(step: () => Promise<StepResult>, { skip = [] }: FitOptions): Promise<StepResult | Unlearned> {
  try {
    return await step()
  } catch (error) {
    const reason = error instanceof EmptyBatchError ? 'empty' : error instanceof NonFiniteError ? 'nonFinite' : null
    if (reason && skip.includes(reason)) return reason
    throw error
  }
}

/** The next epoch to begin. An unfinished epoch is resumed only if `from` asks for it. */
const nextEpoch = ({ epoch, samples, growth }: Cursor): Cursor => epochStart(samples > 0 ? epoch + 1 : epoch, growth)

/** Only a data set is shuffled and has a known length. */
const orderOf = (source: AnySource, seed: number | null): Order =>
  isDataset(source) ? { seed, length: source.length } : { seed: null, length: null }

const advanced = (cursor: Cursor, { samples, weight, loss }: Committed, order: Order): Cursor =>
  Object.freeze({
    ...order,
    epoch: cursor.epoch,
    samples: cursor.samples + samples,
    weight: cursor.weight + weight,
    lossSum: cursor.lossSum + loss * weight,
  })

/**
 * The number of samples left in this epoch, then in a later epoch if there is one. Empty for chunks, whose number is
 * not known.
 */
function samplesToCome({ length }: Order, skip: number, epochs: number): number[] {
  if (length === null) return []
  return epochs > 1 ? [length - skip, length] : [length - skip]
}

/**
 * Plan every size of mini-batch to come, so that a size that cannot run is refused before training begins.
 * @param epochs  the numbers of samples from samplesToCome
 * @throws ShapeError  the model refuses the last mini-batch of an epoch, or the data to evaluate
 */
async function planAhead(
  { planFor }: Trainer,
  shape: SampleShape,
  epochs: readonly number[],
  { microBatch = 'fit', dropLast, evaluate, elsewhere }: FitOptions,
  sizes: MiniBatchSizes,
): Promise<void> {
  const plan = (batch: number): void => {
    const request = { mode: elsewhere ? 'sum' : 'train', batch, microBatch, shape } as const
    planFor({ ...request, microBatch: sizes.microBatchOf(request, planFor) })
  }
  for (const samples of epochs) {
    const batch = sizes.now
    for (const size of sizes.ahead) plan(Math.min(size, samples))
    const last = samples % batch
    // if the size grows, the size of the last mini-batch is not known
    if (sizes.growth || samples < batch || last === 0 || dropLast) continue
    explaining(`the last mini-batch of an epoch has ${last} of ${samples} samples; dropLast: true leaves it out`, () =>
      plan(last),
    )
  }
  if (evaluate === undefined || !isDataset(evaluate)) return
  const evaluated = sampleShapeOf(await evaluate.gather(Uint32Array.of(0)))
  for (const size of piecesOf(evaluate)) {
    explaining('the data to evaluate', () =>
      planFor({ mode: 'evaluate', batch: size, microBatch: elsewhere ? 'fit' : microBatch, shape: evaluated }),
    )
  }
}

/** Run `plan`, and add to a ShapeError the part of the training that it comes from. */
function explaining(what: string, plan: () => void): void {
  try {
    plan()
  } catch (cause) {
    if (cause instanceof ShapeError) throw new ShapeError(`fit: ${what}: ${cause.message}`, { cause })
    throw cause
  }
}
