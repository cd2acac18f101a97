/**
 * Saved state: values on the host by name. Before anything is written the whole state is checked, and values that could
 * still throw or change are copied. So a state is loaded whole or not at all.
 */
import { reasonOf, showValue } from '../memory/errors.js'
import { StateError } from './errors.js'
import { type Shape, sameShape, showShape } from './shape.js'
import type { Tensor } from './tensor.js'

/** Values on the host by name, as `stateDict` gives them. */
export type StateDict = Record<string, { shape: Shape; data: Float32Array | Float64Array }>

/** What `loadStateDict` takes: any numbers in the right shapes, BigInt64Arrays (int64) included. */
export type SavedState = Readonly<Record<string, { readonly shape: Shape; readonly data: ArrayLike<number | bigint> }>>

/** The faults of a state, and the function that loads it if there are none. */
export interface Checked {
  readonly faults: readonly string[]
  /** Load it; the caller's state is not read again. */
  write(): void
}

export interface LoadOptions {
  /** Refuse a state with a missing or an unknown name; default true. Another shape is always refused. */
  readonly strict?: boolean
}

/** For a state that is not strict: the names that it lacks, and the names that are unknown. */
export interface LoadResult {
  readonly missing: readonly string[]
  readonly unexpected: readonly string[]
}

/** Copies of tensors on the host. */
export async function readState(tensors: ReadonlyMap<string, Tensor>): Promise<StateDict> {
  const entries = [...tensors].map(async ([name, tensor]) => {
    return [name, { shape: tensor.shape, data: await tensor.data() }] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

/**
 * Does `state` hold values for exactly these tensors or, if not strict, for some of them?
 * @param what      the name of the state in a fault
 * @param optional  further names that the state may have; they are not read
 * @throws DisposedError  a tensor is disposed
 */
export function checkState(
  what: string,
  tensors: ReadonlyMap<string, Tensor>,
  state: unknown,
  { optional = new Set(), strict = true }: LoadOptions & { optional?: ReadonlySet<string> } = {},
): Checked & LoadResult {
  const targets = Array.from(tensors, ([name, tensor]) => ({ name, tensor, storage: tensor.storage('loadStateDict') }))
  if (!isRecord(state)) {
    return { faults: [`${what} is ${showValue(state)}, not an object`], missing: [], unexpected: [], write() {} }
  }
  const faults: string[] = []
  const missing: string[] = []
  const writes = targets.flatMap(({ name, tensor: { device, shape }, storage }) => {
    const values = attempt(() => valuesOf(state, name, shape))
    if (values === undefined) {
      missing.push(name)
      if (strict) faults.push(`${shorten(name)} is missing`)
      return []
    }
    if (typeof values !== 'string') return [{ device, storage, values }]
    faults.push(`${shorten(name)} ${values}`)
    return []
  })
  const unexpected = Object.keys(state).filter((name) => !tensors.has(name) && !optional.has(name))
  if (strict) for (const name of unexpected) faults.push(`${shorten(name)} is unexpected`)
  const write = (): void => {
    for (const { device, storage, values } of writes) device.upload(storage, values)
  }
  return { faults, missing, unexpected, write }
}

/**
 * The largest numbers of faults in a message, and of characters in a name: they limit the length of the error, for a
 * state of any size.
 */
const [MOST_FAULTS, LONGEST_NAME] = [12, 80]

/** @throws StateError  there are faults */
export function refuse(faults: readonly string[]): void {
  if (faults.length === 0) return
  const told = faults.slice(0, MOST_FAULTS).join('; ')
  const more = faults.length > MOST_FAULTS ? `; and ${faults.length - MOST_FAULTS} more` : ''
  throw new StateError(`loadStateDict: ${told}${more}. Nothing was changed.`)
}

/** Is it an object, so that its properties can be read? */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

/** A name, shortened if it is too long for a message. */
export function shorten(text: string): string {
  return text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME)}... (${text.length} characters)` : text
}

/**
 * The numbers of an entry, in a list whose elements stay numbers; text: the fault of the entry; undefined: the entry is
 * missing.
 */
function valuesOf(
  state: Readonly<Record<string, unknown>>,
  name: string,
  shape: Shape,
): ArrayLike<number> | string | undefined {
  const saved = Object.hasOwn(state, name) ? state[name] : undefined
  if (saved === undefined) return undefined
  if (!isRecord(saved)) return `is ${showValue(saved)}, not { shape, data }`
  const { shape: savedShape, data } = saved
  if (!Array.isArray(savedShape)) return `has ${showValue(savedShape)} for its shape`
  if (!sameShape(savedShape, shape)) return `is ${showDims(savedShape)}, not ${showShape(shape)}`
  return numbersIn(data, shape)
}

function numbersIn(data: unknown, shape: Shape): ArrayLike<number> | string {
  const size = shape.reduce((product, dim) => product * dim, 1)
  if (!isRecord(data)) return `has ${showValue(data)} for its data`
  const { length } = data
  if (typeof length !== 'number') return 'has data without a length'
  if (length !== size) return `has ${length} values, which do not fill ${showShape(shape)}`
  // an object that only looks like an array could throw later
  if (ArrayBuffer.isView(data) && (data instanceof Float32Array || data instanceof Float64Array)) return data
  const numbers = new Float64Array(size)
  for (let i = 0; i < size; i++) {
    const value = data[i]
    if (typeof value !== 'number' && typeof value !== 'bigint')
      return `has ${showValue(value)} at ${i}, which is not a number`
    numbers[i] = Number(value)
  }
  return numbers
}

/** Like showShape, for dims that may be any values. */
function showDims(dims: readonly unknown[]): string {
  const shown = dims.slice(0, 8).map((dim) => (typeof dim === 'number' ? String(dim) : showValue(dim)))
  return `[${shown.join(', ')}${dims.length > 8 ? `, ... ${dims.length} dims` : ''}]`
}

/** Run `look`, and turn an error that it throws into a fault like any other. */
function attempt<T>(look: () => T): T | string {
  try {
    return look()
  } catch (error) {
    return `threw when it was read: ${shorten(reasonOf(error))}`
  }
}
