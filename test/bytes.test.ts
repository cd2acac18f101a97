/** Byte sizes as text: a size that is formatted is parsed back, and other text is refused. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openDevice } from '../src/device/open.js'
import { formatBytes, groupDigits, parseBytes } from '../src/memory/bytes.js'
import { ArgumentError } from '../src/memory/errors.js'
import { fc } from './property.js'

const SEED = { seed: 64, numRuns: 300 }

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
const anyBytes = fc.maxSafeNat()

/** A size or a typed error; anything else fails the test. */
function parsesOrRefuses(size: string | number): void {
  try {
    assert.ok(Number.isSafeInteger(parseBytes(size)) && parseBytes(size) >= 0, `${size} -> ${parseBytes(size)}`)
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error
  }
}

test('examples', () => {
  const sizes = ['4096', '8MiB', '512 KiB', '1.5 GiB', ' 2 tib ', '7b', '0']
  assert.equal(sizes.map(parseBytes), [4096, 2 ** 23, 2 ** 19, 1.5 * 2 ** 30, 2 ** 41, 7, 0])
  assert.equal([0, 1023, 1024, 1536, 2 ** 23].map(formatBytes), ['0 B', '1023 B', '1 KiB', '1.5 KiB', '8 MiB'])
  assert.is(formatBytes(2 ** 20 - 1), '1 MiB', 'never 1024 KiB')
  assert.is(formatBytes(Infinity), 'unlimited')
  assert.is(groupDigits(1234567), '1,234,567')
  assert.throws(() => parseBytes('8MB'), 'write MiB')
  for (const bad of ['', 'MiB', '-1', '1.1KiB', '1e3', '0x10', '1 2', '8MiBs', 'NaN', '5constructor', -1, 0.5, NaN]) {
    assert.throws(
      () => parseBytes(bad),
      (error: unknown) => error instanceof ArgumentError,
    )
  }
})

test('the error for a decimal unit names the binary unit, and no other error does', () => {
  const answer = (size: string): string => {
    try {
      return String(parseBytes(size))
    } catch (error) {
      return error instanceof Error ? error.message : ''
    }
  }
  for (const [size, unit] of [
    ['8MB', 'MiB'],
    ['8 k', 'KiB'],
    ['1.5gb', 'GiB'],
    [' 2T ', 'TiB'],
  ]) {
    assert.match(answer(size), new RegExp(`TiB; write ${unit} for the binary unit$`))
  }
  for (const size of ['8xk', '8kbx', 'x8k', '8', '8b', 'k', '']) assert.not.match(answer(size), 'write')
  assert.match(answer('8xk'), /TiB$/)
})

test('a caller in JavaScript can pass any value', async () => {
  for (const bad of [undefined, null, 8n, {}, [], true, Symbol('8MiB')] as unknown as string[]) {
    assert.throws(
      () => parseBytes(bad),
      (error: unknown) => error instanceof ArgumentError,
    )
  }
  for (const options of [undefined, null, {}] as unknown as { memory: string }[]) {
    const error: unknown = await openDevice('cpu', options).catch((thrown: unknown) => thrown)
    assert.instance(error, ArgumentError)
    assert.match(String(error), "openDevice('cpu', { memory: '8MiB' })")
  }
})

test('quarters of a unit survive format and parse', () => {
  const quarters = fc.integer({ min: 4, max: 4095 })
  fc.assert(
    fc.property(quarters, fc.integer({ min: 1, max: UNITS.length - 1 }), (count, power) => {
      const bytes = (count / 4) * 1024 ** power
      assert.is(parseBytes(formatBytes(bytes)), bytes)
    }),
    SEED,
  )
})

test('any size prints within half a hundredth of its unit, as a number below 1024', () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const [count, name] = formatBytes(bytes).split(' ')
      const unit = 1024 ** UNITS.indexOf(name)
      assert.ok(Math.abs(Number(count) * unit - bytes) <= 0.00501 * unit, formatBytes(bytes))
      assert.ok(Number(count) < 1024 || name === 'TiB', formatBytes(bytes))
    }),
    SEED,
  )
})

test('a whole number means itself, as a number and as text', () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      assert.is(parseBytes(bytes), bytes)
      assert.is(parseBytes(String(bytes)), bytes)
      assert.is(Number(groupDigits(bytes).replaceAll(',', '')), bytes)
    }),
    SEED,
  )
})

test('any text and any number gives a size or a typed error, without delay', () => {
  const pieces = fc.constantFrom(...'10.,-+ \tekb٣∞', 'Ki', 'MiB', 'GiB', 'KB')
  const nearly = fc.array(pieces, { maxLength: 6 }).map((parts) => parts.join(''))
  const anything = fc.oneof(fc.string({ unit: 'binary' }), nearly, fc.double())
  fc.assert(fc.property(anything, parsesOrRefuses), {
    ...SEED,
    numRuns: 1000,
    // a slow pattern would take quadratic time in the spaces
    examples: [[`1${' '.repeat(1e6)}!`], ['1'.repeat(1e6)], [`${'1'.repeat(1e6)}.`], [`1${'k'.repeat(1e6)}`]],
  })
})

test.run()
