/** `--largest KNOB`: how large a job may be that fits the budget. Every value is a job of its own, planned on shapes alone. */
import { openVirtualDevice } from '../device/open.js'
import { formatBytes, groupDigits } from '../memory/bytes.js'
import { DoesNotFitError } from '../stream/errors.js'
import { largestThatFits } from '../stream/largest.js'
import type { Largest } from '../stream/plan.js'
import type { Knob } from './flags.js'
import { emit, type Io } from './io.js'
import { build, type Job, shapesFor } from './job.js'
import type { Sets } from './sets.js'

interface Planned {
  readonly job: Job
  readonly sets: Sets
}

/** The job with a mini-batch in one piece, with images, or with a model of this size. */
const AT: Readonly<Record<Knob, (planned: Planned, value: number) => Planned>> = {
  batch: ({ job, sets }, batch) => ({ job: { ...job, batch, microBatch: batch }, sets }),
  image: ({ job, sets: { train, test } }, side) => {
    const inputShape = [train.inputShape[0], side, side]
    return { job, sets: { train: { ...train, inputShape }, test: { ...test, inputShape } } }
  },
  width: ({ job, sets }, width) => ({ job: { ...job, width }, sets }),
}

/** The job with a knob at a value. */
export const enlarged = (knob: Knob, planned: Planned, value: number): Planned => AT[knob](planned, value)

/** @throws DoesNotFitError, BudgetExceededError  not even the smallest value fits */
export function findLargest(knob: Knob, planned: Planned): Largest {
  return largestThatFits((value) => {
    const { job, sets } = AT[knob](planned, value)
    const { streamer } = build(job, sets, openVirtualDevice(job.device, { memory: job.memoryBytes }))
    return streamer.plan({ ...shapesFor(sets), batch: job.batch, microBatch: job.microBatch })
  })
}

/** The value as an event, or as a line that says why no larger one fits. */
export function announceLargest(io: Io, knob: Knob, { batch, memoryBytes, json }: Job, { value, next }: Largest): void {
  if (json) {
    const { error } = next ?? {}
    const neededBudgetBytes = error instanceof DoesNotFitError ? error.neededBytes : undefined
    emit(io, 'largest', {
      knob,
      value,
      next: next && { value: next.value, neededBudgetBytes, message: error?.message },
    })
    return
  }
  const show = (size: number): string => (knob === 'image' ? `${size} x ${size}` : groupDigits(size))
  const of = knob === 'batch' ? 'in one piece' : `with mini-batches of ${groupDigits(batch)}`
  const why = next ? `With ${show(next.value)}: ${next.error.message}` : 'Larger ones are not planned.'
  io.out(`The largest ${knob} ${of} under ${formatBytes(memoryBytes)} is ${show(value)}.\n${why}\n\n`)
}
