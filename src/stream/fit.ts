/** The loop of `Streamer.fit`: epochs of mini-batches from a source. */
import { checkDataset } from '../data/dataset.js'
import { type AnyBatch, type AnyDataset, type AnySource, miniBatches } from '../data/index.js'
import { checkSource, isDataset } from '../data/source.js'
import { forget } from '../device/promise.js'
import { ArgumentError } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import { type Cursor, checkOrder, cursorFrom, epochStart, type Order } from './cursor.js'
import { InterruptedError } from './errors.js'
import { type SampleShape, sampleShapeOf } from './kind.js'
import type { Committed, Evaluation, FitOptions, StepResult } from './options.js'
import type { PlanRequest } from './planner.js'

/**
 * A streamer as seen by one fit. Once a later fit has replaced this one, `endEpoch`, `step` and `evaluate` throw a
 * BusyError.
 */
export interface Trainer {
  readonly seed: number
  cursor(): Cursor
  /** @throws BusyError  a step is running */
  begin(at: Cursor): void
  /** @param next  gives the cursor after the step */
  step(batch: AnyBatch, next: (result: Committed) => Cursor): Promise<StepResult>
  evaluate(dataset: AnyDataset): Promise<Evaluation>
  endEpoch(next: Cursor): void
  planFor(request: PlanRequest): unknown
}

/** See Streamer.fit. */
export async function* fit(
  trainer: Trainer,
  source: AnySource,
  options: FitOptions,
): AsyncGenerator<StepResult, void, void> {
  const { batch, epochs = 1, shuffle = true, dropLast = false, evaluate, onEpoch, from, signal } = options
  if (!Number.isSafeInteger(epochs) || epochs < 0) {
    throw new ArgumentError(`fit: epochs is ${epochs}; it must be a whole number, 0 or more`)
  }
  checkSource(source)
  if (evaluate) checkDataset('fit: evaluate', evaluate)
  const begin = from ? cursorFrom(from) : nextEpoch(trainer.cursor())
  const end = from ? epochs : begin.epoch + epochs
  const order = orderOf(source, shuffle ? trainer.seed : null)
  checkOrder(begin, order)
  trainer.begin(begin)
  let planned = false
  for (let { epoch, samples: skip } = begin; epoch < end; epoch++, skip = 0) {
    const again = skip > 0 || epoch > begin.epoch
    const cut = { batch, dropLast, epoch, seed: trainer.seed, shuffle, skip, again }
    const trained = { samples: 0, ms: 0 }
    for await (const miniBatch of untilAborted(miniBatches(source, cut), signal)) {
      if (!planned) planAhead(trainer, sampleShapeOf(miniBatch), samplesToCome(order, skip, end - epoch), options)
      planned = true
      const result = await trainer.step(miniBatch, (done) => advanced(trainer.cursor(), done, order))
      trained.samples += result.samples
      trained.ms += result.ms
      yield result
    }
    const evaluation = evaluate ? await trainer.evaluate(evaluate) : undefined
    const { weight, lossSum } = trainer.cursor()
    trainer.endEpoch(epochStart(epoch + 1))
    const imagesPerSecond = trained.ms > 0 ? (1000 * trained.samples) / trained.ms : 0
    await onEpoch?.({ epoch, trainLoss: lossSum / weight, evaluation, imagesPerSecond })
  }
}

/** The next epoch to begin. An unfinished epoch is resumed only if `from` asks for it. */
const nextEpoch = ({ epoch, samples }: Cursor): Cursor => epochStart(samples > 0 ? epoch + 1 : epoch)

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
function planAhead(
  { planFor }: Trainer,
  shape: SampleShape,
  epochs: readonly number[],
  { batch, microBatch = 'fit', dropLast, evaluate }: FitOptions,
): void {
  for (const samples of epochs) {
    planFor({ mode: 'train', batch: Math.min(batch, samples), microBatch, shape })
    const last = samples % batch
    if (samples < batch || last === 0 || dropLast) continue
    explaining(`the last mini-batch of an epoch has ${last} of ${samples} samples; dropLast: true leaves it out`, () =>
      planFor({ mode: 'train', batch: last, microBatch, shape }),
    )
  }
  if (!evaluate) return
  const evaluated = sampleShapeOf(evaluate.gather(Uint32Array.of(0)))
  explaining('the data to evaluate', () =>
    planFor({ mode: 'evaluate', batch: evaluate.length, microBatch, shape: evaluated }),
  )
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

/**
 * The items of `source` until `signal` is aborted. After an abort the loop does not wait for a source that does not
 * answer; the source is closed when it answers.
 * @throws InterruptedError  the signal was aborted
 */
async function* untilAborted<T>(source: AsyncGenerator<T>, signal?: AbortSignal): AsyncGenerator<T, void, void> {
  let answered = true
  try {
    for (;;) {
      answered = false
      const { done, value } = await orAborted(source.next(), signal)
      answered = true
      if (done) return
      yield value
    }
  } finally {
    const closed = source.return(undefined)
    if (answered) await closed
    else forget(closed)
  }
}

/** The result of `promise`, or an InterruptedError if the signal is aborted first. */
function orAborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const abort = (): void =>
      reject(new InterruptedError('interrupted while waiting for data; the last mini-batch is committed'))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
