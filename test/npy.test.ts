/** npy and npz: files that numpy wrote (test/arrays/make.py) are read, and damaged or hostile bytes give typed errors. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { deflateRawSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DataError, NpyError, parseNpy, parseNpz } from '../src/data/index.js'
import { errorOf } from './error-of.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

const HERE = fileURLToPath(new URL('../../test/arrays/', import.meta.url))
const archive = (name: string): Uint8Array => new Uint8Array(readFileSync(`${HERE}${name}.npz`))
const EXPECTED: Record<string, { shape: number[]; data: number[] }> = JSON.parse(
  readFileSync(`${HERE}arrays.json`, 'utf8'),
)

/** The same bytes at an odd place of a larger memory. */
function shifted(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes.length + 3).subarray(3)
  copy.set(bytes)
  return copy
}

/** Run `fn` as in a page, where there is no process. */
async function inPage<T>(fn: () => Promise<T>): Promise<T> {
  const { process } = globalThis
  Object.defineProperty(globalThis, 'process', { value: undefined, configurable: true, writable: true })
  try {
    return await fn()
  } finally {
    Object.defineProperty(globalThis, 'process', { value: process, configurable: true, writable: true })
  }
}

for (const name of ['plain', 'packed']) {
  test(`numpy's arrays of every type and order are read from ${name}.npz, in Node and as in a page`, async () => {
    for (const read of [parseNpz, (bytes: Uint8Array) => inPage(() => parseNpz(bytes))]) {
      for (const bytes of [archive(name), shifted(archive(name))]) {
        const arrays = await read(bytes)
        assert.equal(Object.keys(arrays).sort(), Object.keys(EXPECTED).sort())
        for (const [key, { shape, data }] of Object.entries(arrays)) {
          assert.equal(shape, EXPECTED[key].shape, key)
          assert.equal(Array.from(data), EXPECTED[key].data, key)
        }
        const kind = (key: string) => arrays[key].data.constructor
        assert.equal(['<f4 C', '>f4 F', '<f2 C', '<f8 C', '<i8 C', 'ends', 'large', '|u1 C', '|b1 F'].map(kind), [
          Float32Array,
          Float32Array,
          Float32Array,
          Float64Array,
          Int32Array,
          Int32Array,
          Float64Array,
          Uint8Array,
          Uint8Array,
        ])
      }
    }
  })
}

