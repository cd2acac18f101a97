/**
 * Mini-batches of exactly `batch` samples from any source; the last of an epoch may be smaller. A mini-batch stays on the
 * host; stream/ cuts it into micro-batches for the device.
 */
import { ANYTHING, BOOLEAN, checkArgument, options as optionsOf } from '../memory/arguments.js'
import { showValue } from '../memory/errors.js'
import type { HostArray } from '../tensor/host.js'
import { showShape } from '../tensor/shape.js'
import { type Arrays, isArray, memberAt, membersOf, pathOf } from '../tensor/structure.js'
import {
  type AnyBatch,
  type Batch,
  checkBatch,
  dataClass,
  isPositive,
  joinRows,
  mapArrays,
  samplesIn,
  sliceBatch,
} from './batch.js'
import { checkDataset, type Dataset, type LazyDataset, permutation } from './dataset.js'
import { DataError, NotResumableError } from './errors.js'

type Chunks<B = AnyBatch> = AsyncIterable<B> | Iterable<B>

/**
 * A source of samples for `fit`: a data set; or chunks of samples, each of any size >= 1; or a function that starts the
 * chunks again for every epoch.
 */
export type DataSource<Inputs extends Arrays = HostArray, Targets extends Arrays = HostArray> =
  | Dataset<Inputs, Targets>
  | LazyDataset<Inputs, Targets>
  | Chunks<Batch<Inputs, Targets>>
  | (() => Chunks<Batch<Inputs, Targets>>)

/** A source of samples with any number of inputs and targets. */
export type AnySource = DataSource<Arrays, Arrays>

export interface MiniBatchOptions {
  /**
   * samples of a mini-batch; a batch larger than the data is one mini-batch. A function is asked before each mini-batch
   */
  readonly batch: number | (() => number)
  /** counts from 0; default 0 */
  readonly epoch?: number
  /** from 0 to 2^32 - 1; default 0 */
  readonly seed?: number
  /** permute a data set by (seed, epoch); chunks come in the order of their source; default true */
  readonly shuffle?: boolean
  /** how many samples of this epoch are done already; default 0 */
  readonly skip?: number
  /** leave out the samples at an epoch's end that do not fill a mini-batch; default false */
  readonly dropLast?: boolean
  /** were these chunks read before, so that they must be started again? default: true if epoch or skip is above 0 */
  readonly again?: boolean
}

const OPTIONS = optionsOf<MiniBatchOptions>(
  {
    batch: ANYTHING,
    epoch: ANYTHING,
    seed: ANYTHING,
    shuffle: BOOLEAN,
    skip: ANYTHING,
    dropLast: BOOLEAN,
    again: BOOLEAN,
  },
  ['batch'],
)

/**
 * The mini-batches of one epoch, from sample `skip` on. A data set skips at no cost; chunks are read again and dropped.
 * Only a lazy data set is read ahead, by one mini-batch, and only if `batch` is a number. A consumer that stops early
 * closes the source. A mini-batch is a copy: a source may reuse its arrays. Errors come with the first mini-batch that is
 * asked for. Errors of the source itself pass through.
 * @throws DataError          bad options; a chunk that is not a batch or is unlike the one before; no sample;
 *                            fewer samples than `skip`, or than a mini-batch with `dropLast`
 * @throws NotResumableError  chunks that can be read only once would have to be read again
 */
