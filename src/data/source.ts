/**
 * From whatever holds the samples to mini-batches of exactly `batch` samples, the last one ragged.
 * A mini-batch stays on the host; cutting it to micro-batches for the device is the streaming layer's part.
 */
import type { HostArray } from '../tensor/host.js'
import {
  type Batch,
  checkBatch,
  type Dataset,
  dataClass,
  isCount,
  mapArrays,
  permutation,
  showShape,
  sliceBatch,
  zerosLike,
} from './dataset.js'
import { DataError, NotResumableError } from './errors.js'

type Chunks = AsyncIterable<Batch> | Iterable<Batch>

/**
 * What `fit` consumes: a data set; or chunks of samples, each of any size >= 1; or a function that starts the
 * chunks anew for every epoch.
 */
export type DataSource = Dataset | Chunks | (() => Chunks)

export interface MiniBatchOptions {
  /** samples of a mini-batch; a batch larger than the data is one mini-batch */
  readonly batch: number
  /** counts from 0; default 0 */
  readonly epoch?: number
  /** default 0 */
  readonly seed?: number
  /** permute a data set by (seed, epoch); chunks come in the order of their source; default true */
  readonly shuffle?: boolean
  /** mini-batches of this epoch that are already done; default 0 */
  readonly skip?: number
}

/**
 * The mini-batches of one epoch, from number `skip` on. For a data set skipping is free; chunks are read again and
 * dropped. Nothing is read ahead of the mini-batch asked for, and a consumer that stops early closes the source.
 * A mini-batch is a copy: a source may reuse its arrays.
 * Errors come with the first mini-batch asked for; those of the source itself pass through.
 * @throws DataError          bad options; a chunk that is no batch or unlike the one before; no sample at all;
 *                            fewer mini-batches than `skip`
 * @throws NotResumableError  `skip` > 0 or `epoch` > 0 of chunks that can be read only once
 */
export async function* miniBatches(source: DataSource, options: MiniBatchOptions): AsyncGenerator<Batch, void, void> {
  const { batch, epoch = 0, seed = 0, shuffle = true, skip = 0 } = options
  if (!isCount(batch)) throw new DataError(`batch: ${batch} is not a positive integer`)
  if (epoch !== 0 && !isCount(epoch)) throw new DataError(`epoch: ${epoch} is not an integer >= 0`)
  if (skip !== 0 && !isCount(skip)) throw new DataError(`skip: ${skip} is not an integer >= 0`)

  if (typeof source === 'function') {
    yield* regroup(source(), batch, skip)
  } else if ('gather' in source) {
    yield* cut(source, batch, skip, shuffle ? permutation(source.length, seed, epoch) : undefined)
  } else {
    yield* regroup(epoch > 0 || skip > 0 ? restarted(source) : source, batch, skip)
  }
}

function* cut(dataset: Dataset, batch: number, skip: number, order: Uint32Array | undefined): Generator<Batch> {
  if (!isCount(dataset.length)) throw new DataError(`${dataset.name}: length ${dataset.length}; it has no sample`)
  const count = Math.ceil(dataset.length / batch)
  checkSkip(skip, count)
  for (let i = skip; i < count; i++) {
    const start = i * batch
    const size = Math.min(batch, dataset.length - start)
    const indices = order?.subarray(start, start + size) ?? Uint32Array.from({ length: size }, (_, j) => start + j)
    const gathered = dataset.gather(indices)
    checkBatch(gathered)
    const { shape } = gathered.inputs
    if (shape[0] !== size) throw new DataError(`${dataset.name}: gather of ${size} indices gave ${shape[0]} samples`)
    yield gathered
  }
}

/**
 * Mini-batches skipped are counted like the others, but never copied. The parts are let go before each yield, so that
 * the host holds a mini-batch once while it trains.
 */
async function* regroup(chunks: Chunks, batch: number, skip: number): AsyncGenerator<Batch, void, void> {
  let done = 0
  let samples = 0
  const parts: Batch[] = []
  let kind: string | undefined
  for await (const chunk of chunks) {
    checkBatch(chunk)
    kind ??= sampleKind(chunk)
    if (sampleKind(chunk) !== kind) {
      throw new DataError(`chunks of one source must agree: first ${kind}; then ${sampleKind(chunk)}`)
    }
    const size = chunk.inputs.shape[0]
    let start = 0
    while (start < size) {
      const count = Math.min(size - start, batch - samples)
      if (done >= skip) parts.push(join([sliceBatch(chunk, start, count)]))
      start += count
      samples += count
      if (samples < batch) continue
      samples = 0
      if (done++ >= skip) yield join(parts.splice(0))
    }
  }
  if (samples > 0 && done++ >= skip) yield join(parts.splice(0))
  if (done === 0) {
    throw new DataError('the source gave no sample; if it was read before, pass a function that starts it again')
  }
  checkSkip(skip, done)
}

/** The same chunks from their start. An iterable that is its own iterator has only one pass, perhaps already begun. */
function restarted(chunks: Chunks): Chunks {
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

/** skip = count is an epoch that was done to its end. */
function checkSkip(skip: number, count: number): void {
  if (skip > count) {
    throw new DataError(`skip: ${skip} mini-batches of an epoch of ${count}; was the batch or the data another?`)
  }
}

/** 'inputs Uint8Array [1, 8, 8] * 0.0625, targets Int32Array [] * 1': what all samples of a source share. */
function sampleKind({ inputs, targets, weights }: Batch): string {
  const kind = ({ data, shape, scale = 1 }: HostArray) =>
    `${dataClass(data)?.name} ${showShape(shape.slice(1))} * ${scale}`
  return `inputs ${kind(inputs)}, targets ${kind(targets)}, ${weights ? `weights ${kind(weights)}` : 'no weights'}`
}

/** One batch of copies of all samples. The parts are alike; a part alone is copied as well. */
function join(parts: readonly Batch[]): Batch {
  return mapArrays(parts[0], (first, field) => {
    const arrays = parts.map((part) => part[field] ?? first)
    const data = zerosLike(
      first.data,
      arrays.reduce((sum, array) => sum + array.data.length, 0),
    )
    let at = 0
    for (const array of arrays) {
      data.set(array.data, at)
      at += array.data.length
    }
    const samples = arrays.reduce((sum, array) => sum + array.shape[0], 0)
    return { data, shape: [samples, ...first.shape.slice(1)], scale: first.scale }
  })
}
