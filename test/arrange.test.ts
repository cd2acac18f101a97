/**
 * Blocks arranged beforehand: memory/arrange.ts against brute force, and on the heap, which gets the addresses one by
 * one.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Block, BudgetExceededError } from '../src/memory/allocator.js'
import { arrange, type Life, mostAlive, type Taken } from '../src/memory/arrange.js'
import { HeapAllocator, PAGE_BYTES } from '../src/memory/heap.js'
import { fc } from './property.js'

const SEED = { seed: 64, numRuns: 300 }
const ALIGNMENT_BYTES = 64

type Spot = Taken

const end = ({ address, bytes }: Spot): number => address + bytes
const highestEnd = (spots: Iterable<Spot>): number => Math.max(0, ...[...spots].map(end))
const sum = (items: readonly { bytes: number }[]): number => items.reduce((total, { bytes }) => total + bytes, 0)
const apart = (a: Spot, b: Spot): boolean => end(a) <= b.address || end(b) <= a.address
const together = (a: Life, b: Life): boolean => a.birth <= b.death && b.birth <= a.death

// The blocks to arrange

const units = fc.integer({ min: 1, max: 40 }).map((count) => count * ALIGNMENT_BYTES)
const requestBytes = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 8 * ALIGNMENT_BYTES }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: PAGE_BYTES }) },
)

/** A block that a program asks for. */
interface Request extends Life {
  readonly requestedBytes: number
}

const roundUp = (bytes: number): number => Math.max(1, Math.ceil(bytes / ALIGNMENT_BYTES)) * ALIGNMENT_BYTES

function programs(maxLength: number, requestBytes: fc.Arbitrary<number>): fc.Arbitrary<Request[]> {
  const lasting = fc.oneof({ weight: 12, arbitrary: fc.nat(12) }, { weight: 1, arbitrary: fc.constant(Infinity) })
  const request = fc
    .record({ requestedBytes: requestBytes, birth: fc.nat(30), lasting })
    .map(({ requestedBytes, birth, lasting }) => ({
      requestedBytes,
      bytes: roundUp(requestedBytes),
      birth,
      death: birth + lasting,
    }))
  return fc.array(request, { minLength: 1, maxLength, size: 'max' })
}

/** Memory that others hold, with holes in between. */
const takens = fc
  .array(fc.record({ bytes: units, hole: fc.oneof(fc.constant(0), units) }), { maxLength: 6 })
  .map((parts) => parts.map(({ bytes }, i) => ({ address: sum(parts.slice(0, i)) + holesBefore(parts, i), bytes })))

const holesBefore = (parts: readonly { hole: number }[], i: number): number =>
  parts.slice(0, i + 1).reduce((total, { hole }) => total + hole, 0)

const sizes = fc.oneof(
  units,
  fc.integer({ min: 1, max: 4096 }).map((count) => count * ALIGNMENT_BYTES),
)

/**
 * The lives of a training step: a value from a layer's forward lives until its backward, which also reads the gradient
 * that the layer above has left. Births ascend, and the deaths mirror them.
 */
const steps: fc.Arbitrary<Life[]> = fc
  .array(fc.record({ output: sizes, saved: fc.boolean(), gradient: sizes, workspace: fc.option(sizes) }), {
    minLength: 2,
    maxLength: 20,
    size: 'max',
  })
  .map((layers) => {
    const last = 2 * layers.length
    const lives = layers.flatMap(({ output, saved, gradient, workspace }, i): Life[] => [
      { bytes: output, birth: i, death: saved ? last - i : i + 1 },
      { bytes: gradient, birth: last - i - 1, death: last - i },
      ...(workspace ? [i, last - i].map((at) => ({ bytes: workspace, birth: at, death: at })) : []),
    ])
    return lives.sort((a, b) => a.birth - b.birth)
  })

// The arrangement by brute force

/** The bytes that live at an instruction. */
const aliveAt = (lives: readonly Life[], at: number): number =>
  sum(lives.filter(({ birth, death }) => birth <= at && at <= death))

const mostBytes = (lives: readonly Life[]): number => Math.max(0, ...lives.map(({ birth }) => aliveAt(lives, birth)))

