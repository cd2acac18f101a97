/** Data sets from bytes and from text: CIFAR, sequences of tokens, arrays by name, drawn shapes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { arraySets, cifarFolder, DataError, parseCifar, sequences, shapes, tokenize } from '../src/data/index.js'
import { SluiceError } from '../src/memory/errors.js'
import { errorOf } from './error-of.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

const SEED = { seed: 5 }
const refused = (run: () => unknown, message: RegExp): void =>
  assert.throws(run, (error: unknown) => error instanceof DataError && message.test(error.message))

/** A file in this format: for each record its labels, then 1024 bytes each of red, green and blue. */
function cifar(labels: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from(
    labels.flatMap((label, n) => [...label, ...Array.from({ length: 3072 }, (_, i) => (n + (i >> 10) * 80 + i) % 256)]),
  )
}

test('CIFAR-10 and CIFAR-100: pixels in planes, and the fine labels', () => {
  const ten = parseCifar(cifar([[3], [9]]), 'cifar10')
  assert.equal([ten.length, ten.classes, ten.inputShape], [2, 10, [3, 32, 32]])
  const { inputs, targets } = ten.gather([1])
  assert.is(targets.data[0], 9)
  assert.equal([inputs.data[0], inputs.data[1024], inputs.scale], [1, (1 + 80 + 1024) % 256, 1 / 255])
  const hundred = parseCifar(
    cifar([
      [1, 42],
      [0, 99],
    ]),
    'cifar100',
  )
  assert.equal([...hundred.gather([0, 1]).targets.data], [42, 99])
  refused(() => parseCifar(cifar([[10]]), 'cifar10'), /^cifar10: record 0 has the label 10; labels are 0 to 9$/)
  refused(() => parseCifar(cifar([[1]]).subarray(1), 'cifar10'), /3072 bytes are not one or more records of 3073/)
  refused(() => parseCifar(new Uint8Array(), 'cifar10'), /0 bytes/)
})

test('a folder of CIFAR files', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-cifar-'))
  try {
    for (const i of [1, 2, 3, 4, 5]) writeFileSync(join(dir, `data_batch_${i}.bin`), cifar([[i], [0]]))
    assert.match(((await errorOf(cifarFolder(dir))) as Error).message, /there is no test_batch\.bin/)
    writeFileSync(join(dir, 'test_batch.bin'), cifar([[7]]))
    const { train, test } = await cifarFolder(dir)
    assert.equal([...train.gather([0, 2, 4, 6, 8]).targets.data], [1, 2, 3, 4, 5])
    assert.equal([train.name, test.name, test.length], ['cifar10/train', 'cifar10/test', 1])
    writeFileSync(join(dir, 'data_batch_3.bin'), cifar([[7]]).subarray(0, 99))
    assert.match(((await errorOf(cifarFolder(dir))) as Error).message, /data_batch_3\.bin: cifar10: 99 bytes/)
  } finally {
    rmSync(dir, { recursive: true })
  }
  assert.match(((await errorOf(cifarFolder(dir))) as Error).message, /cannot be read as a folder/)
})

test('decode undoes encode, for every text, by characters and by bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
      for (const by of ['characters', 'bytes'] as const) {
        const { ids, size, encode, decode } = tokenize(text, { by })
        assert.is(decode(ids), text)
        assert.equal([...encode(text)], [...ids])
        assert.ok(ids.every((id) => id < size))
        assert.is(size, by === 'bytes' ? 256 : new Set(text).size)
      }
    }),
    SEED,
  )
  assert.equal([...tokenize('banana').ids], [1, 0, 2, 0, 2, 0])
  refused(() => tokenize(''), /the text is empty/)
  refused(() => tokenize('ab').encode('abc'), /no character 'c'/)
  refused(() => tokenize('ab').decode([0, 2]), /2 at 1 is not a token from 0 to 1/)
})

