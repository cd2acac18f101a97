/** The IDX parser and gunzip on good, damaged and hostile bytes, and folders of published files. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constants, gzipSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DataError, gunzip, IdxError, idxDataset, idxFolder, parseIdx } from '../src/data/index.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

const SEED = { seed: 20242 }

/** An IDX file, written independently of the parser. */
function idxFile(type: number, shape: readonly number[], elements: readonly number[]): Uint8Array {
  const dims = shape.flatMap((dim) => [24, 16, 8, 0].map((shift) => (dim >>> shift) & 0xff))
  return Uint8Array.from([0, 0, type, shape.length, ...dims, ...elements])
}

/** Type byte and bytes of an element. */
const TYPES: readonly [type: number, elementBytes: number][] = [
  [0x08, 1],
  [0x09, 1],
  [0x0b, 2],
  [0x0c, 4],
  [0x0d, 4],
  [0x0e, 8],
]

const validFile = fc
  .tuple(fc.constantFrom(...TYPES), fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }))
  .chain(([[type, elementBytes], shape]) => {
    const length = shape.reduce((product, dim) => product * dim, elementBytes)
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((elements) => ({ shape, bytes: idxFile(type, shape, Array.from(elements)) }))
  })

/** Returns true for a value, false for a typed error; anything else fails the test. */
function parses(bytes: Uint8Array): boolean {
  try {
    const { data, shape } = parseIdx(bytes)
    assert.is(
      data.length,
      shape.reduce((product, dim) => product * dim, 1),
    )
    assert.ok(data.byteLength <= bytes.length)
    return true
  } catch (error) {
    assert.instance(error, IdxError)
    return false
  }
}

async function rejected(promise: Promise<unknown>, kind: typeof DataError, message: RegExp): Promise<void> {
  const outcome: unknown = await promise.catch((error: unknown) => error)
  assert.instance(outcome, kind)
  assert.match(outcome instanceof Error ? outcome.message : '', message)
}

async function unpacks(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array | undefined> {
  try {
    const out = await gunzip(bytes, { maxBytes })
    assert.ok(out.length <= maxBytes)
    return out
  } catch (error) {
    assert.instance(error, DataError)
    return undefined
  }
}

test('every element type, big-endian', () => {
  const cases: [number, number[], ArrayLike<number>][] = [
    [0x08, [0, 255], Uint8Array.of(0, 255)],
    [0x09, [0x80, 0x7f], Int8Array.of(-128, 127)],
    [0x0b, [0x80, 0x00, 0x01, 0x02], Int16Array.of(-32768, 258)],
    [0x0c, [0xff, 0xff, 0xff, 0xfe, 0x00, 0x01, 0x00, 0x02], Int32Array.of(-2, 65538)],
    [0x0d, [0x3f, 0x80, 0, 0, 0xc0, 0x20, 0, 0], Float32Array.of(1, -2.5)],
    [0x0e, [0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xc0, 0x04, 0, 0, 0, 0, 0, 0], Float64Array.of(1, -2.5)],
  ]
  for (const [type, elements, expected] of cases) {
    assert.equal(parseIdx(idxFile(type, [2, 1], elements)), { data: expected, shape: [2, 1] })
  }
  // From the middle of a larger buffer, where wide elements are not aligned.
  const file = idxFile(0x0e, [2], cases[5][1])
  const shifted = new Uint8Array(file.length + 9)
  shifted.set(file, 3)
  assert.equal(parseIdx(shifted.subarray(3, 3 + file.length)).data, Float64Array.of(1, -2.5))
})

test('valid files parse; every truncation and any extra byte is refused', () => {
  fc.assert(
    fc.property(validFile, ({ shape, bytes }) => {
      assert.equal(parseIdx(bytes).shape, shape)
      for (let length = 0; length < bytes.length; length++) assert.not(parses(bytes.subarray(0, length)))
      assert.not(parses(Uint8Array.from([...bytes, 0])))
    }),
    SEED,
  )
})

test('any bytes give a value or an IdxError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void parses(bytes)),
    { ...SEED, numRuns: 1000 * TEST_RUNS },
  )
  const mutation = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))
  fc.assert(
    fc.property(validFile, fc.array(mutation, { minLength: 1, maxLength: 4 }), ({ bytes }, mutations) => {
      const mutant = bytes.slice()
      // Mostly within the header, where it matters.
      for (const [at, value] of mutations) mutant[at % Math.min(mutant.length, 24)] = value
      parses(mutant)
    }),
    { ...SEED, numRuns: 1000 * TEST_RUNS },
  )
})

