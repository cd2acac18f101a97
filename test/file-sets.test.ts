/** Data sets of files on disk: images by class, images with masks, tables. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { augment, type Dataset, type LazyDataset } from '../src/data/index.js'
import { csvFile, type ImageOptions, imageFolder, maskFolder } from '../src/files/index.js'
import { crossEntropy, models, openDevice, optim, SluiceError, Streamer } from '../src/index.js'
import { errorOf } from './error-of.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

const root = mkdtempSync(join(tmpdir(), 'sluice-files-'))
test.after(() => rmSync(root, { recursive: true }))
let folders = 0

/** A folder with these files. */
function folderOf(files: Readonly<Record<string, Uint8Array | string>>): string {
  const dir = join(root, `${folders++}`)
  mkdirSync(dir)
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), content)
  }
  return dir
}

const png = (width: number, height: number, channels: 1 | 3 | 4, pixel: (x: number, y: number, c: number) => number) =>
  sharp(
    Uint8Array.from({ length: width * height * channels }, (_, i) => {
      const at = Math.floor(i / channels)
      return pixel(at % width, Math.floor(at / width), i % channels)
    }),
    { raw: { width, height, channels } },
  )
    .png()
    .toBuffer()

const plain = (width: number, height: number, [r, g, b]: readonly number[]) =>
  png(width, height, 3, (_x, _y, c) => [r, g, b][c])

const RED = [200, 10, 20]
const GREEN = [10, 200, 30]

async function twoClasses(): Promise<string> {
  return folderOf({
    'train/green/1.png': await plain(4, 4, GREEN),
    'train/green/2.jpg': await sharp(await plain(20, 30, GREEN))
      .jpeg({ quality: 95 })
      .toBuffer(),
    'train/red/1.webp': await sharp(await plain(7, 5, RED))
      .webp({ lossless: true })
      .toBuffer(),
    'train/red/notes.txt': 'not an image',
    'val/red/9.PNG': await plain(4, 4, RED),
  })
}

/** The mean of each channel of a sample. */
function colours({ inputs: { data, shape } }: Awaited<ReturnType<LazyDataset['gather']>>, sample: number): number[] {
  const [, channels, height, width] = shape
  return Array.from({ length: channels }, (_, c) => {
    const from = (sample * channels + c) * height * width
    return [...data.subarray(from, from + height * width)].reduce((a, b) => a + b, 0) / (height * width)
  })
}

test('images in folders by class: sorted classes, any format and size, and the test files beside them', async () => {
  const { train, test, classNames, damaged } = await imageFolder(await twoClasses(), { size: 6 })
  assert.equal([classNames, train.length, test?.length, damaged.size], [['green', 'red'], 3, 1, 0])
  assert.equal([train.inputShape, train.classes], [[3, 6, 6], 2])
  const batch = await train.gather([2, 0, 1])
  assert.equal([...batch.targets.data], [1, 0, 0])
  assert.equal([batch.inputs.shape, batch.inputs.scale], [[3, 3, 6, 6], 1 / 255])
  for (const [sample, wanted] of [RED, GREEN, GREEN].entries()) {
    for (const [c, mean] of colours(batch, sample).entries()) assert.ok(Math.abs(mean - wanted[c]) < 3, `${mean}`)
  }
  assert.equal([...((await test?.gather([0]))?.targets.data ?? [])], [1])
  const grey = await imageFolder(await twoClasses(), { size: [2, 3], channels: 1 })
  assert.equal((await grey.train.gather([0])).inputs.shape, [1, 1, 2, 3])
})

test("'cover' cuts the middle out, 'fill' distorts; an image that has the size comes as it is", async () => {
  const left = await png(8, 4, 3, (x) => (x < 2 ? 250 : 0))
  const own = await png(4, 4, 3, (x, y, c) => 50 * c + 4 * y + x)
  const dir = folderOf({ 'a/1.png': left, 'a/2.png': own })
  const cover = await imageFolder(dir, { size: 4 })
  const batch = await cover.train.gather([0, 1])
  assert.equal(colours(batch, 0), [0, 0, 0])
  assert.equal(
    [...batch.inputs.data.subarray(48)],
    Array.from({ length: 48 }, (_, i) => 50 * Math.floor(i / 16) + (i % 16)),
  )
  const fill = await imageFolder(dir, { size: 4, fit: 'fill' })
  assert.ok(colours(await fill.train.gather([0]), 0)[0] > 40)
})

