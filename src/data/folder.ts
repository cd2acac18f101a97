/** A folder with the files of MNIST or Fashion-MNIST under their published names. Node only. */
import { nodeFiles } from '../io/index.js'
import { checkArgument, TEXT } from '../memory/arguments.js'
import { reasonOf } from '../memory/errors.js'
import type { Dataset } from './dataset.js'
import { DataError, IdxError } from './errors.js'
import { gunzip } from './gunzip.js'
import { idxDataset, parseIdx } from './idx.js'

/**
 * Reads train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte;
 * each may end in .gz, and may have '.idx' for '-idx', as some mirrors name them.
 * @returns test: undefined where the folder has no t10k images
 * @throws DataError  the folder cannot be read, or lacks a file: says what was looked for and where
 * @throws FileError  not in Node
 * @throws IdxError   a file is not IDX (says which), or the two files of images have pixels of different types
 */
export async function idxFolder(dir: string): Promise<{ train: Dataset; test: Dataset | undefined }> {
  checkArgument('idxFolder', 'dir', dir, TEXT)
  const { readdir, readFile } = await nodeFiles()
  const present = await readdir(dir).catch((cause: unknown) => {
    throw new DataError(`${dir}: cannot be read as a folder (${reasonOf(cause)})`, { cause })
  })
  const folderName = dir.split(/[\\/]/).findLast((part) => part !== '') ?? 'idx'

  const find = (candidates: readonly string[]) => candidates.find((candidate) => present.includes(candidate))
  const load = async (candidates: readonly string[]) => {
    const file = find(candidates)
    if (!file) throw new DataError(`${dir}: no file named ${candidates.join(', ')}`)
    try {
      const bytes = await readFile(`${dir}/${file}`)
      return parseIdx(file.endsWith('.gz') ? await gunzip(bytes) : bytes)
    } catch (cause) {
      const Kind = cause instanceof IdxError ? IdxError : DataError
      throw new Kind(`${dir}/${file}: ${reasonOf(cause)}`, { cause })
    }
  }
  const loadPart = async (prefix: string, part: string) =>
    idxDataset({
      images: await load(fileNamesOf(`${prefix}-images`, 3)),
      labels: await load(fileNamesOf(`${prefix}-labels`, 1)),
      name: `${folderName}/${part}`,
    })

  const train = await loadPart('train', 'train')
  const test = find(fileNamesOf('t10k-images', 3)) ? await loadPart('t10k', 'test') : undefined
  if (test && typeOfPixels(train) !== typeOfPixels(test)) {
    throw new IdxError(
      `${dir}: train images are ${typeOfPixels(train)}, t10k images ${typeOfPixels(test)}; write both as one type`,
    )
  }
  return { train, test }
}

const fileNamesOf = (stem: string, rank: number): string[] =>
  ['-', '.'].flatMap((separator) => ['', '.gz'].map((end) => `${stem}${separator}idx${rank}-ubyte${end}`))

/** Bytes are scaled to [0, 1] and other types are not, so the images of two types do not compare. */
const typeOfPixels = (dataset: Dataset): string => dataset.gather([0]).inputs.data.constructor.name
