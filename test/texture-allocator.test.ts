/** The pool of textures against a model that knows only the live blocks and the existing textures. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Block, BudgetExceededError, noBytes } from '../src/memory/allocator.js'
import type { Life } from '../src/memory/arrange.js'
import { AllocatorError, ArgumentError } from '../src/memory/errors.js'
import { LONGEST_SIDE, sidesOf, TEXEL_BYTES, TextureAllocator, textureBytes } from '../src/memory/texture-allocator.js'
import { fc } from './property.js'

const RUNS = { seed: 4, numRuns: 300 }
const RUNTIME_BYTES = 96

/** A driver that counts its textures. */
class Driver {
  readonly textures = new Map<number, number>()
  made = 0

  create(address: number, bytes: number): void {
    const [width, height] = sidesOf(bytes)
    assert.not(this.textures.has(address), 'an address names one texture')
    assert.ok(width >= 1 && height >= 1 && width <= LONGEST_SIDE)
    this.textures.set(address, width * height * TEXEL_BYTES)
    this.made++
  }

  delete(address: number): void {
    assert.ok(this.textures.delete(address), 'only existing textures are deleted')
  }

  get bytes(): number {
    return [...this.textures.values()].reduce((sum, bytes) => sum + bytes, 0)
  }
}

type Event = { bytes: number } | { free: number } | { trim: true }

const sizes = fc.oneof(
  fc.constantFrom(0, 1, 16, 17, 64, 256, 400),
  fc.integer({ min: 0, max: 2000 }),
  // beyond one row
  fc.constantFrom(LONGEST_SIDE * TEXEL_BYTES, LONGEST_SIDE * TEXEL_BYTES + 1, 3 * LONGEST_SIDE * TEXEL_BYTES + 100),
)
const events: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: sizes.map((bytes) => ({ bytes })) },
  { weight: 5, arbitrary: fc.nat(1000).map((free) => ({ free })) },
  { weight: 1, arbitrary: fc.constant({ trim: true } as const) },
)
const programs = fc.array(events, { maxLength: 60 })
const budgets = fc.oneof(fc.integer({ min: RUNTIME_BYTES, max: 6000 }), fc.constantFrom(100_000, 300_000))

const REFUSED = -1

/** Runs a program on an allocator. @returns the addresses that it gets, or REFUSED, and the held bytes */
function play(
  program: readonly Event[],
  pool: TextureAllocator,
  live: Block[],
  check: () => void = () => {},
): number[] {
  const trace: number[] = []
  for (const event of program) {
    if ('bytes' in event) {
      const before = pool.stats()
      try {
        live.push(pool.alloc(event.bytes, 'activation', 'test op'))
        trace.push(live[live.length - 1].address)
      } catch (error) {
        if (!(error instanceof BudgetExceededError)) throw error
        assert.ok(before.heldBytes + textureBytes(event.bytes) > pool.budgetBytes, 'refused only without room')
        assert.equal(pool.stats(), before)
        trace.push(REFUSED)
      }
    } else if ('free' in event && live.length > 0) {
      pool.free(live.splice(event.free % live.length, 1)[0])
    } else if ('trim' in event) {
      pool.trim()
    }
    trace.push(pool.heldBytes, pool.stats().pooledBytes)
    check()
  }
  return trace
}

const takeFrom =
  (pool: TextureAllocator) =>
  (bytes: number): Block =>
    pool.alloc(bytes, 'activation', 'test op')

function opened(budgetBytes: number, driver: Driver | null = null): TextureAllocator {
  const pool = new TextureAllocator(budgetBytes, driver)
  pool.reserve(RUNTIME_BYTES, 'opening the device')
  return pool
}

test('pool: in any program it counts the existing textures, and they stay within the budget', () => {
  fc.assert(
    fc.property(programs, budgets, (program, budget) => {
      const driver = new Driver()
      const pool = opened(budget, driver)
      const live: Block[] = []
      let most = RUNTIME_BYTES
      play(program, pool, live, () => {
        const { heldBytes, pooledBytes, remainingBytes, held, peakBytes, largestHoleBytes } = pool.stats()
        const liveBytes = live.reduce((sum, { bytes }) => sum + bytes, 0)
        most = Math.max(most, liveBytes + RUNTIME_BYTES)
        assert.is(heldBytes, liveBytes + RUNTIME_BYTES)
        assert.equal(held, { ...noBytes(), activation: liveBytes, runtime: RUNTIME_BYTES })
        assert.is(driver.bytes, liveBytes + pooledBytes, 'every texture is live or pooled')
        assert.ok(heldBytes + pooledBytes <= budget)
        assert.is(remainingBytes, budget - heldBytes)
        assert.is(largestHoleBytes, remainingBytes)
        assert.is(peakBytes, most)
        for (const { bytes, requestedBytes } of live) assert.is(bytes, pool.costOf(requestedBytes))
        assert.is(new Set(live.map(({ address }) => address)).size, live.length, 'live blocks share no texture')
        for (const block of live) assert.is(driver.textures.get(block.address), block.bytes)
      })
    }),
    RUNS,
  )
})

