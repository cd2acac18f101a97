/**
 * The heap allocator against a model that knows only the live blocks. From the gaps between them the model works out
 * where the policy of memory/heap.ts puts the next block.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Block, BudgetExceededError, CATEGORIES, type Category, noBytes } from '../src/memory/allocator.js'
import { AllocatorError, ArgumentError } from '../src/memory/errors.js'
import { HeapAllocator } from '../src/memory/heap.js'
import { fc } from './property.js'

const SEED = { seed: 64, numRuns: 300 }
const ALIGNMENT_BYTES = 64
const PAGE_BYTES = 65536

/** The error that `attempt` throws; it must be of class `type`. */
function thrown<E extends Error>(type: abstract new (...args: never[]) => E, attempt: () => unknown): E {
  try {
    attempt()
  } catch (error) {
    if (error instanceof type) return error
    throw error
  }
  throw new Error(`nothing was thrown where ${type.name} was expected`)
}

// The allocator against its model

const roundUp = (bytes: number): number => Math.max(1, Math.ceil(bytes / ALIGNMENT_BYTES)) * ALIGNMENT_BYTES
const end = ({ address, bytes }: Block): number => address + bytes
const byAddress = (a: Block, b: Block): number => a.address - b.address

/** One allocator, and everything that must be true of it. */
class Universe {
  readonly live = new Map<number, Block>()
  /** freed here */
  readonly dead: Block[] = []
  peakEnd = 0
  peakHeld = 0

  constructor(readonly real: HeapAllocator) {
    this.resetPeak()
  }

  get limit(): number {
    return this.real.budgetBytes - this.partPage
  }

  get partPage(): number {
    return this.real.budgetBytes % PAGE_BYTES
  }

  get tail(): number {
    return Math.max(0, ...[...this.live.values()].map(end))
  }

  get held(): number {
    return [...this.live.values()].reduce((sum, block) => sum + block.bytes, this.partPage)
  }

  /** Free ranges below the tail. */
  get holes(): { address: number; bytes: number }[] {
    let at = 0
    return [...this.live.values()].sort(byAddress).flatMap((block) => {
      const hole = { address: at, bytes: block.address - at }
      at = end(block)
      return hole.bytes > 0 ? [hole] : []
    })
  }

  /** The address at which the policy puts this many bytes; undefined if it must refuse. */
  place(requestedBytes: number): number | undefined {
    const bytes = roundUp(requestedBytes)
    const fitting = this.holes.filter((hole) => hole.bytes >= bytes)
    fitting.sort((a, b) => a.bytes - b.bytes || a.address - b.address)
    return fitting[0]?.address ?? (this.tail + bytes <= this.limit ? this.tail : undefined)
  }

  /** Is all of this range free, and within the budget? */
  isFree(address: number, bytes: number): boolean {
    const last = address + bytes
    return (
      last <= this.limit && [...this.live.values()].every((block) => end(block) <= address || last <= block.address)
    )
  }

  allocated(block: Block): void {
    this.live.set(block.address, block)
    this.peakEnd = Math.max(this.peakEnd, end(block))
    this.peakHeld = Math.max(this.peakHeld, this.held)
  }

  freed(block: Block): void {
    this.live.delete(block.address)
    this.dead.push(block)
  }

  resetPeak(): void {
    this.peakEnd = this.tail
    this.peakHeld = this.held
  }

