/** `sluice plan`: will it fit, and how? Everything on shapes alone: no data, no device memory. */
import { heapLimit } from '../device/heap-device.js'
import { openVirtualDevice } from '../device/open.js'
import { formatBytes, groupDigits } from '../memory/bytes.js'
import { DoesNotFitError } from '../stream/errors.js'
import type { FrontierPoint, Plan } from '../stream/plan.js'
import type { Streamer } from '../stream/streamer.js'
import {
  announcePlan,
  describeJob,
  drawStep,
  shareNote,
  showBytes,
  writePicture,
  writePlan,
  writeTo,
} from './announce.js'
import { answersFor, commandOf } from './answers.js'
import { describeModels, JOB_OPTIONS, PLAN_OPTIONS } from './flags.js'
import { type Command, EXIT, type Io } from './io.js'
import { build, type Job, parseJob, shapesFor } from './job.js'
import { announceLargest, enlarged, findLargest } from './largest.js'
import { findNeeds, type Needs, needsOf, plannedBatches } from './needs.js'
import { describeExamples, describeOptions } from './options.js'
import { drawPage } from './page.js'
import { DATA_HELP, type Sets, shapesOf } from './sets.js'

const { epochs, schedule, 'warm-up': warmUp, lr, threads, help: HELP, ...PRINTED } = JOB_OPTIONS
/** `plan` runs nothing, so it can neither let a mini-batch grow nor measure the fastest size. */
const BATCH = { ...JOB_OPTIONS.batch, value: 'N', help: 'samples in a mini-batch' }
const MICRO_BATCH = { ...JOB_OPTIONS['micro-batch'], value: 'fit|N', help: 'largest that fits, or at most N samples' }

const EXAMPLES = {
  'sluice plan --batch 8192 --memory 4MiB': 'how a large mini-batch would go',
  'sluice plan --model convnet --largest batch': 'the largest mini-batch that goes in one piece',
  'sluice plan --model resnet50 --image 224 --memory 4GiB': 'a network for images that are not there',
  'sluice plan --memory 1MiB --out plan.json': 'every instruction and block, for sluice verify',
  'sluice plan --model convnet --html plan.html': 'the report as a page with pictures',
} as const

export const plan: Command = {
  name: 'plan',
  summary: 'the memory report of a training; trains nothing',
  help: () =>
    `Usage: sluice plan [options]

Says how a mini-batch goes through a byte budget, and what budget it needs: by recording the step on shapes
alone. Takes the flags of train; those that do not change the memory are left out here.

${describeOptions({ ...PRINTED, batch: BATCH, 'micro-batch': MICRO_BATCH, ...PLAN_OPTIONS, help: HELP })}

--largest finds the largest mini-batch that goes in one piece, the largest side of square images, the longest context,
or the largest size of the model. Except with batch, a mini-batch may go sample by sample unless --micro-batch asks for more.

Without data, --image plans for colour images of that size, and --context for sequences of that many tokens.
${DATA_HELP}

${describeModels()}

${describeExamples(EXAMPLES)}

Exits 3 if it does not fit, and names the smallest budget that is enough.
`,
  async run(args, io) {
    const job = parseJob('plan', args)
    if (job.help) {
      io.out(plan.help())
      return EXIT.done
    }
    const sets = await shapesOf(job)
    const { largest: knob } = job
    if (knob === undefined) {
      await report(job, sets, io)
      return EXIT.done
    }
    const found = findLargest(knob, { job, sets })
    announceLargest(io, knob, job, found)
    const at = enlarged(knob, { job, sets }, found.value)
    await report(at.job, at.sets, io)
    return EXIT.done
  },
}

async function report(job: Job, sets: Sets, io: Io): Promise<void> {
  const reported = makeReport(job, sets)
  if (reported instanceof DoesNotFitError) {
    await writePage(job, sets, reported)
    throw reported
  }
  const { needs, plan: found, streamer, notes, frontier } = reported
  if (!job.json) io.out(`${describeJob(job, sets, needs)}\n\n`)
  announcePlan(io, job, found, needs, notes, frontier)
  await writePlan(job, found)
  await writePicture(job, sets, streamer, found)
  await writePage(job, sets, reported)
}

interface Report {
  readonly needs: Needs
  readonly plan: Plan
  readonly streamer: Streamer
  readonly notes: readonly string[]
  readonly frontier: readonly FrontierPoint[] | undefined
}

/** The report of a job, or why the job does not fit. */
function makeReport(job: Job, sets: Sets): Report | DoesNotFitError {
  const { batch, microBatch, memoryBytes } = job
  try {
    const isOne = plannedBatches(job, sets).length === 1 && microBatch === 'fit'
    const known = isOne ? null : findNeeds(job, sets)
    const { streamer, parameterCount } = build(job, sets, openVirtualDevice(job.device, { memory: memoryBytes }))
    const found = streamer.plan({ ...shapesFor(sets), batch, microBatch })
    const needs = known ?? needsOf(found, parameterCount)
    const limit = job.device === 'gpu' ? null : heapLimit(memoryBytes)
    const samples = groupDigits(sets.train.length)
    const notes = [
      ...shareNote(job),
      ...(limit ? [`this budget is for planning only: ${limit}`] : []),
      ...(job.made === null && batch > sets.train.length
        ? [`the training data has ${samples} samples: train takes them as one mini-batch per epoch`]
        : []),
      ...(microBatch === 'fit'
        ? []
        : [`micro-batch ${groupDigits(found.microBatch)} needs a budget of ${showBytes(found.neededBudgetBytes)}`]),
    ]
    const frontier = job.recompute === 'never' ? undefined : found.frontier()
    return { needs, plan: found, streamer, notes, frontier }
  } catch (error) {
    if (error instanceof DoesNotFitError) return error
    throw error
  }
}

/** Write the page of `--html`. Where the job does not fit, the page has the plan under a budget that is enough. */
async function writePage(job: Job, sets: Sets, reported: Report | DoesNotFitError): Promise<void> {
  const { html: file, largest, model, optimizer, batch, memoryBytes } = job
  if (file === undefined) return
  const refused = reported instanceof DoesNotFitError ? reported.message : null
  const enough = enoughFor(job, reported)
  const shown = reported instanceof DoesNotFitError ? makeReport(enough, sets) : reported
  if (shown instanceof DoesNotFitError) return
  const { needs, plan: found, streamer, notes, frontier } = shown
  const modules = streamer.model.namedModules()
  const page = drawPage({
    title: `${model}, ${optimizer}: ${groupDigits(batch)} samples under ${formatBytes(memoryBytes)}`,
    described: describeJob(job, sets, needs),
    plan: found,
    refused,
    frontier: frontier ?? [],
    timeline: drawStep(enough, sets, streamer, found),
    answers: answersFor(job, sets, needs),
    notes,
    command: commandOf(job, { ...(largest === undefined ? {} : { largest }), html: file }),
    kindOf: (path) => modules.get(path)?.constructor.name,
  })
  await writeTo('--html', file, page)
}

/** The job, with a budget that is enough where its own is not. */
function enoughFor(job: Job, reported: Report | DoesNotFitError): Job {
  if (!(reported instanceof DoesNotFitError)) return job
  const { neededBytes, minimumBudgetBytes } = reported
  const bytes = job.microBatch === 'fit' || !Number.isFinite(neededBytes) ? minimumBudgetBytes : neededBytes
  return { ...job, memoryBytes: bytes }
}
