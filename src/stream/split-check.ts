/**
 * A loss that is no mean over samples, such as a sum, would silently give another loss and another gradient for every
 * split. A function does not tell, so before a loss is split for the first time it is tried out: on the first samples of
 * the mini-batch, with made-up outputs.
 */
import { samplesIn } from '../data/batch.js'
import { type AnyBatch, sliceBatch } from '../data/index.js'
import { generator } from '../nn/init.js'
import type { AnyLoss } from '../ops/loss.js'
import { sizeOf } from '../tensor/shape.js'
import { type Arrays, isShape, mapMembers, membersOf } from '../tensor/structure.js'
import { NotSeparableError } from './errors.js'
import { type Outputs, shapesOf } from './rows.js'
import { separability } from './separable.js'

/** Three samples have two unequal cuts. */
const SAMPLES = 3
/** So many mini-batches are tried, because there may be no telling from one. */
const TRIALS = 3
/** So many outputs at most: the trial takes a part of a second. */
const LARGEST = 2 ** 18

export class SplitCheck {
  #trials: number

  constructor(readonly loss: AnyLoss) {
    // ops are means, and a loss can say by itself what it is
    this.#trials = 'op' in loss || loss.coupled !== undefined ? 0 : TRIALS
  }

  /**
   * @param outputs  what the model makes of a sample
   * @throws NotSeparableError  the loss of the samples is not the mean of the losses of their parts
   */
  async check(batch: AnyBatch, outputs: Outputs): Promise<void> {
    if (this.#trials === 0) return
    const error = await this.#trial(batch, outputs)
    this.#trials = error === null ? this.#trials - 1 : 0
    if (error === null || error <= TOLERANCE) return
    this.#trials = TRIALS
    throw new NotSeparableError(
      'this loss is not the mean over samples, so its value depends on how a mini-batch is split: for the first samples of ' +
        `this one, it differs from the weighted mean of its parts by ${error.toPrecision(2)}. Divide a sum by the number of ` +
        'samples; give a mean over other than samples a `weight`; give a loss that compares samples `coupled`, a text that ' +
        'says so. `coupled: false` splits it as it is.',
    )
  }

  /** The difference, or null if there is no telling: the loss has tensors of its own, or takes no such outputs. */
  async #trial(batch: AnyBatch, outputs: Outputs): Promise<number | null> {
    const samples = Math.min(SAMPLES, samplesIn(batch))
    const rows = membersOf(outputs.outputRows, (value): value is number => typeof value === 'number')
    const shapes = shapesOf(outputs, samples)
    const size = membersOf(shapes, isShape).reduce((sum, [, shape]) => sum + sizeOf(shape), 0)
    if (samples < 2 || size > LARGEST || rows.some(([, count]) => count !== 1)) return null
    const random = generator(0)
    // positive and below 1, so that they can be logits, probabilities and values
    const made: Arrays = mapMembers(shapes, isShape, (shape) => ({
      data: Float64Array.from({ length: sizeOf(shape) }, () => 0.1 + 0.8 * random()),
      shape,
    }))
    const { targets, weights } = sliceBatch(batch, 0, samples)
    try {
      const { worstError } = await separability(this.loss, made, targets, weights)
      return Number.isFinite(worstError) ? worstError : null
    } catch {
      return null
    }
  }
}

/** Both sides are float64. */
const TOLERANCE = 1e-8
