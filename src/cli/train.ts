/** `sluice train`: plan, train, and say whether the plan held. */
import { DeviceLostError } from '../device/errors.js'
import { heapLimit } from '../device/heap-device.js'
import { openDevice } from '../device/open.js'
import { groupDigits } from '../memory/bytes.js'
import { InterruptedError } from '../stream/errors.js'
import type { Plan } from '../stream/plan.js'
import type { Streamer } from '../stream/streamer.js'
import { announcePlan, describeJob, growthNote, shareNote, writePicture } from './announce.js'
import { chooseFastest } from './choose.js'
import { describeModels, GROWTH, JOB_OPTIONS, KEEP } from './flags.js'
import { type Command, EXIT, emit, type Io } from './io.js'
import { build, type Job, parseJob, shapesFor, totalSteps } from './job.js'
import { Keeper, restore, resume } from './keep.js'
import { Log } from './log.js'
import { findNeeds, type Needs } from './needs.js'
import { describeExamples, describeOptions, UsageError } from './options.js'
import { ProcessMemory } from './process.js'
import { type Listener, Progress } from './progress.js'
import { type AnySet, DATA_HELP, loadSets, type Sets } from './sets.js'
import { showDone, showInterrupted, Tally } from './summary.js'
import { taskOf } from './task.js'

const { help: HELP, ...OPTIONS } = JOB_OPTIONS

const EXAMPLES = {
  'sluice train': 'the main job',
  'sluice train --model mlp --batch 512 --memory 512KiB': 'another model, under a quarter of the budget',
  'sluice train --checkpoint run.safetensors --every 10': 'keep the training in a file',
  'sluice train --batch auto --max-batch 512': 'a mini-batch that grows with the noise of its gradient',
  'sluice train --log run.jsonl': 'write its numbers to a file, for sluice plot',
  'sluice train --resume run.safetensors --memory 1MiB': 'go on from it, under another budget',
} as const

export const train: Command = {
  name: 'train',
  summary: 'train a model under a byte budget',
  help: () =>
    `Usage: sluice train [options]

Trains a model on real images with mini-batches of any size under a hard byte budget: plans how each
mini-batch goes through it in micro-batches, trains, and compares every step's measured peak with its plan.

${describeOptions({ ...OPTIONS, ...GROWTH, ...KEEP, help: HELP })}

${DATA_HELP}

${describeModels()}

${describeExamples(EXAMPLES)}

Exits 0 when done, 2 on bad usage, 3 if it does not fit (and names the smallest budget that is enough),
130 when interrupted by Ctrl-C, 143 by SIGTERM, 1 on anything else.
`,
  run: (args, io) => trainWith(args, io, train.help()),
}

/** Computes the gradients of a training elsewhere: see serve.ts. */
export interface Cluster {
  readonly fit: Streamer['fit']
  /** as told in the progress of a person, and as `--json` has it */
  told(): readonly string[]
  fields(): object
  close(): Promise<void>
}

/** Train as the flags say. @param open  if given, gradients are computed elsewhere */
export async function trainWith(
  args: readonly string[],
  io: Io,
  help: string,
  open?: (streamer: Streamer, job: Job) => Promise<Cluster>,
): Promise<number> {
  const given = parseJob('train', args)
  if (given.help) {
    io.out(help)
    return EXIT.done
  }
  const resumed = given.resume === undefined ? null : await resume(given.resume, args)
  const asked = resumed?.job ?? given
  const started = performance.now()
  const limit = asked.device === 'gpu' ? null : heapLimit(asked.memoryBytes)
  if (limit) throw new UsageError(`--memory: ${limit}`)
  const sets = await loadSets(asked)
  const capped = { ...asked, batch: Math.min(asked.batch, sets.train.length) }
  const needs = findNeeds(capped, sets)
  const notes = [
    ...shareNote(asked),
    ...(capped.grows ? [growthNote(capped)] : []),
    ...(capped.batch < asked.batch && !capped.grows
      ? [`the training data has ${groupDigits(capped.batch)} samples: one mini-batch of all of them per epoch`]
      : []),
    ...(resumed?.notes ?? []),
  ]
  if (!asked.json) io.out(`Training ${describeJob(capped, sets, needs)}\n\n`)
  const device = await openDevice(asked.device, { memory: asked.memoryBytes, threads: asked.threads, simd: 'wide' })
  let cluster: Cluster | undefined
  try {
    const { streamer } = build(capped, sets, device)
    if (resumed && asked.resume !== undefined) await restore(asked.resume, resumed, streamer, io)
    const job = capped.fastest ? await chooseFastest(capped, sets, streamer, io) : capped
    const plan = streamer.plan({ ...shapesFor(sets), batch: job.batch, microBatch: job.microBatch })
    announcePlan(io, job, plan, needs, notes)
    await writePicture(job, sets, streamer, plan)
    if (!job.json) io.out('\n')
    cluster = await open?.(streamer, job)
    const tally = new Tally(stepsBefore(job, sets, streamer))
    const memory = new ProcessMemory()
    const completed = await io.interruptible((signal) =>
      follow(job, sets, streamer, tally, memory, io, signal, cluster),
    )
    const held = memory.measure(device, tally.peakBytes)
    const wallMs = performance.now() - started
    if (completed) showDone(io, job, tally, { ...reached(job, sets, streamer, tally, plan, needs), held, wallMs })
    else showInterrupted(io, job, tally, job.grows ? null : totalSteps(job, sets))
    return completed ? EXIT.done : EXIT.interrupted
  } finally {
    await cluster?.close()
    await device.close()
  }
}

