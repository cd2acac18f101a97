/** The options of a coordinator, and what it knows of its training. */
import type { ByteSize } from '../memory/bytes.js'
import type { FitOptions, Streamer } from '../stream/streamer.js'
import type { WorkerStatus } from './transport.js'

export interface CoordinatorOptions {
  readonly streamer: Streamer<never, never> | Streamer
  /** a text for workers that ask; the command line has the flags of the training in it */
  readonly description?: string
  /**
   * ranges given out beyond the next one to be added; default twice the number of workers, and 4 at least. It changes no bit,
   * and bounds the results that wait in Redis
   */
  readonly ahead?: number
}

/** Beside those of `fit`. */
export interface ClusterFitOptions extends Omit<FitOptions, 'elsewhere'> {
  /** samples of a range, at least those of a micro-batch; default one micro-batch */
  readonly range?: number
  /** micro-batches are as large as this budget lets a worker have them, if `microBatch` is 'fit'; default that of the coordinator */
  readonly smallest?: ByteSize
  /** samples travel with the jobs, so that workers need no data; default only if the source is no data set */
  readonly send?: boolean
}

/** What a coordinator knows of its training, for a person. */
export interface ClusterStatus {
  readonly session: number
  /** ranges of this mini-batch: all, added, and given out but not yet added */
  readonly ranges: number
  readonly added: number
  readonly inFlight: number
  /** all bytes so far: of values and samples for workers, and of results */
  readonly sentBytes: number
  readonly receivedBytes: number
  /** ranges whose measured peak was not the planned one; 0, or something is wrong */
  readonly mismatches: number
  /** results that were not taken, by reason; jobs that were given out once more */
  readonly counts: Readonly<Record<string, number>>
  readonly workers: readonly WorkerStatus[]
  /** why the last result was refused */
  readonly lastRefusal: string | null
}
