/** `checkSplitInvariant`: a training gives the same updates however its mini-batch is split. */
import { samplesIn } from '../data/batch.js'
import { openDevice } from '../device/open.js'
import { ANYTHING, NUMBER, options as optionsOf } from '../memory/arguments.js'
import type { ByteSize } from '../memory/bytes.js'
import { ArgumentError } from '../memory/errors.js'
import type { AnyModule } from '../nn/index.js'
import type { Streamer } from '../stream/streamer.js'
import { CheckError, checking, MEMORY } from './check-error.js'
import { indexOf, type Subject, subjectOf, type Training, trainer } from './subject.js'

export interface SplitOptions {
  /** the largest difference, relative to the largest value of a tensor or 1; default 1e-9, in double precision */
  tolerance?: number
  /** the budget of the device; default '8MiB' */
  memory?: ByteSize
  /** sizes of micro-batches; default all if there are at most 8 samples, else some of each kind */
  splits?: readonly number[]
}

const OPTIONS = optionsOf<SplitOptions>({ tolerance: NUMBER, memory: ANYTHING, splits: ANYTHING })
const NAME = 'checkSplitInvariant'
/** Only the order of sums differs. */
const TOLERANCE = 1e-9
/** The second step sees what the first has moved: momentum, running statistics. */
const STEPS = 2
const FEW = 8

/** @returns the sizes of micro-batches that were compared with the whole, and the largest difference */
export interface SplitReport {
  readonly splits: readonly number[]
  readonly worstError: number
}

/**
 * Is a training the same however its mini-batch is split? Two steps in micro-batches of several sizes give the losses, the
 * parameters, the buffers and the evaluated loss of steps in one piece, in double precision. Give a batch in which samples
 * differ, targets that the loss ignores are spread unevenly, and samples have weights if the loss takes them.
 * @throws CheckError     the first value that differs, and the size of micro-batch
 * @throws ArgumentError  fewer than two samples; other arguments are wrong
 */
export async function checkSplitInvariant<O, T>(training: Training<O, T>, options?: SplitOptions): Promise<SplitReport>
export async function checkSplitInvariant(...given: readonly unknown[]): Promise<SplitReport> {
  if (typeof given[0] === 'function')
    throw new ArgumentError(`${NAME}: it takes a training, { model, loss, batch }; a function has no samples to split`)
  const { subject, options } = subjectOf<SplitOptions>(NAME, given, OPTIONS)
  const samples = samplesIn(subject.batch)
  if (samples < 2) throw new ArgumentError(`${NAME}: the batch has one sample, which cannot be split`)
  const splits = options.splits ?? sizes(samples)
  const wrong = splits.find((size) => !Number.isInteger(size) || size < 1 || size > samples)
  if (wrong !== undefined)
    throw new ArgumentError(`${NAME}: splits has ${wrong}; a micro-batch has 1 to ${samples} samples`)
  const { tolerance = TOLERANCE, memory = MEMORY } = options
  const device = await openDevice('reference', { memory })
  return checking(NAME, device, async () => {
    const { model, streamer } = trainer(subject, device)
    const begin = await streamer.checkpoint()
    const whole = await outcomes(subject, model, streamer, samples)
    let worstError = 0
    for (const split of splits) {
      streamer.restore(begin)
      const parts = await outcomes(subject, model, streamer, split)
      for (const [i, [name, wanted]] of whole.entries()) {
        const [, seen] = parts[i]
        const largest = wanted.data.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
        const errors = Array.from(wanted.data, (value, j) => Math.abs(value - seen.data[j]) / largest)
        const place = errors.findIndex((error) => !(error <= tolerance))
        if (place >= 0)
          throw new CheckError(
            `${name}${wanted.shape.length > 0 ? ` at [${indexOf(wanted.shape, place)}]` : ''} is ${seen.data[place]} in micro-batches of ` +
              `${split}, and ${wanted.data[place]} in one piece`,
          )
        worstError = Math.max(worstError, ...errors)
      }
    }
    return { splits, worstError }
  })
}

const sizes = (samples: number): number[] =>
  samples <= FEW
    ? Array.from({ length: samples - 1 }, (_, i) => i + 1)
    : [...new Set([1, 2, 3, Math.floor(samples / 2), Math.ceil(samples / 2), samples - 1])]

type Named = readonly [name: string, value: { data: Float64Array; shape: readonly number[] }]

/** Everything that the steps give, in order. */
async function outcomes(
  { batch }: Subject,
  model: AnyModule,
  streamer: Streamer<unknown, unknown>,
  microBatch: number,
): Promise<Named[]> {
  const found: Named[] = []
  const scalar = (name: string, value: number) => found.push([name, { data: Float64Array.of(value), shape: [] }])
  for (let step = 1; step <= STEPS; step++) {
    const { loss } = await streamer.step(batch, { microBatch })
    scalar(`the loss of step ${step}`, loss)
    for (const [name, { data, shape }] of Object.entries(await model.stateDict()))
      found.push([`${name} after step ${step}`, { data: Float64Array.from(data), shape }])
  }
  scalar('the evaluated loss', (await streamer.evaluate([batch], { microBatch })).loss)
  return found
}