test('a mask is resized like its image, by its nearest pixels', async () => {
  const dir = folderOf({
    'images/car.png': await png(16, 8, 3, (x) => (x < 8 ? 10 : 240)),
    'masks/car_mask.png': await png(16, 8, 1, (x) => (x < 8 ? 0 : 255)),
    'images/dog.jpg': await sharp(await plain(8, 8, RED))
      .jpeg()
      .toBuffer(),
    'masks/dog.png': await png(8, 8, 1, (_x, y) => (y < 4 ? 255 : 0)),
  })
  const { train } = await maskFolder(dir, { size: 8 })
  assert.equal([train.inputShape, train.targetShape, train.classes], [[3, 8, 8], [8, 8], 2])
  const { inputs, targets } = await train.gather([0, 1])
  for (let i = 0; i < 64; i++) assert.is(targets.data[i], inputs.data[i] > 128 ? 1 : 0)
  assert.equal(
    [...targets.data.subarray(64)],
    Array.from({ length: 64 }, (_, i) => (i < 32 ? 1 : 0)),
  )
  const many = folderOf({
    'images/a.png': await plain(4, 4, RED),
    'masks/a.png': await png(4, 4, 1, (x, y) => x + 4 * y),
  })
  const { train: classes } = await maskFolder(many, { size: 4, classes: 16 })
  assert.equal(
    [...(await classes.gather([0])).targets.data],
    Array.from({ length: 16 }, (_, i) => i),
  )
  // a mask stays on its image when both are mirrored
  const flipped = augment(train, { flip: true, seed: 1 })
  for (let epoch = 0; epoch < 8; epoch++) {
    const { inputs, targets } = await flipped.gather([0], epoch)
    for (let i = 0; i < 64; i++) assert.is(targets.data[i], inputs.data[i] > 128 ? 1 : 0)
  }
})

test('a damaged file ends the step by name, and committed steps stay; or it is skipped, and the next file takes its place', async () => {
  const files: Record<string, Uint8Array | string> = {}
  for (let i = 0; i < 8; i++) files[`${i % 2 ? 'red' : 'green'}/${i}.png`] = await plain(8, 8, i % 2 ? RED : GREEN)
  const whole = files['green/4.png'] as Uint8Array
  files['green/4.png'] = whole.subarray(0, whole.length - 30)
  files['red/7.png'] = 'this is text'
  const dir = folderOf(files)
  const train = async (options: Partial<ImageOptions>, batch: number) => {
    const sets = await imageFolder(dir, { size: 8, ...options })
    const device = await openDevice('cpu', { memory: '1MiB' })
    const model = models.mlp(device, { inputShape: [3, 8, 8], classes: 2 })
    const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optim.sgd(model, { learningRate: 0.1 }) })
    const steps: number[] = []
    const error = await errorOf(
      (async () => {
        for await (const { step } of streamer.fit(sets.train, { batch, shuffle: false, epochs: 2 })) steps.push(step)
      })(),
    ).catch(() => null)
    const { samples } = streamer.cursor
    await device.close()
    return { error: error as Error | null, steps, samples, damaged: sets.damaged }
  }
  const thrown = await train({}, 2)
  assert.match(thrown.error?.message ?? '', /green\/4\.png: cannot be decoded .*onDamaged: 'skip'/)
  assert.equal([thrown.steps, thrown.samples], [[1], 2])
  const skipped = await train({ onDamaged: 'skip' }, 3)
  assert.is(skipped.error, null)
  assert.equal(skipped.steps, [1, 2, 3, 4, 5, 6])
  assert.equal([...skipped.damaged.keys()].map((path) => path.slice(dir.length)).sort(), ['/green/4.png', '/red/7.png'])
  const { train: set } = await imageFolder(dir, { size: 8, onDamaged: 'skip' })
  // files 0 2 4 6 of green, then 1 3 5 7 of red
  const { targets, inputs } = await set.gather([2, 7])
  assert.equal([...targets.data], [0, 0])
  for (const sample of [0, 1]) assert.ok(colours({ inputs, targets }, sample)[1] > 190)
  const none = await imageFolder(folderOf({ 'a/1.png': 'x', 'a/2.png': '' }), { size: 4, onDamaged: 'skip' })
  assert.match(((await errorOf(none.train.gather([0]))) as Error).message, /none of the 2 files can be decoded/)
})

