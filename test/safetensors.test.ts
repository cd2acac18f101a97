/**
 * safetensors: every type is read as PyTorch writes it, written values are read back to the bit, and a damaged or
 * hostile file is a typed error that names the place and the reason.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FileError, parseSafetensors, SafetensorsError, toSafetensors } from '../src/index.js'
import { errorOf } from './error-of.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

const HERE = fileURLToPath(new URL('../../test/weights/', import.meta.url))
const SEED = { seed: 20261, numRuns: 300 * TEST_RUNS }

/** A file in the exact format: the length, the given header, the bytes. */
function file(header: string | Uint8Array, data: Uint8Array = new Uint8Array(0), length?: bigint): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header
  const bytes = new Uint8Array(8 + text.length + data.length)
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true)
  bytes.set(text, 8)
  bytes.set(data, 8 + text.length)
  return bytes
}

/** A header of one tensor, with some of its fields replaced. */
const one = (fields: object = {}, more: object = {}): string =>
  JSON.stringify({ x: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...fields }, ...more })

test('every type that PyTorch writes is read, at any alignment', () => {
  const bytes = new Uint8Array(readFileSync(`${HERE}types.safetensors`))
  const expected: Record<string, { shape: number[]; data: string[] }> = JSON.parse(
    readFileSync(`${HERE}types.json`, 'utf8'),
  )
  for (const shift of [0, 1, 4]) {
    const shifted = new Uint8Array(bytes.length + shift).subarray(shift)
    shifted.set(bytes)
    const { tensors, metadata } = parseSafetensors(shifted)
    assert.equal(metadata, { format: 'pt' })
    assert.equal(Object.keys(tensors).sort(), Object.keys(expected).sort())
    for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
      assert.equal(shape, expected[name].shape, name)
      const values = Array.from<unknown, unknown>(data as ArrayLike<unknown>, (value) => value)
      const wanted = expected[name].data.map((text) => {
        if (dtype === 'I64') return BigInt(text)
        if (dtype === 'BOOL') return Number(text === 'True')
        return text.endsWith('inf') ? Number(text.replace('inf', 'Infinity')) : Number(text)
      })
      assert.is(values.length, wanted.length, name)
      values.forEach((value, i) => assert.ok(Object.is(value, wanted[i]), `${name}[${i}]: ${value}, not ${wanted[i]}`))
    }
  }
})

test('all 65,536 half-precision numbers, by their definition', () => {
  const data = new Uint8Array(Uint16Array.from({ length: 2 ** 16 }, (_, i) => i).buffer)
  const read = (dtype: string) =>
    parseSafetensors(file(one({ dtype, shape: [2 ** 16], data_offsets: [0, 2 ** 17] }), data))
  const [half, brain] = ['F16', 'BF16'].map((dtype) => read(dtype).tensors.x.data)
  for (let bits = 0; bits < 2 ** 16; bits++) {
    for (const [values, width] of [
      [half, 5],
      [brain, 8],
    ] as const) {
      const digits = bits.toString(2).padStart(16, '0')
      const exponent = Number.parseInt(digits.slice(1, 1 + width), 2)
      const fraction = Number.parseInt(digits.slice(1 + width), 2) / 2 ** (15 - width)
      const bias = 2 ** (width - 1) - 1
      const size =
        exponent === 2 * bias + 1
          ? fraction === 0
            ? Infinity
            : Number.NaN
          : exponent === 0
            ? fraction * 2 ** (1 - bias)
            : (1 + fraction) * 2 ** (exponent - bias)
      const expected = digits[0] === '1' ? -size : size
      assert.ok(Object.is(values[bits], expected), `${width}: ${digits} is ${values[bits]}, not ${expected}`)
    }
  }
})

const ARRAYS = [
  ...[Float32Array, Float64Array, Int32Array, Int16Array, Int8Array, Uint32Array, Uint16Array, Uint8Array],
] as const
const shapes = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 })
const tensors = fc.tuple(shapes, fc.constantFrom(...ARRAYS), fc.infiniteStream(fc.integer({ min: 0, max: 255 })))
const states = fc.dictionary(
  fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', '0', 'constructor', '"', '\\', 'größe')),
  tensors.map(([shape, Class, stream]) => {
    const size = shape.reduce((product, dim) => product * dim, 1)
    const bytes = Uint8Array.from({ length: size * Class.BYTES_PER_ELEMENT }, () => stream.next().value)
    return { shape, data: new Class(bytes.buffer) }
  }),
  { noNullPrototype: false },
)
const texts = fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }))

const bitsOf = (data: ArrayBufferView): number[] => [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]

test('a written file is read back: names, shapes, texts and bits', () => {
  fc.assert(
    fc.property(states, texts, (state, metadata) => {
      fc.pre(!('__metadata__' in state))
      const bytes = toSafetensors(state, metadata)
      const read = parseSafetensors(bytes)
      assert.equal(read.metadata, Object.fromEntries([['format', 'pt'], ...Object.entries(metadata)]))
      assert.equal(Object.keys(read.tensors).sort(), Object.keys(state).sort())
      for (const [name, { shape, data }] of Object.entries(state)) {
        const { [name]: tensor } = read.tensors
        assert.equal(tensor.shape, shape)
        assert.is(tensor.data.constructor, data.constructor)
        assert.equal(bitsOf(tensor.data), bitsOf(data))
      }
    }),
    SEED,
  )
})