test('the error says what is wrong with the bytes', () => {
  const refused = (bytes: Uint8Array, message: RegExp) =>
    assert.throws(
      () => parseIdx(bytes),
      (error: unknown) => error instanceof IdxError && message.test(error.message),
    )
  const max = 0xffffffff
  refused(new Uint8Array(0), /0 bytes/)
  refused(gzipSync(idxFile(8, [1], [1])), /gunzip/)
  refused(idxFile(0x0a, [1], [1]), /magic number 0x00000a01/)
  refused(Uint8Array.from([1, 0, 8, 1, 0, 0, 0, 1, 1]), /magic number 0x01000801/)
  refused(idxFile(8, [], [1, 2, 3, 4]), /rank 0/)
  refused(idxFile(8, [1, 1, 1, 1, 1], [1]), /rank 5/)
  refused(idxFile(8, [2, 0], []), /no element/)
  refused(idxFile(8, [max, max, max, max], [1]), /takes .* bytes, the file has 1/)
  // 65536^4 = 2^64: 0 in 64-bit arithmetic.
  refused(idxFile(8, [65536, 65536, 65536, 65536], []), /the file has 0/)
})

test('images and labels become a data set', () => {
  const images = { data: Uint8Array.from({ length: 24 }, (_, i) => i), shape: [2, 3, 4] }
  const labels = { data: Uint8Array.of(7, 2), shape: [2] }
  const data = idxDataset({ images, labels, name: 'two' })
  assert.equal([data.name, data.length, data.inputShape, data.targetShape, data.classes], ['two', 2, [1, 3, 4], [], 8])
  assert.equal(data.gather([1]).inputs, { data: images.data.slice(12), shape: [1, 1, 3, 4], scale: 1 / 255 })
  assert.equal(idxDataset({ images: { ...images, shape: [2, 3, 2, 2] }, labels }).inputShape, [3, 2, 2])
  const floats = { data: new Float32Array(4), shape: [2, 1, 2] }
  assert.is(idxDataset({ images: floats, labels }).gather([0]).inputs.scale, undefined)

  assert.throws(() => idxDataset({ images: labels, labels }), /images have shape \[2\]/)
  assert.throws(() => idxDataset({ images, labels: images }), /labels have shape \[2, 3, 4\]/)
  assert.throws(() => idxDataset({ images, labels: { data: Int8Array.of(0, -1), shape: [2] } }), /label -1/)
  assert.throws(() => idxDataset({ images, labels: { data: Uint8Array.of(1), shape: [1] } }), /differ in samples/)
})

test('gunzip undoes gzip, up to exactly maxBytes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      const packed = gzipSync(bytes)
      assert.equal(await gunzip(packed), bytes)
      assert.equal(await unpacks(packed, bytes.length), bytes)
      if (bytes.length > 0) assert.is(await unpacks(packed, bytes.length - 1), undefined)
    }),
    { ...SEED, numRuns: 30 },
  )
})

