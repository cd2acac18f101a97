/** Data sets with random changes, normalised data sets, and lazy ones. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type AnyDataset,
  augment,
  type Batch,
  centerCrop,
  DataError,
  type Dataset,
  fromArrays,
  type LazyDataset,
  miniBatches,
  moments,
  normalize,
  split,
  subset,
} from '../src/data/index.js'
import { crossEntropy, models, openDevice, optim, Streamer } from '../src/index.js'
import { errorOf } from './error-of.js'
import { fc } from './property.js'

const SEED = { seed: 11 }

/** Images in which every pixel has a different number, 1 or more, and masks that equal plane 0. */
function images(samples: number, height: number, width: number): Dataset {
  const plane = height * width
  const data = Float32Array.from({ length: samples * 2 * plane }, (_, i) => i + 1)
  const masks = Float32Array.from({ length: samples * plane }, (_, i) => {
    const [n, at] = [Math.floor(i / plane), i % plane]
    return data[n * 2 * plane + at]
  })
  return fromArrays({
    inputs: { data, shape: [samples, 2, height, width] },
    targets: { data: masks, shape: [samples, height, width] },
  })
}

/** The same data set as a lazy one. It records in `begun` when a gather begins. */
function lazy<D extends Dataset>(dataset: D, begun: number[] = []): LazyDataset {
  return {
    ...dataset,
    gather: async (indices, epoch) => {
      begun.push(indices.length)
      await new Promise((done) => setTimeout(done, 1))
      return dataset.gather(indices, epoch)
    },
  }
}

const pixelsOf = ({ inputs: { data, shape } }: Batch, sample: number): number[] => {
  const size = data.length / shape[0]
  return Array.from(data.subarray(sample * size, (sample + 1) * size))
}

/** The window of an image of two planes that begins at (top, left); what lies outside is 0. */
function windowOf(image: readonly number[], height: number, width: number, window: readonly number[], flip: boolean) {
  const [top, left, rows, columns] = window
  const result: number[] = []
  for (const plane of [0, 1]) {
    for (let y = 0; y < rows; y++) {
      const row: number[] = []
      for (let x = 0; x < columns; x++) {
        const inside = top + y >= 0 && top + y < height && left + x >= 0 && left + x < width
        row.push(inside ? image[(plane * height + top + y) * width + left + x] : 0)
      }
      result.push(...(flip ? row.reverse() : row))
    }
  }
  return result
}

test('an augmented image is a window of its image, mirrored or not; its mask is the same window of the mask', () => {
  fc.assert(
    fc.property(
      fc.record({
        height: fc.integer({ min: 1, max: 6 }),
        width: fc.integer({ min: 1, max: 6 }),
        rows: fc.nat(5),
        columns: fc.nat(5),
        shift: fc.nat(3),
        flip: fc.boolean(),
        epoch: fc.nat(3),
        seed: fc.nat(),
      }),
      ({ height, width, rows: r, columns: c, shift, flip, epoch, seed }) => {
        const [rows, columns] = [1 + (r % height), 1 + (c % width)]
        const whole = images(5, height, width)
        const changed = augment(whole, { crop: [rows, columns], shift, flip, seed })
        assert.equal(changed.inputShape, [2, rows, columns])
        assert.equal(changed.targetShape, [rows, columns])
        const order = [3, 0, 4, 0]
        const batch = changed.gather(order, epoch)
        order.forEach((index, i) => {
          const seen = pixelsOf(batch, i)
          const image = pixelsOf(whole.gather([index]), 0)
          const candidates: number[][] = []
          for (let top = -shift; top <= height - rows + shift; top++) {
            for (let left = -shift; left <= width - columns + shift; left++) {
              for (const mirrored of flip ? [false, true] : [false]) {
                candidates.push(windowOf(image, height, width, [top, left, rows, columns], mirrored))
              }
            }
          }
          assert.ok(candidates.some((window) => String(window) === String(seen)))
          const plane = rows * columns
          assert.equal(Array.from(batch.targets.data.subarray(i * plane, (i + 1) * plane)), seen.slice(0, plane))
          // the sample alone is as among others
          assert.equal(pixelsOf(changed.gather([index], epoch), 0), seen)
        })
      },
    ),
    SEED,
  )
})