  check(): void {
    const stats = this.real.stats()
    const held = { ...noBytes(), runtime: this.partPage }
    let reached = 0
    for (const block of [...this.live.values()].sort(byAddress)) {
      assert.ok(block.address >= reached, 'blocks do not overlap')
      assert.is(block.address % ALIGNMENT_BYTES, 0)
      assert.is(block.bytes, roundUp(block.requestedBytes))
      held[block.category] += block.bytes
      reached = end(block)
    }
    assert.ok(reached <= this.limit && this.held <= stats.budgetBytes, 'within the budget')
    assert.equal(stats.held, held)
    assert.is(stats.heldBytes, this.held)
    assert.is(this.real.heldBytes, this.held)
    assert.is(stats.heldBytes + stats.remainingBytes, stats.budgetBytes)
    assert.is(stats.largestHoleBytes, Math.max(this.limit - this.tail, ...this.holes.map(({ bytes }) => bytes)))
    assert.is(stats.peakBytes, this.peakEnd)
    assert.is(this.real.peakBytes, this.peakEnd)
    assert.is(stats.peakHeldBytes, this.peakHeld)
    assert.ok(stats.peakHeldBytes - this.partPage <= stats.peakBytes, 'live bytes lie below the peak')
    for (const category of CATEGORIES) assert.ok(stats.peak[category] >= stats.held[category])
  }
}

/** Several universes: each command acts on one, and checks them all. */
type Model = readonly Universe[]

/** An action on one universe, after which every universe must agree with its model. */
class Command implements fc.Command<Model, object> {
  constructor(
    readonly name: string,
    readonly pick: number,
    readonly action: (universe: Universe, model: Model) => void,
  ) {}

  check(): boolean {
    return true
  }

  run(model: Model): void {
    this.action(model[this.pick % model.length], model)
    for (const universe of model) universe.check()
  }

  toString(): string {
    return `${this.name} @${this.pick}`
  }
}

const which = <T>(items: readonly T[], pick: number): T | undefined => items[pick % Math.max(1, items.length)]

/** Asserts that `attempt` throws E and changes nothing: neither the held bytes nor the place of the next block. */
function refused<E extends Error>(
  { real }: Universe,
  type: abstract new (...args: never[]) => E,
  attempt: () => unknown,
): E {
  const before = [real.signature(), real.stats()]
  const error = thrown(type, attempt)
  assert.equal([real.signature(), real.stats()], before)
  return error
}

/** @param place  the requested address; default the one that the policy chooses */
function alloc(universe: Universe, bytes: number, category: Category, place?: number): void {
  const { real } = universe
  const free = place === undefined || universe.isFree(place, roundUp(bytes))
  const address = free ? (place ?? universe.place(bytes)) : undefined
  if (address === undefined) {
    const error = refused(universe, BudgetExceededError, () => real.alloc(bytes, category, 'test op', place))
    assert.equal([error.requestedBytes, error.category, error.op], [bytes, category, 'test op'])
    assert.equal(error.memory, real.stats())
    return
  }
  const block = real.alloc(bytes, category, 'test op', place)
  assert.equal([block.address, block.requestedBytes, block.category], [address, bytes, category])
  assert.is(block.bytes, real.costOf(bytes))
  universe.allocated(block)
}

/** Allocates at an address where a block or hole begins or ends, or a little beside it. */
function allocAt(universe: Universe, bytes: number, edge: number, shift: number): void {
  const { live, limit } = universe
  const edges = [
    0,
    limit,
    limit - roundUp(bytes),
    ...[...live.values()].flatMap((block) => [block.address, end(block)]),
  ]
  const address = (edges[edge % edges.length] ?? 0) + shift * ALIGNMENT_BYTES
  alloc(universe, bytes, 'activation', Math.max(0, address))
}

function free(universe: Universe, block: Block | undefined): void {
  if (!block) return
  universe.real.free(block)
  universe.freed(block)
}

function resetPeak(universe: Universe): void {
  universe.real.resetPeak()
  universe.resetPeak()
}

function freeAll(universe: Universe): void {
  for (const block of [...universe.live.values()]) free(universe, block)
  assert.is(universe.real.signature(), new HeapAllocator(universe.real.budgetBytes).signature())
  assert.is(universe.real.heldBytes, universe.partPage)
}

/** Frees blocks that look live, or are live elsewhere, but do not belong to this allocator. */
function freeForeign(universe: Universe, model: Model, pick: number): void {
  const copies = [...universe.live.values()].map((block) => ({ ...block }))
  const others = model.flatMap(({ live }) => [...live.values()])
  const foreign = [...copies, ...others].filter((block) => universe.live.get(block.address) !== block)
  const block = which(foreign, pick)
  if (block) refused(universe, AllocatorError, () => universe.real.free(block))
}

