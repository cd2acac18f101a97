/**
 * Checkpoints: copies on the host of everything that a commit changes. On a device that can lose its values
 * (`volatile`) a streamer keeps a checkpoint by itself. From it, training goes on with the same results on another
 * device.
 */
import { DeviceLostError } from '../device/errors.js'
import { ArgumentError, showValue } from '../memory/errors.js'
import type { AnyModule } from '../nn/module.js'
import type { Optimizer } from '../optim/optimizer.js'
import type { OptimizerState, SavedOptimizerState } from '../optim/state.js'
import { StateError } from '../tensor/errors.js'
import { isRecord, refuse, type SavedState, type StateDict } from '../tensor/saved-state.js'
import { type Cursor, cursorFrom } from './cursor.js'
import { type NoiseSum, noiseFrom } from './noise.js'

export interface Checkpoint {
  /** parameters and buffers */
  readonly model: StateDict
  readonly optimizer: OptimizerState
  /** where `fit` goes on */
  readonly cursor: Cursor
  /** the seed of the streamer: dropout masks and the order of the samples depend on it */
  readonly seed: number
  /** the sums that the gradient noise scale is made of */
  readonly noise?: NoiseSum
}

/** The argument of `restore`. */
export interface SavedCheckpoint {
  readonly model: SavedState
  readonly optimizer: SavedOptimizerState
  readonly cursor: Cursor
  /** if left out, the seed is not compared with the seed of the streamer */
  readonly seed?: number
  /** if left out, the averages begin anew */
  readonly noise?: NoiseSum
}

/** @throws DeviceLostError  the values are gone */
export async function takeCheckpoint(
  model: AnyModule,
  optimizer: Optimizer,
  cursor: Cursor,
  seed: number,
  noise: NoiseSum,
): Promise<Checkpoint> {
  const [ofModel, ofOptimizer] = await Promise.all([model.stateDict(), optimizer.stateDict(model)])
  return { model: ofModel, optimizer: ofOptimizer, cursor, seed, noise }
}

/** @throws StateError  not a checkpoint, such as the Promise of one */
export function checkCheckpoint(op: string, checkpoint: unknown): void {
  const { model, optimizer, cursor } = isRecord(checkpoint) ? checkpoint : {}
  if ([model, optimizer, cursor].every(isRecord)) return
  throw new StateError(`${op}: ${showValue(checkpoint)} is not a checkpoint: write \`await streamer.checkpoint()\``)
}

/**
 * Set model and optimizer back to a checkpoint. @returns its cursor and its noise
 * @throws StateError, ArgumentError  the checkpoint is of another model, optimizer or seed, or its cursor is not valid
 */
export function writeCheckpoint(
  checkpoint: SavedCheckpoint,
  model: AnyModule,
  optimizer: Optimizer,
  seed: number,
): { cursor: Cursor; noise: NoiseSum } {
  checkCheckpoint('restore', checkpoint)
  const cursor = cursorFrom(checkpoint.cursor)
  const noise = noiseFrom(checkpoint.noise)
  if (checkpoint.seed !== undefined && checkpoint.seed !== seed) {
    throw new StateError(
      `restore: the checkpoint is of a training with seed ${checkpoint.seed}, and this streamer has seed ${seed}: ` +
        `samples would come in another order. Write new Streamer({ ..., seed: ${checkpoint.seed} }), or restore ` +
        'without `seed` to go on in another order. Nothing was changed.',
    )
  }
  const checked = [model.checkState(checkpoint.model), optimizer.checkState(checkpoint.optimizer, model)]
  refuse(checked.flatMap(({ faults }) => faults))
  for (const { write } of checked) write()
  return { cursor, noise }
}

/** The last checkpoint, kept up with training. */
export class Checkpoints {
  last: Checkpoint | null = null
  readonly #every: number
  /** Have the values or the cursor changed since the last checkpoint, other than by a step? */
  #due = true

  /**
   * @param every  keep a checkpoint after this many steps; 0: never. Default 1 on a device that can lose its values,
   * else 0
   */
  constructor(
    readonly model: AnyModule,
    readonly optimizer: Optimizer,
    readonly seed: number,
    every: number = model.device.volatile ? 1 : 0,
  ) {
    if (!Number.isSafeInteger(every) || every < 0) {
      throw new ArgumentError(`checkpointEvery is ${every}; it must be a whole number, 0 for none`)
    }
    this.#every = every
  }

  /** Training goes on from another place: keep a checkpoint before the next step. */
  restart(): void {
    this.#due = true
  }

  async beforeStep(cursor: Cursor, noise: NoiseSum): Promise<void> {
    if (this.#due && this.#every > 0) await this.#keep(cursor, noise)
  }

  async afterStep(cursor: Cursor, noise: NoiseSum): Promise<void> {
    // without checkpoints the remainder is NaN
    if (this.optimizer.steps % this.#every === 0) await this.#keep(cursor, noise)
  }

  /** The cursor has moved without a step: an epoch is over. */
  moved(cursor: Cursor): void {
    if (this.last?.optimizer.steps === this.optimizer.steps) this.last = { ...this.last, cursor }
  }

  /** The error to throw in place of `error`: for a lost device it names the checkpoint to go on from. */
  explain(error: unknown): unknown {
    if (!(error instanceof DeviceLostError) || !this.last) return error
    const { optimizer, cursor } = this.last
    return new DeviceLostError(
      `${error.message} The streamer's lastCheckpoint is from step ${optimizer.steps}, in epoch ${cursor.epoch} ` +
        `after ${cursor.samples} samples: build model, optimizer and streamer again on a new device, ` +
        '`restore` it there, and `fit` with `from: streamer.cursor`.',
      { cause: error },
    )
  }

  async #keep(cursor: Cursor, noise: NoiseSum): Promise<void> {
    this.last = await takeCheckpoint(this.model, this.optimizer, cursor, this.seed, noise)
    this.#due = false
  }
}
