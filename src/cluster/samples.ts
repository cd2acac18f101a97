/** The samples of a range: their digest, and their form as bytes where they come with the job. */
import { type AnyBatch, checkBatch, samplesIn } from '../data/batch.js'
import { parseJson, parseSafetensors, toSafetensors } from '../io/index.js'
import { reasonOf } from '../memory/errors.js'
import type { HostArray, HostData } from '../tensor/host.js'
import { type Arrays, isArray, membersOf } from '../tensor/structure.js'
import { PayloadError } from './errors.js'
import { digestOf } from './message.js'

const FIELDS = ['inputs', 'targets', 'weights'] as const

/** The arrays of a batch; `key` is null where the field is one array. */
const arraysOf = (batch: AnyBatch) =>
  FIELDS.flatMap((field) => {
    const { [field]: arrays } = batch
    return arrays === undefined
      ? []
      : membersOf<HostArray>(arrays, isArray).map(([key, array]) => ({ field, key, array }))
  })

const bytesOf = ({ buffer, byteOffset, byteLength }: HostData): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** The digest of all that a batch holds. */
export function sampleDigest(batch: AnyBatch): string {
  const parts = arraysOf(batch).flatMap(({ field, key, array: { data, shape, scale = 1 } }) => [
    JSON.stringify([field, key, data.constructor.name, shape, scale]),
    bytesOf(data),
  ])
  return digestOf(...parts).toString('hex')
}

export function sampleBytes(batch: AnyBatch): Uint8Array {
  const arrays = arraysOf(batch)
  const entries = arrays.map(({ array: { shape, data } }, i) => [`${i}`, { shape: [...shape], data }] as const)
  const places = arrays.map(({ field, key, array: { scale = 1 } }) => [field, key, scale])
  return toSafetensors(Object.fromEntries(entries), { places: JSON.stringify(places) })
}

/** @throws PayloadError  the bytes hold no batch of so many samples */
export function samplesFrom(bytes: Uint8Array, samples: number): AnyBatch {
  try {
    const { tensors, metadata } = parseSafetensors(bytes)
    const places = parseJson(metadata.places ?? '')
    if (!Array.isArray(places)) throw new PayloadError('they say not what they are')
    const fields = new Map<unknown, [key: unknown, array: HostArray][]>(FIELDS.map((field) => [field, []]))
    for (const [i, place] of places.entries()) {
      const [field, key, scale]: unknown[] = Array.isArray(place) ? place : []
      const { shape, data } = tensors[`${i}`] ?? {}
      const members = fields.get(field)
      if (!members || !shape || !isHostData(data) || typeof scale !== 'number')
        throw new PayloadError(`array ${i} is none`)
      members.push([key, { shape, data, scale }])
    }
    const [inputs, targets, weights] = FIELDS.map((field) => structured(fields.get(field) ?? []))
    if (!inputs || !targets) throw new PayloadError('they have no inputs or no targets')
    const batch: AnyBatch = { inputs, targets, ...(weights && { weights: weights as HostArray }) }
    checkBatch(batch)
    if (samplesIn(batch) !== samples) throw new PayloadError(`there are ${samplesIn(batch)}, and not ${samples}`)
    return batch
  } catch (cause) {
    throw new PayloadError(`the samples that came with a job: ${reasonOf(cause)}`, { cause })
  }
}

const isHostData = (data: unknown): data is HostData =>
  ArrayBuffer.isView(data) && !(data instanceof BigInt64Array || data instanceof BigUint64Array)

/** One array, a list or a record, as the keys say. */
function structured(members: readonly [key: unknown, array: HostArray][]): Arrays | null {
  if (members.length === 0) return null
  const [[first, array]] = members
  if (first === null) return array
  if (typeof first === 'number') return members.map(([, each]) => each)
  return Object.fromEntries(members.map(([key, each]) => [String(key), each]))
}