test('the error for a wrong file names the place and the reason', async () => {
  const eight = new Uint8Array(8)
  const two = { x: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(7), /^7 bytes are not a safetensors file/],
    [file(one(), eight, 2n ** 64n - 1n), /^byte 0: the header has 18446744073709551615 bytes .* at most \d+ are there/],
    [file(one(), eight, 90n), /^byte 0: the header has 90 bytes/],
    [file('', eight), /^byte 8: the header does not begin with '{'/],
    [file(`\ufeff${one()}`, eight), /^byte 8: the header does not begin/],
    [file(`[${one()}]`, eight), /^byte 8: the header does not begin/],
    [file(`${one()}x`, eight), /^byte 8: the header is not valid JSON in UTF-8/],
    [
      file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d), eight),
      /^byte 8: the header is not valid JSON in UTF-8/,
    ],
    [
      file(`{"x":${'['.repeat(20_000)}`, eight),
      /^byte 8: the header is not valid JSON.*more than 100 objects and lists in each other at character \d+/,
    ],
    [file('{"x":1}'), /^tensor 'x': its entry is 1, not/],
    [file(one({ dtype: 'F8_E4M3' }), eight), /^tensor 'x': its dtype is 'F8_E4M3'; the known types are F64, F32, F16/],
    [file(one({ dtype: 'toString' }), eight), /^tensor 'x': its dtype is 'toString'/],
    [file(one({ dtype: 7 }), eight), /^tensor 'x': its dtype is 7/],
    [file(one({ shape: [-2] }), eight), /^tensor 'x': its shape is \[-2\]; it must be a list of whole numbers/],
    [file(one({ shape: [1.5] }), eight), /its shape is \[1\.5\]/],
    [file(one({ shape: ['2'] }), eight), /its shape is \['2'\]/],
    [file(one({ shape: 2 }), eight), /its shape is 2;/],
    [file(one({ shape: [2 ** 53] }), eight), /its shape is \[9007199254740992\]/],
    [
      file(one({ shape: [2 ** 32, 2 ** 32] }), eight),
      /F32 \[4294967296, 4294967296\] takes 73786976294838210000 bytes, and/,
    ],
    [
      file(one({ shape: [2 ** 30, 2 ** 30, 2 ** 30, 2 ** 30, 0] }), eight),
      /takes 0 bytes, and its data_offsets span 8/,
    ],
    [file(one({ shape: [3] }), eight), /F32 \[3\] takes 12 bytes, and its data_offsets span 8/],
    [file(one({ data_offsets: [8, 0] }), eight), /its data_offsets are \[8, 0\]; they must be two whole numbers/],
    [file(one({ data_offsets: [0] }), eight), /its data_offsets are \[0\]/],
    [file(one({ data_offsets: [0, 4, 8] }), eight), /its data_offsets are \[0, 4, 8\]/],
    [file(one({ data_offsets: [-8, 0] }), eight), /its data_offsets are \[-8, 0\]/],
    [file(one({ data_offsets: null }), eight), /its data_offsets are null/],
    [file(one({ data_offsets: [8, 16] }), eight), /its data_offsets \[8, 16\] leaves 8 bytes unused before it/],
    [file(one({}, { y: { dtype: 'U8', shape: [4], data_offsets: [4, 8] } }), eight), /tensor 'y': .* overlaps the one/],
    [file(one({}, { y: { dtype: 'U8', shape: [8], data_offsets: [0, 8] } }), eight), /overlaps the one before it/],
    [file(one(), new Uint8Array(12)), /^the tensors take 8 bytes, and after the header the file has 12/],
    [file(one(), new Uint8Array(4)), /^the tensors take 8 bytes, and after the header the file has 4/],
    [file('{}', eight), /^the tensors take 0 bytes/],
    [
      file(`{"x":${JSON.stringify(two.x)},"\\u0078":${JSON.stringify(two.x)}}`, eight),
      /the name "x", which comes twice, at character \d+/,
    ],
    [file('{"__metadata__":{"a":"1","b":"\\"a\\":","a":"2"}}'), /the name "a", which comes twice/],
    [file('{"__metadata__":{},"__metadata__":{}}'), /the name "__metadata__", which comes twice/],
    [file('{"__metadata__":[]}'), /^__metadata__ is an array, not an object/],
    [file('{"__metadata__":{"a":1}}'), /^__metadata__: 'a' is 1; it must be text/],
    [file('{"\\u001b[2J\\u202e":1}'), /^tensor '\\u\{1b\}\[2J\\u\{202e\}': its entry/],
    [file(`{"${'x'.repeat(100_000)}":1}`), /^tensor 'x{80}\.\.\. \(100000 characters\)'/],
  ]
  for (const [bytes, message] of cases) {
    const error = await errorOf(() => parseSafetensors(bytes))
    assert.instance(error, SafetensorsError, String(message))
    assert.instance(error, FileError)
    assert.match((error as Error).message, message)
  }
  for (const none of [null, undefined, 'text', [1], new ArrayBuffer(8)]) {
    const error = await errorOf(() => parseSafetensors(none as unknown as Uint8Array))
    assert.match(String(error), /SafetensorsError: .* give a Uint8Array/)
  }
  // strange, but allowed
  const { tensors } = parseSafetensors(file(`${one({ more: 1, shape: [2, 1, 1] })}   \n`, eight))
  assert.equal(tensors.x.shape, [2, 1, 1])
  const proto = parseSafetensors(
    file(`{"__proto__":${JSON.stringify({ dtype: 'U8', shape: [8], data_offsets: [0, 8] })}}`, eight),
  )
  assert.equal(Object.keys(proto.tensors), ['__proto__'])
  assert.is(Object.getPrototypeOf(proto.tensors), Object.prototype)
})