function freeTwice(universe: Universe, pick: number): void {
  const block = which(universe.dead, pick)
  if (block) refused(universe, AllocatorError, () => universe.real.free(block))
}

const requestBytes = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 8 * ALIGNMENT_BYTES }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: PAGE_BYTES }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 4 * PAGE_BYTES }) },
)
const budgetBytes = fc.integer({ min: 0, max: 6 * PAGE_BYTES })
const pick = fc.nat({ max: 1000 })

const command = (name: string, action: (universe: Universe, model: Model, index: number) => void) =>
  fc
    .tuple(pick, pick)
    .map(([at, index]) => new Command(`${name} ${index}`, at, (universe, model) => action(universe, model, index)))

const commands = [
  ...[1, 2, 3].map(() =>
    fc
      .tuple(pick, requestBytes, fc.constantFrom(...CATEGORIES))
      .map(
        ([at, bytes, category]) => new Command(`alloc ${bytes}`, at, (universe) => alloc(universe, bytes, category)),
      ),
  ),
  ...[1, 2].map(() =>
    fc
      .tuple(pick, requestBytes, pick, fc.integer({ min: -4, max: 4 }))
      .map(
        ([at, bytes, edge, shift]) =>
          new Command(`alloc ${bytes} at edge ${edge} + ${shift}`, at, (universe) =>
            allocAt(universe, bytes, edge, shift),
          ),
      ),
  ),
  ...[1, 2].map(() => command('free', (universe, _, i) => free(universe, which([...universe.live.values()], i)))),
  command('free all', freeAll),
  command('free twice', (universe, _, i) => freeTwice(universe, i)),
  command('free foreign', freeForeign),
  command('reset peak', resetPeak),
]

test('heap: it behaves like its model', () => {
  fc.assert(
    fc.property(
      fc.array(budgetBytes, { minLength: 1, maxLength: 3 }),
      fc.commands(commands, { maxCommands: 120, size: '+1' }),
      (budgets, trace) => {
        const model = budgets.map((budget) => new Universe(new HeapAllocator(budget)))
        fc.modelRun(() => ({ model, real: {} }), trace)
        for (const universe of model) freeAll(universe)
      },
    ),
    SEED,
  )
})

// Traces: the same requests under many budgets

/** A request, or the release of one of the blocks that are live. */
type Event = { bytes: number } | { free: number }
const traces = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ bytes: requestBytes }) },
    { weight: 2, arbitrary: fc.record({ free: pick }) },
  ),
  { maxLength: 60, size: 'max' },
)

/** Addresses in order of request, up to the end or the first refusal. */
function play(
  trace: readonly Event[],
  heap: HeapAllocator,
  live: Block[] = [],
): { addresses: number[]; fits: boolean } {
  const addresses: number[] = []
  for (const event of trace) {
    try {
      if ('bytes' in event) live.push(heap.alloc(event.bytes, 'activation', 'test op'))
      else if (live.length > 0) heap.free(live.splice(event.free % live.length, 1)[0])
    } catch (error) {
      if (error instanceof BudgetExceededError) return { addresses, fits: false }
      throw error
    }
    if ('bytes' in event) addresses.push(live[live.length - 1].address)
  }
  return { addresses, fits: true }
}

test('heap: placement does not depend on the budget, and a trace fits exactly the budgets that hold its peak', () => {
  fc.assert(
    fc.property(traces, fc.array(fc.nat({ max: 40 * PAGE_BYTES }), { maxLength: 8 }), (trace, budgets) => {
      const unlimited = new HeapAllocator(Infinity)
      const planned = play(trace, unlimited)
      const smallest = unlimited.budgetFor(unlimited.peakBytes)
      for (const budget of [...budgets, smallest, smallest + 1, smallest + PAGE_BYTES]) {
        const heap = new HeapAllocator(budget)
        const { addresses, fits } = play(trace, heap)
        assert.equal(addresses, planned.addresses.slice(0, addresses.length))
        assert.is(fits, budget >= smallest)
        if (fits) assert.is(heap.peakBytes, unlimited.peakBytes)
      }
      if (smallest > 0) assert.not(play(trace, new HeapAllocator(smallest - 1)).fits)
    }),
    SEED,
  )
})

