/**
 * A checkpoint as a safetensors file, from which training goes on in another process.
 *
 * Note [Checkpoint file]
 *   Parameters and buffers have their own names, so that every reader of weights finds them. The moments of the optimizer
 *   stand beside them as `optimizer/NAME.MOMENT`. Counters, cursor and seed are JSON in the text `sluice.checkpoint`. A
 *   schedule is a function of the steps, so it has no state.
 */
import {
  naming,
  parseJson,
  READ,
  type ReadOptions,
  readSafetensors,
  replaceFile,
  SAVE,
  type Safetensors,
  SafetensorsError,
  type SaveOptions,
  toSafetensors,
} from '../io/index.js'
import { checkArgument } from '../memory/arguments.js'
import { reasonOf, showValue } from '../memory/errors.js'
import { isRecord, type SavedState } from '../tensor/saved-state.js'
import { type Checkpoint, checkCheckpoint, type SavedCheckpoint } from './checkpoint.js'
import { type Cursor, cursorFrom, type Growth } from './cursor.js'
import type { NoiseSum } from './noise.js'

/** A checkpoint that was read from a file. */
export interface LoadedCheckpoint extends SavedCheckpoint {
  /** the texts of the file */
  readonly metadata: Readonly<Record<string, string>>
}

const TEXT = 'sluice.checkpoint'
const PREFIX = 'optimizer/'
const VERSION = 1

/**
 * Write a checkpoint to a safetensors file, in Node; elsewhere `checkpointToSafetensors` gives the bytes.
 *
 *     await saveCheckpoint(await streamer.checkpoint(), 'run.safetensors')
 *
 * The file is replaced as a whole or not at all. Throws the errors of `save`.
 */
export async function saveCheckpoint(checkpoint: Checkpoint, path: string, options?: SaveOptions): Promise<void> {
  await replaceFile(path, checkpointToSafetensors(checkpoint, options))
}

/** A checkpoint as the bytes of a safetensors file. Throws the errors of `toSafetensors`. */
export function checkpointToSafetensors(checkpoint: Checkpoint, options: SaveOptions = {}): Uint8Array {
  checkArgument('checkpointToSafetensors', 'options', options, SAVE)
  const { metadata } = options
  checkCheckpoint('saveCheckpoint', checkpoint)
  const { model, optimizer, cursor, seed, noise } = checkpoint
  const { steps, updates, moments } = optimizer
  const taken = Object.keys(model).find((name) => name.startsWith(PREFIX))
  if (taken) throw new SafetensorsError(`'${taken}' begins with '${PREFIX}', as the moments of an optimizer do`)
  const named = Object.entries(moments).map(([name, moment]) => [PREFIX + name, moment] as const)
  const text = JSON.stringify({ version: VERSION, steps, updates, cursor, seed, noise }, (_, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  )
  return toSafetensors({ ...model, ...Object.fromEntries(named) }, { ...metadata, [TEXT]: text })
}

/**
 * The checkpoint in a safetensors file.
 *
 *     streamer.restore(await loadCheckpoint('run.safetensors'))
 *     for await (const step of streamer.fit(source, { ...options, from: streamer.cursor })) ...
 *
 * @param source  the path of a file (in Node), or its bytes
 * @throws FileError  as `load`; also a SafetensorsError if the file has weights but no training
 */
export async function loadCheckpoint(source: string | Uint8Array, options?: ReadOptions): Promise<LoadedCheckpoint> {
  checkArgument('loadCheckpoint', 'options', options, READ)
  const file = await readSafetensors(source, options)
  return typeof source === 'string' ? naming(source, () => checkpointIn(file)) : checkpointIn(file)
}

/** The weights in a safetensors file. In a checkpoint the moments are left out. Throws what `load` throws. */
export async function loadWeights(source: string | Uint8Array, options?: ReadOptions): Promise<SavedState> {
  const { tensors, metadata } = await readSafetensors(source, options)
  if (!Object.hasOwn(metadata, TEXT)) return tensors
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => !name.startsWith(PREFIX)))
}

function checkpointIn({ tensors, metadata }: Safetensors): LoadedCheckpoint {
  if (!Object.hasOwn(metadata, TEXT)) {
    throw new SafetensorsError(`it has weights and no training (no text '${TEXT}'): load() reads weights`)
  }
  const { version, steps, updates, cursor, seed, noise } = parsed(metadata[TEXT])
  if (version !== VERSION) refuse('version', version, String(VERSION))
  const entries = Object.entries(tensors)
  const [moments, model] = [true, false].map((of) => entries.filter(([name]) => name.startsWith(PREFIX) === of))
  return {
    model: Object.fromEntries(model),
    optimizer: {
      steps: isCount(steps) ? steps : refuse('steps', steps, COUNT),
      updates: countsOf(updates),
      moments: Object.fromEntries(moments.map(([name, moment]) => [name.slice(PREFIX.length), moment])),
    },
    cursor: cursorOf(cursor),
    seed: isCount(seed) ? seed : refuse('seed', seed, COUNT),
    ...(noise !== undefined && { noise: noiseOf(noise) }),
    metadata,
  }
}

const COUNT = 'a whole number, 0 or more'

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

function refuse(what: string, value: unknown, expected: string): never {
  throw new SafetensorsError(`${TEXT}: ${what} is ${showValue(value)}; it must be ${expected}`)
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = parseJson(text)
    if (isRecord(value)) return value
  } catch (cause) {
    throw new SafetensorsError(`${TEXT} is not JSON (${reasonOf(cause)})`, { cause })
  }
  return refuse('it', text, 'an object')
}

function countsOf(updates: unknown): Record<string, number> {
  if (!isRecord(updates)) return refuse('updates', updates, 'an object')
  const counts = Object.entries(updates).map(([name, count]) => {
    return [name, isCount(count) ? count : refuse(`updates of ${name}`, count, COUNT)] as const
  })
  return Object.fromEntries(counts)
}

function cursorOf(value: unknown): Cursor {
  if (!isRecord(value)) return refuse('cursor', value, 'an object')
  const count = (name: string): number => {
    const { [name]: given } = value
    return isCount(given) ? given : refuse(`cursor's ${name}`, given, COUNT)
  }
  const countOrNull = (name: string): number | null => (value[name] === null ? null : count(name))
  const number = (name: string): number => {
    const { [name]: given } = value
    if (typeof given === 'number') return given
    return given === 'NaN' || given === 'Infinity' || given === '-Infinity'
      ? Number(given)
      : refuse(`cursor's ${name}`, given, 'a number')
  }
  return cursorFrom({
    epoch: count('epoch'),
    samples: count('samples'),
    seed: countOrNull('seed'),
    length: countOrNull('length'),
    weight: number('weight'),
    lossSum: number('lossSum'),
    ...(value.growth !== undefined && { growth: growthOf(value.growth) }),
  })
}

function growthOf(value: unknown): Growth {
  const { batch, steps } = isRecord(value) ? value : {}
  if (isCount(batch) && isCount(steps)) return { batch, steps }
  return refuse("cursor's growth", value, 'whole numbers { batch, steps }')
}

function noiseOf(value: unknown): NoiseSum {
  const { squaredNorm, variance, weight } = isRecord(value) ? value : {}
  if (isNumber(squaredNorm) && isNumber(variance) && isNumber(weight)) return { squaredNorm, variance, weight }
  return refuse('noise', value, 'numbers { squaredNorm, variance, weight }')
}

const isNumber = (value: unknown): value is number => typeof value === 'number'