test('a state that cannot be a file is refused', async () => {
  const cases: [unknown, RegExp][] = [
    [null, /null is not a state: write save\(await model\.stateDict\(\), path\)/],
    [Promise.resolve({}), /is not a state: write save\(await/],
    [{ stateDict: () => {} }, /is not a state: write save\(await/],
    [{ x: 1 }, /tensor 'x' is 1, not { shape, data }/],
    [{ x: { shape: [2], data: 'ab' } }, /tensor 'x' has 'ab' for its data/],
    [{ x: { shape: [2], data: new DataView(new ArrayBuffer(8)) } }, /tensor 'x' has a DataView for its data/],
    [{ x: { shape: [3], data: [1, 2] } }, /tensor 'x' has 2 values, which do not fill \[3\]/],
    [{ x: { shape: 2, data: [1, 2] } }, /tensor 'x' has 2 for its shape/],
    [{ x: { shape: [-1], data: [1] } }, /tensor 'x' has \[-1\] for its shape/],
    [{ __metadata__: { shape: [1], data: [1] } }, /tensor '__metadata__' has the name/],
  ]
  for (const [state, message] of cases) {
    const error = await errorOf(() => toSafetensors(state as Parameters<typeof toSafetensors>[0]))
    assert.instance(error, SafetensorsError)
    assert.match((error as Error).message, message)
  }
  const metadata = { steps: 3 } as unknown as Record<string, string>
  assert.match(String(await errorOf(() => toSafetensors({}, metadata))), /metadata 'steps' is 3; it must be text/)
  assert.equal(
    parseSafetensors(toSafetensors({ x: { shape: [2], data: [0.5, 2] } })).tensors.x.data,
    Float32Array.of(0.5, 2),
  )
})

const seeds = ['types', 'gpt'].map((name) => new Uint8Array(readFileSync(`${HERE}${name}.safetensors`)))

/** A change of some bytes, mostly of the header; a cut, or more bytes. */
const mutations = fc.record({
  which: fc.nat({ max: seeds.length - 1 }),
  edits: fc.array(fc.record({ at: fc.nat(), byte: fc.nat({ max: 255 }) }), { maxLength: 4 }),
  swaps: fc.array(fc.record({ at: fc.nat(), text: fc.constantFrom('0', '9', '-', 'e', '"', '{', ']', ',', ':') }), {
    maxLength: 3,
  }),
  cut: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat() }),
  more: fc.nat({ max: 9 }),
})

test('damaged files: a value, or an error that says why, at once', () => {
  let values = 0
  let errors = 0
  fc.assert(
    fc.property(mutations, ({ which, edits, swaps, cut, more }) => {
      const seed = seeds[which]
      const header = 8 + Number(new DataView(seed.buffer, seed.byteOffset, 8).getBigUint64(0, true))
      const bytes = Uint8Array.from([
        ...seed.subarray(0, cut === null ? seed.length : cut % seed.length),
        ...new Uint8Array(more > 6 ? more : 0),
      ])
      for (const { at, byte } of edits) if (bytes.length > 0) bytes[at % Math.min(bytes.length, header + 8)] = byte
      for (const { at, text } of swaps) if (bytes.length > header) bytes[8 + (at % (header - 8))] = text.charCodeAt(0)
      const started = performance.now()
      try {
        const { tensors } = parseSafetensors(bytes)
        const held = Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0)
        assert.ok(held <= 2 * bytes.length, `${held} bytes of values from ${bytes.length}`)
        values++
      } catch (error) {
        assert.instance(error, SafetensorsError)
        assert.ok((error as Error).message.length < 2100)
        errors++
      }
      assert.ok(performance.now() - started < 1000, 'it took a second')
    }),
    { seed: 20262, numRuns: 200 * TEST_RUNS },
  )
  assert.ok(values > 0 && errors > 0, `${values} values, ${errors} errors`)
})

test.run()
