/** `sluice train`: plan, train, and say whether the plan held. */
import type { Dataset } from '../data/index.js'
import { heapLimit } from '../device/heap-device.js'
import { openDevice } from '../device/open.js'
import { groupDigits } from '../memory/bytes.js'
import { InterruptedError } from '../stream/errors.js'
import type { Streamer } from '../stream/streamer.js'
import { announcePlan, describeJob, writePicture } from './announce.js'
import { chooseFastest } from './choose.js'
import { type Command, EXIT, emit, type Io } from './io.js'
import { build, JOB_OPTIONS, type Job, loadSets, parseJob, type Sets, totalSteps } from './job.js'
import { findNeeds } from './needs.js'
import { describeOptions, UsageError } from './options.js'
import { type Listener, Progress } from './progress.js'
import { showDone, showInterrupted, Tally } from './summary.js'

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
    const limit = asked.device === 'gpu' ? null : heapLimit(asked.memoryBytes)
    if (limit) throw new UsageError(`--memory: ${limit}`)
    const sets = await loadSets(asked)
    const capped = { ...asked, batch: Math.min(asked.batch, sets.train.length) }
    const needs = findNeeds(capped, sets)
    const notes =
      capped.batch < asked.batch
        ? [`the training data has ${groupDigits(capped.batch)} samples: one mini-batch of all of them per epoch`]
        : []
    if (!asked.json) io.out(`Training ${describeJob(capped, sets, needs)}\n\n`)
    const device = await openDevice(asked.device, { memory: asked.memoryBytes, threads: asked.threads })
    try {
      const { streamer } = build(capped, sets, device)
      const job = capped.fastest ? await chooseFastest(capped, sets, streamer, io) : capped
      const plan = streamer.plan({ batch: job.batch, microBatch: job.microBatch })
      announcePlan(io, job, plan, needs, notes)
      await writePicture(job, streamer, plan)
      if (!job.json) io.out('\n')
      const tally = new Tally()
      const completed = await io.interruptible((signal) => follow(job, sets, streamer, tally, io, signal))
      if (completed) showDone(io, job, tally, { plan, needs, wallMs: performance.now() - started })
      else showInterrupted(io, job, tally, totalSteps(job, sets))
      return completed ? EXIT.done : EXIT.interrupted
    } finally {
      await device.close()
    }
  },
}

/** Train to the end, and count in `tally`. @returns false if the training was interrupted */
async function follow(
  job: Job,
  sets: Sets<Dataset>,
  streamer: Streamer,
  tally: Tally,
  io: Io,
  signal: AbortSignal,
): Promise<boolean> {
  const { json, batch, epochs, microBatch } = job
  const size = { epochs, steps: totalSteps(job, sets), samples: sets.train.length, budgetBytes: job.memoryBytes }
  const listener = json ? jsonLines(io) : new Progress(io, size)
  try {
    const training = streamer.fit(sets.train, {
      batch,
      epochs,
      microBatch,
      evaluate: sets.test,
      signal,
      onMicroBatch: ({ samples }) => listener.microBatch(samples),
      onEpoch: ({ epoch, trainLoss, evaluation, imagesPerSecond }) => {
        if (!evaluation) return
        const { loss, accuracy = Number.NaN } = evaluation
        tally.evaluation(evaluation)
        listener.epoch({ epoch: epoch + 1, testLoss: loss, testAccuracy: accuracy, trainLoss, imagesPerSecond })
      },
    })
    for await (const result of training) {
      tally.step(result)
      listener.step(result)
    }
    return true
  } catch (error) {
    if (error instanceof InterruptedError) return false
    throw error
  } finally {
    listener.end()
  }
}

const jsonLines = (io: Io): Listener => ({
  microBatch() {},
  step({ weight, epoch, ...result }) {
    emit(io, 'step', { epoch: epoch + 1, ...result })
  },
  epoch(result) {
    emit(io, 'epoch', result)
  },
  end() {},
})
