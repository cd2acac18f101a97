/** `sluice train`: plan, train, and say whether the plan held. */
import type { Dataset } from '../data/index.js'
import type { Device } from '../device/device.js'
import { heapLimit } from '../device/heap-device.js'
import { openDevice } from '../device/open.js'
import { formatBytes, groupDigits } from '../memory/bytes.js'
import { InterruptedError } from '../stream/errors.js'
import type { Plan } from '../stream/plan.js'
import type { EpochResult, StepResult } from '../stream/streamer.js'
import { announcePlan, describeJob, showBytes, writePicture } from './announce.js'
import { type Command, EXIT, emit, type Io } from './io.js'
import { build, JOB_OPTIONS, type Job, loadSets, parseJob, type Sets, stepsPerEpoch } from './job.js'
import { findNeeds, type Needs } from './needs.js'
import { describeOptions, UsageError } from './options.js'
import { type Listener, Progress, showLoss, showShare } from './progress.js'

export const train: Command = {
  name: 'train',
  summary: 'train a model under a byte budget',
  help: () =>
    `Usage: sluice train [options]

Trains a model on real images with mini-batches of any size under a hard byte budget: plans how each
mini-batch goes through it in micro-batches, trains, and compares every step's measured peak with its plan.

${describeOptions(JOB_OPTIONS)}

Exits 0 when done, 2 on bad usage, 3 if it does not fit (and says the smallest budget that would do),
130 when interrupted, 1 on anything else.
`,
  async run(args, io) {
    const asked = parseJob('train', args)
    if (asked.help) {
      io.out(train.help())
      return EXIT.done
    }
    const started = performance.now()
    const limit = heapLimit(asked.memoryBytes)
    if (limit) throw new UsageError(`--memory: ${limit}`)
    const sets = await loadSets(asked)
    const job = { ...asked, batch: Math.min(asked.batch, sets.train.length) }
    const needs = findNeeds(job, sets)
    const notes =
      job.batch < asked.batch
        ? [`the training data has ${groupDigits(job.batch)} samples: one mini-batch of all of them per epoch`]
        : []
    if (!job.json) io.out(`Training ${describeJob(job, sets, needs)}\n\n`)
    const device = await openDevice(job.device, { memory: job.memoryBytes })
    try {
      return await trainOn(device, job, sets, needs, notes, started, io)
    } finally {
      device.close()
    }
  },
}

async function trainOn(
  device: Device,
  job: Job,
  sets: Sets<Dataset>,
  needs: Needs,
  notes: readonly string[],
  started: number,
  io: Io,
): Promise<number> {
  const { json, batch, epochs, microBatch } = job
  const { streamer } = build(job, sets, device)
  const plan = streamer.plan({ batch, microBatch })
  const evaluation = streamer.plan({ mode: 'evaluate', batch: sets.test.length, microBatch })
  announcePlan(io, job, plan, needs, notes)
  await writePicture(job, streamer, plan)
  if (!json) io.out('\n')

  const steps = epochs * stepsPerEpoch(job, sets)
  const tally = new Tally()
  const listener = json
    ? jsonLines(io)
    : new Progress(io, { epochs, steps, samples: sets.train.length, budgetBytes: job.memoryBytes })
  try {
    const training = streamer.fit(sets.train, {
      batch,
      epochs,
      microBatch,
      evaluate: sets.test,
      signal: io.signal,
      onMicroBatch: ({ samples }) => listener.microBatch(samples),
      onEpoch: (result) => {
        // The evaluation was the last to run, so the device's peak is its own.
        tally.epoch(result, device.memory.peakBytes, evaluation.plannedPeakBytes)
        listener.epoch(result)
      },
    })
    for await (const result of training) {
      tally.step(result)
      listener.step(result)
    }
  } catch (error) {
    listener.end()
    if (!(error instanceof InterruptedError)) throw error
    interrupted(job, tally, steps, io)
    return EXIT.interrupted
  }
  listener.end()
  done(job, tally, needs, plan, performance.now() - started, io)
  return EXIT.done
}

