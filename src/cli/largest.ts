/** `--largest KNOB`: how large a job may be that fits the budget. Every value is a job of its own, planned on shapes alone. */
import { openVirtualDevice } from '../device/open.js'
import { formatBytes, groupDigits } from '../memory/bytes.js'
import type { SizeOption } from '../models/index.js'
import { DoesNotFitError } from '../stream/errors.js'
import { largestThatFits } from '../stream/largest.js'
import type { Largest } from '../stream/plan.js'
import type { Shape } from '../tensor/shape.js'
import type { Knob } from './flags.js'
import { emit, type Io } from './io.js'
import { build, type Job, shapesFor } from './job.js'
import type { Sets } from './sets.js'

interface Planned {
  readonly job: Job
  readonly sets: Sets
}

const withSize =
  (name: SizeOption) =>
  ({ job, sets }: Planned, value: number): Planned => ({
    job: { ...job, sizes: { ...job.sizes, [name]: value } },
    sets,
  })

const withShapes = ({ train, test }: Sets, inputShape: Shape, targetShape: Shape): Sets => ({
  train: { ...train, inputShape, targetShape },
  test: { ...test, inputShape, targetShape },
})

/** How each knob changes the job: the size of the mini-batch, of the samples, or of the model. */
const AT: Readonly<Record<Knob, (planned: Planned, value: number) => Planned>> = {
  batch: ({ job, sets }, batch) => ({ job: { ...job, batch, microBatch: batch }, sets }),
  image: ({ job, sets }, side) => {
    const at = (shape: Shape): Shape => (shape.length < 2 ? shape : [...shape.slice(0, -2), side, side])
    return { job, sets: withShapes(sets, at(sets.train.inputShape), at(sets.train.targetShape)) }
  },
  context: ({ job, sets }, context) => ({ job, sets: withShapes(sets, [context], [context]) }),
  width: withSize('width'),
  layers: withSize('layers'),
  filters: withSize('filters'),
  levels: withSize('levels'),
}

/** The job with a knob at a value. */
export const enlarged = (knob: Knob, planned: Planned, value: number): Planned => AT[knob](planned, value)

/** From this side of an image on, in pixels, networks take their form for ImageNet. */
const LARGE = 64

/**
 * @param before  called before each plan; what it throws ends the search
 * @throws DoesNotFitError, BudgetExceededError  not even the smallest value fits
 */
export function findLargest(knob: Knob, planned: Planned, before = (): void => {}): Largest {
  const [, side] = planned.job.made?.inputShape ?? []
  // smaller images would be learned by the network's form for small images, which takes more bytes for each pixel
  const from = knob === 'image' && side >= LARGE ? LARGE : 1
  return largestThatFits(
    (value) => {
      before()
      const { job, sets } = AT[knob](planned, value)
      const { streamer } = build(job, sets, openVirtualDevice(job.device, { memory: job.memoryBytes }))
      const { batch, microBatch } = job
      return streamer.plan({ ...shapesFor(sets), batch, microBatch })
    },
    { from },
  )
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
