/** The data of `--data`: what it may say, and the data sets that it names. */
import {
  type AnyDataset,
  arraySets,
  cifarFolder,
  type Dataset,
  type DatasetShape,
  digits,
  digitsShape,
  idxFolder,
  type LazyDataset,
  moments,
  normalize,
  parseNpz,
  sequences,
  shapes,
  split,
  tokenize,
} from '../data/index.js'
import { csvFile, imageFolder, maskFolder } from '../files/index.js'
import { readFile } from '../io/index.js'
import type { Sample } from '../models/index.js'
import { sameShape, showShape } from '../tensor/shape.js'
import { UsageError } from './options.js'
import type { Made } from './samples.js'

const TEST_FRACTION = 0.2

/** The text of a language model is split by place: its last part is for testing. */
const TEXT_TEST_FRACTION = 0.1

/** Images drawn for `--data shapes` and `--data shape-masks`. */
const DRAWN = 2000

/** The data that are a name alone, and the forms that are followed by the path of a folder or a file. */
const BY_NAME = ['digits', 'shapes', 'shape-masks'] as const
const BY_PATH = ['idx', 'cifar', 'images', 'masks', 'npz', 'csv', 'text'] as const

/** All of them, as errors list them. */
const DATA_FORMS = [...BY_NAME, ...BY_PATH.map((form) => `${form}:PATH`)].join(', ')

/** The paragraph on them in the help. */
export const DATA_HELP = `--data is digits, which come with the program; shapes or shape-masks, which are drawn by the seed; or
idx:DIR       MNIST or Fashion-MNIST, as published        npz:FILE   arrays x and y, or x_train, y_train, x_test, y_test
cifar:DIR     CIFAR-10 or CIFAR-100, the binary files     csv:FILE   a table with a row of names, and --target
images:DIR    a folder of images for each class           text:FILE  characters, for a language model
masks:DIR     folders images and masks, of equal names    (images and masks need sharp, csv needs csv-parse: npm install)`

export interface DataFlag {
  readonly form: (typeof BY_NAME)[number] | (typeof BY_PATH)[number]
  /** '' for data that are a name alone */
  readonly path: string
}

/** The flags that say more of the data. */
export interface DataOptions {
  /** the side of images that are drawn or decoded */
  readonly image: number | undefined
  /** the column of a table that is to be predicted */
  readonly target: string | undefined
  /** the tokens of a sequence */
  readonly context: number | undefined
}

/** What the samples of each form are. */
export const SAMPLES: Readonly<Record<DataFlag['form'], Sample>> = {
  ...{ digits: 'class', shapes: 'class', idx: 'class', cifar: 'class', images: 'class', npz: 'class', csv: 'class' },
  ...{ 'shape-masks': 'mask', masks: 'mask', text: 'tokens' },
}

/** @throws UsageError  it is neither a name nor a form with a path */
export function dataFlag(text: string): DataFlag {
  const name = BY_NAME.find((each) => each === text)
  const [, prefix = '', path = ''] = /^([a-z]+):(.+)$/s.exec(text) ?? []
  const form = name ?? BY_PATH.find((each) => each === prefix)
  if (form === undefined) throw new UsageError(`--data '${text}' is not one of ${DATA_FORMS}`)
  return { form, path: name === undefined ? path : '' }
}

/** The forms that take each flag. */
const TAKEN = {
  image: ['shapes', 'shape-masks', 'images', 'masks'],
  target: ['csv'],
  context: ['text'],
} as const satisfies Record<keyof DataOptions, readonly DataFlag['form'][]>

/** @throws UsageError  a flag is missing, or is for other data */
export function checkDataOptions({ form }: DataFlag, given: DataOptions): void {
  for (const [flag, forms] of Object.entries(TAKEN)) {
    if (given[flag as keyof DataOptions] === undefined || forms.some((each) => each === form)) continue
    throw new UsageError(`--${flag} is for --data ${forms.join(', ')}, and the data are ${form}: leave it out`)
  }
  if (form === 'csv' && given.target === undefined) {
    throw new UsageError('--data csv: needs the column that is to be predicted: give --target COLUMN')
  }
}