/** What happened, counted for the summary. */
class Tally {
  steps = 0
  loss: number | undefined
  accuracy: number | undefined
  testLoss: number | undefined
  evaluations = 0
  /** steps and evaluations whose measured peak was the planned one, to the byte */
  stepsAsPlanned = 0
  evaluationsAsPlanned = 0
  /** the highest of all */
  peakBytes = 0
  plannedPeakBytes = 0

  step({ loss, peakBytes, plannedPeakBytes }: StepResult): void {
    this.steps++
    this.loss = loss
    if (peakBytes === plannedPeakBytes) this.stepsAsPlanned++
    this.#raise(peakBytes, plannedPeakBytes)
  }

  epoch({ testLoss, testAccuracy }: EpochResult, peakBytes: number, plannedPeakBytes: number): void {
    this.evaluations++
    this.testLoss = testLoss
    this.accuracy = testAccuracy
    if (peakBytes === plannedPeakBytes) this.evaluationsAsPlanned++
    this.#raise(peakBytes, plannedPeakBytes)
  }

  #raise(peakBytes: number, plannedPeakBytes: number): void {
    this.peakBytes = Math.max(this.peakBytes, peakBytes)
    this.plannedPeakBytes = Math.max(this.plannedPeakBytes, plannedPeakBytes)
  }
}

/** Epochs count from 1, as steps do. */
const jsonLines = (io: Io): Listener => ({
  microBatch() {},
  step({ weight, epoch, ...result }) {
    emit(io, 'step', { epoch: epoch + 1, ...result })
  },
  epoch({ epoch, ...result }) {
    emit(io, 'epoch', { epoch: epoch + 1, ...result })
  },
  end() {},
})

function interrupted({ json }: Job, { steps, loss, accuracy }: Tally, of: number, io: Io): void {
  const so =
    loss === undefined
      ? 'before the first step was committed'
      : `after ${groupDigits(steps)} of ${groupDigits(of)} steps, the last with loss ${showLoss(loss)}`
  const text = `Interrupted ${so}. Nothing of the mini-batch that was running was committed.\n`
  if (json) {
    emit(io, 'interrupted', { steps, loss: loss ?? null, testAccuracy: accuracy ?? null })
    io.err(text)
  } else {
    io.out(text)
  }
}

function done({ json, memoryBytes }: Job, tally: Tally, needs: Needs, plan: Plan, wallMs: number, io: Io): void {
  const { steps, stepsAsPlanned, evaluations, evaluationsAsPlanned, accuracy, testLoss, peakBytes, plannedPeakBytes } =
    tally
  if (json) {
    emit(io, 'done', {
      testAccuracy: accuracy ?? null,
      testLoss: testLoss ?? null,
      peakBytes,
      plannedPeakBytes,
      budgetBytes: memoryBytes,
      steps,
      stepsAsPlanned,
      evaluations,
      evaluationsAsPlanned,
      wallMs,
    })
    return
  }
  const times = needs.wholeBatchBytes / memoryBytes
  const whole = `The whole mini-batch of ${groupDigits(plan.batch)} needs ${formatBytes(needs.wholeBatchBytes)}`
  const asPlanned = stepsAsPlanned === steps && evaluationsAsPlanned === evaluations
  const share = showShare(peakBytes / memoryBytes)
  const lines = [
    accuracy === undefined ? 'Done' : `Test accuracy ${showShare(accuracy)}`,
    times > 1
      ? `${whole}, ${times.toFixed(1)} times the budget; it went through in ${plan.sizes.length} micro-batches`
      : `${whole}, within the budget`,
    asPlanned
      ? `The measured peak equalled the plan to the byte in all ${steps} steps and ${evaluations} evaluations`
      : `The measured peak equalled the plan in only ${stepsAsPlanned} of ${steps} steps and ` +
        `${evaluationsAsPlanned} of ${evaluations} evaluations`,
    `Highest peak ${showBytes(peakBytes)}, ${share} of the budget of ${formatBytes(memoryBytes)}`,
    `${(wallMs / 1000).toFixed(1)} s`,
  ]
  io.out(`\n${lines.join('.\n')}.\n`)
}