test('a sequence is a piece of the text, and its targets are the same piece one token further', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 60 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 15 }),
      (n, t, stride) => {
        const ids = Uint8Array.from({ length: n }, (_, i) => (i * 7) % 31)
        if (n < t + 1) return refused(() => sequences(ids, { context: t, classes: 31 }), /tokens; a context of/)
        const set = sequences(ids, { context: t, classes: 31, stride })
        let count = 0
        for (let start = 0; start + t + 1 <= n; start += stride, count++) {
          const { inputs, targets } = set.gather([count])
          assert.equal([...inputs.data], [...ids.subarray(start, start + t)])
          assert.equal([...targets.data], [...ids.subarray(start + 1, start + t + 1)])
        }
        assert.is(set.length, count)
      },
    ),
    SEED,
  )
  const ids = Uint8Array.of(0, 1, 2)
  refused(() => sequences(ids, { context: 1, classes: 2 }), /2 at 2 is not a token from 0 to 1/)
  refused(() => sequences(ids, { context: 0, classes: 3 }), /context is 0/)
  refused(() => sequences(ids, { context: 1, classes: 3, stride: 0.5 }), /stride is 0\.5/)
})

test('arrays by the names that people give them', () => {
  const images = { data: new Uint8Array(2 * 4), shape: [2, 2, 2] }
  const labels = { data: Int32Array.of(0, 4), shape: [2] }
  for (const [x, y] of [
    ['x', 'y'],
    ['images', 'labels'],
    ['inputs', 'targets'],
    ['data', 'target'],
  ]) {
    const { train, test } = arraySets({ [x]: images, [y]: labels })
    assert.equal([train.inputShape, train.classes, test], [[1, 2, 2], 5, undefined])
    assert.is(train.gather([0]).inputs.scale, 1 / 255)
    const parts = arraySets({
      [`${x}_train`]: images,
      [`${y}_train`]: labels,
      [`${x}_test`]: images,
      [`${y}_test`]: labels,
    })
    assert.equal([parts.train.length, parts.test?.length], [2, 2])
  }
  const numbers = { data: Float32Array.of(1, 2), shape: [2, 1] }
  assert.equal(arraySets({ x: numbers, y: numbers }).train.classes, undefined)
  refused(() => arraySets({ a: images, b: labels }, 'my.npz'), /^my\.npz: there are the arrays a, b, and not x and y/)
})

test('drawn shapes: a seed always gives the same images; masks cover the shapes; every class comes', () => {
  const set = shapes({ samples: 100, size: 16, seed: 3 })
  const masks = shapes({ samples: 100, size: 16, seed: 3, target: 'masks' })
  const all = Array.from({ length: 100 }, (_, i) => i)
  const { inputs, targets } = set.gather(all)
  const found = masks.gather(all)
  assert.equal(found.inputs.data, inputs.data)
  assert.equal([...set.gather([42]).inputs.data], [...inputs.data.subarray(42 * 768, 43 * 768)])
  assert.is(new Set(targets.data).size, 5)
  assert.equal([set.classes, masks.classes], [5, 6])
  for (const n of all) {
    const mask = [...found.targets.data.subarray(n * 256, (n + 1) * 256)]
    assert.equal([...new Set(mask)].sort(), [0, targets.data[n] + 1])
    // the shape is brighter than what is around it
    const mean = (wanted: boolean): number => {
      const pixels = mask.flatMap((is, at) => (is > 0 === wanted ? [inputs.data[n * 768 + at]] : []))
      return pixels.reduce((a, b) => a + b, 0) / pixels.length
    }
    assert.ok(mean(true) > mean(false) + 30)
  }
  assert.is.not(String(shapes({ seed: 4 }).gather([0]).inputs.data), String(shapes().gather([0]).inputs.data))
  refused(() => shapes({ size: 4 }), /size is 4/)
  refused(() => shapes({ samples: 0 }), /samples is 0/)
})

test('damaged CIFAR files are a data set or a typed error', () => {
  fc.assert(
    fc.property(
      fc.nat(6200),
      fc.nat(255),
      fc.nat(3100),
      fc.constantFrom('cifar10', 'cifar100'),
      (at, value, cut, kind) => {
        const bytes = cifar([[3], [9]])
        bytes[at % bytes.length] = value
        try {
          parseCifar(bytes.subarray(0, bytes.length - cut), kind).gather([0])
        } catch (error) {
          assert.instance(error, SluiceError)
        }
      },
    ),
    { ...SEED, numRuns: 500 * TEST_RUNS },
  )
})

test.run()
