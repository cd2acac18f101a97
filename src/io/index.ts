/** Files of weights: `save` and `load` by path in Node, and from bytes anywhere. */
import { checkArgument, NUMBER, OBJECT, options as optionsOf } from '../memory/arguments.js'
import type { SavedState } from '../tensor/saved-state.js'
import { FileError, SafetensorsError } from './errors.js'
import { type ReadOptions, readFile, readStart, replaceFile } from './file.js'
import { type Header, headerLength, LENGTH_BYTES, parseHeader } from './header.js'
import { parseSafetensors, type Safetensors, type SavedTensor, toSafetensors } from './safetensors.js'

export type { Dtype, Elements } from './elements.js'
export { FileError, SafetensorsError, showName } from './errors.js'
export { nodeFiles, type ReadOptions, readFile, replaceFile } from './file.js'
export type { Header, TensorInfo } from './header.js'
export { parseJson } from './json.js'
export { parseSafetensors, type Safetensors, type SavedTensor, toSafetensors } from './safetensors.js'

export interface SaveOptions {
  /** texts to go with the tensors */
  readonly metadata?: Readonly<Record<string, string>>
}

export const SAVE = optionsOf<SaveOptions>({ metadata: OBJECT })
export const READ = optionsOf<ReadOptions>({ maxBytes: NUMBER })

/**
 * Write tensors, such as a `stateDict()`, to a safetensors file. In Node; elsewhere `toSafetensors` gives the bytes.
 *
 *     await save(await model.stateDict(), 'model.safetensors')
 *
 * The file is replaced as a whole or not at all: see file.ts.
 * @throws SafetensorsError  the errors of `toSafetensors`
 * @throws FileError         the file could not be written; an old file is unchanged
 */
export async function save(state: SavedState, path: string, options: SaveOptions = {}): Promise<void> {
  checkArgument('save', 'options', options, SAVE)
  const { metadata } = options
  await replaceFile(path, toSafetensors(state, metadata))
}

/**
 * The tensors of a safetensors file, by name.
 *
 *     model.loadStateDict(await load('model.safetensors'))
 *
 * @param source  the path of a file (in Node), or its bytes
 * @throws FileError  the file cannot be read, or is larger than `maxBytes`; a SafetensorsError: its content is wrong
 */
export async function load(source: string | Uint8Array, options?: ReadOptions): Promise<Record<string, SavedTensor>> {
  checkArgument('load', 'options', options, READ)
  return (await readSafetensors(source, options)).tensors
}

/** The content of a safetensors file, including its texts. Throws the errors of `load`. */
export async function readSafetensors(source: string | Uint8Array, options?: ReadOptions): Promise<Safetensors> {
  if (typeof source !== 'string') return parseSafetensors(source)
  const bytes = await readFile(source, options)
  return naming(source, () => parseSafetensors(bytes))
}

/** The header of a safetensors file. The values of the tensors are not read. Throws the errors of `load`. */
export async function readHeader(path: string): Promise<Header> {
  const start = await readStart(path, () => LENGTH_BYTES, { maxBytes: Number.MAX_SAFE_INTEGER })
  const length = naming(path, () => headerLength(start.bytes, start.fileBytes))
  const dataStart = LENGTH_BYTES + length
  const { bytes, fileBytes } = await readStart(path, () => dataStart, { maxBytes: Number.MAX_SAFE_INTEGER })
  return naming(path, () => parseHeader(bytes.subarray(LENGTH_BYTES), fileBytes - dataStart))
}

/** The result of `parse`, whose errors then name the file. */
export function naming<T>(path: string, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    if (cause instanceof FileError) throw new SafetensorsError(`${path}: ${cause.message}`, { cause })
    throw cause
  }
}
