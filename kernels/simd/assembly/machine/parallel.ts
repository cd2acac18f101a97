/**
 * Loops whose items do not touch each other, shared between threads.
 *
 *   parallel(context, items, slots, body):   for each item: body(context, item, slot)
 *
 * Workers are other instances of this module on the same memory; each runs `work` on a thread of its own. The main
 * thread runs every kernel and takes part in every loop. It offers a loop to the workers in one word:
 *
 *   slots | items | next           16, 24 and 24 bits
 *
 * A thread takes an item by exchanging the word for one with a greater `next`. The word holds all that a thread must
 * know to take an item, and `body` and `context` beside it do not change before every item is done. So a worker can be
 * late: it takes an item of the loop that runs by then, or none.
 *
 * The main thread must not block (in a page it is not allowed to): when no item is left, it spins until the workers
 * have done their items. A worker spins for a while after its last item, because the next loop of a training step comes
 * within microseconds; then it sleeps until the main thread wakes it.
 *
 * The items of a loop do not depend on the threads, and no bit of a result depends on which thread took which item.
 */
import { CONTROL, MAX_THREADS } from '../../layout'

/**
 * The control block lies below the constants, because every new worker writes those again. Each part has a cache line of
 * its own.
 */
const WORD: usize = CONTROL
const BODY: usize = CONTROL + 8
const CONTEXT: usize = CONTROL + 12
/** counts the loops offered; workers sleep on it */
const OFFERED: usize = CONTROL + 64
const SLEEPERS: usize = CONTROL + 68
/** counts the items that workers have done */
const DONE: usize = CONTROL + 128
const WORKERS: usize = CONTROL + 192
const FAILED: usize = CONTROL + 196

/**
 * Spins of a worker before it sleeps: about 20 us, longer than most gaps between two loops of a training step. Ten
 * times as many make a step at most 1 or 2 % faster on an idle machine, and a quarter slower where another program
 * wants the core: a worker that spins uses up its turn, and is stopped while it holds an item.
 */
const SPINS: i32 = 20000

/**
 * The number of loops that run alone before workers are started. Only loops that are long enough to share count: 10 us
 * or more. A worker takes memory, and some 20 ms on another core to start; a few small tensors are not worth that.
 */
const LOOPS_ALONE: i32 = 100

/**
 * Globals belong to an instance, so to a thread: its slot, whether it is inside a shared loop, and how many loops ran
 * alone.
 */
let own: i32 = 0
let inside: bool = false
let alone: i32 = 0

/** @param slot  less than `slots`; no two items that run at the same time have the same slot */
type Body = (context: usize, item: i32, slot: i32) => void

/**
 * @param items  each takes 5 us or more: to hand over a shorter one takes longer than to do it
 * @param slots  the largest number of threads that can take part
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

/** Runs one part of the call that kernels/simd/machine/parts.ts has stored. */
@external("env", "callPart")
declare function callPart(item: i32): void

/** A call has at most one workspace for each of its items, so a slot must be less than their number. */
export function parallelCalls(items: i32): void {
  parallel(0, items, min(items, MAX_THREADS), (_context, item, _slot) => callPart(item))
}

/** Are there workers to share a loop with? If not, counts the loop as one that runs alone. */
export function isShared(): bool {
  if (atomic.load<i32>(WORKERS) > 0) return true
  alone++
  return false
}

/** The slot of this thread. */
export function ownSlot(): i32 {
  return own
}

/** Have enough loops run alone for workers to be worth their start? */
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

/** Runs items until none is left; returns their number. */
function runItems(slot: i32): i32 {
  let count = 0
  for (let item = take(slot); item >= 0; item = take(slot)) {
    call_indirect(load<i32>(BODY), load<usize>(CONTEXT), item, slot)
    count++
  }
  return count
}

/** Takes the next item; -1 if none is left for this slot. */
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

/** Runs a worker until its thread ends. */
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

/** Called by a worker that met an error: its item will never be done, and the main thread must not wait for it. */
export function fail(): void {
  atomic.store<i32>(FAILED, 1)
}

/** The number of workers. */
export function workers(): i32 {
  return atomic.load<i32>(WORKERS)
}

/** The items that workers have done. */
export function itemsOfWorkers(): i32 {
  return atomic.load<i32>(DONE)
}
