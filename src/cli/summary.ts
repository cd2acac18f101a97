/** The summary of a training: what is counted while it runs, and what is printed at its end. */
import { formatBytes, groupDigits } from '../memory/bytes.js'
import { countOf, type Plan } from '../stream/plan.js'
import type { Evaluation, StepResult } from '../stream/streamer.js'
import { showBytes } from './announce.js'
import { emit, type Io } from './io.js'
import type { Job } from './job.js'
import type { Needs } from './needs.js'
import type { ProcessBytes } from './process.js'
import { showLoss } from './progress.js'
import { type Scores, showScores, showShare } from './task.js'

export class Tally {
  /** of this run */
  steps = 0
  /**
   * the loss of the last step, and the results of the last evaluation; NaN before the first, which JSON shows as null
   */
  loss = Number.NaN
  accuracy = Number.NaN
  scores: Scores = {}
  testLoss = Number.NaN
  evaluations = 0
  /** steps and evaluations whose measured peak was the planned one, to the byte */
  stepsAsPlanned = 0
  evaluationsAsPlanned = 0
  /** the highest peak of all steps and evaluations */
  peakBytes = 0
  plannedPeakBytes = 0
  /** the gradient noise scale after the last step, and the sizes that the mini-batches began and ended with */
  noiseScale: number | null = null
  first = 0
  largest = 0

  /** @param before  the number of steps of the earlier runs that this run continues */
  constructor(readonly before = 0) {}

  step({ loss, samples, noiseScale, peakBytes, plannedPeakBytes }: StepResult): void {
    this.steps++
    this.loss = loss
    this.noiseScale = noiseScale
    this.first ||= samples
    this.largest = Math.max(this.largest, samples)
    if (peakBytes === plannedPeakBytes) this.stepsAsPlanned++
    this.#raise(peakBytes, plannedPeakBytes)
  }

  /** Counts an evaluation, with the scores that its task reports. */
  evaluation({ loss, accuracy = Number.NaN, peakBytes, plannedPeakBytes }: Evaluation, scores: Scores): void {
    this.evaluations++
    this.scores = scores
    this.testLoss = loss
    this.accuracy = accuracy
    if (peakBytes === plannedPeakBytes) this.evaluationsAsPlanned++
    this.#raise(peakBytes, plannedPeakBytes)
  }

  #raise(peakBytes: number, plannedPeakBytes: number): void {
    this.peakBytes = Math.max(this.peakBytes, peakBytes)
    this.plannedPeakBytes = Math.max(this.plannedPeakBytes, plannedPeakBytes)
  }
}

export function showInterrupted(io: Io, job: Job, { before, steps, loss, accuracy }: Tally, of: number | null): void {
  const { json, checkpoint: file } = job
  const so =
    steps === 0
      ? `before the first step${before > 0 ? ' of this run' : ''} was committed`
      : `after ${groupDigits(before + steps)}${of === null ? '' : ` of ${groupDigits(of)}`} steps, the last with loss ${showLoss(loss)}`
  const goOn = file === undefined ? '' : ` To go on: sluice train --resume ${file} --checkpoint ${file}`
  const text = `Interrupted ${so}. Nothing of the mini-batch that was running was committed.${goOn}\n`
  if (json) {
    emit(io, 'interrupted', { steps, loss, testAccuracy: accuracy })
    io.err(text)
  } else {
    io.out(io.paint('yellow', text))
  }
}

export interface Outcome {
  plan: Plan
  needs: Needs
  held: ProcessBytes
  wallMs: number
}

export function showDone(
  io: Io,
  { json, memoryBytes, grows, checkpoint: file }: Job,
  tally: Tally,
  { plan, needs, held, wallMs }: Outcome,
): void {
  const {
    steps,
    stepsAsPlanned,
    evaluations,
    evaluationsAsPlanned,
    accuracy,
    scores,
    testLoss,
    peakBytes,
    plannedPeakBytes,
  } = tally
  if (json) {
    emit(io, 'done', {
      testAccuracy: accuracy,
      scores,
      testLoss,
      peakBytes,
      plannedPeakBytes,
      budgetBytes: memoryBytes,
      steps,
      stepsAsPlanned,
      evaluations,
      evaluationsAsPlanned,
      noiseScale: tally.noiseScale,
      ...(grows && { firstBatch: tally.first, largestBatch: tally.largest }),
      process: held,
      wallMs,
    })
    return
  }
  const times = needs.wholeBatchBytes / memoryBytes
  const need = Number.isFinite(times) ? formatBytes(needs.wholeBatchBytes) : 'tensors larger than the device has'
  const whole = `The whole mini-batch of ${groupDigits(plan.batch)} needs ${need}`
  const asPlanned = stepsAsPlanned === steps && evaluationsAsPlanned === evaluations
  const share = showShare(peakBytes / memoryBytes)
  const lines = [
    io.paint('bold', `Test ${showScores(scores).join(', ')}`),
    times > 1
      ? `${whole}${Number.isFinite(times) ? `, ${times.toFixed(1)} times the budget` : ''}; it went through in ${groupDigits(countOf(plan.parts))} micro-batches`
      : `${whole}, within the budget`,
    asPlanned
      ? `The measured peak equalled the plan to the byte in all ${steps} steps and ${evaluations} evaluations`
      : io.paint(
          'red',
          `The measured peak equalled the plan in only ${stepsAsPlanned} of ${steps} steps and ` +
            `${evaluationsAsPlanned} of ${evaluations} evaluations`,
        ),
    `Highest peak ${showBytes(peakBytes)}, ${share} of the budget of ${formatBytes(memoryBytes)}`,
    ...describeNoise(tally, grows !== undefined),
    describeProcess(held),
    ...(file === undefined ? [] : [`The weights and the training are in ${file}`]),
    `${(wallMs / 1000).toFixed(1)} s`,
  ]
  io.out(`\n${lines.join('.\n')}.\n`)
}

/** What the gradient noise scale was, and what became of a mini-batch that follows it. */
function describeNoise({ noiseScale, first, largest, steps }: Tally, grows: boolean): string[] {
  const grew = grows && steps > 0 ? [`The mini-batch grew from ${groupDigits(first)} to ${groupDigits(largest)}`] : []
  if (noiseScale === null) return grew
  const told = Number.isFinite(noiseScale)
    ? `was about ${groupDigits(Math.round(noiseScale))} samples at the end`
    : 'could not be measured at the end: hardly any gradient was left'
  return [...grew, `The gradient noise scale ${told}`]
}

/** 'The process held 121 MiB at most: the peak, 25 MiB of JavaScript heap, ...' */
function describeProcess(held: ProcessBytes): string {
  const { peakBytes, webAssemblyTouchedBytes, javaScriptHeapBytes, hostDataBytes, otherBytes } = held
  const parts = [
    ...(webAssemblyTouchedBytes > 0 ? [`this peak ${formatBytes(webAssemblyTouchedBytes)}`] : []),
    `JavaScript heap ${formatBytes(javaScriptHeapBytes)}`,
    `data on the host ${formatBytes(hostDataBytes)}`,
    `Node, threads${webAssemblyTouchedBytes > 0 ? '' : ', driver'} and code ${formatBytes(otherBytes)}`,
  ]
  return `The whole process held at most ${formatBytes(peakBytes)}: ${parts.join(', ')}`
}
