/**
 * Arranging blocks whose lives are known beforehand.
 *
 * An allocator that meets requests one by one leaves holes: a small block with a long life takes a place that a large
 * block will need. The blocks of a recorded step are all known, with their births and deaths, so they can be laid out
 * at once: one after the other, each at the lowest address where it meets no block that lives at the same time. The
 * order decides how good the result is. No layout ends below the peak of live bytes. The largest first often
 * ends there (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", arXiv:2001.03288). Where
 * it does not, the order is mended: each block that ended too high moves half way to the front, and the layout begins
 * again (Joslin and Clements, "Squeaky Wheel" Optimization, AAAI 1998). Two more orders, each mended in the same way,
 * follow.
 */

/** A block from the instruction that it is born for up to the last one that touches it, both included. */
export interface Life {
  /** its cost, after rounding */
  readonly bytes: number
  readonly birth: number
  /** Infinity: it outlives the program */
  readonly death: number
}

/**
 * The address of each life, or null on a device whose blocks have no addresses to choose from; and the peak, see Note
 * [Peak].
 */
export interface Arrangement {
  readonly addresses: readonly number[] | null
  /** the address of the block beside them, if one was asked for and the device has addresses */
  readonly besideAddress?: number
  readonly peakBytes: number
}

/** Memory that stays taken all the time. */
export interface Taken {
  readonly address: number
  readonly bytes: number
}

/** The peak of live bytes, and the first instruction that reaches it. */
export function mostAlive(lives: readonly Life[]): { bytes: number; at: number } {
  const changes: number[] = []
  for (const { bytes, birth, death } of lives) {
    changes[birth] = (changes[birth] ?? 0) + bytes
    if (death < Infinity) changes[death + 1] = (changes[death + 1] ?? 0) - bytes
  }
  const most = { bytes: 0, at: 0 }
  let alive = 0
  for (let at = 0; at < changes.length; at++) {
    alive += changes[at] ?? 0
    if (alive > most.bytes) Object.assign(most, { bytes: alive, at })
  }
  return most
}

type Order = (a: Life, b: Life) => number

const span = ({ birth, death }: Life): number => Math.min(death, Number.MAX_SAFE_INTEGER) - birth + 1

const ORDERS: readonly Order[] = [
  (a, b) => b.bytes - a.bytes,
  (a, b) => b.bytes * span(b) - a.bytes * span(a),
  (a, b) => span(b) - span(a) || b.bytes - a.bytes,
]

/**
 * A layout that ends at most by this factor above the least is good enough: the search for a better one takes most of the
 * time of a plan.
 */
const NEAR = 1.0005

/**
 * How often each order is laid out. Random training steps then end less than 0.1 % above the least on average. The
 * time of a layout grows with the square of the lives, so steps of a thousand lives and more get fewer.
 */
const roundsFor = (lives: number): number => Math.max(1, Math.min(12, Math.floor(4e6 / lives ** 2)))

interface Layout {
  readonly addresses: readonly number[]
  readonly endBytes: number
}

/**
 * Gives every life an address. Two lives that overlap in time do not overlap in place, and none overlaps what is taken.
 * @returns the addresses, and the end of the highest block, taken memory included
 */
export function arrange(lives: readonly Life[], taken: readonly Taken[]): Layout {
  const takenEnd = taken.reduce((end, { address, bytes }) => Math.max(end, address + bytes), 0)
  const takenBytes = taken.reduce((sum, { bytes }) => sum + bytes, 0)
  const leastEnd = Math.max(takenEnd, takenBytes + mostAlive(lives).bytes)
  let best: Layout = { addresses: [], endBytes: Infinity }
  const rounds = roundsFor(lives.length)
  for (const compare of ORDERS) {
    // a stable sort: equal lives keep their order
    const order = [...lives.keys()].sort((a, b) => compare(lives[a], lives[b]))
    for (let round = 0; round < rounds; round++) {
      const layout = inOrder(lives, taken, order)
      if (layout.endBytes < best.endBytes) best = layout
      if (best.endBytes <= NEAR * leastEnd) return best
      const ranks: number[] = []
      order.forEach((i, rank) => {
        ranks[i] = layout.addresses[i] + lives[i].bytes > leastEnd ? rank / 2 - 1 : rank
      })
      order.sort((a, b) => ranks[a] - ranks[b])
    }
  }
  return best
}

/** Places the lives in this order, each at the lowest address where it meets no block placed before it. */
function inOrder(lives: readonly Life[], taken: readonly Taken[], order: readonly number[]): Layout {
  const addresses = lives.map(() => 0)
  /**
   * the placed blocks, sorted by address: four numbers each, in an array of doubles because most of the time is spent
   * in this loop
   */
  const placed = new Float64Array(4 * (taken.length + lives.length))
  let used = 0
  let endBytes = 0
  const put = (address: number, bytes: number, birth: number, death: number): void => {
    let at = used
    while (at > 0 && placed[at - 4] > address) at -= 4
    placed.copyWithin(at + 4, at, used)
    placed.set([address, address + bytes, birth, death], at)
    used += 4
    endBytes = Math.max(endBytes, address + bytes)
  }
  for (const { address, bytes } of taken) put(address, bytes, -1, Infinity)
  for (const i of order) {
    const { bytes, birth, death } = lives[i]
    let address = 0
    for (let at = 0; at < used; at += 4) {
      if (placed[at + 2] > death || placed[at + 3] < birth) continue
      if (placed[at] - address >= bytes) break
      address = Math.max(address, placed[at + 1])
    }
    addresses[i] = address
    put(address, bytes, birth, death)
  }
  return { addresses, endBytes }
}
