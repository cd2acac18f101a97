/**
 * Jobs and results: what they may be, and nothing else. A job is a small record; a result is bytes:
 *
 *     digest [32]  sha256 of the turn, the range and all that follows
 *     length [4]   of the head, little-endian
 *     head         JSON, filled up with spaces so that the sums are aligned
 *     sums         float32, or float64 on a reference device
 */
import { createHash } from 'node:crypto'
import type { Floats } from '../../kernels/kernels.js'
import { LARGEST_SEED } from '../device/seed.js'
import { parseJson } from '../io/index.js'
import { reasonOf, showValue } from '../memory/errors.js'
import { PayloadError } from './errors.js'

/** A range of a mini-batch to compute. */
export interface RangeJob {
  readonly turn: string
  readonly range: number
  readonly seed: number
  readonly step: number
  /** the place of the range in the mini-batch, and its samples */
  readonly firstSample: number
  readonly samples: number
  readonly microBatch: number
  /** the weight of the mini-batch */
  readonly weight: number
  /** digests of the model's form, of its values, and of the samples */
  readonly layout: string
  readonly values: string
  readonly digest: string
  /** where the samples are in the data; null: they come with the job */
  readonly from: { name: string; length: number; epoch: number; at: number; shuffle: boolean } | null
  /** the bytes of samples that come with the job */
  readonly bytes: number
  /** a worker that is not to compute it */
  readonly not: string | null
}

/** The first part of a result. */
export interface ResultHead {
  readonly worker: string
  /** the weight of the targets in the range */
  readonly weight: number
  readonly peakBytes: number
  readonly plannedPeakBytes: number
  readonly ms: number
  /** why it could not be computed; then there are no sums */
  readonly error?: string
}

/** A value of Redis holds no more. */
export const LARGEST_VALUE = 2 ** 29
const DIGEST_BYTES = 32
const HEAD_AT = DIGEST_BYTES + 4
const LONGEST_HEAD = 4096
const LONGEST_TEXT = 200

type Fields = Readonly<Record<string, unknown>>

function recordOf(what: string, value: unknown, names: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PayloadError(`${what} is ${showValue(value)}; it must be an object`)
  }
  const unknown = Object.keys(value).find((name) => !names.includes(name))
  if (unknown !== undefined) throw new PayloadError(`${what} has ${showValue(unknown)}, which it should not have`)
  return value as Fields
}

function reader(what: string, fields: Fields) {
  const refuse = (name: string, must: string): never => {
    throw new PayloadError(`${what}: ${name} is ${showValue(fields[name])}; it must be ${must}`)
  }
  return {
    count(name: string, least = 0, most = Number.MAX_SAFE_INTEGER): number {
      const { [name]: value } = fields
      const holds = typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most
      return holds ? value : refuse(name, `a whole number from ${least} to ${most}`)
    },
    number(name: string): number {
      const { [name]: value } = fields
      return typeof value === 'number' && value >= 0 && value < Infinity ? value : refuse(name, 'a number, 0 or more')
    },
    text(name: string, pattern: RegExp): string {
      const { [name]: value } = fields
      return typeof value === 'string' && pattern.test(value) ? value : refuse(name, `a text like ${pattern}`)
    },
    flag(name: string): boolean {
      const { [name]: value } = fields
      return typeof value === 'boolean' ? value : refuse(name, 'true or false')
    },
  }
}

const JOB = 'turn range seed step firstSample samples microBatch weight layout values digest from bytes not'.split(' ')
const FROM = ['name', 'length', 'epoch', 'at', 'shuffle']
const HEAD = ['worker', 'weight', 'peakBytes', 'plannedPeakBytes', 'ms', 'error']
const HEX = /^[0-9a-f]{64}$/
const TURN = /^\d{1,15}\.\d{1,15}$/
const NAME = /^[\s\S]{1,200}$/
const LARGEST_COUNT = 2 ** 32

/** @throws PayloadError  naming the field that is missing, unknown or wrong */
export function jobFrom(value: unknown): RangeJob {
  const fields = recordOf('the job', value, JOB)
  const { count, number, text } = reader('the job', fields)
  const samples = count('samples', 1, LARGEST_COUNT)
  return {
    turn: text('turn', TURN),
    range: count('range', 0, LARGEST_COUNT),
    seed: count('seed', 0, LARGEST_SEED),
    step: count('step'),
    firstSample: count('firstSample', 0, LARGEST_COUNT),
    samples,
    microBatch: count('microBatch', 1, LARGEST_COUNT),
    weight: number('weight'),
    layout: text('layout', HEX),
    values: text('values', HEX),
    digest: text('digest', HEX),
    from: fields.from === null ? null : placeIn(fields.from, samples),
    bytes: count('bytes', 0, LARGEST_VALUE),
    not: fields.not === null ? null : text('not', NAME),
  }
}

