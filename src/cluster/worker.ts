/** A worker: it holds a model, takes ranges as jobs, plans each within its own budget, and gives back their sums. */
import { randomUUID } from 'node:crypto'
import { type AnyBatch, samplesIn } from '../data/batch.js'
import { type AnyDataset, checkDataset, permutation } from '../data/dataset.js'
import { DeviceLostError } from '../device/errors.js'
import { BudgetExceededError } from '../memory/allocator.js'
import { reasonOf } from '../memory/errors.js'
import type { AnyModule } from '../nn/module.js'
import type { Loss } from '../ops/loss.js'
import { sgd } from '../optim/sgd.js'
import { DoesNotFitError } from '../stream/errors.js'
import type { Recompute } from '../stream/options.js'
import { Streamer } from '../stream/streamer.js'
import type { Tensor } from '../tensor/tensor.js'
import { MismatchError, PayloadError } from './errors.js'
import { layoutOf, valueCount, writeValues } from './layout.js'
import { jobFrom, type RangeJob, resultBytes, unsealed } from './message.js'
import { sampleDigest, samplesFrom } from './samples.js'
import { KEYS, type Line, MOST_TRIES, type WorkerStatus } from './transport.js'

export interface WorkerOptions<Outputs = Tensor, Targets = Tensor> {
  /** built as that of the coordinator; its values come with the jobs */
  readonly model: AnyModule & { forward(...inputs: never[]): Outputs }
  readonly loss: Loss<Outputs, Targets>
  /** the same data as those of the coordinator; not needed where samples come with the jobs */
  readonly data?: AnyDataset
  /** as that of a Streamer */
  readonly recompute?: Recompute
  /** ends the work, after the range that is being computed */
  readonly signal?: AbortSignal
  /** called after every range */
  readonly onRange?: (done: RangeDone) => void
}

export interface RangeDone {
  readonly step: number
  readonly range: number
  readonly samples: number
  readonly ms: number
  readonly peakBytes: number
  readonly plannedPeakBytes: number
  /** what became of the result */
  readonly given: 'taken' | 'late' | 'doubled'
}

/** How often a job is put back for another worker before this one computes it all the same. */
const MOST_PUT_BACK = 3
/** How often a worker says that it is there. */
const TELL_MS = 2000

/**
 * Work until the signal is aborted.
 * @throws MismatchError  the model or the data differ from those of the coordinator
 * @throws DoesNotFitError, BudgetExceededError, DeviceLostError  this device cannot compute such ranges
 */