/** A lower bound: no arrangement ends below it. */
const leastEnd = (lives: readonly Life[], taken: readonly Taken[]): number =>
  Math.max(highestEnd(taken), sum(taken) + mostBytes(lives))

/** Places the lives in this order, each at the lowest address where it meets no earlier life and no taken memory. */
function layout(lives: readonly Life[], taken: readonly Taken[], order: readonly number[]): number[] {
  const addresses: number[] = []
  order.forEach((i, rank) => {
    const { bytes } = lives[i]
    const before = order.slice(0, rank).filter((j) => together(lives[i], lives[j]))
    const met = [...taken, ...before.map((j) => ({ address: addresses[j], bytes: lives[j].bytes }))]
    const candidates = [0, ...met.map(end)].sort((a, b) => a - b)
    addresses[i] = candidates.find((address) => met.every((spot) => apart({ address, bytes }, spot))) ?? Number.NaN
  })
  return addresses
}

const endOf = (lives: readonly Life[], taken: readonly Taken[], addresses: readonly number[]): number =>
  Math.max(highestEnd(taken), highestEnd(lives.map(({ bytes }, i) => ({ address: addresses[i], bytes }))))

const largestFirst = (lives: readonly Life[], taken: readonly Taken[]): number[] =>
  layout(
    lives,
    taken,
    [...lives.keys()].sort((a, b) => lives[b].bytes - lives[a].bytes || a - b),
  )

function* ordersOf(items: readonly number[]): Generator<number[]> {
  if (items.length === 0) yield []
  for (const item of items) {
    for (const rest of ordersOf(items.filter((other) => other !== item))) yield [item, ...rest]
  }
}

/**
 * The lowest end of all arrangements, by trying every order: blocks that are pushed down in the order of their
 * addresses end no higher than before.
 */
function optimum(lives: readonly Life[], taken: readonly Taken[]): number {
  let lowest = Infinity
  for (const order of ordersOf([...lives.keys()])) {
    lowest = Math.min(lowest, endOf(lives, taken, layout(lives, taken, order)))
  }
  return lowest
}

test('mostAlive: the peak of live bytes, and the first instruction that reaches it', () => {
  fc.assert(
    fc.property(programs(30, units), (lives) => {
      const { bytes, at } = mostAlive(lives)
      assert.is(bytes, mostBytes(lives))
      assert.is(aliveAt(lives, at), bytes)
      for (let earlier = 0; earlier < at; earlier++) assert.ok(aliveAt(lives, earlier) < bytes)
    }),
    SEED,
  )
  assert.equal(mostAlive([]), { bytes: 0, at: 0 })
})

test('arrange: blocks that live at the same time overlap neither each other nor taken memory; the end is the highest address', () => {
  fc.assert(
    fc.property(programs(30, units), takens, (lives, taken) => {
      const { addresses, endBytes } = arrange(lives, taken)
      const spots = lives.map(({ bytes }, i) => ({ address: addresses[i], bytes }))
      assert.is(addresses.length, lives.length)
      spots.forEach((spot, i) => {
        assert.ok(spot.address >= 0)
        assert.is(spot.address % ALIGNMENT_BYTES, 0)
        for (const other of taken) assert.ok(apart(spot, other), `block ${i} overlaps taken memory`)
        for (let j = 0; j < i; j++) {
          assert.ok(!together(lives[i], lives[j]) || apart(spot, spots[j]), `blocks ${i} and ${j} meet`)
        }
      })
      assert.is(endBytes, highestEnd([...spots, ...taken]))
      assert.equal(arrange(structuredClone(lives), structuredClone(taken)), { addresses, endBytes }, 'the same again')
    }),
    SEED,
  )
})

test('arrange: the end lies between the lower bound and the end of largest-first, which is kept if it reaches the bound', () => {
  let better = 0
  fc.assert(
    fc.property(fc.oneof(programs(30, units), steps), takens, (lives, taken) => {
      const { addresses, endBytes } = arrange(lives, taken)
      const simple = largestFirst(lives, taken)
      const simpleEnd = endOf(lives, taken, simple)
      const least = leastEnd(lives, taken)
      assert.ok(least <= endBytes && endBytes <= simpleEnd)
      if (simpleEnd === least) assert.equal(addresses, simple)
      if (endBytes < simpleEnd) better++
    }),
    SEED,
  )
  assert.ok(better > 60, `only ${better} better than the largest first alone`)
})