/** What a job says of its data. */
interface Wanted {
  readonly data: DataFlag
  readonly dataOptions: DataOptions
  readonly seed: number
  /** samples to plan for without data; null: those of `data` */
  readonly made: Made | null
  readonly batch: number
}

/** Training and test data, or only their shapes. */
export interface Sets<T extends DatasetShape = DatasetShape> {
  train: T
  test: T
}

/** A data set with one input and one target, in memory or in files. */
export type AnySet = Dataset | LazyDataset

/**
 * Loads the data. Without test data, a fifth of the samples is held back, drawn by the seed; a text holds back its last
 * tenth.
 * @throws UsageError  training and test samples differ in shape
 * @throws DataError   the data cannot be read, or are damaged
 */
export async function loadSets(job: Wanted): Promise<Sets<AnySet>> {
  const { train, test } = await readSets(job)
  if (!test) return split(train as Dataset, { testFraction: TEST_FRACTION, seed: job.seed })
  if (!sameShape(train.inputShape, test.inputShape)) {
    const [own, other] = [train, test].map(({ inputShape }) => showShape(inputShape))
    throw new UsageError(`--data: in ${job.data.path} the training images are ${own}, and the test images ${other}`)
  }
  return { train, test }
}

async function readSets({
  data: { form, path },
  dataOptions,
  seed,
}: Wanted): Promise<{ train: AnySet; test?: AnySet }> {
  const { image, context = 64 } = dataOptions
  switch (form) {
    case 'digits':
      return { train: digits() }
    case 'shapes':
      return { train: shapes({ samples: DRAWN, size: image, seed }) }
    case 'shape-masks':
      return { train: shapes({ samples: DRAWN, size: image, seed, target: 'masks' }) }
    case 'idx':
      return idxFolder(path)
    case 'cifar':
      return cifarFolder(path)
    case 'images':
      return imageFolder(path, { size: image ?? 224 })
    case 'masks':
      return maskFolder(path, { size: image ?? 224 })
    case 'npz':
      return arraySets(await parseNpz(await readFile(path)), path.split(/[\\/]/).at(-1))
    case 'csv':
      return tableSets(path, dataOptions, seed)
    case 'text': {
      const { ids, size: classes } = tokenize(new TextDecoder().decode(await readFile(path)))
      const cut = Math.floor(ids.length * (1 - TEXT_TEST_FRACTION))
      const part = (name: string, from: number, to?: number): Dataset =>
        sequences(ids.subarray(from, to), { context, classes, name: `text/${name}` })
      return { train: part('train', 0, cut), test: part('test', cut) }
    }
  }
}

/** The rows of a table, with features of mean 0 and deviation 1 over the training data. */
async function tableSets(path: string, { target = '' }: DataOptions, seed: number) {
  const { dataset } = await csvFile(path, { target, missing: 'mean' })
  const { train, test } = split(dataset, { testFraction: TEST_FRACTION, seed })
  const known = await moments(train as AnyDataset)
  return { train: normalize(train, known), test: normalize(test, known) }
}

/** The shapes alone; the digits need not be decoded for them. */
export async function shapesOf(job: Wanted): Promise<Sets> {
  if (job.made) {
    const { inputShape, targetShape, classes } = job.made
    const made = { name: 'samples', inputShape, targetShape, classes }
    return { train: { ...made, length: job.batch }, test: { ...made, length: 0 } }
  }
  if (job.data.form !== 'digits') return loadSets(job)
  const test = Math.round(digitsShape.length * TEST_FRACTION)
  return {
    train: { ...digitsShape, name: 'digits/train', length: digitsShape.length - test },
    test: { ...digitsShape, name: 'digits/test', length: test },
  }
}
