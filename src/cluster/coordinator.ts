/**
 * The coordinator: it owns model, optimizer, cursor and commit, and has the ranges of each mini-batch computed by workers.
 *
 * Note [Order]
 *   Results come in any order and are added in the order of the samples. A result that comes early waits where it is, so the
 *   coordinator holds the sums and one result. Only a few ranges are given out ahead of the next one to be added, so as many
 *   results wait at most.
 */
import type { Floats } from '../../kernels/kernels.js'
import { samplesIn } from '../data/batch.js'
import { type AnySource, isDataset } from '../data/source.js'
import { type ByteSize, parseBytes } from '../memory/bytes.js'
import { ArgumentError, reasonOf } from '../memory/errors.js'
import { InterruptedError } from '../stream/errors.js'
import type { Elsewhere, FitOptions, StepElsewhere, Streamer, Training } from '../stream/streamer.js'
import { ClusterError, PayloadError } from './errors.js'
import { layoutOf, readValues } from './layout.js'
import { LARGEST_VALUE, type RangeJob, type ResultHead, resultFrom, resultLimit, sealed } from './message.js'
import type { ClusterFitOptions, ClusterStatus, CoordinatorOptions } from './options.js'
import { sampleBytes, sampleDigest } from './samples.js'
import { type Hub, KEYS, MOST_TRIES, type WorkerStatus } from './transport.js'

/** What the jobs of a turn share. */
type Common = Pick<RangeJob, 'turn' | 'seed' | 'step' | 'weight' | 'microBatch' | 'layout' | 'values' | 'not'>

/** How samples reach the workers. */
interface Delivery {
  readonly microBatch: number
  /** null: with the jobs */
  readonly data: { name: string; length: number; shuffle: boolean } | null
}

/** How long to wait for a result before asking whether its job is still there. */
const PATIENCE_MS = 1000
/** How often to look who works. */
const LOOK_MS = 2000

export class Coordinator {
  readonly #hub: Hub
  readonly #streamer: Streamer<never, never> | Streamer
  readonly #session: number
  readonly #ahead: number | undefined
  #turns = 0
  /** the digest of the values that workers can fetch */
  #values = ''
  #progress = { ranges: 0, added: 0, inFlight: 0, sentBytes: 0, receivedBytes: 0, mismatches: 0 }
  #own: Record<string, number> = { refused: 0, nonFinite: 0, failed: 0, again: 0 }
  #workers: readonly WorkerStatus[] = []
  #looked = 0
  #lastRefusal: string | null = null

  private constructor(hub: Hub, { streamer, ahead }: CoordinatorOptions, session: number) {
    this.#hub = hub
    this.#streamer = streamer
    this.#ahead = ahead
    this.#session = session
  }

  /** Begin a session, which ends those before. */
  static async over(hub: Hub, options: CoordinatorOptions): Promise<Coordinator> {
    const { ahead, description = '' } = options
    if (ahead !== undefined && !(Number.isSafeInteger(ahead) && ahead > 0)) {
      throw new ArgumentError(`serve: ahead is ${ahead}; it must be a whole number, 1 or more`)
    }
    return new Coordinator(hub, options, await hub.begin(description))
  }