test('arrange: a few blocks nearly always end where the best arrangement ends', () => {
  let cases = 0
  let missed = 0
  fc.assert(
    fc.property(programs(6, units), takens, (lives, taken) => {
      const { endBytes } = arrange(lives, taken)
      const best = optimum(lives, taken)
      cases++
      assert.ok(endBytes >= best, 'nothing ends below the best')
      if (endBytes > best) missed++
    }),
    SEED,
  )
  assert.ok(missed <= cases / 100, `${missed} of ${cases} end higher than they could`)
})

test('arrange: a training step ends within 0.03 % of the least, on average', () => {
  const drawn = fc.sample(steps, { seed: 64, numRuns: 300 })
  const gaps = drawn.map((lives) => arrange(lives, []).endBytes / leastEnd(lives, []) - 1)
  const mean = gaps.reduce((total, gap) => total + gap, 0) / gaps.length
  assert.ok(mean < 0.0003, `${100 * mean} %`)
})

test('arrange: nothing to arrange', () => {
  assert.equal(arrange([], []), { addresses: [], endBytes: 0 })
  assert.equal(arrange([], [{ address: 64, bytes: 128 }]), { addresses: [], endBytes: 192 })
  assert.equal(new HeapAllocator(0).arrange([]), { addresses: [], peakBytes: 0 })
})

test('arrange: a block can take the place of another from the instruction after its last, not before', () => {
  const after = (birth: number): readonly number[] =>
    arrange(
      [
        { bytes: 128, birth: 0, death: 3 },
        { bytes: 64, birth, death: 9 },
      ],
      [],
    ).addresses
  assert.equal(after(3), [0, 128])
  assert.equal(after(4), [0, 0])
})

// Played on the heap

type Event = { bytes: number } | { free: number }

const pick = fc.nat(1000)
const events = (maxLength: number): fc.Arbitrary<Event[]> =>
  fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ bytes: requestBytes }) },
      { weight: 2, arbitrary: fc.record({ free: pick }) },
    ),
    { maxLength, size: 'max' },
  )

/** An allocator without limit, with blocks and holes from earlier use. */
function worn(history: readonly Event[]): { heap: HeapAllocator; others: Block[] } {
  const heap = new HeapAllocator(Infinity)
  const others: Block[] = []
  for (const event of history) {
    if ('bytes' in event) others.push(heap.alloc(event.bytes, 'parameter', 'test op'))
    else if (others.length > 0) heap.free(others.splice(event.free % others.length, 1)[0])
  }
  return { heap, others }
}

/** An allocator that holds the same blocks in the same places. */
function alike(others: readonly Block[], budgetBytes: number): HeapAllocator {
  const heap = new HeapAllocator(budgetBytes)
  for (const { address, bytes } of others) heap.alloc(bytes, 'parameter', 'test op', address)
  return heap
}

/**
 * Run a program: allocate each block at its birth, and free it after its death.
 * @param addresses  default the places that the policy chooses
 * @param mine       the live blocks, by request; those left at the end outlive the program, unless a request is refused
 */
function play(
  program: readonly Request[],
  heap: HeapAllocator,
  addresses?: readonly number[] | null,
  mine = new Map<Request, Block>(),
): Map<Request, Block> {
  const last = Math.max(...program.flatMap(({ birth, death }) => (death < Infinity ? [birth, death] : [birth])))
  for (let at = 0; at <= last; at++) {
    program.forEach((request, i) => {
      if (request.birth !== at) return
      const block = heap.alloc(request.requestedBytes, 'activation', 'test op', addresses?.[i])
      if (addresses) assert.is(block.address, addresses[i])
      assert.is(block.bytes, request.bytes)
      mine.set(request, block)
    })
    for (const [request, block] of mine) {
      if (request.death !== at) continue
      heap.free(block)
      mine.delete(request)
    }
  }
  return mine
}

