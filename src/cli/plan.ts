/** `sluice plan`: will it fit, and how? Everything on shapes alone: no data, no device memory. */
import { heapLimit } from '../device/heap-device.js'
import { openVirtualDevice } from '../device/open.js'
import { groupDigits } from '../memory/bytes.js'
import { announcePlan, describeJob, shareNote, showBytes, writePicture, writePlan } from './announce.js'
import { describeModels, JOB_OPTIONS, PLAN_OPTIONS } from './flags.js'
import { type Command, EXIT, type Io } from './io.js'
import { build, type Job, parseJob, shapesFor } from './job.js'
import { announceLargest, enlarged, findLargest } from './largest.js'
import { findNeeds, needsOf, plannedBatches } from './needs.js'
import { describeExamples, describeOptions } from './options.js'
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
or the largest size of the model. But for the first, a mini-batch may go sample by sample unless --micro-batch asks
for more.

Without data, --image plans for colour images of that size, and --context for sequences of so many tokens.
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
  const { batch, microBatch, memoryBytes } = job
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
  if (!job.json) io.out(`${describeJob(job, sets, needs)}\n\n`)
  announcePlan(io, job, found, needs, notes, job.recompute === 'never' ? undefined : found.frontier())
  await writePlan(job, found)
  await writePicture(job, sets, streamer, found)
}