test('heap: later requests go to the same places under another budget, with the same peaks', () => {
  fc.assert(
    fc.property(traces, traces, (standing, step) => {
      const [some, unlimited] = [2 ** 32, Infinity].map((budget) => {
        const heap = new HeapAllocator(budget)
        const live: Block[] = []
        play(standing, heap, live)
        const signature = heap.signature()
        heap.resetPeak()
        const played = play(step, heap, live)
        const { budgetBytes, remainingBytes, largestHoleBytes, ...report } = heap.stats()
        assert.is(budgetBytes, budget)
        assert.is(remainingBytes, budget - report.heldBytes)
        assert.ok(largestHoleBytes <= remainingBytes)
        return { signature, played, left: heap.signature(), report }
      })
      assert.equal(some, unlimited)
    }),
    SEED,
  )
})

// Examples that pin a rule of the policy

test('heap: fills the smallest hole, then the lowest, and cuts the tail last', () => {
  const heap = new HeapAllocator(PAGE_BYTES)
  const [big, , small, , twin] = [192, 64, 128, 64, 128, 64].map((bytes) => heap.alloc(bytes, 'activation', 'test op'))
  for (const hole of [twin, big, small]) heap.free(hole)
  const next = (bytes: number): number => heap.alloc(bytes, 'activation', 'test op').address
  assert.is(next(100), small.address)
  assert.is(next(100), twin.address)
  assert.is(next(1), big.address)
  assert.is(next(1000), 640)
})

test('heap: the part-page at the end of a budget is accounted as runtime', () => {
  const heap = new HeapAllocator(PAGE_BYTES + 100)
  assert.is(heap.stats().held.runtime, 100)
  assert.is(heap.stats().remainingBytes, PAGE_BYTES)
  heap.alloc(PAGE_BYTES, 'parameter', 'test op')
  assert.is(heap.stats().remainingBytes, 0)
  assert.is(new HeapAllocator(Infinity).heldBytes, 0)
})

test('heap: a block at a given address takes exactly that, or nothing', () => {
  const universe = new Universe(new HeapAllocator(PAGE_BYTES + 100))
  const { real, limit } = universe
  const ask = (bytes: number, address: number): number => {
    const block = real.alloc(bytes, 'activation', 'test op', address)
    assert.is(block.address, address)
    universe.allocated(block)
    universe.check()
    return end(block)
  }
  const no = (bytes: number, address: number): unknown =>
    refused(universe, BudgetExceededError, () => real.alloc(bytes, 'activation', 'test op', address))
  assert.is(ask(256, 1024), 1280, 'inside the tail, which leaves a hole before it')
  assert.equal(universe.holes, [{ address: 0, bytes: 1024 }])
  no(1, 1024) // taken
  no(1, 1216) // the last 64 taken bytes
  no(128, 960) // half in the hole
  no(1088, 0) // the hole and more
  no(512, 896) // around the taken bytes
  no(128, 1216) // half beyond the tail
  no(128, limit - 64) // half beyond the limit
  no(1, limit) // beyond the limit, in the part-page
  no(1, -64)
  ask(64, 0) // the beginning of the hole
  ask(64, 512) // its middle
  ask(64, 960) // its end
  ask(448, 64) // all of a hole
  ask(128, 1280) // at the tail
  ask(64, limit - 64) // the last bytes there are
  assert.equal(universe.holes, [
    { address: 576, bytes: 384 },
    { address: 1408, bytes: limit - 64 - 1408 },
  ])
  ask(limit - 64 - 1408, 1408)
  ask(384, 576)
  assert.is(real.stats().remainingBytes, 0)
  freeAll(universe)
})