test('heap: arranging allocates nothing, and its places are beside the held blocks', () => {
  fc.assert(
    fc.property(events(20), programs(40, requestBytes), (history, program) => {
      const { heap, others } = worn(history)
      const before = [heap.signature(), heap.stats()]
      const { addresses, peakBytes } = heap.arrange(program)
      assert.equal([heap.signature(), heap.stats()], before)
      assert.equal(heap.arrange(program), { addresses, peakBytes })
      const spots = program.map(({ bytes }, i) => ({ address: addresses?.[i] ?? Number.NaN, bytes }))
      for (const spot of spots) for (const other of others) assert.ok(apart(spot, other))
      assert.is(peakBytes, highestEnd([...others, ...spots]))
      assert.ok(peakBytes >= heap.heldBytes + mostBytes(program))
    }),
    SEED,
  )
})

test('heap: a program that runs as arranged has exactly the planned peak, and leaves the blocks that outlive it', () => {
  fc.assert(
    fc.property(events(20), programs(40, requestBytes), (history, program) => {
      const { heap, others } = worn(history)
      const signature = heap.signature()
      for (let again = 0; again < 2; again++) {
        const { addresses, peakBytes } = heap.arrange(program)
        heap.resetPeak()
        const left = play(program, heap, addresses)
        assert.is(heap.peakBytes, peakBytes)
        const { peakHeldBytes } = heap.stats()
        assert.is(peakHeldBytes, sum(others) + mostBytes(program))
        assert.equal(
          [...left.keys()].sort((a, b) => a.birth - b.birth),
          program.filter(({ death }) => death === Infinity).sort((a, b) => a.birth - b.birth),
        )
        for (const block of left.values()) heap.free(block)
        assert.is(heap.signature(), signature)
      }
    }),
    SEED,
  )
})

test('heap: an arrangement is the same under every budget, and fits exactly the budgets that can hold its peak', () => {
  let tighter = 0
  fc.assert(
    fc.property(events(20), programs(40, requestBytes), fc.nat(4 * PAGE_BYTES), (history, program, more) => {
      const { heap, others } = worn(history)
      const { addresses, peakBytes } = heap.arrange(program)
      const needed = heap.budgetFor(peakBytes)
      for (const budgetBytes of [needed, needed + 1, needed + more]) {
        const enough = alike(others, budgetBytes)
        assert.is(enough.signature(), heap.signature())
        assert.equal(enough.arrange(program), { addresses, peakBytes })
        play(program, enough, addresses)
        assert.is(enough.peakBytes, peakBytes)
      }
      if (highestEnd(others) > needed - PAGE_BYTES) return
      tighter++
      const less = alike(others, needed - 1)
      assert.equal(less.arrange(program), { addresses, peakBytes })
      const mine = new Map<Request, Block>()
      assert.throws(
        () => play(program, less, addresses, mine),
        (error: unknown) => error instanceof BudgetExceededError,
      )
      for (const block of mine.values()) less.free(block)
      assert.is(less.signature(), heap.signature())
    }),
    SEED,
  )
  assert.ok(tighter > 100, `only ${tighter} were tried under less`)
})

test('heap: an arrangement is rarely higher than the places that the policy chooses, and often lower', () => {
  const counts = { lower: 0, higher: 0 }
  fc.assert(
    fc.property(events(20), programs(40, requestBytes), (history, program) => {
      const { peakBytes } = worn(history).heap.arrange(program)
      const { heap } = worn(history)
      heap.resetPeak()
      play(program, heap)
      if (peakBytes < heap.peakBytes) counts.lower++
      if (peakBytes > heap.peakBytes) counts.higher++
    }),
    SEED,
  )
  assert.ok(counts.lower > 100 && counts.higher <= 3, JSON.stringify(counts))
})

test('heap: a request without an address follows the policy, even among arranged blocks', () => {
  const heap = new HeapAllocator(PAGE_BYTES)
  const ask = (bytes: number, address?: number): number => heap.alloc(bytes, 'activation', 'test op', address).address
  assert.is(ask(1, 640), 640)
  assert.is(ask(100, 0), 0)
  assert.is(ask(100), 128, 'the only hole')
  assert.is(ask(1024), 704, 'the tail')
  assert.is(heap.stats().largestHoleBytes, PAGE_BYTES - 704 - 1024)
})

test.run()
