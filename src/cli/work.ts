/** `sluice work`: a worker for `sluice serve-train`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { work as compute, described } from '../cluster/index.js'
import { openDevice } from '../device/open.js'
import { parseJson } from '../io/index.js'
import { formatBytes, groupDigits } from '../memory/bytes.js'
import { isRecord } from '../tensor/saved-state.js'
import { JOB_OPTIONS } from './flags.js'
import { type Command, EXIT, emit } from './io.js'
import { type Job, modelFor, parseJob } from './job.js'
import { flagsIn, TEXT } from './keep.js'
import { describeExamples, describeOptions, parseOptions, UsageError } from './options.js'
import { ENGINE, engineOf } from './serve.js'
import { loadSets } from './sets.js'

const { memory, data, device, threads, recompute, json, help } = JOB_OPTIONS
/** What a worker decides itself. */
const { default: _, ...dataOfOwn } = data
const OWN = { memory, data: dataOfOwn, device, threads, recompute } as const
const OPTIONS = { ...ENGINE, ...OWN, json, help } as const

const EXAMPLES = {
  'sluice work --redis redis://localhost --memory 512MiB': 'work until Ctrl-C',
  'sluice work --redis redis://localhost --data images:photos': 'with its own copy of the data',
} as const

/** How often to ask whether a coordinator is there. */
const ASK_MS = 500
const TELL_MS = 2000

export const work: Command = {
  name: 'work',
  summary: 'compute gradients for sluice serve-train',
  help: () =>
    `Usage: sluice work --redis URL [options]

Computes ranges of mini-batches for a training that sluice serve-train runs under the same name, each within the
budget of this process. Model and settings are those of the training. Data that have a path are looked for only where
--data says: a training cannot name files of this machine.

${describeOptions(OPTIONS)}

${describeExamples(EXAMPLES)}
`,
  async run(args, io) {
    const { values } = parseOptions('work', args, OPTIONS)
    if (values.help) {
      io.out(work.help())
      return EXIT.done
    }
    const engine = engineOf(values)
    return io.interruptible(async (signal) => {
      const text = await description(engine, signal)
      if (text === null) return EXIT.interrupted
      const job = jobOf(text, args, values.data)
      const device = await openDevice(job.device, { memory: job.memoryBytes, threads: job.threads, simd: 'wide' })
      try {
        const sets = await loadSets(job)
        const { model, loss } = modelFor(job, sets, device)
        if (!values.json)
          io.out(`Working for '${engine.name}': ${job.model} on ${sets.train.name}, ${formatBytes(job.memoryBytes)}\n`)
        let [ranges, samples, ms, last] = [0, 0, 0, performance.now()]
        const done = await compute({
          ...engine,
          model,
          loss,
          data: sets.train,
          recompute: job.recompute,
          signal,
          onRange(range) {
            if (values.json) return emit(io, 'range', range)
            ranges++
            samples += range.samples
            ms += range.ms
            if (performance.now() - last < TELL_MS) return
            last = performance.now()
            const rate = groupDigits(Math.round((1000 * samples) / ms))
            io.out(
              `step ${range.step + 1}   ${ranges} ranges   ${rate} images/s   peak ${formatBytes(range.peakBytes)}\n`,
            )
          },
        })
        if (values.json) emit(io, 'done', done)
        else
          io.out(
            `${groupDigits(done.ranges)} ranges, ${groupDigits(done.samples)} samples, peak ${formatBytes(done.peakBytes)}\n`,
          )
        return EXIT.done
      } finally {
        await device.close()
      }
    })
  },
}

/** What the coordinator says; null: the wait was interrupted. */
async function description(engine: ReturnType<typeof engineOf>, signal: AbortSignal): Promise<string | null> {
  while (!signal.aborted) {
    const text = await described(engine)
    if (text) return text
    await sleep(ASK_MS, undefined, { signal }).catch(() => {})
  }
  return null
}

/**
 * The job of the coordinator, with what this worker decides itself.
 * @throws UsageError  its data have a path, and this worker was given none
 */
function jobOf(text: string, args: readonly string[], data: string | undefined): Job {
  const fields: unknown = parseJson(text)
  const flags =
    isRecord(fields) && typeof fields[TEXT] === 'string' ? flagsIn('the coordinator', { [TEXT]: fields[TEXT] }) : {}
  const kept = Object.entries(flags).filter(([name]) => name === 'data' || !(name in OWN))
  const theirs = kept.map(([name, value]) => `--${name}=${value}`)
  if (flags.data?.includes(':') && data === undefined) {
    throw new UsageError(
      `the training learns from --data ${flags.data}: give --data with the path of this machine's copy`,
    )
  }
  const own = parseOptions('work', args, OPTIONS).values
  const ours = Object.keys(OWN).flatMap((name) => {
    const value = own[name as keyof typeof OWN]
    return value === undefined ? [] : [`--${name}=${value}`]
  })
  return parseJob('train', [...theirs, ...ours])
}
