/** `checkEveryAllocation`: no allocation that fails loses or leaves anything. */
import { samplesIn } from '../data/batch.js'
import { ANYTHING, LIST, options as optionsOf } from '../memory/arguments.js'
import { type ByteSize, parseBytes } from '../memory/bytes.js'
import { CheckError, checking, MEMORY } from './check-error.js'
import { FailingAllocator, StrictDevice } from './strict.js'
import { type Fn, type Inputs, subjectOf, type Training, trainer } from './subject.js'

export interface AllocationOptions {
  /** for a function: the numbers of the inputs that have gradients; default all */
  inputs?: readonly number[]
  /** the budget of the device; default '8MiB' */
  memory?: ByteSize
}

export interface AllocationReport {
  /** how many allocations failed in turn */
  readonly failures: number
}

const OPTIONS = optionsOf<AllocationOptions>({ inputs: LIST, memory: ANYTHING })
const NAME = 'checkEveryAllocation'

/**
 * Fails every allocation in turn: while the model, its optimizer and its streamer are made, and in its second step. After each
 * failure the bytes held, all parameters, buffers, moments and the cursor are as before, bit by bit; the step that succeeds at last
 * gives what an undisturbed one gives.
 * @throws CheckError     what was lost or left, and by which allocation
 * @throws ArgumentError  the arguments are wrong
 */
export function checkEveryAllocation(fn: Fn, inputs: Inputs, options?: AllocationOptions): Promise<AllocationReport>
export function checkEveryAllocation<O, T>(
  training: Training<O, T>,
  options?: AllocationOptions,
): Promise<AllocationReport>
export async function checkEveryAllocation(...given: readonly unknown[]): Promise<AllocationReport> {
  const { subject, options } = subjectOf<AllocationOptions>(NAME, given, OPTIONS)
  const budget = parseBytes(options.memory ?? MEMORY)
  const allocator = new FailingAllocator(budget)
  const device = new StrictDevice('reference', allocator)
  return checking(NAME, device, async () => {
    const microBatch = Math.ceil(samplesIn(subject.batch) / 2)
    const before = device.memory.heldBytes
    const undisturbed = trainer(subject, device)
    const initial = await undisturbed.model.stateDict()
    for (let step = 0; step < 2; step++) await undisturbed.streamer.step(subject.batch, { microBatch })
    const wanted = await lasting(undisturbed)
    undisturbed.dispose()
    if (device.memory.heldBytes !== before)
      throw new CheckError(`${device.memory.heldBytes - before} bytes are held after the model was disposed`)
    let failures = 0
    let run: Run | null = null
    while (!run) {
      run = await attempt(allocator, failures + 1, async () => trainer(subject, device))
      if (run) break
      failures++
      const left = device.memory.heldBytes - before
      if (left !== 0)
        throw new CheckError(`${left} bytes are left where allocation ${failures} fails while the model is made`)
    }
    run.model.loadStateDict(initial)
    await run.streamer.step(subject.batch, { microBatch })
    const state = await lasting(run)
    const held = device.memory.heldBytes
    for (let n = 1; ; n++) {
      const { streamer } = run
      if (await attempt(allocator, n, () => streamer.step(subject.batch, { microBatch }))) break
      failures++
      const left = device.memory.heldBytes - held
      if (left !== 0) throw new CheckError(`${left} bytes are left where allocation ${n} of a step fails`)
      const changed = firstDifference(state, await lasting(run))
      if (changed) throw new CheckError(`${changed} has changed where allocation ${n} of a step failed`)
    }
    const differs = firstDifference(wanted, await lasting(run))
    if (differs) throw new CheckError(`${differs} is not what it is without the failures before`)
    return { failures }
  })
}

type Run = ReturnType<typeof trainer>

/** What `make` gives, or null where the n-th allocation failed. Other errors pass. */
async function attempt<T>(allocator: FailingAllocator, n: number, make: () => Promise<T>): Promise<T | null> {
  allocator.remaining = n
  try {
    return await make()
  } catch (error) {
    if (allocator.remaining > 0) throw error
    return null
  } finally {
    allocator.remaining = Infinity
  }
}

/** Everything that a commit changes. */
async function lasting({ model, optimizer, streamer }: Run) {
  return { model: await model.stateDict(), optimizer: await optimizer.stateDict(), cursor: streamer.cursor }
}

/** The path of the first value that differs, or null. */
function firstDifference(a: unknown, b: unknown, path = ''): string | null {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return Object.is(a, b) ? null : path
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = firstDifference(Reflect.get(a, key), Reflect.get(b, key), path ? `${path}.${key}` : key)
    if (found) return found
  }
  return null
}