test('pool: a program fits a budget exactly if its peak does, and its peak is the same under all of them', () => {
  fc.assert(
    fc.property(programs, (program) => {
      const plenty = opened(Infinity)
      play(program, plenty, [])
      const peak = plenty.peakBytes
      const enough = opened(plenty.budgetFor(peak))
      assert.equal(refusals(program, enough), 0)
      assert.is(enough.peakBytes, peak)
      if (peak > RUNTIME_BYTES) assert.ok(refusals(program, opened(peak - 1)) > 0)
    }),
    RUNS,
  )
})

const refusals = (program: readonly Event[], pool: TextureAllocator): number =>
  play(program, pool, []).filter((entry) => entry === REFUSED).length

test('pool: a run with sizes only predicts a run with textures', () => {
  fc.assert(
    fc.property(programs, programs, budgets, (history, program, budget) => {
      const [real, virtual] = [new Driver(), null].map((driver) => {
        const pool = opened(budget, driver)
        const live: Block[] = []
        play(history, pool, live)
        const standing = [pool.signature(), pool.stats()]
        pool.resetPeak()
        return [...standing, play(program, pool, live), pool.stats()]
      })
      assert.equal(real, virtual)
    }),
    RUNS,
  )
})

const lives: fc.Arbitrary<Life[]> = fc.array(
  fc
    .record({ bytes: sizes, birth: fc.nat(20), lasting: fc.oneof(fc.nat(8), fc.constant(Infinity)) })
    .map(({ bytes, birth, lasting }) => ({ bytes, birth, death: birth + lasting })),
  { maxLength: 30 },
)

test('pool: textures have no addresses to choose from; the planned peak is the measured one', () => {
  fc.assert(
    fc.property(programs, lives, (history, asked) => {
      const driver = new Driver()
      const pool = opened(Infinity, driver)
      play(history, pool, [])
      const before = [pool.stats(), driver.made]
      const { addresses, peakBytes } = pool.arrange(asked.map((life) => ({ ...life, bytes: pool.costOf(life.bytes) })))
      assert.is(addresses, null)
      assert.equal([pool.stats(), driver.made], before, 'nothing is allocated')
      pool.resetPeak()
      const live = new Map<Life, Block>()
      for (let at = 0; at <= 28; at++) {
        for (const life of asked) if (life.birth === at) live.set(life, pool.alloc(life.bytes, 'activation', 'test op'))
        for (const [life, block] of live) {
          if (life.death !== at) continue
          pool.free(block)
          live.delete(life)
        }
      }
      assert.is(pool.peakBytes, peakBytes)
      assert.ok([...live.keys()].every(({ death }) => death === Infinity))
    }),
    RUNS,
  )
})

test('pool: equal signatures have equal peaks', () => {
  fc.assert(
    fc.property(programs, programs, (history, program) => {
      const pool = opened(Infinity)
      const live: Block[] = []
      play(history, pool, live)
      const other = opened(Infinity)
      other.reserve(pool.heldBytes - RUNTIME_BYTES, 'as much')
      assert.is(other.signature(), pool.signature())
      const standing = live.length
      const fresh = program.filter((event) => !('free' in event))
      for (const each of [pool, other]) each.resetPeak()
      play(fresh, pool, live)
      play(fresh, other, [])
      assert.is(pool.peakBytes, other.peakBytes)
      assert.ok(live.length >= standing)
    }),
    RUNS,
  )
})

test('pool: the sides of a texture depend only on its bytes, and waste less than a row', () => {
  fc.assert(
    fc.property(fc.oneof(sizes, fc.integer({ min: 1, max: 2 ** 26 })), (bytes) => {
      const [width, height] = sidesOf(bytes)
      const whole = textureBytes(bytes)
      assert.ok(width <= LONGEST_SIDE && height <= LONGEST_SIDE)
      assert.is(width * height * TEXEL_BYTES, whole)
      assert.equal(sidesOf(whole), [width, height])
      assert.ok(whole >= bytes && whole - Math.max(1, bytes) < TEXEL_BYTES * height + TEXEL_BYTES)
    }),
    RUNS,
  )
})

