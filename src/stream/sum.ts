/** A gather whose gradients are computed elsewhere: Note [Ranges] in elsewhere.ts. */
import { type AnyBatch, checkBatch, samplesIn } from '../data/batch.js'
import { record } from '../step/record.js'
import { runPlanned } from '../step/run.js'
import type { Elsewhere } from './elsewhere.js'
import { InterruptedError, ModelError } from './errors.js'
import { sampleShapeOf } from './kind.js'
import type { StepOptions } from './options.js'
import { checkCounts, cut, together, weighPieces } from './pieces.js'
import { type PlannedStep, sizesOf } from './plan.js'
import type { Planner } from './planner.js'
import type { Program } from './program.js'
import { RangeSums } from './range.js'

/** The pieces of a mini-batch that is gathered. */
export interface Summed extends PlannedStep {
  readonly batch: AnyBatch
  readonly pieces: readonly AnyBatch[]
  readonly weight: number
  readonly weights: readonly number[]
  readonly shares: readonly number[]
}

export class SumGatherer {
  #sums: RangeSums | undefined

  constructor(
    readonly program: Program,
    readonly planner: Planner,
    readonly seed: number,
  ) {}

  /** Plan and cut a mini-batch. @throws  what `Gatherer.gather` throws */
  open(batch: AnyBatch, microBatch: StepOptions['microBatch'] = 'fit'): Summed {
    checkBatch(batch)
    const shape = sampleShapeOf(batch)
    const planned = this.planner.planFor({ mode: 'sum', batch: samplesIn(batch), microBatch, shape })
    const pieces = cut(batch, [...sizesOf(planned.plan.parts)])
    const weights = weighPieces(this.program, batch, pieces, planned.plan)
    const weight = together(weights)
    checkCounts(weight)
    return { ...planned, batch, pieces, weight, weights, shares: weights.map((counted) => counted / weight) }
  }

  /** Get the sums of all pieces, and write them where micro-batches would have left them. */
  async gather(
    { pieces, weight, weights, passes }: Summed,
    elsewhere: Elsewhere,
    { signal, onMicroBatch }: StepOptions,
  ): Promise<void> {
    const { device, optimizer } = this.program
    const { seed } = this
    device.allocator.resetPeak()
    const reset = record(device, () => this.program.reset())
    runPlanned(device, passes.reset, reset)
    const sums = new RangeSums(this.program, this.#sums)
    this.#sums = sums
    let firstSample = 0
    const ranges = pieces.map((samples, i) => {
      firstSample += samplesIn(samples)
      return { firstSample: firstSample - samplesIn(samples), samples, weight: weights[i] }
    })
    let done = 0
    for await (const range of elsewhere({ seed, step: optimizer.steps, weight, ranges, size: sums.size, signal })) {
      if (signal?.aborted) throw new InterruptedError('interrupted: nothing of this mini-batch was committed')
      if (done === pieces.length) throw new ModelError(`elsewhere gave the sums of more than ${done} ranges`)
      sums.add(range, samplesIn(pieces[done]))
      if (done === 0 && passes.noise) {
        sums.write()
        const noise = record(device, () => this.program.measurePart())
        runPlanned(device, passes.noise, noise)
      }
      done++
      const { samples, firstSample } = ranges[done - 1]
      await onMicroBatch?.({ done, of: pieces.length, samples: firstSample + samplesIn(samples) })
    }
    if (done < pieces.length) throw new ModelError(`elsewhere gave the sums of ${done} of ${pieces.length} ranges`)
    sums.write()
  }
}