/** An npy file by the letter of the format. */
function npy(header: string, data: Uint8Array = new Uint8Array(0), version = 1): Uint8Array {
  const text = Buffer.from(header, 'latin1')
  const length = version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, text.length >> 8, 0, 0]
  return Uint8Array.from([0x93, ...Buffer.from('NUMPY'), version, 0, ...length, ...text, ...data])
}
const dict = (descr: string, shape: string, order = 'False'): string =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`

test('an npy file of any version, with its header in any order', () => {
  for (const version of [1, 2, 3]) {
    assert.equal(parseNpy(npy(dict('<i2', '(2,)'), Uint8Array.of(1, 0, 255, 255), version)), {
      data: Int16Array.of(1, -1),
      shape: [2],
    })
  }
  assert.equal(parseNpy(npy("{'shape':(1,2),'fortran_order':True,'descr':'|u1'}", Uint8Array.of(7, 8))).shape, [1, 2])
})

test('an npy file that is wrong says where and why', async () => {
  const eight = new Uint8Array(8)
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(0), /^npy: not an npy file/],
    [Uint8Array.of(0x93, 78, 85, 77, 80, 88), /^npy: not an npy file/],
    [npy(dict('<f4', '(2,)'), eight, 4), /^npy: byte 6: version 4\.0/],
    [npy(dict('<f4', '(2,)'), eight).subarray(0, 9), /^npy: 9 bytes; the header begins at byte 10/],
    [
      npy(dict('<f4', '(2,)'), eight).subarray(0, 40),
      /^npy: byte 8: the header has \d+ bytes, and the file 30 from there/,
    ],
    [npy(dict('<f4', '(3,)'), eight), /^npy: F32 \[3\] takes 12 bytes, the file has 8$/],
    [npy(dict('<f4', '(2,)'), new Uint8Array(9)), /takes 8 bytes, the file has 9/],
    [npy(dict('<f8', `(${2 ** 40}, ${2 ** 40})`), eight), /takes 9\.67\d+e\+24 bytes/],
    [npy(dict('<f4', `(${'9'.repeat(30)},)`), eight), /has the shape \(9+,\)/],
    [npy(dict('<c8', '(1,)'), eight), /has elements of type '<c8'; Sluice reads f8, f4/],
    [npy(dict('|O', '(1,)'), eight), /has elements of type '\|O'/],
    [npy(dict('<toString', '(1,)'), eight), /has elements of type '<toString'/],
    [npy(dict('<f4', '(-2,)'), eight), /is not \{ 'descr'/],
    [npy(dict('<f4', '2'), eight), /is not \{ 'descr'/],
    [npy(dict('<f4', '(2,)', 'Maybe'), eight), /is not \{ 'descr'/],
    [npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", eight), /is not \{ 'descr'/],
    [npy("{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", eight), /has descr twice/],
    [npy('{}', eight), /is not \{ 'descr'/],
    [npy('', eight), /is not \{ 'descr'/],
    [
      npy(dict('<i8', '(1,)'), Uint8Array.of(1, 0, 0, 0, 0, 0, 32, 0)),
      /9007199254740993 at 0 is an integer that no number/,
    ],
  ]
  for (const [bytes, message] of cases) {
    const error = await errorOf(() => parseNpy(bytes))
    assert.instance(error, NpyError, String(message))
    assert.instance(error, DataError)
    assert.match((error as Error).message, message)
  }
})

/** An archive by the letter of the format, whose directory may lie. */
function zip(
  entries: readonly {
    name: string
    content: Uint8Array
    packed?: Uint8Array
    method?: number
    bytes?: number
    at?: number
  }[],
): Uint8Array {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const { name, content, packed = content, method = 0, bytes = content.length, at: lie } of entries) {
    const text = Buffer.from(name)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50)
    local.writeUInt16LE(text.length, 26)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50)
    entry.writeUInt16LE(method, 10)
    entry.writeUInt32LE(crc32(content), 16)
    entry.writeUInt32LE(packed.length, 20)
    entry.writeUInt32LE(bytes, 24)
    entry.writeUInt16LE(text.length, 28)
    entry.writeUInt32LE(lie ?? at, 42)
    directory.push(entry, text)
    parts.push(local, text, Buffer.from(packed))
    at += local.length + text.length + packed.length
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(at, 16)
  return new Uint8Array(Buffer.concat([...parts, ...directory, end]))
}

/** Bit by bit, by its definition. */
function crc32(bytes: Uint8Array): number {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1))
  }
  return ~crc >>> 0
}

test('an npz file that is wrong says which array, where and why; a bomb is not unpacked', async () => {
  const content = npy(dict('<f4', '(2,)'), new Uint8Array(8))
  const bomb = deflateRawSync(new Uint8Array(2 ** 26), { level: 9 })
  const one = (more: object) => zip([{ name: 'x.npy', content, ...more }])
  const damaged = one({})
  damaged[45] ^= 1
  const cases: [Uint8Array, number | undefined, RegExp][] = [
    [new Uint8Array(21), undefined, /^npz: not an npz file: a zip archive ends with a directory/],
    [new Uint8Array(70_000), undefined, /^npz: not an npz file/],
    [one({}), 70, /^npz: the arrays take \d+ bytes, more than the 70 that maxBytes/],
    [one({ bytes: 2 ** 31 }), undefined, /^npz: the arrays take 2147483648 bytes, more than the 1073741824/],
    [one({ method: 8, packed: bomb, bytes: 100 }), undefined, /'x\.npy': inflate: unpacks to more than the 100 bytes/],
    [
      one({ method: 8, packed: bomb.subarray(0, 100), bytes: 2 ** 26 }),
      undefined,
      /'x\.npy': inflate: damaged or cut off/,
    ],
    [
      one({ method: 8, packed: Buffer.concat([deflateRawSync(content), Buffer.alloc(9)]) }),
      undefined,
      /inflate: the last 9 bytes, after/,
    ],
    [
      one({ method: 8, packed: deflateRawSync(content.subarray(1)) }),
      undefined,
      /it has \d+ bytes, and the directory says/,
    ],
    [one({ method: 14 }), undefined, /'x\.npy': it is packed by method 14; Sluice reads methods 0 and 8/],
    [one({ at: 2 ** 32 - 1 }), undefined, /'x\.npy': byte 4294967295: its record is not there/],
    [one({ at: 1 }), undefined, /'x\.npy': byte 1: its record is not there/],
    [damaged, undefined, /'x\.npy': its checksum is \d+, and the directory says \d+: it is damaged/],
    [
      zip([
        { name: 'x.npy', content },
        { name: 'x', content },
      ]),
      undefined,
      /^npz: there are two arrays 'x'/,
    ],
    [
      zip([{ name: 'notes\u001b.txt', content: Buffer.from('hello') }]),
      undefined,
      /'notes\\u\{1b\}\.txt': npy: not an npy file/,
    ],
  ]
  for (const [bytes, maxBytes, message] of cases) {
    const before = process.memoryUsage().arrayBuffers
    const error = await errorOf(parseNpz(bytes, { maxBytes })).catch(() => assert.unreachable(String(message)))
    assert.instance(error, NpyError, String(message))
    assert.match((error as Error).message, message)
    assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 24, String(message))
  }
  assert.equal(await parseNpz(zip([])), {})
  const proto = await parseNpz(zip([{ name: '__proto__.npy', content }]))
  assert.equal(Object.keys(proto), ['__proto__'])
})

const edits = fc.array(fc.record({ at: fc.noBias(fc.nat(9999)), byte: fc.nat({ max: 255 }) }), {
  minLength: 1,
  maxLength: 4,
})
const cuts = fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat() })

function damage(whole: Uint8Array, changes: readonly { at: number; byte: number }[], cut: number | null): Uint8Array {
  const bytes = whole.slice(0, cut === null ? whole.length : cut % whole.length)
  for (const { at, byte } of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte
  return bytes
}

test('damaged npy files: a value, or an error that says why', () => {
  const seeds = ['<f4', '>i8', '<f2'].map((descr) =>
    npy(dict(descr, '(1, 1)', 'True'), new Uint8Array(Number(descr[2]))),
  )
  const count = { value: 0, error: 0 }
  fc.assert(
    fc.property(fc.constantFrom(...seeds), edits, cuts, (seed, changes, cut) => {
      try {
        const { data } = parseNpy(damage(seed, changes, cut))
        assert.ok(data.length <= 300)
        count.value++
      } catch (error) {
        assert.instance(error, NpyError)
        count.error++
      }
    }),
    { seed: 20266, numRuns: 300 * TEST_RUNS },
  )
  assert.ok(count.value > 10 && count.error > 10, JSON.stringify(count))
})

test('damaged npz files: arrays, or an error that says why', async () => {
  const seeds = ['plain', 'packed'].map(archive)
  // most changes hit an array; the directory is at the end
  const place = fc.oneof(fc.nat(), fc.integer({ min: -2000, max: -1 }))
  const changes = fc.array(fc.record({ at: place, byte: fc.nat({ max: 255 }) }), { minLength: 1, maxLength: 3 })
  let errors = 0
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...seeds), changes, cuts, async (seed, list, cut) => {
      const bytes = damage(
        seed,
        list.map(({ at, byte }) => ({ at: at < 0 ? seed.length + at : at, byte })),
        cut,
      )
      const error = await parseNpz(bytes, { maxBytes: 2 ** 20 }).then(
        () => null,
        (thrown: unknown) => thrown,
      )
      if (error === null) return
      assert.instance(error, NpyError)
      errors++
    }),
    { seed: 20267, numRuns: 200 * TEST_RUNS },
  )
  assert.ok(errors > 10, `${errors} errors`)
})

test.run()
