/**
 * `Streamer.evaluate` and `predict`: samples through the model in evaluation mode; those of an evaluation with a piece on the host
 * at a time.
 */
import { samplesIn } from '../data/batch.js'
import { type AnyDataset, type AnySource, miniBatches } from '../data/index.js'
import { checkSource, isDataset } from '../data/source.js'
import { ExactSum } from '../ops/targets.js'
import { type Shape, sizeOf } from '../tensor/shape.js'
import { type Arrays, isShape, membersOf } from '../tensor/structure.js'
import { untilAborted } from './abort.js'
import { EmptyBatchError } from './errors.js'
import { type Gatherer, joinedOutputs } from './gather.js'
import { Accuracy, measuring } from './metric.js'
import type { EvaluateOptions, Evaluation, PredictOptions } from './options.js'
import { holdToPlan } from './plan.js'
import type { Program } from './program.js'

/** The most samples, and the most numbers of all of them, that are on the host at a time unless `batch` says otherwise. */
const PIECE = 2048
const PIECE_NUMBERS = 2 ** 24

function pieceSize({ inputShape }: Pick<AnyDataset, 'inputShape'>): number {
  const numbers = membersOf<Shape>(inputShape, isShape).reduce((sum, [, shape]) => sum + sizeOf(shape), 0)
  return Math.max(1, Math.min(PIECE, Math.floor(PIECE_NUMBERS / numbers)))
}

/**
 * The sizes of the pieces in which `evaluate` takes a data set: the size of all pieces, then that of the last one if it is
 * smaller.
 */
export function piecesOf(dataset: Pick<AnyDataset, 'length' | 'inputShape'>): number[] {
  const samples = dataset.length
  const size = Math.min(pieceSize(dataset), samples)
  return samples % size === 0 ? [size] : [size, samples % size]
}

/**
 * @throws EmptyBatchError  no target counts
 */
export async function evaluate(
  program: Program,
  gatherer: Gatherer,
  source: AnySource,
  { batch, metrics = {}, ...options }: EvaluateOptions,
): Promise<Evaluation> {
  const started = performance.now()
  checkSource(source, 'evaluate')
  const size = batch ?? (isDataset(source) ? pieceSize(source) : PIECE)
  const accuracy = new Accuracy(program.lossFunction)
  const own = measuring(metrics)
  const [losses, weights] = [new ExactSum(), new ExactSum()]
  const counted: number[] = []
  const bytes = { peakBytes: 0, plannedPeakBytes: 0 }
  let samples = 0
  let empty: unknown = null
  for await (const piece of untilAborted(miniBatches(source, { batch: size, shuffle: false }), options.signal)) {
    samples += samplesIn(piece)
    try {
      const { plan, weight } = await gatherer.gather('evaluate', piece, options, (output, part) => {
        accuracy.add(output, part)
        own.add(output, part)
      })
      holdToPlan(program.device, plan)
      const loss = await program.readLoss()
      counted.push(loss)
      losses.add(weight * loss)
      weights.add(weight)
      bytes.peakBytes = Math.max(bytes.peakBytes, program.device.allocator.peakBytes)
      bytes.plannedPeakBytes = Math.max(bytes.plannedPeakBytes, plan.plannedPeakBytes)
    } catch (error) {
      if (!(error instanceof EmptyBatchError)) throw error
      empty = error
    }
  }
  if (counted.length === 0) throw empty
  return {
    // the loss of a single piece is returned as it is: a product and a quotient would round it
    loss: counted.length === 1 ? counted[0] : losses.total / weights.total,
    accuracy: accuracy.value,
    metrics: own.values(),
    samples,
    ...bytes,
    ms: performance.now() - started,
  }
}

/** See Streamer.predict. */
export async function predict(program: Program, gatherer: Gatherer, inputs: Arrays, options: PredictOptions) {
  // a prediction reads no targets
  const batch = { inputs, targets: inputs }
  const parts: Arrays[] = []
  const { plan } = await gatherer.gather('predict', batch, options, (output) => parts.push(output))
  holdToPlan(program.device, plan)
  return joinedOutputs(parts)
}
