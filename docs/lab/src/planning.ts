/** Plans for the page: from a budget to its plan by one recording, and the questions that take longer. Runs in a worker. */
import {
  BudgetExceededError,
  DoesNotFitError,
  largestThatFits,
  openVirtualDevice,
  type Plan,
  SluiceError,
} from 'sluice'
import { microOf, streamerOf } from './job'
import { type Picture, pictureOf } from './picture'
import { countsOf } from './samples'
import { planKey, type Settings } from './settings'

export interface Refusal {
  readonly message: string
  readonly minimumBudgetBytes: number
}

/** The plan of settings; where it does not fit, why, and the plan of the smallest budget that is enough. */
export interface Planned {
  readonly picture: Picture | null
  readonly refused: Refusal | null
  /** an error that no budget helps against */
  readonly fault: string | null
  readonly parameters: number
  readonly ms: number
}

type Streamer = ReturnType<typeof streamerOf>
interface Recording {
  readonly streamer: Streamer
  readonly under: (memory: number) => Plan
  readonly pictures: Map<number, Planned>
  readonly parameters: number
}

/** Recordings and plans that are kept. */
const RECORDINGS = 3
const PLANS = 200
const recordings = new Map<string, Recording>()

function recordingOf(settings: Settings): Recording {
  const key = planKey(settings)
  const known = recordings.get(key)
  if (known) return known
  const streamer = streamerOf(settings, openVirtualDevice(settings.device))
  const under = streamer.plansUnder({ batch: settings.batch, microBatch: microOf(settings) })
  const parameters = streamer.model.parameters().reduce((sum, { size }) => sum + size, 0)
  const made = { streamer, under, pictures: new Map<number, Planned>(), parameters }
  recordings.set(key, made)
  for (const oldest of recordings.keys()) if (recordings.size > RECORDINGS) recordings.delete(oldest)
  return made
}

export function planFor(settings: Settings): Planned {
  const started = performance.now()
  try {
    const recording = recordingOf(settings)
    const { pictures } = recording
    const made = pictures.get(settings.memory) ?? pictured(recording, settings.memory)
    if (pictures.size >= PLANS) pictures.clear()
    pictures.set(settings.memory, made)
    return { ...made, ms: performance.now() - started }
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    return { picture: null, refused: null, fault: error.message, parameters: 0, ms: performance.now() - started }
  }
}

function pictured({ streamer, under, parameters }: Recording, memory: number): Planned {
  const common = { fault: null, parameters, ms: 0 }
  try {
    return { picture: pictureOf(under(memory), streamer.model), refused: null, ...common }
  } catch (error) {
    if (!(error instanceof DoesNotFitError)) throw error
    const { message, minimumBudgetBytes } = error
    const refused = { message, minimumBudgetBytes }
    try {
      return { picture: pictureOf(under(minimumBudgetBytes), streamer.model), refused, ...common }
    } catch (other) {
      if (!(other instanceof DoesNotFitError)) throw other
      return { picture: null, refused, ...common }
    }
  }
}

/** What takes longer than a plan. */
export interface Answers {
  /** samples that go in one piece under this budget; 0: none */
  readonly onePiece: number
  /** the largest width under which the step fits, where it does not as it is; null: not asked, or none */
  readonly width: number | null
  /** the smallest budget if values may be made again for as long as it takes; null: not less than now */
  readonly needed: number | null
  /** the smallest budget of a whole training: the last mini-batch of an epoch and the test have plans of their own */
  readonly training: number
}

/** The smallest width that is tried grows to this. */
const WIDEST = 512

export function answersFor(settings: Settings): Answers {
  const { memory, batch, recompute } = settings
  const { train, test } = countsOf(settings)
  const under = recordingOf(settings).under
  const least = leastOf(under)
  const streamer = streamerOf(settings, openVirtualDevice(settings.device))
  const ragged = batch < train ? train % batch : train
  const microBatch = microOf(settings)
  const others = [
    ...(ragged > 0 ? [{ batch: ragged, microBatch }] : []),
    { mode: 'evaluate', batch: test, microBatch } as const,
  ]
  const training = Math.max(...others.map((options) => leastOf(streamer.plansUnder(options))))
  const onePiece = quietly(
    () =>
      largestThatFits((size) => recordingOf({ ...settings, batch: size, micro: size }).under(memory), { to: 65536 })
        .value,
  )
  const relaxed = recompute === 'needed' ? null : leastOf(recordingOf({ ...settings, recompute: 'needed' }).under)
  return {
    onePiece: onePiece ?? 0,
    width: memory >= least ? null : quietly(() => widest(settings)),
    needed: relaxed !== null && relaxed < least ? relaxed : null,
    training,
  }
}

const leastOf = (under: (memory: number) => Plan): number => {
  try {
    return under(2 ** 40).minimumBudgetBytes
  } catch (error) {
    if (error instanceof DoesNotFitError) return error.minimumBudgetBytes
    throw error
  }
}

const widest = (settings: Settings): number =>
  largestThatFits(
    (width) => {
      const device = openVirtualDevice(settings.device, { memory: settings.memory })
      const { batch } = settings
      return streamerOf({ ...settings, width }, device).plan({ batch, microBatch: microOf(settings) })
    },
    { to: WIDEST },
  ).value

function quietly<T>(fn: () => T): T | null {
  try {
    return fn()
  } catch (error) {
    if (error instanceof SluiceError || error instanceof BudgetExceededError) return null
    throw error
  }
}
