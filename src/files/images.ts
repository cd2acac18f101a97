/**
 * Folders of image files as data sets: by class, or with a mask for each image. A file is decoded when its sample is
 * gathered.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { checkImageSize } from '../data/augment.js'
import { checkIndices } from '../data/dataset.js'
import { DataError, type ImageSize, type LazyDataset } from '../data/index.js'
import { ANYTHING, door, NUMBER, oneOf, options as optionsOf, TEXT } from '../memory/arguments.js'
import { reasonOf, showValue } from '../memory/errors.js'
import { Decoders, type Fit, needSharp, type Order } from './decoder.js'

const ENDINGS = /\.(?:jpe?g|png|webp|gif|tiff?|avif)$/i

export interface ImageOptions {
  /** height and width of the decoded images; a number: a square */
  readonly size: ImageSize
  /** 1: grey; default 3 */
  readonly channels?: 1 | 3
  /** 'cover': fill the size and cut off what goes beyond it, in the middle; 'fill': distort; default 'cover' */
  readonly fit?: Fit
  /** threads that decode; default 2 */
  readonly workers?: number
  /**
   * what happens at a file that cannot be decoded: 'throw' ends the step, and nothing that was committed is lost; 'skip'
   * takes the next file in its place, and adds the damaged one to `damaged`; default 'throw'
   */
  readonly onDamaged?: 'throw' | 'skip'
}

export interface MaskOptions extends ImageOptions {
  /**
   * the number of classes of a pixel; default 2, for masks whose pixels are dark or bright: a value from 128 on is class 1.
   * With more classes, the value is the class; a value that is no class is kept, for a loss with `ignoreIndex`
   */
  readonly classes?: number
}

/** Data sets of files. */
export interface ImageSets {
  readonly train: LazyDataset
  /** undefined where the folder has no test files */
  readonly test: LazyDataset | undefined
  /** the damaged files that were skipped so far, each with the reason */
  readonly damaged: ReadonlyMap<string, string>
}

const KNOWN = {
  size: ANYTHING,
  channels: { told: '1 or 3', fits: (value: unknown) => value === 1 || value === 3 },
  fit: oneOf('cover', 'fill'),
  workers: NUMBER,
  onDamaged: oneOf('throw', 'skip'),
}
const checkFolder = door('imageFolder', { dir: TEXT, options: optionsOf<ImageOptions>(KNOWN, ['size']) })
const checkMasks = door('maskFolder', {
  dir: TEXT,
  options: optionsOf<MaskOptions>({ ...KNOWN, classes: NUMBER }, ['size']),
})

/**
 * Images in folders that are named for their classes: DIR/cat/1.jpg. Or DIR has a folder `train`, and `test` or `val`, with
 * such folders in them. JPEG, PNG, WebP, GIF, TIFF and AVIF; other files are passed over. Classes are numbered in the order of
 * their names. Inputs are uint8 [N, channels, height, width] with scale 1/255, targets [N]. Node only; needs sharp.
 *
 * Host memory holds two mini-batches, the running one and the next, and two images for each worker.
 * @throws DataError  there is no folder or no image, `test` has a folder that `train` has not, or sharp is not installed
 */
export async function imageFolder(
  dir: string,
  options: ImageOptions,
): Promise<ImageSets & { readonly classNames: readonly string[] }> {
  checkFolder([dir, options])
  const reader = new Reader('imageFolder', options)
  const { train, test } = await partsOf(dir)
  const classNames = (await foldersIn(train)).sort()
  if (classNames.length === 0) throw new DataError(`${train}: there are no folders, one for each class`)
  const load = async (folder: string, name: string): Promise<LazyDataset> => {
    const present = await foldersIn(folder)
    const unknown = present.find((each) => !classNames.includes(each))
    if (unknown !== undefined) throw new DataError(`${folder}: the folder ${unknown} is no class of ${train}`)
    const files: string[] = []
    const labels: number[] = []
    for (const [label, each] of classNames.entries()) {
      if (!present.includes(each)) continue
      for (const file of await imagesIn(join(folder, each))) {
        files.push(file)
        labels.push(label)
      }
    }
    return reader.labelled({ name, files, labels, classes: classNames.length })
  }
  return {
    train: await load(train, 'images/train'),
    test: test === null ? undefined : await load(test, 'images/test'),
    classNames,
    damaged: reader.damaged,
  }
}