test('pixels and losses do not depend on the number of workers, nor on the micro-batch', async () => {
  const files: Record<string, Uint8Array> = {}
  for (let i = 0; i < 12; i++) {
    const image = await png(20 + i, 14, 3, (x, y, c) => (x * i + y * 11 + c * 70) % 256)
    files[`${i % 3}/${i}.jpg`] = await sharp(image).jpeg().toBuffer()
  }
  const dir = folderOf(files)
  const run = async (workers: number, microBatch: number) => {
    const { train } = await imageFolder(dir, { size: 8, workers })
    const device = await openDevice('reference', { memory: '2MiB' })
    const model = models.mlp(device, { inputShape: [3, 8, 8], classes: 3, width: 8 })
    const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optim.sgd(model, { learningRate: 0.1 }) })
    const data = augment(train, { flip: true, shift: 1 })
    const losses: number[] = []
    for await (const { loss } of streamer.fit(data, { batch: 5, epochs: 2, microBatch })) losses.push(loss)
    await device.close()
    return { losses, pixels: [...(await train.gather([0, 5, 11])).inputs.data] }
  }
  const one = await run(1, 5)
  const four = await run(4, 5)
  assert.equal(four, one)
  for (const [i, loss] of (await run(2, 2)).losses.entries()) assert.ok(Math.abs(loss - one.losses[i]) < 1e-9)
})

test('folders that lack something are refused by name', async () => {
  const refused = async (promise: Promise<unknown>, message: RegExp) => {
    const error = (await errorOf(promise)) as Error
    assert.instance(error, SluiceError)
    assert.match(error.message, message)
  }
  const dir = await twoClasses()
  await refused(imageFolder(join(dir, 'none'), { size: 4 }), /none: cannot be read as a folder/)
  await refused(imageFolder(folderOf({ 'a.png': 'x' }), { size: 4 }), /there are no folders, one for each class/)
  await refused(imageFolder(folderOf({ 'a/b.txt': 'x' }), { size: 4 }), /there is no image/)
  await refused(imageFolder(dir, { size: 0 }), /^imageFolder: the size 0 is neither/)
  await refused(imageFolder(dir, { size: 4, workers: 0 }), /workers is 0/)
  await refused(imageFolder(dir, {} as ImageOptions), /option size is missing/)
  await refused(imageFolder(dir, { size: 4, color: 1 } as unknown as ImageOptions), /no option 'color'/)
  const other = folderOf({ 'train/a/1.png': 'x', 'test/b/1.png': 'x' })
  await refused(imageFolder(other, { size: 4 }), /test: the folder b is no class of .*train/)
  await refused(
    maskFolder(folderOf({ 'images/1.png': 'x', 'masks/2.png': 'x' }), { size: 4 }),
    /1\.png: there is no mask/,
  )
  await refused(maskFolder(dir, { size: 4, classes: 1 }), /classes is 1/)
})

const table = (text: string): string => join(folderOf({ 'table.csv': text }), 'table.csv')

