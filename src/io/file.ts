/**
 * Files by path, in Node: read whole, or replaced whole. If replacing a file fails, by an error or by the end of the
 * process, the path holds either the old content or the new one.
 */
import { reasonOf, showValue } from '../memory/errors.js'
import { FileError, showName } from './errors.js'

/** The largest file that is read by default: more than any CPU device holds. */
export const LARGEST_FILE = 2 ** 32

export interface ReadOptions {
  /** refuse a larger file; default 4 GiB */
  readonly maxBytes?: number
}

/** An open file, as far as it is used here. */
interface OpenFile {
  stat(): Promise<{ size: number }>
  read(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>
  writeFile(bytes: Uint8Array): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

/** The functions of node:fs/promises that are used. A program is compiled against them without the types of Node. */
export interface NodeFiles {
  open(path: string, flags: string): Promise<OpenFile>
  readFile(path: string): Promise<Uint8Array>
  readdir(path: string): Promise<string[]>
  realpath(path: string): Promise<string>
  rename(from: string, to: string): Promise<void>
  stat(path: string): Promise<{ isFile(): boolean }>
  unlink(path: string): Promise<void>
}

/** Node's functions on files. @throws FileError  there are none, as in a page */
export async function nodeFiles(): Promise<NodeFiles> {
  // The old name: package.json blanks it for bundlers of pages, and webpack does not know `node:`.
  // biome-ignore lint/style/useNodejsImportProtocol: see above
  const files = await import('fs/promises').catch(() => null)
  if (files?.open) return files
  throw new FileError('this platform has no files by path: use bytes, see parseSafetensors, toSafetensors and parseIdx')
}

/**
 * The first bytes of a file, and its size.
 * @param count  how many bytes to read, by the size of the file
 * @throws FileError  it is not a file, cannot be read, is larger than `maxBytes`, or shrinks while it is read
 */
export async function readStart(
  path: string,
  count: (fileBytes: number) => number,
  { maxBytes = LARGEST_FILE }: ReadOptions = {},
): Promise<{ bytes: Uint8Array; fileBytes: number }> {
  const files = await nodeFiles()
  return explained(path, 'cannot be read', async () => {
    // checked before it is opened, because opening a pipe would wait for a writer
    if (!(await files.stat(path)).isFile()) throw new FileError('it is not a regular file')
    const handle = await files.open(path, 'r')
    try {
      const { size } = await handle.stat()
      if (size > maxBytes) throw new FileError(`it has ${size} bytes, and the limit is ${maxBytes}`)
      const bytes = new Uint8Array(Math.min(count(size), size))
      for (let at = 0; at < bytes.length; ) {
        const { bytesRead } = await handle.read(bytes, at, bytes.length - at, at)
        if (bytesRead === 0) throw new FileError(`it ended at byte ${at} of ${bytes.length} while it was read`)
        at += bytesRead
      }
      return { bytes, fileBytes: size }
    } finally {
      await handle.close()
    }
  })
}

/** All bytes of a file. @throws FileError  as readStart */
export async function readFile(path: string, options?: ReadOptions): Promise<Uint8Array> {
  return (await readStart(path, (fileBytes) => fileBytes, options)).bytes
}

/** Tells the temporary files of one process apart. */
let written = 0

/**
 * Make `bytes` the content of the file at `path`: they are written to a file beside it and synced, that file gets the
 * name, and the folder is synced. A link stays, and its target is replaced.
 * @throws FileError  one of these failed; unless the message says otherwise, the path has its old content
 */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const { open, realpath, rename, stat, unlink } = await nodeFiles()
  const target = await realpath(path).catch(() => path)
  const temporary = `${target}.${process.pid}-${written++}.tmp`
  await explained(path, 'could not be written; its old content stays', async () => {
    const there = await stat(target).catch(() => null)
    if (there && !there.isFile()) throw new FileError('it is not a regular file')
    const handle = await open(temporary, 'wx')
    try {
      try {
        await handle.writeFile(bytes)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(temporary, target)
    } catch (error) {
      await unlink(temporary).catch(() => {})
      throw error
    }
  })
  // Windows cannot open a folder
  if (process.platform === 'win32') return
  await explained(path, 'is written, but can be lost in a power failure', async () => {
    const folder = await open(target.slice(0, target.lastIndexOf('/') + 1) || '.', 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  })
}

/** @throws FileError  the error of `work`, with the path and the state of the file */
async function explained<T>(path: string, what: string, work: () => Promise<T>): Promise<T> {
  if (typeof path !== 'string') throw new FileError(`${showValue(path)} is not the path of a file`)
  try {
    return await work()
  } catch (cause) {
    throw new FileError(`${showName(path)} ${what} (${reasonOf(cause)})`, { cause })
  }
}
