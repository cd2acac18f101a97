/** `--checkpoint` and `--resume`: a training as a file, with the flags that made it. */
import { DeviceLostError } from '../device/errors.js'
import { FileError, naming, parseJson, readHeader, SafetensorsError, showName } from '../io/index.js'
import { reasonOf } from '../memory/errors.js'
import type { Checkpoint } from '../stream/checkpoint.js'
import { loadCheckpoint, saveCheckpoint } from '../stream/checkpoint-file.js'
import type { Streamer } from '../stream/streamer.js'
import { isRecord } from '../tensor/saved-state.js'
import { KEPT_FLAGS, type KeptFlag, SIZES } from './flags.js'
import { emit, type Io } from './io.js'
import { type Job, parseJob } from './job.js'
import { UsageError } from './options.js'

/** The text of a file or of a coordinator that has the flags. */
export const TEXT = 'sluice.flags'

/** Flags that identify a training: with another value it would be another training. */
const FIXED = ['model', ...SIZES, 'optimizer', 'seed'] as const satisfies readonly KeptFlag[]

/** A job that goes on from a file. */
export interface Resumed {
  readonly job: Job
  /** the flags that differ from those in the file, and can change the results */
  readonly notes: readonly string[]
  /** the bytes of the header of the file */
  readonly headerBytes: number
}

/**
 * The job in the file of `--resume`; flags that are given win over those in the file.
 * @throws UsageError  a flag makes it another training
 * @throws FileError   the file cannot be read, or its flags are not valid
 */
export async function resume(file: string, args: readonly string[]): Promise<Resumed> {
  const { metadata, dataStart } = await readHeader(file)
  const kept = flagsIn(file, metadata)
  const own = Object.entries(kept).map(([name, value]) => `--${name}=${value}`)
  const before = naming(file, () => jobOf(own))
  const job = parseJob('train', [...own, ...args])
  const hasFlags = Object.keys(kept).length > 0
  for (const name of FIXED) {
    if (!hasFlags || job.flags[name] === kept[name]) continue
    const was = kept[name] === undefined ? 'without the flag' : `with --${name} ${kept[name]}`
    throw new UsageError(`--${name} ${job.flags[name]}: ${showName(file)} is a training ${was}; leave the flag out`)
  }
  const changed = (
    [
      'data',
      'batch',
      'max-batch',
      'batch-norm',
      'batch-lr',
      'epochs',
      'lr',
      'momentum',
      'weight-decay',
      'clip-norm',
      'clip-value',
      'schedule',
      'warm-up',
    ] as const
  )
    .filter((name) => hasFlags && before.flags[name] !== job.flags[name])
    .map((name) => `--${name} is ${job.flags[name] ?? 'not given'}, and was ${before.flags[name] ?? 'not given'}`)
  return { job, notes: changed, headerBytes: dataStart }
}

/** The flags that train kept in the file; flags of other names are left out. @throws SafetensorsError  they are not JSON */
export const flagsIn = (file: string, metadata: Readonly<Record<string, string>>): Flags =>
  naming(file, () => keptFlags(metadata))

type Flags = Readonly<Partial<Record<KeptFlag, string>>>

function keptFlags(metadata: Readonly<Record<string, string>>): Flags {
  if (!Object.hasOwn(metadata, TEXT)) return {}
  let flags: unknown
  try {
    flags = parseJson(metadata[TEXT])
  } catch (cause) {
    throw new SafetensorsError(`${TEXT} is not JSON (${reasonOf(cause)})`, { cause })
  }
  const kept: Partial<Record<KeptFlag, string>> = {}
  for (const name of KEPT_FLAGS) {
    const value = isRecord(flags) && Object.hasOwn(flags, name) ? flags[name] : undefined
    if (typeof value === 'string') kept[name] = value
  }
  return kept
}

/** @throws SafetensorsError  the flags are not valid */
function jobOf(flags: readonly string[]): Job {
  try {
    return parseJob('train', flags)
  } catch (cause) {
    throw new SafetensorsError(`${TEXT}: ${reasonOf(cause)}`, { cause })
  }
}

/**
 * Set the streamer to the training in the file. The file can be as large as all values that a device of this budget holds,
 * written as float64.
 * @throws FileError, StateError  the file cannot be read, or is of another model or optimizer
 */
export async function restore(file: string, { job, headerBytes }: Resumed, streamer: Streamer, io: Io): Promise<void> {
  const checkpoint = await loadCheckpoint(file, { maxBytes: headerBytes + 2 * job.memoryBytes })
  if (checkpoint.seed !== job.seed) {
    throw new UsageError(`--seed ${job.seed}: ${showName(file)} is a training with seed ${checkpoint.seed}; give that`)
  }
  try {
    streamer.restore(checkpoint)
  } catch (cause) {
    throw new FileError(`${showName(file)}: ${reasonOf(cause)}`, { cause })
  }
  const { epoch, samples } = checkpoint.cursor
  const { steps } = checkpoint.optimizer
  if (job.json) emit(io, 'resumed', { file, step: steps, epoch: epoch + 1, samples })
  else io.out(`Going on from ${showName(file)}, after ${steps} steps, in epoch ${epoch + 1}.\n`)
}

/** Writes the file of `--checkpoint`, or nothing if the flag is not given. */
export class Keeper {
  /** the commit that the file holds */
  #kept = ''

  constructor(
    readonly io: Io,
    readonly job: Job,
    readonly streamer: Streamer,
  ) {}

  /** Keep the step if its number is a multiple of `--every`. */
  async step(): Promise<void> {
    const { every } = this.job
    if (every !== undefined && this.streamer.optimizer.steps % every === 0) await this.keep()
  }

  /** Keep the last commit. @throws FileError  the file could not be written, and is as it was */
  async keep(): Promise<void> {
    if (this.job.checkpoint !== undefined) await this.#write(() => this.streamer.checkpoint(), this.streamer)
  }

  /**
   * The device has lost its values: keep the last commit from the copy that the streamer has.
   * @returns the error to throw, which says how to go on
   */
  async keepAfterLoss(error: DeviceLostError): Promise<DeviceLostError> {
    const { checkpoint: file } = this.job
    const { lastCheckpoint } = this.streamer
    const lost = error.cause instanceof DeviceLostError ? error.cause.message : error.message
    if (file === undefined || !lastCheckpoint) {
      return new DeviceLostError(`${lost} With --checkpoint FILE the training would be in a file.`, { cause: error })
    }
    await this.#write(async () => lastCheckpoint, lastCheckpoint)
    const { steps } = lastCheckpoint.optimizer
    const goOn = `To go on: sluice train --resume ${file} --checkpoint ${file}`
    return new DeviceLostError(`${lost} ${showName(file)} has the training up to step ${steps}. ${goOn}`, {
      cause: error,
    })
  }

  async #write(
    make: () => Promise<Checkpoint>,
    at: Pick<Checkpoint, 'cursor'> & { optimizer: { steps: number } },
  ): Promise<void> {
    const { checkpoint: file, flags, fastest, microBatch, json } = this.job
    if (file === undefined) return
    const { epoch, samples } = at.cursor
    const { steps } = at.optimizer
    const commit = `${steps} ${epoch} ${samples}`
    if (commit === this.#kept) return
    // keep the size that was measured to be the fastest: a second measurement can give another
    const kept = fastest ? { ...flags, 'micro-batch': String(microBatch) } : flags
    await saveCheckpoint(await make(), file, { metadata: { [TEXT]: JSON.stringify(kept) } })
    this.#kept = commit
    if (json) emit(this.io, 'checkpoint', { file, step: steps, epoch: epoch + 1, samples })
  }
}
