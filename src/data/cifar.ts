/**
 * The binary files of CIFAR-10 and CIFAR-100: records of one label (CIFAR-100: a coarse and a fine one) and 32 x 32 pixels,
 * all red, then all green, then all blue. The format: https://www.cs.toronto.edu/~kriz/cifar.html
 */
import { nodeFiles } from '../io/index.js'
import { BYTES, checkArgument, door, oneOf, TEXT } from '../memory/arguments.js'
import { reasonOf } from '../memory/errors.js'
import { type Dataset, fromArrays } from './dataset.js'
import { DataError } from './errors.js'

const SIDE = 32
const PIXELS = 3 * SIDE * SIDE

/** The two data sets: the number of labels in a record, and the files. */
const KINDS = {
  cifar10: {
    labels: 1,
    classes: 10,
    train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
    test: ['test_batch.bin'],
  },
  cifar100: { labels: 2, classes: 100, train: ['train.bin'], test: ['test.bin'] },
} as const
type Kind = keyof typeof KINDS

const check = door('parseCifar', { bytes: BYTES, kind: oneOf('cifar10', 'cifar100') })

/**
 * The images and labels of a file: inputs uint8 [N, 3, 32, 32] with scale 1/255; targets [N], the fine labels for
 * CIFAR-100.
 * @throws DataError  the file is empty, ends within a record, or has a label that is no class
 */
export function parseCifar(bytes: Uint8Array, kind: 'cifar10' | 'cifar100'): Dataset {
  check([bytes, kind])
  return datasetOf([bytes], kind, kind)
}

/**
 * Reads a folder with the published files: data_batch_1.bin to data_batch_5.bin and test_batch.bin, or those of CIFAR-100,
 * train.bin and test.bin. Node only.
 * @throws DataError  the folder cannot be read or lacks a file; a file is not of this format: says which
 * @throws FileError  not in Node
 */
export async function cifarFolder(dir: string): Promise<{ train: Dataset; test: Dataset }> {
  checkArgument('cifarFolder', 'dir', dir, TEXT)
  const { readdir, readFile } = await nodeFiles()
  const present = await readdir(dir).catch((cause: unknown) => {
    throw new DataError(`${dir}: cannot be read as a folder (${reasonOf(cause)})`, { cause })
  })
  const kind: Kind = present.includes('train.bin') ? 'cifar100' : 'cifar10'
  const load = async (part: 'train' | 'test'): Promise<Dataset> => {
    const files: Uint8Array[] = []
    for (const file of KINDS[kind][part]) {
      if (!present.includes(file)) throw new DataError(`${dir}: there is no ${file}, nor the train.bin of CIFAR-100`)
      const bytes = await readFile(`${dir}/${file}`)
      try {
        countOf(bytes, kind)
      } catch (cause) {
        throw new DataError(`${dir}/${file}: ${reasonOf(cause)}`, { cause })
      }
      files.push(bytes)
    }
    return datasetOf(files, kind, `${kind}/${part}`)
  }
  return { train: await load('train'), test: await load('test') }
}

/** The number of records. @throws DataError  the bytes end within a record, or a label is no class */
function countOf(bytes: Uint8Array, kind: Kind): number {
  const { labels, classes } = KINDS[kind]
  const record = labels + PIXELS
  if (bytes.length === 0 || bytes.length % record !== 0) {
    throw new DataError(`${kind}: ${bytes.length} bytes are not one or more records of ${record}`)
  }
  const count = bytes.length / record
  for (let i = 0; i < count; i++) {
    const label = bytes[i * record + labels - 1]
    if (label >= classes)
      throw new DataError(`${kind}: record ${i} has the label ${label}; labels are 0 to ${classes - 1}`)
  }
  return count
}

function datasetOf(files: readonly Uint8Array[], kind: Kind, name: string): Dataset {
  const { labels, classes } = KINDS[kind]
  const record = labels + PIXELS
  const count = files.reduce((sum, bytes) => sum + countOf(bytes, kind), 0)
  const pixels = new Uint8Array(count * PIXELS)
  const targets = new Uint8Array(count)
  let sample = 0
  for (const bytes of files) {
    for (let at = 0; at < bytes.length; at += record, sample++) {
      targets[sample] = bytes[at + labels - 1]
      pixels.set(bytes.subarray(at + labels, at + record), sample * PIXELS)
    }
  }
  const inputs = { data: pixels, shape: [count, 3, SIDE, SIDE], scale: 1 / 255 }
  return fromArrays({ inputs, targets: { data: targets, shape: [count] }, name, classes })
}