/**
 * Images in DIR/images, and for each a mask of the same name in DIR/masks: `car.jpg` and `car.png`, or `car_mask.gif`. Or DIR
 * has a folder `train`, and `test` or `val`, with these two in them. A mask is resized like its image, by its nearest
 * pixels. Inputs are as in `imageFolder`; targets are uint8 [N, height, width]. Node only; needs sharp.
 * @throws DataError  there is no folder or no image, an image has no mask, or sharp is not installed
 */
export async function maskFolder(dir: string, options: MaskOptions): Promise<ImageSets> {
  checkMasks([dir, options])
  const { classes = 2 } = options
  if (!(Number.isInteger(classes) && classes >= 2 && classes <= 256)) {
    throw new DataError(`maskFolder: classes is ${classes}; it must be a whole number from 2 to 256`)
  }
  const reader = new Reader('maskFolder', options)
  const parts = await partsOf(dir)
  const load = async (folder: string, name: string): Promise<LazyDataset> => {
    const files = await imagesIn(join(folder, 'images'))
    const byStem = new Map(
      (await imagesIn(join(folder, 'masks'))).map((path) => [stemOf(path).replace(/_mask$/, ''), path]),
    )
    const masks = files.map((file) => {
      const mask = byStem.get(stemOf(file))
      if (mask === undefined) throw new DataError(`${file}: there is no mask of this name in ${join(folder, 'masks')}`)
      return mask
    })
    return reader.masked({ name, files, masks, classes })
  }
  return {
    train: await load(parts.train, 'images/train'),
    test: parts.test === null ? undefined : await load(parts.test, 'images/test'),
    damaged: reader.damaged,
  }
}

/** Decodes the files of data sets. */
class Reader {
  readonly damaged = new Map<string, string>()
  readonly #decoders: Decoders
  readonly #form: Pick<Order, 'height' | 'width' | 'fit'>
  readonly #channels: 1 | 3
  readonly #skips: boolean

  constructor(what: string, { size, channels = 3, fit = 'cover', workers = 2, onDamaged = 'throw' }: ImageOptions) {
    const [height, width] = checkImageSize(what, size)
    if (!(Number.isInteger(workers) && workers >= 1 && workers <= 64)) {
      throw new DataError(`${what}: workers is ${showValue(workers)}; it must be a whole number from 1 to 64`)
    }
    needSharp()
    this.#form = { height, width, fit }
    this.#channels = channels
    this.#skips = onDamaged === 'skip'
    this.#decoders = new Decoders(workers, channels * height * width)
  }