test('a table: numbers are features, texts are one feature each, the target is a class or a number', async () => {
  const path = table('size,colour,kind\n1.5,red,cat\n2,"green, dark",dog\n-3e1,red,cat\n')
  const { dataset, features, classNames } = await csvFile(path, { target: 'kind' })
  assert.equal(features, ['size', 'colour=green, dark', 'colour=red'])
  assert.equal(classNames, ['cat', 'dog'])
  const { inputs, targets } = dataset.gather([0, 1, 2])
  assert.equal([...inputs.data], [1.5, 0, 1, 2, 1, 0, -30, 0, 1])
  assert.equal([[...targets.data], dataset.classes], [[0, 1, 0], 2])
  const values = await csvFile(path, { target: 'size', ignore: ['colour'] })
  assert.equal([values.features, values.classNames], [['kind=cat', 'kind=dog'], null])
  assert.equal([[...values.dataset.gather([0, 2]).targets.data], values.dataset.targetShape], [[1.5, -30], [1]])
  const digits = await csvFile(table('a;b\n1;10\n2;9\n3;10\n'), { target: 'b', separator: ';' })
  assert.equal(digits.classNames, ['9', '10'])
  const numbers = await csvFile(table('a,b\n1,10\n2,9\n'), { target: 'b', kind: 'values' })
  assert.is(numbers.classNames, null)
  const filled = await csvFile(table('a,b\n1,x\n,y\n4,x\n'), { target: 'b', missing: 'mean' })
  assert.equal([...filled.dataset.gather([0, 1, 2]).inputs.data], [1, 2.5, 4])
})

test('files that are no tables are refused, with the line and the column', async () => {
  const refused = async (text: string, options: Partial<Parameters<typeof csvFile>[1]>, message: RegExp) => {
    const error = (await errorOf(csvFile(table(text), { target: 'b', ...options }))) as Error
    assert.instance(error, SluiceError)
    assert.match(error.message, message)
  }
  await refused('a,b\n1,2\n3\n', {}, /cannot be read as a table .*line 3/)
  await refused('a,b\n1,2\n,3\n', {}, /line 3: the cell of a is empty/)
  await refused('a,b\n1,\n', { missing: 'mean' }, /line 2: the cell of b is empty/)
  await refused('a,c\n1,2\n', {}, /there is no column 'b'; the columns are a, c/)
  await refused('a,b,b\n1,2,3\n', {}, /there are two columns 'b'/)
  await refused('a,b\n', {}, /there is no row/)
  await refused('', {}, /there is no row/)
  await refused('b\n1\n', {}, /there is no column besides b/)
  await refused('a,b\n"1,2\n', {}, /cannot be read as a table/)
  const names = Array.from({ length: 1002 }, (_, i) => `name${i},1`).join('\n')
  await refused(`a,b\n${names}\n`, {}, /the column a has over 1000 different texts/)
  const error = (await errorOf(csvFile(join(root, 'none.csv'), { target: 'b' }))) as Error
  assert.match(error.message, /none\.csv: cannot be read as a table .*ENOENT/)
})

test('random tables and images give a data set or a typed error', async () => {
  const cell = fc.oneof(
    fc.constantFrom('1', '2.5', 'x', '', '"', 'a"b', 'NaN', '1e999', ',,'),
    fc.string({ maxLength: 4 }),
  )
  const text = fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(text, async (rows) => {
      const path = table(`a,b,c\n${rows.map((row) => row.join(',')).join('\n')}`)
      const made: Dataset | SluiceError = await csvFile(path, { target: 'b', missing: 'mean' }).then(
        ({ dataset }) => dataset,
        (error: SluiceError) => error,
      )
      if (made instanceof Error) return assert.instance(made, SluiceError)
      const { inputs, targets } = made.gather([made.length - 1])
      assert.ok([...inputs.data, ...targets.data].every(Number.isFinite))
    }),
    { seed: 9, numRuns: 60 * TEST_RUNS },
  )
  const good = await plain(6, 6, RED)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      async (changes) => {
        const bytes = Uint8Array.from(good)
        for (const [at, value] of changes) bytes[at] = value
        const { train } = await imageFolder(folderOf({ 'a/1.png': bytes }), { size: 4, workers: 1 })
        await train.gather([0]).then(
          ({ inputs }) => assert.is(inputs.data.length, 48),
          (error: unknown) => assert.instance(error, SluiceError),
        )
      },
    ),
    { seed: 9, numRuns: 25 * TEST_RUNS },
  )
})

test.run()