  /**
   * `Streamer.fit`, computed by the workers. Evaluation runs on the device of the coordinator.
   * @throws  what `fit` throws, and ClusterError: workers failed, or another coordinator has begun
   */
  fit(source: AnySource, { range, smallest, send, ...options }: ClusterFitOptions): Training {
    const { batch, shuffle = true } = options
    const byIndex = isDataset(source) && !send
    const microBatch =
      typeof options.microBatch === 'number' ? options.microBatch : this.#fitting(source, batch, smallest)
    const data = byIndex ? { name: source.name, length: source.length, shuffle } : null
    const samples = Math.max(range ?? microBatch, microBatch)
    return this.#streamer.fit(source, {
      ...options,
      microBatch: samples,
      elsewhere: this.#elsewhere({ microBatch, data }),
    })
  }

  async status(): Promise<ClusterStatus> {
    await this.#look(0)
    return {
      session: this.#session,
      ...this.#progress,
      counts: { ...(await this.#hub.counts()), ...this.#own },
      workers: this.#workers,
      lastRefusal: this.#lastRefusal,
    }
  }

  /** Let go of Redis. Streamer and device stay. */
  close(): Promise<void> {
    return this.#hub.end()
  }

  /** The largest micro-batch that a worker with the smallest budget can have. */
  #fitting(source: AnySource, batch: FitOptions['batch'], smallest?: ByteSize): number {
    if (!isDataset(source) || typeof batch !== 'number') {
      throw new ArgumentError('fit: give microBatch as a number: it is found only for a data set and a fixed batch')
    }
    const { inputShape, targetShape, length } = source
    const options = { batch: Math.min(batch, length), inputShape, targetShape, mode: 'gradient' } as const
    if (smallest === undefined) return this.#streamer.plan(options).microBatch
    return this.#streamer.plansUnder(options)(parseBytes(smallest)).microBatch
  }

  #elsewhere(delivery: Delivery): Elsewhere {
    return (step) => this.#sums(step, delivery)
  }

  /** The sums of all ranges: Note [Order]. */
  async *#sums(step: StepElsewhere, delivery: Delivery): AsyncGenerator<Floats, void, void> {
    const turn = `${this.#session}.${++this.#turns}`
    const hub = this.#hub
    if (!(await hub.open(this.#session, turn))) {
      throw new ClusterError('another coordinator has begun a session under this name; nothing was committed')
    }
    this.#progress = { ...this.#progress, ranges: step.ranges.length, added: 0, inFlight: 0 }
    let sent = 0
    try {
      const common = await this.#common(step, turn, delivery)
      const jobs = new Map<number, RangeJob>()
      const give = async (range: number): Promise<RangeJob> => {
        const job = jobs.get(range) ?? (await this.#job(step, common, delivery, range))
        jobs.set(range, job)
        return job
      }
      for (let next = 0; next < step.ranges.length; next++) {
        const window = Math.min(step.ranges.length, next + (await this.#window()))
        for (; sent < window; sent++) await hub.send(idOf(turn, sent, 0), await give(sent))
        this.#progress.inFlight = sent - next
        const sums = await this.#await(step, turn, next, () => give(next))
        yield sums
        await hub.drop([KEYS.result(turn, next), KEYS.samples(turn, next)])
        this.#progress.added = next + 1
      }
    } finally {
      this.#progress.inFlight = 0
      await hub.close(turn)
      const left = Array.from({ length: sent - this.#progress.added }, (_, i) => this.#progress.added + i)
      await hub.drop(left.flatMap((range) => [KEYS.result(turn, range), KEYS.samples(turn, range)]))
    }
  }

  /** What the jobs of a turn share; the values are given to whoever asks for them. */
  async #common({ seed, step, weight }: StepElsewhere, turn: string, { microBatch }: Delivery): Promise<Common> {
    const { model } = this.#streamer
    const { bytes, digest: values } = sealed(await readValues(model))
    if (values !== this.#values) {
      if (bytes.length > LARGEST_VALUE) {
        throw new ClusterError(`the model has ${bytes.length} bytes, and a value of Redis at most ${LARGEST_VALUE}`)
      }
      await this.#hub.put(KEYS.values(values), bytes)
      if (this.#values) await this.#hub.drop([KEYS.values(this.#values)])
      this.#values = values
      this.#progress.sentBytes += bytes.length
    }
    return { turn, seed, step, weight, microBatch, layout: layoutOf(model), values, not: null }
  }

  async #job({ ranges }: StepElsewhere, common: Common, { data }: Delivery, range: number): Promise<RangeJob> {
    const { firstSample, samples } = ranges[range]
    const { epoch, samples: done } = this.#streamer.cursor
    const from = data && { ...data, epoch, at: done + firstSample }
    let bytes = 0
    if (!from) {
      const packed = sampleBytes(samples)
      bytes = packed.length
      await this.#hub.put(KEYS.samples(common.turn, range), packed)
      this.#progress.sentBytes += bytes
    }
    return { ...common, range, firstSample, samples: samplesIn(samples), digest: sampleDigest(samples), from, bytes }
  }

  /** Wait for the result of a range. A result that is refused is asked for again. */
  async #await(
    { ranges, size, signal }: StepElsewhere,
    turn: string,
    range: number,
    give: () => Promise<RangeJob>,
  ): Promise<Floats> {
    const { elementBytes } = this.#streamer.model.device
    const hub = this.#hub
    let id = idOf(turn, range, 0)
    let [tries, refusals, waited] = [0, 0, performance.now()]
    const again = async (not: string | null): Promise<void> => {
      id = idOf(turn, range, ++tries)
      this.#own.again++
      const job = await give()
      await hub.reopen(turn, range)
      await hub.send(id, { ...job, not })
      waited = performance.now()
    }
    for (;;) {
      if (signal?.aborted) throw new InterruptedError('interrupted: nothing of this mini-batch was committed')
      const bytes = await hub.get(KEYS.result(turn, range), resultLimit(size, elementBytes))
      if (bytes === null) {
        await hub.wait(turn, PATIENCE_MS)
        if (performance.now() - waited < PATIENCE_MS) continue
        waited = performance.now()
        const isThere = (await hub.isPending(id)) || (await hub.get(KEYS.result(turn, range), 0)) !== null
        if (!isThere) await again(null)
        await this.#look(LOOK_MS)
        continue
      }
      this.#progress.receivedBytes += bytes.length
      try {
        const { head, sums } = resultFrom(bytes, turn, range, size, elementBytes)
        if (sums === null) {
          this.#own.failed++
          throw new ClusterError(`range ${range} cannot be computed: ${head.error} (worker ${head.worker})`)
        }
        if (head.weight !== ranges[range].weight) {
          throw new PayloadError(
            `the result of range ${range} has the weight ${head.weight}, and its targets ${ranges[range].weight}: ` +
              `is the loss of worker ${head.worker} the same?`,
          )
        }
        if (refusals > 0 || allFinite(sums)) return this.#counted(head, sums)
        // a worker can be broken; if another says the same, the step is
        refusals++
        this.#own.nonFinite++
        await hub.drop([KEYS.result(turn, range)])
        await again(head.worker)
      } catch (error) {
        if (!(error instanceof PayloadError)) throw error
        this.#own.refused++
        this.#lastRefusal = reasonOf(error)
        if (++refusals === MOST_TRIES) throw error
        await hub.drop([KEYS.result(turn, range)])
        await again(null)
      }
    }
  }

  #counted({ peakBytes, plannedPeakBytes }: ResultHead, sums: Floats): Floats {
    if (peakBytes !== plannedPeakBytes) this.#progress.mismatches++
    return sums
  }

  async #window(): Promise<number> {
    if (this.#ahead !== undefined) return this.#ahead
    await this.#look(LOOK_MS)
    return Math.max(4, 2 * this.#workers.length)
  }

  async #look(every: number): Promise<void> {
    if (performance.now() - this.#looked < every && this.#looked > 0) return
    this.#looked = performance.now()
    this.#workers = await this.#hub.workers()
  }
}

const idOf = (turn: string, range: number, tries: number): string => `${turn}.${range}.${tries}`

function allFinite(values: Floats): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false
  return true
}
