/** The questions that the page of `--html` answers: what budget is enough, and how large may the job be? */
import { groupDigits } from '../memory/bytes.js'
import { SluiceError } from '../memory/errors.js'
import { showBytes } from './announce.js'
import { JOB_OPTIONS, KEPT_FLAGS, type Knob } from './flags.js'
import type { Job } from './job.js'
import { findLargest } from './largest.js'
import type { Needs } from './needs.js'
import type { Options } from './options.js'
import { knobsOf } from './samples.js'
import { SAMPLES, type Sets } from './sets.js'

export interface Answer {
  readonly question: string
  readonly answer: string
  /** why it is not larger */
  readonly why?: string
  /** the command that shows more of it */
  readonly command?: string
}

/**
 * The time of the CPU for all searches together. Each gets an equal part of what those before it have left, and is given up
 * after that.
 */
const SEARCHES_MS = 4000

class TooLong extends Error {}

const QUESTIONS: Readonly<Record<Knob, string>> = {
  batch: 'The largest mini-batch in one piece',
  image: 'The largest square images',
  context: 'The longest context',
  width: 'The largest width of the model',
  layers: 'The most layers',
  filters: 'The most filters',
  levels: 'The most levels',
}

/** The flags that differ from their defaults, as a command for a shell. `more` wins over the job's own flags. */
export function commandOf({ flags, made }: Job, more: Readonly<Record<string, string>> = {}): string {
  const presets: Options = JOB_OPTIONS
  const given = KEPT_FLAGS.flatMap((name): [string, string][] => {
    const value = flags[name]
    return value === undefined || value === presets[name]?.default ? [] : [[name, value]]
  })
  const outputs = made ? { [made.sample === 'tokens' ? 'vocabulary' : 'classes']: String(made.classes) } : {}
  const all = Object.entries({ ...Object.fromEntries(given), ...outputs, ...more })
  return ['sluice plan', ...all.map(([name, value]) => `--${name} ${quoted(value)}`)].join(' ')
}

const quoted = (value: string): string =>
  /^[\w./:%=+,@-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`

/** The answers for a job that can be planned. */
export function answersFor(job: Job, sets: Sets, needs: Needs): Answer[] {
  const { minimumBudgetBytes, wholeBatchBytes } = needs
  const withMemory = (bytes: number): string => commandOf(job, { memory: String(bytes) })
  const knobs = knobsOf(job.model, job.made?.sample ?? SAMPLES[job.data.form]).filter(
    (knob) => knob !== 'image' || sets.train.inputShape.length === 3,
  )
  const started = process.cpuUsage()
  return [
    {
      question: 'The smallest budget that is enough',
      answer: showBytes(minimumBudgetBytes),
      command: withMemory(minimumBudgetBytes),
    },
    Number.isFinite(wholeBatchBytes)
      ? {
          question: 'The budget for the whole mini-batch in one piece',
          answer: showBytes(wholeBatchBytes),
          command: withMemory(wholeBatchBytes),
        }
      : {
          question: 'The budget for the whole mini-batch in one piece',
          answer: 'None: its tensors are larger than this device has.',
        },
    ...knobs.map((knob, i) => {
      const limitMs = (SEARCHES_MS - millisecondsSince(started)) / (knobs.length - i)
      return largestOf(knob, job, sets, limitMs)
    }),
  ]
}

/** The processor time of this process since `started`. */
function millisecondsSince(started: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(started)
  return (user + system) / 1000
}

function largestOf(knob: Knob, job: Job, sets: Sets, limitMs: number): Answer {
  const question = QUESTIONS[knob]
  const command = commandOf(job, { largest: knob })
  const started = process.cpuUsage()
  try {
    const { value, next } = findLargest(knob, { job, sets }, () => {
      if (millisecondsSince(started) > limitMs) throw new TooLong()
    })
    const show = (size: number): string => (knob === 'image' ? `${size} x ${size}` : groupDigits(size))
    const why = next ? `With ${show(next.value)}: ${next.error.message}` : undefined
    return { question, answer: show(value), why, command }
  } catch (error) {
    if (error instanceof TooLong) return { question, answer: 'Not searched here: the search takes long.', command }
    if (error instanceof SluiceError) return { question, answer: 'None', why: error.message }
    throw error
  }
}