export async function workOver<Outputs, Targets>(
  line: Line,
  options: WorkerOptions<Outputs, Targets>,
): Promise<WorkerStatus> {
  const { model, loss, data, recompute, signal, onRange } = options
  if (data) checkDataset('work', data)
  const optimizer = sgd(model)
  const streamer = new Streamer({ model, loss, optimizer, recompute, noise: false })
  const { device } = model
  const id = randomUUID()
  const ended = new AbortController()
  const stop = (): void => ended.abort()
  signal?.addEventListener('abort', stop)
  if (signal?.aborted) stop()
  const { budgetBytes } = device.memory
  let status: WorkerStatus = { id, budgetBytes, ranges: 0, samples: 0, peakBytes: 0, mismatches: 0, time: Date.now() }
  const tell = async (): Promise<void> => {
    status = { ...status, time: Date.now() }
    // it is only told; the next time comes
    await line.tell(status).catch(() => {})
  }
  let held = ''
  const fetchValues = async ({ values }: RangeJob): Promise<boolean> => {
    if (values === held) return true
    const count = valueCount(model)
    const bytes = await line.get(KEYS.values(values), count * device.elementBytes)
    if (bytes === null) return false
    const all = unsealed(bytes, values, count, device.elementBytes)
    held = ''
    writeValues(model, all)
    held = values
    return true
  }
  const order = new Orders()
  const compute = async (job: RangeJob): Promise<RangeDone | null> => {
    const { turn, range, seed, step, firstSample, microBatch, weight } = job
    if (job.layout !== layoutOf(model)) {
      throw new MismatchError(
        'the model of this worker is not that of the coordinator: names, shapes, frozen parameters, modes or policies differ',
      )
    }
    const samples = await samplesOf(job, data, order, line)
    // the turn is over, and what the job needs is gone
    if (samples === null || !(await fetchValues(job))) return null
    const result = await streamer.gradient(samples, { seed, step, firstSample, microBatch, weight })
    const { peakBytes, plannedPeakBytes, ms } = result
    const head = { worker: id, weight: result.weight, peakBytes, plannedPeakBytes, ms }
    const given = await line.give(turn, range, resultBytes(turn, range, head, result.sums))
    return { step, range, samples: samplesIn(samples), ms, peakBytes, plannedPeakBytes, given }
  }
  let failure: unknown = null
  let putBack = { key: '', times: 0 }
  const timer = setInterval(() => void tell(), TELL_MS)
  timer.unref()
  try {
    await tell()
    await line.work(async (payload, tries) => {
      const job = jobFrom(payload)
      if (job.not === id) {
        const key = `${job.turn}.${job.range}`
        putBack = { key, times: putBack.key === key ? putBack.times + 1 : 1 }
        if (putBack.times <= MOST_PUT_BACK) return 'back'
      }
      try {
        const done = await compute(job)
        if (!done) return 'done'
        const { samples, peakBytes, plannedPeakBytes } = done
        status = {
          ...status,
          ranges: status.ranges + 1,
          samples: status.samples + samples,
          peakBytes: Math.max(status.peakBytes, peakBytes),
          mismatches: status.mismatches + (peakBytes === plannedPeakBytes ? 0 : 1),
        }
        onRange?.(done)
        return 'done'
      } catch (error) {
        if (isOwnFault(error)) {
          failure = error
          stop()
        } else if (tries + 1 >= MOST_TRIES && !(error instanceof PayloadError)) {
          const head = { worker: id, weight: 0, peakBytes: 0, plannedPeakBytes: 0, ms: 0, error: reasonOf(error) }
          await line.give(job.turn, job.range, resultBytes(job.turn, job.range, head))
          return 'done'
        }
        throw error
      }
    }, ended.signal)
  } finally {
    clearInterval(timer)
    signal?.removeEventListener('abort', stop)
    streamer.dispose()
    optimizer.dispose()
  }
  if (failure !== null) throw failure
  return status
}

/** Would other workers compute what this one cannot? */
const isOwnFault = (error: unknown): boolean =>
  [MismatchError, DeviceLostError, DoesNotFitError, BudgetExceededError].some((kind) => error instanceof kind)

/** @returns null if they came with a job whose turn is over */
async function samplesOf(
  job: RangeJob,
  data: AnyDataset | undefined,
  orders: Orders,
  line: Line,
): Promise<AnyBatch | null> {
  const { from, samples, turn, range } = job
  const batch = from ? await gathered(job, data, orders) : await sent()
  if (batch && sampleDigest(batch) !== job.digest) {
    if (!from) throw new PayloadError('the samples that came with a job have another digest')
    throw new MismatchError(`the samples of '${from.name}' here are not those that the coordinator has`)
  }
  return batch

  async function sent(): Promise<AnyBatch | null> {
    const bytes = await line.get(KEYS.samples(turn, range), job.bytes)
    if (bytes && bytes.length !== job.bytes) throw new PayloadError(`the samples of a job have not ${job.bytes} bytes`)
    return bytes && samplesFrom(bytes, samples)
  }
}

async function gathered({ from, samples, seed }: RangeJob, data: AnyDataset | undefined, orders: Orders) {
  if (!from) return null
  const { name, length, epoch, at, shuffle } = from
  if (!data) throw new MismatchError(`this worker has no data, and its jobs are samples of '${name}': give it data`)
  if (data.name !== name || data.length !== length) {
    throw new MismatchError(
      `the coordinator has ${length} samples of '${name}', and this worker ${data.length} of '${data.name}'`,
    )
  }
  const order = shuffle ? orders.of(length, seed, epoch).subarray(at, at + samples) : null
  return data.gather(order ?? Uint32Array.from({ length: samples }, (_, i) => at + i), epoch)
}

/** The order of the samples in an epoch, which is long and asked for often. */
class Orders {
  #key = ''
  #order: Uint32Array = new Uint32Array()

  of(length: number, seed: number, epoch: number): Uint32Array {
    const key = `${length} ${seed} ${epoch}`
    if (key !== this.#key) this.#order = permutation(length, seed, epoch)
    this.#key = key
    return this.#order
  }
}