test('every window comes about equally often, each epoch and seed has its own, and half of the images are mirrored', () => {
  const [samples, free] = [3000, 4]
  const whole = fromArrays({
    inputs: { data: Uint8Array.from({ length: samples * 25 }, (_, i) => i % 25), shape: [samples, 5, 5] },
    targets: { data: new Uint8Array(samples), shape: [samples] },
  })
  const all = Array.from({ length: samples }, (_, i) => i)
  const first = (dataset: Dataset, epoch: number): number[] => Array.from(dataset.gather(all, epoch).inputs.data)
  const cropped = augment(whole, { crop: 5 - free })
  const counts = new Array<number>(25).fill(0)
  for (const pixel of first(cropped, 0)) counts[pixel]++
  const expected = samples / 25
  const chi2 = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  // of 24 degrees of freedom: exceeded once in a thousand
  assert.ok(chi2 < 51.2, `${chi2}`)
  const same = (a: readonly number[], b: readonly number[]): number => a.filter((value, i) => value === b[i]).length
  for (const other of [first(cropped, 1), first(augment(whole, { crop: 1, seed: 1 }), 0)]) {
    assert.ok(Math.abs(same(first(cropped, 0), other) - expected) < 5 * Math.sqrt(expected))
  }
  const mirrored = first(augment(whole, { flip: true }), 0).filter((pixel, i) => i % 25 === 0 && pixel === 4).length
  assert.ok(Math.abs(mirrored - samples / 2) < 3 * Math.sqrt(samples))
})

test('the middle of an image', () => {
  const { inputs, targets } = centerCrop(images(1, 4, 5), [2, 3]).gather([0])
  assert.equal(Array.from(inputs.data), [7, 8, 9, 12, 13, 14, 27, 28, 29, 32, 33, 34])
  assert.equal(Array.from(targets.data), [7, 8, 9, 12, 13, 14])
})

test('samples, sizes and shifts that do not fit are refused', () => {
  const refused = (run: () => unknown, message: RegExp): void =>
    assert.throws(run, (error: unknown) => error instanceof DataError && message.test(error.message))
  const numbers = fromArrays({
    inputs: { data: new Float32Array(6), shape: [2, 3] },
    targets: { data: new Uint8Array(2), shape: [2] },
  })
  refused(() => augment(numbers, { flip: true }), /samples of arrays are \[3\]; images are \[\.\.\., height, width\]/)
  refused(() => augment(images(1, 4, 4), { crop: 5 }), /a window of 5 x 5 does not fit an image of 4 x 4/)
  for (const crop of [0, 1.5, [1], [1, 2, 3], '4']) {
    refused(() => augment(images(1, 4, 4), { crop: crop as number }), /^augment: the size .* is neither/)
  }
  refused(() => augment(images(1, 4, 4), { shift: -1 }), /shift is -1/)
  refused(() => normalize(numbers, { mean: [1, 2], std: 1 }), /mean has 2 numbers, and samples have 3 channels/)
  refused(() => normalize(numbers, { mean: 0, std: [1, 0, 1] }), /std 0 of channel 1/)
})

test('the moments of the channels are those of float64, and normalised inputs have mean 0 and deviation 1', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 600 }),
      fc.integer({ min: 1, max: 4 }),
      fc.boolean(),
      async (n, c, wait) => {
        const data = Uint8Array.from({ length: n * c * 3 }, (_, i) => (i * 7919) % 251)
        const plain = fromArrays({
          inputs: { data, shape: [n, c, 3], scale: 0.5 },
          targets: { data: new Uint8Array(n), shape: [n] },
        })
        const dataset: AnyDataset = wait ? lazy(plain) : plain
        const { mean, std } = await moments(dataset)
        for (let channel = 0; channel < c; channel++) {
          const values = [...data].filter((_, i) => Math.floor(i / 3) % c === channel).map((value) => value * 0.5)
          const average = values.reduce((a, b) => a + b, 0) / values.length
          const variance = values.reduce((a, b) => a + (b - average) ** 2, 0) / values.length
          assert.ok(Math.abs(mean[channel] - average) < 1e-9)
          assert.ok(Math.abs(std[channel] - (Math.sqrt(variance) || 1)) < 1e-9)
        }
        const { inputs } = normalize(plain, { mean, std }).gather(Array.from({ length: n }, (_, i) => i))
        assert.ok(Math.abs([...inputs.data].reduce((a, b) => a + b, 0)) < 1e-3 * inputs.data.length)
        const [value] = [...inputs.data].slice(-1)
        assert.ok(Math.abs(value - ((data.at(-1) ?? 0) * 0.5 - mean[c - 1]) / std[c - 1]) < 1e-5)
      },
    ),
    { ...SEED, numRuns: 30 },
  )
})

