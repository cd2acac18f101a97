/** Text as numbers: tokens, and the sequences of a language model. */
import { checkArgument, either, LIST, NUMBER, oneOf, options as optionsOf, TEXT } from '../memory/arguments.js'
import { showValue } from '../memory/errors.js'
import type { HostData } from '../tensor/host.js'
import { dataClass, isPositive, zerosLike } from './batch.js'
import { checkIndices, type Dataset } from './dataset.js'
import { DataError } from './errors.js'

/** A text as tokens. */
export interface Tokens {
  /** the token of each character, or each byte, in order */
  readonly ids: Uint8Array | Uint16Array | Int32Array
  /** how many different tokens there are: `classes` of the sequences */
  readonly size: number
  /** @throws DataError  a character that the text does not have */
  encode(text: string): Int32Array
  /** The text of tokens. @throws DataError  a number that is no token */
  decode(ids: ArrayLike<number>): string
}

const TOKENIZE = optionsOf({ by: oneOf('characters', 'bytes') })

/**
 * A text as tokens, one for each character or each byte of its UTF-8. The characters that occur are numbered in the order of
 * their code points; a byte is its own number, and there are 256.
 * @throws DataError  an empty text
 */
export function tokenize(text: string, options: { readonly by?: 'characters' | 'bytes' } = {}): Tokens {
  checkArgument('tokenize', 'text', text, TEXT)
  checkArgument('tokenize', 'options', options, TOKENIZE)
  if (text === '') throw new DataError('tokenize: the text is empty')
  return options.by === 'bytes' ? bytesOf(text) : charactersOf(text)
}

function bytesOf(text: string): Tokens {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
  return {
    ids: encode(text),
    size: 256,
    encode: (text) => Int32Array.from(encode(text)),
    decode: (ids) => new TextDecoder().decode(Uint8Array.from(ids, (id, at) => checked(id, at, 256))),
  }
}

function charactersOf(text: string): Tokens {
  const present = new Set<string>(text)
  const characters = [...present].sort((a, b) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0))
  const numbers = new Map(characters.map((character, id) => [character, id]))
  const encode = (text: string): Int32Array => {
    const ids = new Int32Array(text.length)
    let count = 0
    for (const character of text) {
      const id = numbers.get(character)
      if (id === undefined) throw new DataError(`encode: the text has no character ${showValue(character)}`)
      ids[count++] = id
    }
    return ids.slice(0, count)
  }
  const size = characters.length
  const Ids = size <= 2 ** 8 ? Uint8Array : size <= 2 ** 16 ? Uint16Array : Int32Array
  return {
    ids: Ids.from(encode(text)),
    size,
    encode,
    decode: (ids) => Array.from(ids, (id, at) => characters[checked(id, at, size)]).join(''),
  }
}

function checked(id: number, at: number, size: number): number {
  if (Number.isInteger(id) && id >= 0 && id < size) return id
  throw new DataError(`decode: ${showValue(id)} at ${at} is not a token from 0 to ${size - 1}`)
}

export interface SequenceOptions {
  /** T, the tokens that a model reads at a time */
  readonly context: number
  /** how many different tokens there are */
  readonly classes: number
  /** from the start of one sequence to the start of the next; default: the context, so that each token is learned once */
  readonly stride?: number
  readonly name?: string
}

const SEQUENCES = optionsOf<SequenceOptions>({ context: NUMBER, classes: NUMBER, stride: NUMBER, name: TEXT }, [
  'context',
  'classes',
])
const IDS = either(LIST, { told: 'a typed array of whole numbers', fits: (value) => ArrayBuffer.isView(value) })

/**
 * The sequences of a text as samples: inputs [N, T] are tokens, and targets [N, T] the token after each. Tokens at the end
 * that fill no sequence are left out. `ids` is not copied.
 * @throws DataError  fewer than context + 1 tokens; a context or stride that is no positive whole number; a token outside [0, classes)
 */
export function sequences(ids: HostData, options: SequenceOptions): Dataset {
  checkArgument('sequences', 'ids', ids, IDS)
  checkArgument('sequences', 'options', options, SEQUENCES)
  const { context, classes, stride = context, name = 'sequences' } = options
  for (const [what, value] of Object.entries({ context, classes, stride })) {
    if (!isPositive(value)) throw new DataError(`sequences: ${what} is ${value}; it must be a positive whole number`)
  }
  if (!dataClass(ids))
    throw new DataError('sequences: ids must be a typed array of numbers, such as the ids of tokenize')
  if (ids.length < context + 1) {
    throw new DataError(`sequences: ${ids.length} tokens; a context of ${context} needs ${context + 1} or more`)
  }
  for (let i = 0; i < ids.length; i++) {
    if (Number.isInteger(ids[i]) && ids[i] >= 0 && ids[i] < classes) continue
    throw new DataError(`sequences: ${ids[i]} at ${i} is not a token from 0 to ${classes - 1}`)
  }
  const length = Math.floor((ids.length - 1 - context) / stride) + 1
  return {
    name,
    length,
    inputShape: [context],
    targetShape: [context],
    classes,
    gather(indices) {
      checkIndices(name, length, indices)
      const rows = (offset: number): HostData => {
        const data = zerosLike(ids, indices.length * context)
        for (let i = 0; i < indices.length; i++) {
          const start = indices[i] * stride + offset
          data.set(ids.subarray(start, start + context), i * context)
        }
        return data
      }
      const shape = [indices.length, context]
      return { inputs: { data: rows(0), shape }, targets: { data: rows(1), shape } }
    },
  }
}
