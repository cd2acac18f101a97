/**
 * Loops whose items do not touch each other, shared between threads.
 *
 *   parallel(context, items, slots, body):   for each item: body(context, item, slot)
 *
 * Workers are other instances of this module on the same memory, each on a thread of its own inside `work`. The main thread
 * runs every kernel and takes part in every loop; what it offers the workers is one word:
 *
 *   slots | items | next           48, 24 and 24 bits up
 *
 * Whoever exchanges the word for one with a greater `next` has that item. The word says all that one must know to take
 * an item, and `body` and `context`, which stand beside it, cannot change before every item is done. So a worker may
 * be as late as it likes: it takes an item of whatever loop there is now, or none.
 *
 * The main thread must not block (in a page it is not allowed to): when no item is left it spins until the others are
 * done with theirs. Workers spin for a while after their last item, since in a training step the next loop comes in
 * microseconds, and then sleep until one wakes them.
 *
 * A loop is cut into the same items whoever is there to take them, and bits never depend on who took which.
 */
import { CONTROL, MAX_THREADS } from '../../layout'

/** The control block: below the constants, which every new worker writes again, and one cache line for each part. */
const WORD: usize = CONTROL
const BODY: usize = CONTROL + 8
const CONTEXT: usize = CONTROL + 12
/** counts loops offered; what workers sleep on */
const OFFERED: usize = CONTROL + 64
const SLEEPERS: usize = CONTROL + 68
/** counts items that workers have done */
const DONE: usize = CONTROL + 128
const WORKERS: usize = CONTROL + 192
const FAILED: usize = CONTROL + 196

/**
 * About 20 us, as long as most of what lies between two loops of a training step. Ten times as many make a step at most
 * 1 or 2 % faster on an idle machine. Where another program wants the core they make it a quarter slower: a worker that
 * spins uses up its turn, and is stopped while it holds an item.
 */
const SPINS: i32 = 20000

/**
 * A worker costs a start of some 20 ms on another core, and memory: it must not be started for a few small tensors.
 * Of loops that are worth sharing, each some 10 us or more, this many run alone first.
 */
const LOOPS_ALONE: i32 = 100

/** Of this instance, so of this thread: which one it is, and is it within a loop that is shared already? */
let own: i32 = 0
let inside: bool = false
let alone: i32 = 0

/** @param slot  no two items that run at a time have the same; less than `slots` */
type Body = (context: usize, item: i32, slot: i32) => void

/**
 * @param items  each worth 5 us or more, or handing it over takes longer than doing it
 * @param slots  as many threads as may take part
 */
export function parallel(context: usize, items: i32, slots: i32, body: Body): void {
  if (ASC_FEATURE_THREADS && items > 1 && slots > 1 && !inside) {
    if (isShared()) {
      share(context, items, slots, body.index)
      return
    }
  }
  for (let item = 0; item < items; item++) body(context, item, 0)
}

/** Calls one of this module's functions for a part of what it is to do: kernels/simd/machine/parts.ts. */
@external("env", "callPart")
declare function callPart(item: i32): void

export function parallelCalls(items: i32): void {
  parallel(0, items, MAX_THREADS, (_context, item, _slot) => callPart(item))
}

/** Is it of any use to offer a loop? Where nobody is there, it counts as one that runs alone. */
export function isShared(): bool {
  if (atomic.load<i32>(WORKERS) > 0) return true
  alone++
  return false
}

/** The slot of the thread that asks. */
export function ownSlot(): i32 {
  return own
}

/** Have enough loops run alone that workers would be worth their start? */
export function wantsWorkers(): bool {
  return alone >= LOOPS_ALONE
}

function share(context: usize, items: i32, slots: i32, body: i32): void {
  const done = atomic.load<i32>(DONE)
  store<i32>(BODY, body)
  store<usize>(CONTEXT, context)
  atomic.store<i64>(WORD, (<i64>slots << 48) | (<i64>items << 24))
  atomic.add<i32>(OFFERED, 1)
  if (atomic.load<i32>(SLEEPERS) > 0) atomic.notify(OFFERED, -1)
  inside = true
  const others = items - runItems(0)
  inside = false
  while (atomic.load<i32>(DONE) - done != others) {
    if (atomic.load<i32>(FAILED)) unreachable()
  }
}

/** Runs items until none is left, and says how many. */
function runItems(slot: i32): i32 {
  let count = 0
  for (let item = take(slot); item >= 0; item = take(slot)) {
    call_indirect(load<i32>(BODY), load<usize>(CONTEXT), item, slot)
    count++
  }
  return count
}

/** The next item, or -1 where there is none for this slot. */
function take(slot: i32): i32 {
  let word = atomic.load<i64>(WORD)
  while (true) {
    const next = <i32>word & 0xffffff
    if (next >= (<i32>(word >> 24) & 0xffffff) || slot >= <i32>(word >> 48)) return -1
    const found = atomic.cmpxchg<i64>(WORD, word, word + 1)
    if (found == word) return next
    word = found
  }
}

/** A worker's life. It ends with its thread. */
export function work(slot: i32): void {
  own = slot
  inside = true
  atomic.add<i32>(WORKERS, 1)
  while (true) {
    const offered = atomic.load<i32>(OFFERED)
    const count = runItems(slot)
    if (count > 0) atomic.add<i32>(DONE, count)
    let spins = SPINS
    while (atomic.load<i32>(OFFERED) == offered && --spins > 0) {}
    if (spins > 0) continue
    atomic.add<i32>(SLEEPERS, 1)
    atomic.wait<i32>(OFFERED, offered, -1)
    atomic.sub<i32>(SLEEPERS, 1)
  }
}

/** A worker has met an error, so its item will never be done: the main thread must not wait for it. */
export function fail(): void {
  atomic.store<i32>(FAILED, 1)
}

/** How many workers are there. */
export function workers(): i32 {
  return atomic.load<i32>(WORKERS)
}

/** How many items they have done. */
export function itemsOfWorkers(): i32 {
  return atomic.load<i32>(DONE)
}
