/** `--micro-batch fast`: measure, print the result, and go on as if the fastest size had been given. */
import { groupDigits } from '../memory/bytes.js'
import { DoesNotFitError } from '../stream/errors.js'
import type { Trial } from '../stream/fastest.js'
import type { Streamer } from '../stream/streamer.js'
import { emit, type Io } from './io.js'
import type { Job } from './job.js'
import { plannedBatches } from './needs.js'
import type { AnySet, Sets } from './sets.js'

/** The job with its micro-batch set to the fastest size that fits all its mini-batches. */
export async function chooseFastest(job: Job, { train, test }: Sets<AnySet>, streamer: Streamer, io: Io): Promise<Job> {
  const miniBatch = await train.gather(Array.from({ length: job.batch }, (_, i) => i))
  const trials = await io.interruptible((signal) => streamer.fastest(miniBatch, { signal }))
  const fits = ({ microBatch }: Trial): boolean =>
    plannedBatches({ ...job, microBatch }, { train, test }).every((options) => isPlannable(streamer, options))
  const chosen = trials.find(fits)
  if (!chosen) return job
  const { microBatch } = chosen
  if (job.json) emit(io, 'choice', { microBatch, trials })
  else io.out(describe(trials, chosen))
  return { ...job, microBatch }
}

function isPlannable(streamer: Streamer, options: Parameters<Streamer['plan']>[0]): boolean {
  try {
    streamer.plan(options)
    return true
  } catch (error) {
    if (error instanceof DoesNotFitError) return false
    throw error
  }
}

function describe(trials: readonly Trial[], { microBatch }: Trial): string {
  const rates = [...trials]
    .sort((a, b) => b.microBatch - a.microBatch)
    .map(({ microBatch, samplesPerSecond }) => [groupDigits(microBatch), groupDigits(Math.round(samplesPerSecond))])
  const widths = [0, 1].map((column) => Math.max(...rates.map((row) => row[column].length)))
  const rows = rates.map(([size, rate]) => `  ${size.padStart(widths[0])}  ${rate.padStart(widths[1])} images/s\n`)
  return (
    `Forward and backward, measured for micro-batches of\n${rows.join('')}` +
    `The fastest is ${groupDigits(microBatch)}. To train again in the same micro-batches: --micro-batch ${microBatch}\n\n`
  )
}
