/**
 * What a coordinator and its workers need of the engine that carries their jobs: redis.ts has it from BullMQ and Redis.
 *
 * Note [Late and doubled]
 *   A job can be delivered more than once, and a worker can come back long after its job was given to another. So a result is
 *   taken only while its turn lasts, and only the first one for its range; taking is one atomic act. A turn is one try to
 *   gather one mini-batch, and its name never comes again.
 */

/** What became of a result. */
export type Given = 'taken' | 'late' | 'doubled'

/** What a worker tells of itself. */
export interface WorkerStatus {
  readonly id: string
  readonly budgetBytes: number
  readonly ranges: number
  readonly samples: number
  /** the highest peak, and how often a range had another than its plan */
  readonly peakBytes: number
  readonly mismatches: number
  /** milliseconds since 1970 */
  readonly time: number
}

/** The side of the coordinator. */
export interface Hub {
  /** Begin a session; those before are over, with all that they left. @returns its number */
  begin(description: string): Promise<number>
  put(key: string, bytes: Uint8Array): Promise<void>
  /** Bytes, or null. Gives at most `maxBytes + 1`, however many there are. */
  get(key: string, maxBytes: number): Promise<Uint8Array | null>
  drop(keys: readonly string[]): Promise<void>
  /** Results of this turn are taken from now on, and of no other. @returns false: another coordinator has begun a session */
  open(session: number, turn: string): Promise<boolean>
  /** No result is taken any more, and jobs that are left are dropped. */
  close(turn: string): Promise<void>
  /** Take a result for this range once more. */
  reopen(turn: string, range: number): Promise<void>
  send(id: string, job: object): Promise<void>
  isPending(id: string): Promise<boolean>
  /** Wait until a result comes, at most so long. */
  wait(turn: string, ms: number): Promise<void>
  counts(): Promise<Readonly<Record<string, number>>>
  workers(): Promise<readonly WorkerStatus[]>
  /** Let go of the engine. */
  end(): Promise<void>
}

/** What a worker does with a job: 'back' gives it to another. @param tries  how often it has failed before */
export type Handle = (job: unknown, tries: number) => Promise<'done' | 'back'>

/** The side of a worker. */
export interface Line {
  /** what the coordinator says of its training, or null: there is none yet */
  description(): Promise<string | null>
  get(key: string, maxBytes: number): Promise<Uint8Array | null>
  give(turn: string, range: number, bytes: Uint8Array): Promise<Given>
  tell(status: WorkerStatus): Promise<void>
  /** Take one job after the other until the signal is aborted. A job whose handling throws is given out again. */
  work(handle: Handle, signal: AbortSignal): Promise<void>
  end(): Promise<void>
}

/** The keys of the bytes that both sides exchange. */
export const KEYS = {
  values: (digest: string): string => `values:${digest}`,
  samples: (turn: string, range: number): string => `samples:${turn}:${range}`,
  result: (turn: string, range: number): string => `result:${turn}:${range}`,
}

/** A job that failed so often is given up, with the reason of the last failure. */
export const MOST_TRIES = 4