test('gunzip reads what any setting packs, and all members of a file', async () => {
  // noise, runs and text, so that blocks are stored, and copies near and far
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.tuple(fc.nat(255), fc.nat(2000)).map(([byte, length]) => new Uint8Array(length).fill(byte)),
    fc
      .tuple(fc.nat(99), fc.nat(40_000))
      .map(([factor, length]) => Uint8Array.from({ length }, (_, i) => 97 + (((i * factor) % 7919) ** 2 % 23))),
  )
  const { Z_DEFAULT_STRATEGY, Z_FIXED, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE } = constants
  const member = fc.record({
    pieces: fc.array(piece, { maxLength: 4 }),
    level: fc.constantFrom(0, 1, 6, 9),
    strategy: fc.constantFrom(Z_DEFAULT_STRATEGY, Z_FIXED, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE),
    // a name, a comment and an extra field, each present only if its flag is set
    flags: fc.nat(7).map((flags) => flags << 2),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(member, { minLength: 1, maxLength: 4 }), async (members) => {
      const packed = members.map(({ pieces, flags, ...options }) => {
        const plain = gzipSync(Buffer.concat(pieces), options)
        plain[3] = flags
        const fields: [number, number[]][] = [
          [4, [3, 0, 31, 139, 8]],
          [8, [110, 0]],
          [16, [99, 0]],
        ]
        const present = fields.flatMap(([flag, bytes]) => (flags & flag ? bytes : []))
        return Buffer.concat([plain.subarray(0, 10), Uint8Array.from(present), plain.subarray(10)])
      })
      const plain = Uint8Array.from(Buffer.concat(members.flatMap(({ pieces }) => pieces)))
      const whole = Buffer.concat(packed)
      assert.equal(await gunzip(whole, { maxBytes: plain.length }), plain)
      if (plain.length > 0) assert.is(await unpacks(whole, plain.length - 1), undefined)
    }),
    { ...SEED, numRuns: 40 * TEST_RUNS },
  )
})

test('gunzip refuses input that is damaged, cut off or followed by other bytes', async () => {
  const member = gzipSync('data')
  const withByte = (at: number, value: number): Uint8Array => {
    const copy = Uint8Array.from(member)
    copy[at] = value
    return copy
  }
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(0), /^gunzip: not gzip, whose first bytes are 1f 8b$/],
    [Buffer.from('<html>'), /^gunzip: not gzip, whose first bytes are 1f 8b$/],
    // the method, the flags, the first block, the checksum, the size
    ...[2, 3, 10, member.length - 8, member.length - 1].map((at): [Uint8Array, RegExp] => [
      withByte(at, member[at] ^ 0x87),
      /^gunzip: damaged or cut off/,
    ]),
    [Buffer.concat([member, member, Buffer.from('more')]), /followed by other bytes/],
    [Buffer.concat([member, new Uint8Array(512)]), /^gunzip: the last 512 bytes, after the data, are not gzip$/],
    ...Array.from({ length: member.length - 1 }, (_, i): [Uint8Array, RegExp] => [
      Buffer.concat([member, member.subarray(0, i + 1)]),
      /^gunzip: damaged or cut off/,
    ]),
  ]
  for (const [bytes, message] of cases) await rejected(gunzip(bytes), DataError, message)
})

test('without zlib, as in a page, gunzip unpacks and refuses in the same way', async () => {
  const { getBuiltinModule } = process
  Object.assign(process, { getBuiltinModule: undefined })
  try {
    const plain = Uint8Array.from({ length: 100_000 }, (_, i) => (i * i) % 251)
    const member = gzipSync(plain)
    assert.equal(await gunzip(member, { maxBytes: plain.length }), plain)
    const refusals: [Uint8Array, RegExp][] = [
      [member.subarray(0, member.length >> 1), /^gunzip: damaged or cut off/],
      [member.map((byte, at) => (at === member.length - 8 ? byte ^ 1 : byte)), /^gunzip: damaged or cut off/],
    ]
    for (const [bytes, message] of refusals) await rejected(gunzip(bytes), DataError, message)
    await rejected(gunzip(member, { maxBytes: 99_999 }), DataError, /more than the 99999 bytes that maxBytes allows/)
  } finally {
    Object.assign(process, { getBuiltinModule })
  }
})