/** The plan of the largest mini-batch that there was. */
function reached(
  { grows, microBatch }: Job,
  sets: Sets,
  streamer: Streamer,
  { largest }: Tally,
  plan: Plan,
  needs: Needs,
) {
  if (!grows || largest === 0) return { plan, needs }
  const reached = streamer.plan({ ...shapesFor(sets), batch: largest, microBatch })
  return { plan: reached, needs: { ...needs, wholeBatchBytes: reached.wholeBatchBytes } }
}

/** The steps before the cursor, in mini-batches of this job. If the mini-batch grows: the steps that were made. */
function stepsBefore({ batch, grows }: Job, { train }: Sets, { cursor, optimizer }: Streamer): number {
  if (grows) return optimizer.steps
  return cursor.epoch * Math.ceil(train.length / batch) + Math.ceil(cursor.samples / batch)
}

/** Train to the end, and count in `tally`. @returns false if the training was interrupted */
async function follow(
  job: Job,
  sets: Sets<AnySet>,
  streamer: Streamer,
  tally: Tally,
  memory: ProcessMemory,
  io: Io,
  signal: AbortSignal,
  cluster?: Cluster,
): Promise<boolean> {
  const { json, batch, grows, epochs, microBatch } = job
  const samples = sets.train.length
  const task = taskOf(sets.train)
  const { cursor } = streamer
  const before = { steps: tally.before, samples: cursor.epoch * samples + cursor.samples }
  const size = {
    epochs,
    steps: grows ? null : totalSteps(job, sets),
    samples,
    budgetBytes: job.memoryBytes,
    before,
    more: cluster?.told,
  }
  const listeners = [
    json ? recorded((event, fields) => emit(io, event, fields)) : new Progress(io, size),
    ...logOf(job, tally, size.steps),
  ]
  const tell = (how: (listener: Listener) => void): void => listeners.forEach(how)
  const keeper = new Keeper(io, job, streamer)
  try {
    // write at once, so that a file that cannot be written is an error before any training
    await keeper.keep()
    if (cursor.epoch >= epochs) {
      const evaluation = await streamer.evaluate(sets.test, { microBatch, signal, metrics: task.metrics })
      tally.evaluation(evaluation, task.scores(evaluation))
    }
    const training = (cluster ?? streamer).fit(sets.train, {
      batch: grows ? { to: batch, learningRate: grows } : batch,
      epochs,
      microBatch,
      evaluate: sets.test,
      metrics: task.metrics,
      from: cursor,
      signal,
      onMicroBatch: ({ samples }) => tell((listener) => listener.microBatch(samples)),
      onEpoch: async ({ epoch, trainLoss, evaluation, noiseScale, imagesPerSecond }) => {
        if (!evaluation) return
        const { loss, accuracy = Number.NaN } = evaluation
        const scores = task.scores(evaluation)
        tally.evaluation(evaluation, scores)
        const ended = {
          epoch: epoch + 1,
          testLoss: loss,
          testAccuracy: accuracy,
          scores,
          trainLoss,
          noiseScale,
          imagesPerSecond,
        }
        tell((listener) => listener.epoch(ended))
        await keeper.keep()
      },
    })
    for await (const result of training) {
      tally.step(result)
      tell((listener) => listener.step(result))
      if (json && cluster) emit(io, 'cluster', cluster.fields())
      await keeper.step()
      memory.sample()
    }
    return true
  } catch (error) {
    if (error instanceof DeviceLostError) throw await keeper.keepAfterLoss(error)
    if (!(error instanceof InterruptedError)) throw error
    await keeper.keep()
    return false
  } finally {
    tell((listener) => listener.end())
  }
}

/** The events of a training, each given to `add` with its name. */
const recorded = (add: (event: string, fields: object) => void, end = (): void => {}): Listener => ({
  microBatch() {},
  step({ weight, epoch, ...result }) {
    add('step', { epoch: epoch + 1, ...result })
  },
  epoch(result) {
    add('epoch', result)
  },
  end,
})

/** The file of `--log`, which begins with what the training is; none if the flag is not given. */
function logOf(job: Job, { before }: Tally, steps: number | null): Listener[] {
  const { log: path, flags, memoryBytes: budgetBytes, resume: from } = job
  if (path === undefined) return []
  const log = new Log(path, { append: from !== undefined })
  log.add('run', { time: new Date().toISOString(), flags, budgetBytes, before, steps })
  return [
    recorded(
      (event, fields) => log.add(event, fields),
      () => log.close(),
    ),
  ]
}