test('pool: rows have 256 texels, or more if there would be more than 2048 rows', () => {
  const sides: [texels: number, width: number, height: number][] = [
    [1, 1, 1],
    [255, 255, 1],
    [256, 256, 1],
    [257, 129, 2],
    [512, 256, 2],
    [2 ** 19, 256, 2048],
    [2 ** 19 + 1, 257, 2048],
    [2 ** 22, 2048, 2048],
    [2 ** 22 + 1, 2048, 2049],
  ]
  for (const [texels, width, height] of sides) {
    assert.equal(sidesOf(texels * TEXEL_BYTES), [width, height])
    assert.equal(sidesOf(texels * TEXEL_BYTES - 15), [width, height])
  }
  assert.equal(sidesOf(0), [1, 1])
})

test('pool: reserving bytes for the device and trimming give textures back; among equal ones, the one freed first', () => {
  const driver = new Driver()
  const pool = new TextureAllocator(256, driver)
  const take = takeFrom(pool)
  const [a, b, c] = [take(64), take(64), take(32)]
  for (const block of [a, b, c]) pool.free(block)
  pool.reserve(96, 'kernels')
  assert.is(pool.stats().pooledBytes, 160, 'the pool keeps the bytes that remain')
  pool.reserve(16, 'kernels')
  assert.is(pool.stats().pooledBytes, 96)
  assert.equal([...driver.textures.keys()], [b.address, c.address])
  assert.is(pool.stats().held.runtime, 112)
  pool.trim()
  assert.is(driver.bytes, 0)
  assert.is(pool.stats().pooledBytes, 0)
  assert.throws(
    () => pool.reserve(145, 'kernels'),
    (error: unknown) => error instanceof BudgetExceededError && error.requestedBytes === 145,
  )
  pool.reserve(144, 'kernels')
  assert.is(pool.stats().remainingBytes, 0)
  assert.equal([pool.peakBytes, pool.stats().peakOp], [256, 'kernels'])
})

test('pool: its signature depends on the held bytes, and every byte of its budget is usable', () => {
  const pool = new TextureAllocator(256)
  assert.is(pool.stats().peakOp, 'standing tensors')
  const before = pool.signature()
  const block = pool.alloc(256, 'activation', 'test op')
  assert.not.equal(pool.signature(), before)
  assert.is(pool.budgetFor(100), 100)
  const { largestHoleBytes, pooledBytes, unusableBytes } = pool.stats()
  assert.equal([largestHoleBytes, pooledBytes, unusableBytes], [0, 0, 0])
  assert.equal(pool.arrange([]), { addresses: null, peakBytes: 256 })
  pool.free(block)
  assert.is(pool.signature(), before)
  assert.equal(pool.arrange([]), { addresses: null, peakBytes: 0 }, 'pooled bytes are not held')
})

test('pool: a freed texture serves the next request of its size, the last freed first; the largest are given back', () => {
  const driver = new Driver()
  const pool = new TextureAllocator(160, driver)
  const take = takeFrom(pool)
  const [a, b, c] = [take(64), take(32), take(64)]
  for (const block of [b, a, c]) pool.free(block)
  assert.is(pool.stats().pooledBytes, 160)
  assert.is(take(60).address, c.address)
  take(48) // there is room for 48 more only if the pool gives back 48 of its 96; it gives back the largest texture, of 64
  assert.not(driver.textures.has(a.address))
  assert.is(take(32).address, b.address)
  assert.is(driver.bytes, 64 + 48 + 32)
})

test('pool: a driver that fails leaves the allocator as it was', () => {
  const failing = {
    create: () => {
      throw new Error('out of memory')
    },
    delete: () => {},
  }
  const pool = new TextureAllocator(1000, failing)
  const before = pool.stats()
  assert.throws(() => pool.alloc(100, 'activation', 'test op'), /^out of memory$/)
  assert.equal(pool.stats(), before)
})

test('pool: it refuses bad sizes, blocks that are not live, and budgets that are too small for the device itself', () => {
  const pool = opened(1000)
  for (const bytes of [-1, 0.5, Number.NaN, Infinity]) {
    assert.throws(
      () => pool.alloc(bytes, 'activation', 'test op'),
      (error: unknown) => error instanceof ArgumentError,
    )
  }
  const block = pool.alloc(16, 'activation', 'test op')
  pool.free(block)
  assert.throws(
    () => pool.free(block),
    (error: unknown) => error instanceof AllocatorError,
  )
  assert.throws(
    () => opened(RUNTIME_BYTES - 1),
    (error: unknown) => error instanceof BudgetExceededError,
  )
})

test.run()