test('gunzip: damaged bytes give the original or a DataError', async () => {
  const original = Uint8Array.from({ length: 500 }, (_, i) => (i * i) % 251)
  const packed = gzipSync(original)
  const limit = 1 << 16
  for (let length = 0; length < packed.length; length += 7) {
    assert.is(await unpacks(packed.subarray(0, length), limit), undefined)
  }
  assert.is(await unpacks(packed.subarray(0, packed.length - 1), limit), undefined)
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: packed.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const mutant = Uint8Array.from(packed)
      mutant[at] ^= flip
      const out = await unpacks(mutant, limit)
      if (out) assert.equal(out, original)
    }),
    SEED,
  )
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (bytes) => void (await unpacks(bytes, limit))),
    SEED,
  )
})

test('gunzip refuses a bomb before it unpacks', async () => {
  // 256 MiB of zeros as 64 gzip members, so that packing them takes little memory itself.
  const member = gzipSync(new Uint8Array(4 * 2 ** 20))
  const bomb = Buffer.concat(Array.from({ length: 64 }, () => member))
  const before = process.resourceUsage().maxRSS
  await rejected(gunzip(bomb, { maxBytes: 2 ** 20 }), DataError, /more than the 1048576 bytes that maxBytes allows/)
  const grownMiB = (process.resourceUsage().maxRSS - before) / 1024
  assert.ok(grownMiB < 64, `the peak grew by ${grownMiB} MiB`)
})

test('a folder of published files', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'idx-'))
  const images = (count: number) =>
    idxFile(
      8,
      [count, 2, 2],
      Array.from({ length: count * 4 }, (_, i) => i),
    )
  const labels = (count: number) =>
    idxFile(
      8,
      [count],
      Array.from({ length: count }, (_, i) => i),
    )
  const rejects = (kind: typeof DataError, message: RegExp) => rejected(idxFolder(dir), kind, message)
  try {
    await rejects(
      DataError,
      /no file named train-images-idx3-ubyte, train-images-idx3-ubyte.gz, train-images.idx3-ubyte/,
    )
    await writeFile(join(dir, 'train-images-idx3-ubyte'), images(3))
    await rejects(DataError, /no file named train-labels-idx1-ubyte/)
    await writeFile(join(dir, 'train-labels-idx1-ubyte.gz'), gzipSync(labels(3)))
    const alone = await idxFolder(dir)
    assert.equal([alone.train.length, alone.train.inputShape, alone.train.classes], [3, [1, 2, 2], 3])
    assert.is(alone.test, undefined)

    await writeFile(join(dir, 't10k-images.idx3-ubyte.gz'), gzipSync(images(2)))
    await rejects(DataError, /no file named t10k-labels-idx1-ubyte/)
    await writeFile(join(dir, 't10k-labels.idx1-ubyte'), labels(2))
    const both = await idxFolder(`${dir}/`)
    assert.is(both.test?.length, 2)
    assert.match(both.train.name, /^idx-[^/]*\/train$/)

    await writeFile(join(dir, 't10k-images.idx3-ubyte.gz'), gzipSync(idxFile(9, [2, 2, 2], new Array(8).fill(0))))
    await rejects(IdxError, /train images are Uint8Array, t10k images Int8Array/)

    await writeFile(join(dir, 't10k-labels.idx1-ubyte'), 'a web page that says 404')
    await rejects(IdxError, /t10k-labels.idx1-ubyte: idx: magic number/)
    await writeFile(join(dir, 't10k-images.idx3-ubyte.gz'), 'a web page that says 404')
    await rejects(DataError, /t10k-images.idx3-ubyte.gz: gunzip: not gzip, whose/)
  } finally {
    await rm(dir, { recursive: true })
  }
  await rejects(DataError, /cannot be read as a folder/)
})

test.run()