test('heap: a request costs whole cache lines, and at least one', () => {
  const heap = new HeapAllocator(0)
  const costs = [0, 1, 63, 64, 65, 128, 1000].map((bytes) => heap.costOf(bytes))
  assert.equal(costs, [64, 64, 64, 64, 128, 128, 1024])
})

test('heap: refuses sizes that are not whole numbers of bytes', () => {
  for (const budget of [PAGE_BYTES, Infinity]) {
    const universe = new Universe(new HeapAllocator(budget))
    for (const bytes of [NaN, -1, 0.5, Infinity, 2 ** 60]) {
      refused(universe, ArgumentError, () => universe.real.alloc(bytes, 'input', 'test op'))
      refused(universe, ArgumentError, () => universe.real.alloc(bytes, 'input', 'test op', 64))
    }
  }
})

test('heap: the peak is named after the request that reached it first', () => {
  const heap = new HeapAllocator(PAGE_BYTES)
  const books = () => {
    const { peakOp, peakHeldBytes, heldAtPeak, peak } = heap.stats()
    return { peakOp, peakHeldBytes, heldAtPeak, peak }
  }
  const none = noBytes()
  assert.equal(books(), { peakOp: 'standing tensors', peakHeldBytes: 0, heldAtPeak: none, peak: none })
  heap.free(heap.alloc(128, 'parameter', 'first'))
  const second = heap.alloc(128, 'activation', 'as much')
  const parameter = { ...none, parameter: 128 }
  const both = { ...parameter, activation: 128 }
  assert.equal(books(), { peakOp: 'first', peakHeldBytes: 128, heldAtPeak: parameter, peak: both })
  heap.alloc(64, 'input', 'more')
  const now = { ...none, activation: 128, input: 64 }
  assert.equal(books(), { peakOp: 'more', peakHeldBytes: 192, heldAtPeak: now, peak: { ...both, input: 64 } })
  heap.free(second)
  heap.resetPeak()
  const left = { ...none, input: 64 }
  assert.equal(books(), { peakOp: 'standing tensors', peakHeldBytes: 64, heldAtPeak: left, peak: left })
})

test('heap: signatures differ if the next requests would go elsewhere', () => {
  /** Blocks of these sizes, those at `freed` freed again. */
  const heapOf = (sizes: readonly number[], freed: readonly number[] = []): string => {
    const heap = new HeapAllocator(PAGE_BYTES)
    const blocks = sizes.map((bytes) => heap.alloc(bytes, 'activation', 'test op'))
    for (const i of freed) heap.free(blocks[i])
    return heap.signature()
  }
  const signatures = [
    heapOf([]),
    heapOf([64]),
    heapOf([64, 64, 64]),
    heapOf([64, 64, 64], [0]),
    heapOf([64, 64, 64], [1]),
    heapOf([128, 64], [0]),
    heapOf([64, 64, 128, 64], [0, 2]),
    heapOf([128, 64, 64, 64], [0, 2]),
  ]
  assert.is(new Set(signatures).size, signatures.length)
  assert.is(heapOf([64, 64, 64], [0, 2]), heapOf([64, 64], [0]), 'a free block beside the tail becomes tail')
})

test('heap: an error names the op, both byte counts and the held bytes', () => {
  const heap = new HeapAllocator(PAGE_BYTES)
  heap.alloc(PAGE_BYTES / 2, 'parameter', 'linear')
  const { message } = thrown(BudgetExceededError, () => heap.alloc(40000, 'activation', 'conv2d'))
  for (const part of ['conv2d', '40000 bytes', 'activation', '64 KiB', 'parameter 32 KiB', 'hole is 32 KiB']) {
    assert.match(message, part)
  }
  heap.alloc(1024, 'activation', 'relu')
  const held = (heap: HeapAllocator): string | undefined =>
    /\(([^()]*)\), the largest/.exec(
      thrown(BudgetExceededError, () => heap.alloc(PAGE_BYTES, 'input', 'upload')).message,
    )?.[1]
  assert.is(held(heap), 'parameter 32 KiB, activation 1 KiB')
  assert.is(held(new HeapAllocator(0)), 'nothing')
})

test.run()
