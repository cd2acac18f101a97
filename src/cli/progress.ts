/**
 * The progress of a training, for a person to read: on a terminal one line that is redrawn, elsewhere a line every few
 * epochs.
 */
import { formatBytes, groupDigits } from '../memory/bytes.js'
import type { StepResult } from '../stream/streamer.js'
import type { Io } from './io.js'
import { type Scores, showScores } from './task.js'

/** About the largest number of lines that are printed if standard output is not a terminal. */
const LINES = 12
/** The shortest time between two redraws on a terminal. */
const REDRAW_MS = 100
const ERASE = '\r\u001b[K'

/** The end of an epoch, with the loss and the scores on the test data. Epochs count from 1, as steps do. */
export interface Epoch {
  epoch: number
  testLoss: number
  testAccuracy: number
  scores: Scores
  trainLoss: number
  noiseScale: number | null
  imagesPerSecond: number
}

/** Receives the events of a training. */
export interface Listener {
  /** `samples` of the running mini-batch, or evaluation, are gathered */
  microBatch(samples: number): void
  step(result: StepResult): void
  epoch(result: Epoch): void
  /** the training has ended or was interrupted */
  end(): void
}

export interface ProgressOptions {
  epochs: number
  /** the steps of all epochs; null: not known */
  steps: number | null
  /** samples in an epoch */
  samples: number
  /** the progress of the earlier runs of a resumed training */
  before?: { steps: number; samples: number }
  budgetBytes: number
  /** further words, such as those on workers */
  more?: () => readonly string[]
}

export class Progress implements Listener {
  readonly #io: Io
  readonly #options: ProgressOptions
  #steps = 0
  /** samples of the running mini-batch that are gathered */
  #gathered = 0
  #samples = 0
  #ms = 0
  #loss = Number.NaN
  /** the score that counts most */
  #score: string | undefined
  #peakBytes = 0
  /** between the last step of an epoch and its end, micro-batches belong to the evaluation */
  #evaluating = false
  #drawn = -Infinity

  constructor(io: Io, options: ProgressOptions) {
    this.#io = io
    this.#options = options
    this.#steps = options.before?.steps ?? 0
  }

  microBatch(samples: number): void {
    this.#gathered = this.#evaluating ? 0 : samples
    this.#draw()
  }

  step({ loss, peakBytes, samples, ms }: StepResult): void {
    this.#steps++
    this.#gathered = 0
    this.#samples += samples
    this.#ms += ms
    this.#loss = loss
    this.#peakBytes = Math.max(this.#peakBytes, peakBytes)
    this.#evaluating = this.#learned % this.#options.samples === 0
    this.#draw()
  }

  epoch({ epoch, testLoss, scores, trainLoss, imagesPerSecond }: Epoch): void {
    const told = showScores(scores)
    this.#score = told[0]
    this.#evaluating = false
    const { epochs } = this.#options
    const every = Math.ceil(epochs / LINES)
    if (this.#io.isTTY || (epoch > 1 && epoch < epochs && epoch % every > 0)) return
    const parts = [
      `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`,
      `loss ${showLoss(trainLoss)}`,
      `test loss ${showLoss(testLoss)}`,
      ...told,
      `${groupDigits(Math.round(imagesPerSecond))} images/s`,
      this.#peak(),
      ...(this.#options.more?.() ?? []),
    ]
    this.#io.out(`${parts.join('   ')}\n`)
  }

  /** Erase the line. */
  end(): void {
    if (this.#io.isTTY) this.#io.out(ERASE)
  }

  #draw(): void {
    const now = performance.now()
    if (!this.#io.isTTY || now - this.#drawn < REDRAW_MS) return
    this.#drawn = now
    const { epochs, steps, samples } = this.#options
    const epoch = Math.floor(this.#learned / samples) + (this.#evaluating ? 0 : 1)
    const parts = [
      `epoch ${epoch}/${epochs}`,
      `step ${this.#steps}${steps === null ? '' : `/${steps}`}`,
      ...(this.#ms > 0 ? [`${groupDigits(Math.round((1000 * this.#samples) / this.#ms))} images/s`] : []),
      ...(this.#peakBytes > 0 ? [`loss ${showLoss(this.#loss)}`] : []),
      ...(this.#score === undefined ? [] : [this.#score]),
      ...(this.#peakBytes > 0 ? [this.#peak()] : []),
      ...(this.#options.more?.() ?? []),
    ]
    const words = parts.join('  ')
    const done = Math.min(1, (this.#learned + this.#gathered) / (samples * epochs))
    const room = Math.min(24, this.#io.columns - 1 - words.length - 4)
    const bar = room >= 8 ? `[${'#'.repeat(Math.round(done * room)).padEnd(room, '.')}]  ` : ''
    this.#io.out(ERASE + `${bar}${words}`.slice(0, Math.max(0, this.#io.columns - 1)))
  }

  /** the samples that were learned from, in all runs */
  get #learned(): number {
    return (this.#options.before?.samples ?? 0) + this.#samples
  }

  #peak(): string {
    return `peak ${formatBytes(this.#peakBytes)} of ${formatBytes(this.#options.budgetBytes)}`
  }
}

export const showLoss = (loss: number): string => loss.toPrecision(4)