export async function* miniBatches<Inputs extends Arrays, Targets extends Arrays>(
  source: DataSource<Inputs, Targets>,
  options: MiniBatchOptions,
): AsyncGenerator<Batch<Inputs, Targets>, void, void> {
  checkArgument('miniBatches', 'options', options, OPTIONS)
  const { batch, epoch = 0, seed = 0, shuffle = true, skip = 0, dropLast = false } = options
  const { again = epoch > 0 || skip > 0 } = options
  const size = typeof batch === 'function' ? batch : () => batch
  if (!isPositive(size())) throw new DataError(`batch: ${size()} is not a positive integer`)
  if (epoch !== 0 && !isPositive(epoch)) throw new DataError(`epoch: ${epoch} is not an integer >= 0`)
  if (skip !== 0 && !isPositive(skip)) throw new DataError(`skip: ${skip} is not an integer >= 0`)

  checkSource(source)
  if (typeof source === 'function') {
    yield* regroup(checkChunks(source()), { size, skip, dropLast })
  } else if (isDataset(source)) {
    const order = shuffle ? permutation(source.length, seed, epoch) : undefined
    yield* gather(source, { size, skip, dropLast, epoch, order, ahead: typeof batch === 'number' })
  } else {
    yield* regroup(again ? restarted(source) : source, { size, skip, dropLast })
  }
}

export const isDataset = <Inputs extends Arrays, Targets extends Arrays>(
  source: DataSource<Inputs, Targets>,
): source is Dataset<Inputs, Targets> | LazyDataset<Inputs, Targets> =>
  typeof source === 'object' && source !== null && 'gather' in source

/** @throws DataError  not a data set, nor chunks, nor a function */
export function checkSource(source: AnySource, what?: string): void {
  if (typeof source === 'function') return
  if (!isDataset(source)) checkChunks(source, what)
  else if (what) checkDataset(what, source)
}

/** @throws DataError  not iterable */
function checkChunks<B>(chunks: Chunks<B>, what?: string): Chunks<B> {
  const iterable = typeof chunks === 'object' && chunks !== null
  if (iterable && (Symbol.iterator in chunks || Symbol.asyncIterator in chunks)) return chunks
  const batch = iterable && 'inputs' in chunks ? ' (this is a batch: give [batch])' : ''
  throw new DataError(
    `${what ? `${what}: ` : ''}${showValue(chunks)} is not a source of samples${batch}: give a data set, an iterable of batches ` +
      '{ inputs, targets }, or a function that returns one',
  )
}

/** How an epoch is cut into mini-batches. */
type Cut = Required<Pick<MiniBatchOptions, 'skip' | 'dropLast'>> & { size(): number }

interface Gathering extends Cut {
  readonly epoch: number
  /** undefined: samples come in the order of the data set */
  readonly order: Uint32Array | undefined
  /** may the next mini-batch be gathered while one is learned? */
  readonly ahead: boolean
}

async function* gather<Inputs extends Arrays, Targets extends Arrays>(
  dataset: Dataset<Inputs, Targets> | LazyDataset<Inputs, Targets>,
  { size, skip, dropLast, epoch, order, ahead }: Gathering,
): AsyncGenerator<Batch<Inputs, Targets>, void, void> {
  const { name, length } = dataset
  if (!isPositive(length)) throw new DataError(`${name}: length ${length}; it has no sample`)
  checkLength(length, size(), { skip, dropLast })
  const begin = (start: number) => {
    const batch = size()
    const count = Math.min(batch, length - start)
    if (count <= 0 || (dropLast && count < batch)) return null
    const indices = order?.subarray(start, start + count) ?? Uint32Array.from({ length: count }, (_, j) => start + j)
    return { count, gathered: dataset.gather(indices, epoch) }
  }
  let start = skip
  for (let now = begin(start); now; ) {
    const { count, gathered } = now
    const batch = await gathered
    checkBatch(batch)
    const given = samplesIn(batch)
    if (given !== count) throw new DataError(`${name}: gather of ${count} indices gave ${given} samples`)
    start += count
    const next = ahead && gathered instanceof Promise ? begin(start) : undefined
    // its error is thrown when this mini-batch is asked for
    if (next?.gathered instanceof Promise) next.gathered.catch(() => {})
    yield batch
    now = next === undefined ? begin(start) : next
  }
}

