/**
 * The fastest micro-batch among those that fit, by measuring.
 *
 * The largest micro-batch that fits is not always the fastest: the activations of a smaller one may stay in a cache. The
 * best size cannot be predicted, so sizes are measured. They go down by halves, because speed changes little near the best.
 */
import { DoesNotFitError } from './errors.js'
import { type MicroBatchOption, type PlannedStep, sizesOf } from './plan.js'

/** The measured speed of a mini-batch in micro-batches of equal size. */
export interface Trial {
  /** the largest micro-batch; as `microBatch` of a step it splits the same way */
  readonly microBatch: number
  readonly samplesPerSecond: number
}

/** The sizes to try: first for the fewest micro-batches, then for twice as many, and so on down to size 1. */
export function sizesToTry(batch: number, largest: number): number[] {
  const sizes: number[] = []
  for (let parts = Math.ceil(batch / largest); ; parts *= 2) {
    const size = Math.ceil(batch / parts)
    sizes.push(size)
    if (size === 1) return sizes
  }
}

/**
 * Rounds go on until both limits are reached: long enough that each size has an undisturbed round, short enough to wait
 * for.
 */
const LEAST_ROUNDS = 3
const LEAST_MS = 1000

/**
 * Run all sizes in turn, round after round, so that a disturbance of the machine slows all of them.
 * @param planFor  plans the mini-batch
 * @param run      runs the first micro-batches of a plan, which have these sizes; resolves when they are done
 * @returns the fastest first, each by its best round; the first round warms up and does not count
 */
export async function race(
  planFor: (microBatch: MicroBatchOption) => PlannedStep,
  run: (planned: PlannedStep, sizes: readonly number[]) => Promise<void>,
): Promise<Trial[]> {
  const { batch, microBatch: largest } = planFor('fit').plan
  const runners = sizesToTry(batch, largest)
    .flatMap((size, i) => planIfPossible(planFor, i === 0 ? 'fit' : size) ?? [])
    .map((planned) => ({ planned, sizes: asMany([...sizesOf(planned.plan.parts)], largest), best: 0 }))
  const started = performance.now()
  for (let round = 0; round <= LEAST_ROUNDS || performance.now() - started < LEAST_MS; round++) {
    for (const runner of runners) {
      const from = performance.now()
      await run(runner.planned, runner.sizes)
      const rate = (1000 * sum(runner.sizes)) / (performance.now() - from)
      if (round > 0) runner.best = Math.max(runner.best, rate)
    }
  }
  return runners
    .map(({ sizes, best }) => ({ microBatch: sizes[0], samplesPerSecond: best }))
    .sort((a, b) => b.samplesPerSecond - a.samplesPerSecond)
}

/** The first of `sizes` with at most `samples` samples together, so that all trials run about as many samples. */
const asMany = (sizes: readonly number[], samples: number): readonly number[] =>
  sizes.slice(0, Math.max(1, Math.floor(samples / sizes[0])))

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0)

/** A smaller micro-batch can be impossible where a larger one is not: holes, or a model that refuses it. */
function planIfPossible(
  planFor: (microBatch: MicroBatchOption) => PlannedStep,
  microBatch: MicroBatchOption,
): PlannedStep | null {
  try {
    return planFor(microBatch)
  } catch (error) {
    if (error instanceof DoesNotFitError) return null
    throw error
  }
}