function placeIn(value: unknown, samples: number): RangeJob['from'] {
  const what = "the job's from"
  const { count, text, flag } = reader(what, recordOf(what, value, FROM))
  const length = count('length', samples, LARGEST_COUNT)
  const at = count('at', 0, length - samples)
  return { name: text('name', NAME), length, epoch: count('epoch'), at, shuffle: flag('shuffle') }
}

export const digestOf = (...parts: readonly (string | Uint8Array)[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Floats): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** Numbers as bytes, and their digest. */
export function sealed(values: Floats): { bytes: Uint8Array; digest: string } {
  const bytes = bytesOf(values)
  return { bytes, digest: digestOf(bytes).toString('hex') }
}

/** The numbers in bytes. @throws PayloadError  they have another digest, or are not as many */
export function unsealed(bytes: Uint8Array, digest: string, count: number, elementBytes: 4 | 8): Floats {
  if (bytes.length !== count * elementBytes) {
    throw new PayloadError(`the values have ${bytes.length} bytes, and the model has ${count * elementBytes}`)
  }
  if (digestOf(bytes).toString('hex') !== digest) throw new PayloadError('the values have another digest')
  return floatsIn(bytes, elementBytes)
}

function floatsIn(bytes: Uint8Array, elementBytes: 4 | 8): Floats {
  const aligned = bytes.byteOffset % elementBytes === 0 ? bytes : new Uint8Array(bytes)
  const count = aligned.length / elementBytes
  return elementBytes === 4
    ? new Float32Array(aligned.buffer, aligned.byteOffset, count)
    : new Float64Array(aligned.buffer, aligned.byteOffset, count)
}

/** The most bytes that a result can have. */
export const resultLimit = (count: number, elementBytes: number): number =>
  HEAD_AT + LONGEST_HEAD + count * elementBytes

export function resultBytes(turn: string, range: number, head: ResultHead, sums?: Floats): Uint8Array {
  const error = head.error?.slice(0, LONGEST_TEXT * 4)
  const json = Buffer.from(JSON.stringify({ ...head, ...(error !== undefined && { error }) }))
  const length = Math.ceil((HEAD_AT + json.length) / 8) * 8 - HEAD_AT
  const all = Buffer.alloc(HEAD_AT + length + (sums?.byteLength ?? 0), ' ')
  all.writeUInt32LE(length, DIGEST_BYTES)
  all.set(json, HEAD_AT)
  if (sums) all.set(bytesOf(sums), HEAD_AT + length)
  all.set(digestOf(`${turn}.${range}`, all.subarray(DIGEST_BYTES)))
  return all
}

/** @throws PayloadError  the bytes are not a result of this range, with so many sums */
export function resultFrom(
  bytes: Uint8Array,
  turn: string,
  range: number,
  count: number,
  elementBytes: 4 | 8,
): { head: ResultHead; sums: Floats | null } {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const refuse = (reason: string): never => {
    throw new PayloadError(`the result of range ${range} ${reason}`)
  }
  if (all.length < HEAD_AT || all.length > resultLimit(count, elementBytes)) refuse(`has ${all.length} bytes`)
  const length = all.readUInt32LE(DIGEST_BYTES)
  if (length > LONGEST_HEAD || HEAD_AT + length > all.length) refuse(`says that its head has ${length} bytes`)
  const expected = digestOf(`${turn}.${range}`, all.subarray(DIGEST_BYTES))
  if (!expected.equals(all.subarray(0, DIGEST_BYTES))) refuse('has another digest')
  const head = headIn(all.subarray(HEAD_AT, HEAD_AT + length).toString(), range)
  const rest = all.subarray(HEAD_AT + length)
  if (head.error !== undefined) return { head, sums: null }
  if (rest.length !== count * elementBytes)
    refuse(`has ${rest.length} bytes of sums instead of ${count * elementBytes}`)
  return { head, sums: floatsIn(rest, elementBytes) }
}

function headIn(json: string, range: number): ResultHead {
  const what = `the result of range ${range}`
  let value: unknown
  try {
    value = parseJson(json)
  } catch (cause) {
    throw new PayloadError(`${what} has no head (${reasonOf(cause)})`, { cause })
  }
  const fields = recordOf(what, value, HEAD)
  const { count, number, text } = reader(what, fields)
  return {
    worker: text('worker', NAME),
    weight: number('weight'),
    peakBytes: count('peakBytes'),
    plannedPeakBytes: count('plannedPeakBytes'),
    ms: number('ms'),
    ...(fields.error !== undefined && { error: text('error', /^[\s\S]{0,900}$/) }),
  }
}