/**
 * Chunks regrouped to mini-batches. Skipped samples are counted but not copied. The parts are dropped before each yield, so
 * that the host holds a mini-batch only once while it trains.
 */
async function* regroup<Inputs extends Arrays, Targets extends Arrays>(
  chunks: Chunks<Batch<Inputs, Targets>>,
  { size, skip, dropLast }: Cut,
): AsyncGenerator<Batch<Inputs, Targets>, void, void> {
  /** samples read */
  let read = 0
  /** samples in `parts` */
  let samples = 0
  const parts: Batch<Inputs, Targets>[] = []
  const first = size()
  let batch = first
  let kind: string | undefined
  for await (const chunk of chunks) {
    checkBatch(chunk)
    kind ??= sampleKind(chunk)
    if (sampleKind(chunk) !== kind) {
      throw new DataError(`chunks of one source must agree: first ${kind}; then ${sampleKind(chunk)}`)
    }
    const length = samplesIn(chunk)
    let start = Math.min(length, Math.max(0, skip - read))
    read += length
    while (start < length) {
      const count = Math.min(length - start, batch - samples)
      parts.push(joinBatches([sliceBatch(chunk, start, count)]))
      start += count
      samples += count
      if (samples < batch) continue
      samples = 0
      yield joinBatches(parts.splice(0))
      batch = size()
    }
  }
  if (read === 0) {
    throw new DataError('the source gave no sample; if it was read before, pass a function that starts it again')
  }
  checkLength(read, first, { skip, dropLast })
  if (samples > 0 && !dropLast) yield joinBatches(parts.splice(0))
}

/** The same chunks from their start. An iterable that is its own iterator has only one pass, perhaps already begun. */
function restarted<B>(chunks: Chunks<B>): Chunks<B> {
  if (Symbol.asyncIterator in chunks) {
    const iterator = chunks[Symbol.asyncIterator]()
    if (!Object.is(iterator, chunks)) return { [Symbol.asyncIterator]: () => iterator }
  } else {
    const iterator = chunks[Symbol.iterator]()
    if (!Object.is(iterator, chunks)) return { [Symbol.iterator]: () => iterator }
  }
  throw new NotResumableError(
    'the data source can be read only once, so neither a second epoch nor resuming within one is possible: ' +
      'pass a function that returns a new iterator, or a data set',
  )
}

/** @throws DataError  more samples to skip than there are, or too few for a mini-batch. Skipping all of them is allowed. */
function checkLength(length: number, batch: number, { skip, dropLast }: Omit<Cut, 'size'>): void {
  if (skip > length) throw new DataError(`skip: ${skip} samples of an epoch of ${length}; is it the same data?`)
  if (dropLast && length < batch) {
    throw new DataError(`dropLast leaves nothing: ${length} samples do not fill a mini-batch of ${batch}`)
  }
}

/** 'inputs Uint8Array [1, 8, 8] * 0.0625, targets Int32Array [] * 1': what all samples of a source share. */
function sampleKind({ inputs, targets, weights }: AnyBatch): string {
  const kind = ({ data, shape, scale = 1 }: HostArray) =>
    `${dataClass(data)?.name} ${showShape(shape.slice(1))} * ${scale}`
  const kinds = (field: string, arrays: Arrays) =>
    membersOf(arrays, isArray).map(([key, array]) => `${pathOf(field, key)} ${kind(array)}`)
  const own = weights ? kinds('weights', weights) : ['no weights']
  return [...kinds('inputs', inputs), ...kinds('targets', targets), ...own].join(', ')
}

/** One batch with copies of all samples, even if there is one part. The parts must have the same `sampleKind`. */
const joinBatches = <Inputs extends Arrays, Targets extends Arrays>(
  parts: readonly Batch<Inputs, Targets>[],
): Batch<Inputs, Targets> =>
  mapArrays(parts[0], (first, field, key) =>
    joinRows(parts.map((part) => memberAt<HostArray>(part[field] ?? first, key))),
  )
