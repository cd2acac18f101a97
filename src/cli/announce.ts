/** The output that `train` and `plan` share: a line about the job, its plan, and its picture. */
import { writeFile } from 'node:fs/promises'
import { FileError } from '../io/index.js'
import { formatBytes, groupDigits } from '../memory/bytes.js'
import { reasonOf } from '../memory/errors.js'
import { describeShare } from '../memory/offered.js'
import { drawTimeline, type Section, type TimelinePoint } from '../memory/timeline.js'
import { FIRST } from '../stream/growth.js'
import type { FrontierPoint, Plan } from '../stream/plan.js'
import type { Streamer } from '../stream/streamer.js'
import { emit, type Io } from './io.js'
import { type Job, shapesFor } from './job.js'
import type { Needs } from './needs.js'
import type { Sets } from './sets.js'

/** 'lenet (39,742 parameters, float32 on cpu) with adam; digits/train: 1,438 images, 359 to test'. */
export function describeJob({ model, device, optimizer, made }: Job, { train, test }: Sets, needs: Needs): string {
  const float = device === 'reference' ? 'float64' : 'float32'
  const network = `${model} (${groupDigits(needs.parameterCount)} parameters, ${float} on ${device}) with ${optimizer}`
  if (made) {
    const what = { class: 'images, classes:', mask: 'images, masks:', tokens: 'tokens, vocabulary:' }[made.sample]
    return `${network}; ${train.inputShape.join(' x ')} ${what} ${groupDigits(made.classes)}`
  }
  return `${network}; ${train.name}: ${groupDigits(train.length)} images, ${groupDigits(test.length)} to test`
}

/**
 * The plan as an event, or as a table with `notes` below it.
 * @param frontier  the frontier of the plan; it is shown if it is given
 */
export function announcePlan(
  io: Io,
  { json, batchNorm }: Job,
  plan: Plan,
  needs: Needs,
  notes: readonly string[],
  frontier?: readonly FrontierPoint[],
): void {
  if (json) {
    const { outputShape, outputRows, toJSON, ...fields } = plan
    const { minimumBudgetBytes, wholeBatchBytes } = needs
    emit(io, 'plan', {
      batchNorm,
      ...fields,
      minimumBudgetBytes,
      wholeBatchBytes,
      notes: [...plan.notes, ...notes],
      frontier,
    })
    return
  }
  const table = frontier ? describeFrontier(frontier) : []
  io.out([String(plan), ...table, ...notes.map((note) => `  note: ${note}`)].join('\n') + '\n')
}

/** The frontier as lines: time and bytes for each choice of values to make again. No lines if no choice saves bytes. */
function describeFrontier(frontier: readonly FrontierPoint[]): string[] {
  if (frontier.length === 1) return []
  const rows = frontier.map(({ extraTime, peakBytes, microBatch }) => {
    const time = `${(100 * extraTime).toFixed(1)} %`
    return `${time.padStart(34)}${formatBytes(peakBytes).padStart(16)}${groupDigits(microBatch).padStart(23)}`
  })
  return ['  making values again:   more time    planned peak    largest micro-batch', ...rows]
}

/** The note on a budget that is a share. */
export function shareNote({ flags: { memory }, memoryBytes }: Job): string[] {
  const share = memory === undefined ? null : describeShare(memory)
  return share === null ? [] : [`--memory is ${formatBytes(memoryBytes)}, ${share}`]
}

/** What becomes of a mini-batch that grows. */
export function growthNote({ batch }: Job): string {
  const first = groupDigits(Math.min(FIRST, batch))
  return `the mini-batch begins with ${first} and grows with the gradient noise scale, to ${groupDigits(batch)} at most; this plan is for the largest`
}

/** '832 KiB (851,968 bytes)': one number to read, and one to give to `--memory`. */
export const showBytes = (bytes: number): string => `${formatBytes(bytes)} (${groupDigits(bytes)} bytes)`

/** @throws FileError  the file of a flag could not be written */
export async function writeTo(flag: string, file: string, content: string): Promise<void> {
  await writeFile(file, content).catch((error: unknown) => {
    throw new FileError(`${flag}: ${reasonOf(error)}`)
  })
}

/** Write the file of `--out`. */
export async function writePlan({ out }: Job, plan: Plan): Promise<void> {
  if (out !== undefined) await writeTo('--out', out, `${JSON.stringify(plan)}\n`)
}

/** Write the picture of `--memory-svg`: one micro-batch of each size that the plan has, and the commit. */
export async function writePicture(job: Job, sets: Sets, streamer: Streamer, plan: Plan): Promise<void> {
  if (job.svg !== undefined) await writeTo('--memory-svg', job.svg, drawStep(job, sets, streamer, plan))
}

/** The picture of a step, as SVG. */
export function drawStep(job: Job, sets: Sets, streamer: Streamer, plan: Plan): string {
  const { model, optimizer, microBatch } = job
  const points = streamer.timeline({ ...shapesFor(sets), batch: plan.batch, microBatch })
  const title = `${model}, ${optimizer}: a step of ${groupDigits(plan.batch)} samples`
  const { budgetBytes, plannedPeakBytes: peakBytes } = plan
  return drawTimeline(points, { title, budgetBytes, peakBytes, sections: sectionsOf(points, plan) })
}

/**
 * The sections of the picture. The forward of a micro-batch begins with its input, and the backward with the op
 * 'backward'. A step of several passes has too many sections to name.
 */
function sectionsOf(points: readonly TimelinePoint[], { parts, passes }: Plan): Section[] {
  if (passes > 1) return []
  const begins = (is: (point: TimelinePoint) => boolean): number[] =>
    points.flatMap((point, i) => (is(point) && (i === 0 || !is(points[i - 1])) ? [i] : []))
  return [
    ...begins(({ held }) => held.input > 0).map((start, i) => ({
      start,
      label: `forward of ${groupDigits(parts[i].size)}`,
    })),
    ...begins(({ op }) => op === 'backward').map((start) => ({ start, label: 'backward' })),
  ].sort((a, b) => a.start - b.start)
}