  labelled(set: { name: string; files: readonly string[]; labels: readonly number[]; classes: number }): LazyDataset {
    const { name, files, labels, classes } = set
    const inputShape = [this.#channels, this.#form.height, this.#form.width]
    const gather = async (indices: ArrayLike<number>) => {
      checkIndices(name, files.length, indices)
      const { taken, pixels } = await this.#read(indices, [{ files, channels: this.#channels, nearest: false }])
      const targets = Uint16Array.from(taken, (index) => labels[index])
      return {
        inputs: { data: pixels[0], shape: [taken.length, ...inputShape], scale: 1 / 255 },
        targets: { data: targets, shape: [taken.length] },
      }
    }
    return { name, length: files.length, inputShape, targetShape: [], classes, gather }
  }

  masked(set: { name: string; files: readonly string[]; masks: readonly string[]; classes: number }): LazyDataset {
    const { name, files, masks, classes } = set
    const { height, width } = this.#form
    const inputShape = [this.#channels, height, width]
    const gather = async (indices: ArrayLike<number>) => {
      checkIndices(name, files.length, indices)
      const { taken, pixels } = await this.#read(indices, [
        { files, channels: this.#channels, nearest: false },
        { files: masks, channels: 1, nearest: true },
      ])
      const [data, found] = pixels
      if (classes === 2) for (let i = 0; i < found.length; i++) found[i] = found[i] >= 128 ? 1 : 0
      return {
        inputs: { data, shape: [taken.length, ...inputShape], scale: 1 / 255 },
        targets: { data: found, shape: [taken.length, height, width] },
      }
    }
    return { name, length: files.length, inputShape, targetShape: [height, width], classes, gather }
  }

  /**
   * Reads the files of samples: one file of each kind for a sample.
   * @returns pixels for each kind, and the samples that they are of: those at `indices`, with the next sample in place of a
   *          damaged one
   */
  async #read(
    indices: ArrayLike<number>,
    kinds: readonly { files: readonly string[]; channels: 1 | 3; nearest: boolean }[],
  ): Promise<{ taken: number[]; pixels: Uint8Array[] }> {
    const plane = this.#form.height * this.#form.width
    const taken = Array.from(indices)
    const pixels = kinds.map(({ channels }) => new Uint8Array(taken.length * channels * plane))
    const total = kinds[0].files.length
    let wanted = [...taken.keys()]
    for (let tries = 0; wanted.length > 0; tries++) {
      if (tries === total) throw new DataError(`none of the ${total} files can be decoded`)
      const orders = wanted.flatMap((sample) =>
        kinds.map(({ files, channels, nearest }, kind): Order => {
          const at = sample * channels * plane
          return { ...this.#form, path: files[taken[sample]], pixels: pixels[kind], at, channels, nearest }
        }),
      )
      const reasons = await this.#decoders.decode(orders)
      const failed = new Set<number>()
      reasons.forEach((reason, i) => {
        if (reason === null) return
        const { path } = orders[i]
        if (!this.#skips) {
          throw new DataError(
            `${path}: cannot be decoded (${reason}); onDamaged: 'skip' takes the next file in its place`,
          )
        }
        this.damaged.set(path, reason)
        failed.add(wanted[Math.floor(i / kinds.length)])
      })
      wanted = [...failed]
      for (const sample of wanted) taken[sample] = (taken[sample] + 1) % total
    }
    return { taken, pixels }
  }
}

/** The folders of training and of test files. */
async function partsOf(dir: string): Promise<{ train: string; test: string | null }> {
  const present = await foldersIn(dir)
  if (!present.includes('train')) return { train: dir, test: null }
  const test = ['test', 'val'].find((name) => present.includes(name))
  return { train: join(dir, 'train'), test: test === undefined ? null : join(dir, test) }
}

const entriesOf = (dir: string) =>
  readdir(dir, { withFileTypes: true }).catch((cause: unknown) => {
    throw new DataError(`${dir}: cannot be read as a folder (${reasonOf(cause)})`, { cause })
  })

const foldersIn = async (dir: string): Promise<string[]> =>
  (await entriesOf(dir)).filter((entry) => entry.isDirectory()).map(({ name }) => name)

/** The paths of the images of a folder, in the order of their names. @throws DataError  there is none */
async function imagesIn(dir: string): Promise<string[]> {
  const files = (await entriesOf(dir)).filter((entry) => !entry.isDirectory() && ENDINGS.test(entry.name))
  if (files.length === 0)
    throw new DataError(`${dir}: there is no image: none ends in .jpg, .png, .webp, .gif, .tif or .avif`)
  return files.map(({ name }) => join(dir, name)).sort()
}

const stemOf = (path: string): string => (path.split(/[\\/]/).at(-1) ?? path).replace(/\.[^.]*$/, '')