test('a lazy data set gives the same mini-batches as one in memory', async () => {
  const plain = images(11, 2, 2)
  for (const options of [{}, { shuffle: false }, { skip: 4 }, { dropLast: true }, { epoch: 2 }]) {
    const batches: Batch[][] = [[], []]
    for (const [i, source] of [augment(plain, { flip: true }), augment(lazy(plain), { flip: true })].entries()) {
      for await (const batch of miniBatches(source, { batch: 4, seed: 3, ...options })) batches[i].push(batch)
    }
    assert.equal(batches[0], batches[1])
  }
  const { train, test: rest } = split(lazy(plain), { seed: 1 })
  assert.equal(await train.gather([0, 1]), split(plain, { seed: 1 }).train.gather([0, 1]))
  assert.equal(await subset(rest, [1]).gather([0]), split(plain, { seed: 1 }).test.gather([1]))
})

test('one mini-batch is gathered ahead while one is learned, and no more; its error comes when it is asked for', async () => {
  const begun: number[] = []
  const source = miniBatches(lazy(images(10, 2, 2), begun), { batch: 4 })
  await source.next()
  assert.equal(begun, [4, 4])
  await source.next()
  assert.equal(begun, [4, 4, 2])
  await source.next()
  assert.is((await source.next()).done, true)
  const growing: number[] = []
  const sizes = miniBatches(lazy(images(10, 2, 2), growing), { batch: () => 4 })
  await sizes.next()
  assert.equal(growing, [4])

  const failing: LazyDataset = {
    ...lazy(images(10, 2, 2)),
    gather: async (indices) => {
      if (indices.length < 4) throw new DataError('the file bird.png is damaged')
      return images(10, 2, 2).gather(indices)
    },
  }
  const seen: number[] = []
  const error = await errorOf(
    (async () => {
      for await (const { inputs } of miniBatches(failing, { batch: 4 })) seen.push(inputs.shape[0])
    })(),
  )
  assert.equal(seen, [4, 4])
  assert.match((error as Error).message, /bird\.png/)
})

test('losses of augmented data do not depend on the micro-batch, nor on whether the data set is lazy', async () => {
  const plain = fromArrays({
    inputs: { data: Float32Array.from({ length: 24 * 64 }, (_, i) => Math.sin(i * i)), shape: [24, 1, 8, 8] },
    targets: { data: Uint8Array.from({ length: 24 }, (_, i) => i % 10), shape: [24] },
    classes: 10,
  })
  const losses = async (source: Dataset | LazyDataset, microBatch: number): Promise<number[]> => {
    const device = await openDevice('reference', { memory: '4MiB' })
    const model = models.mlp(device, { inputShape: [1, 8, 8], classes: 10, seed: 1 })
    const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optim.sgd(model, { learningRate: 0.1 }) })
    const seen: number[] = []
    const options = { batch: 10, epochs: 2, microBatch, evaluate: source }
    for await (const { loss } of streamer.fit(source, options)) seen.push(loss)
    await device.close()
    return seen
  }
  const whole = await losses(augment(plain, { shift: 2, flip: true }), 10)
  for (const source of [augment(plain, { shift: 2, flip: true }), augment(lazy(plain), { shift: 2, flip: true })]) {
    for (const [i, loss] of (await losses(source, 3)).entries()) assert.ok(Math.abs(loss - whole[i]) < 1e-9)
  }
  assert.ok((await losses(plain, 10)).some((loss, i) => Math.abs(loss - whole[i]) > 1e-4))
})

test.run()
