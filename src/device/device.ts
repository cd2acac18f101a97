/**
 * The device interface: everything above talks to this class and to no particular device.
 *
 * A device owns an allocator, runs kernels on opaque operands, and can rehearse: run a program on
 * shapes alone against a fork of its allocator. What differs between devices is small and abstract:
 * `execute`, `write`, `fetch`, and whether a kernel may write where it reads (`aliases`).
 *
 * Note [Rehearsal]
 *   `rehearse(fn)` swaps the device's whole changeable state (allocator, slots, step context) for
 *   a fork, switches execution off, runs fn, and swaps back. So the rehearsed program runs the same
 *   code against the same allocator, and its peak is the real one by construction.
 */
import type { Floats, KernelName, KernelParameters } from '../../kernels/kernels.js'
import type { Allocator, Block, Category, MemoryStats } from '../memory/allocator.js'
import type { TimelinePoint } from '../memory/timeline.js'
import { DeviceError, mismatch, RehearsalError, TensorTooLargeError } from './errors.js'
import { forget, isPromise } from './promise.js'
import type { Rehearsal, Rehearsed } from './rehearsal.js'
import { checkSeed } from './seed.js'
import type { Slot } from './slot.js'
import { Storage } from './storage.js'

/** What dropout masks follow from. `call` counts the dropouts of one forward. */
export interface StepContext {
  seed: number
  step: number
  firstSample: number
  call: number
}

/** A kernel call that updates its targets in place, as data. */
export type Update = {
  [Name in KernelName]: {
    kernel: Name
    parameters: KernelParameters[Name]
    targets: readonly Storage[]
    inputs: readonly Storage[]
  }
}[KernelName]

/** Everything about a device that a rehearsal must not change. */
interface State {
  allocator: Allocator
  slots: Map<Slot<unknown>, unknown>
  step: StepContext
  ops: string[] | null
  expected: { ops: readonly string[]; next: number } | null
  timeline: TimelinePoint[] | null
  /** the identity of the running rehearsal */
  rehearsal: object | null
}

export abstract class Device {
  /** 'cpu', 'reference', ... */
  abstract readonly kind: string
  /** bytes of one tensor element */
  abstract readonly elementBytes: 4 | 8
  /** false on a virtual device, which has sizes and no values */
  abstract readonly executes: boolean
  /** May a kernel write where it reads? If not, updates go through counted spares. */
  readonly aliases: boolean = true
  /** Can the platform take all values away at any time? Then training keeps checkpoints. */
  readonly volatile: boolean = false
  /** the op that is running, for errors and reports */
  op = 'upload'
  /** record where every tensor was made, so that leaks and misuse can be traced; slow */
  readonly trackOrigins: boolean

  #state: State
  #withoutKernels = false
  /** the result of `close`, once it has been called */
  #closing: Promise<void> | null = null

  /** @throws ArgumentError  the seed is not a whole number from 0 to 2^32 - 1 */
  constructor(
    allocator: Allocator,
    { seed = 0, trackOrigins = false }: { seed?: number; trackOrigins?: boolean } = {},
  ) {
    checkSeed('openDevice', seed)
    this.trackOrigins = trackOrigins
    this.#state = {
      allocator,
      slots: new Map(),
      step: { seed, step: 0, firstSample: 0, call: 0 },
      ops: null,
      expected: null,
      timeline: null,
      rehearsal: null,
    }
  }

  /** Start kernel `name`. Inputs and outputs overlap only where `aliases`; `workspaces` are the blocks of `workspaceBytes`. */
  protected abstract execute<Name extends KernelName>(
    name: Name,
    parameters: KernelParameters[Name],
    inputs: readonly Storage[],
    outputs: readonly Storage[],
    workspaces: readonly Block[],
  ): void
  /** The sizes of the blocks that a kernel needs while it runs, beside its operands. */
  protected abstract workspaceBytes<Name extends KernelName>(
    name: Name,
    parameters: KernelParameters[Name],
  ): readonly number[]
  protected abstract write(storage: Storage, data: ArrayLike<number>, scale: number): void
  protected abstract fetch(storage: Storage): Promise<Floats>

  get step(): StepContext {
    return this.#state.step
  }

  /** What is held now, and the peaks since `resetPeak`. */
  get memory(): MemoryStats {
    return this.#state.allocator.stats()
  }

  get allocator(): Allocator {
    return this.#state.allocator
  }

  /** The running rehearsal, or null. */
  get rehearsal(): object | null {
    return this.#state.rehearsal
  }

  /** Are there values to compute? Not on a virtual device, in a rehearsal, nor in `withoutKernels`. */
  get live(): boolean {
    return this.executes && this.#state.rehearsal === null && !this.#withoutKernels
  }

  slot<T>(slot: Slot<T>): T {
    const { slots } = this.#state
    if (!slots.has(slot)) slots.set(slot, slot.create())
    return slots.get(slot) as T
  }

  /** @throws BudgetExceededError  `size` elements do not fit; nothing has changed */
  alloc(size: number, category: Category): Storage {
    this.checkOpen()
    const bytes = size * this.elementBytes
    if (bytes > Number.MAX_SAFE_INTEGER) {
      throw new TensorTooLargeError(
        `${this.op}: no device has tensors of ${size} elements: their bytes cannot be counted`,
      )
    }
    const block = this.#state.allocator.alloc(bytes, category, this.op)
    this.#sample()
    return new Storage(block, size, this.#state.rehearsal)
  }

  /** Add a holder. */
  retain(storage: Storage): void {
    storage.references++
  }

  /** Drop a holder. The last one to go frees the block. */
  release(storage: Storage): void {
    if (--storage.references > 0) return
    this.#state.allocator.free(storage.block)
    this.#sample()
  }

  /**
   * Run a kernel that writes its outputs anew. Where there are no values, only its workspace is taken and freed.
   * @throws BudgetExceededError  the kernel's workspace does not fit; nothing has run
   */
  run<Name extends KernelName>(
    name: Name,
    parameters: KernelParameters[Name],
    inputs: readonly Storage[],
    outputs: readonly Storage[],
  ): void {
    this.#withBlocks(this.workspaceBytes(name, parameters), (workspaces) => {
      if (this.live) this.execute(name, parameters, inputs, outputs, workspaces)
    })
  }

  /** Run a kernel whose outputs are its first inputs: optimizers, `blend`. */
  update(update: Update): void {
    this.commit([update])
  }

  /**
   * target += kernel(inputs), for the kernels that can accumulate (ACCUMULATING in kernels.ts).
   * Where aliasing is forbidden, the sum goes through counted spares.
   */
  accumulate<Name extends KernelName>(
    name: Name,
    parameters: KernelParameters[Name],
    target: Storage,
    inputs: readonly Storage[],
  ): void {
    if (this.aliases) {
      this.run(name, { ...parameters, accumulate: true }, inputs, [target])
      return
    }
    const term = this.alloc(target.size, 'workspace')
    try {
      this.run(name, { ...parameters, accumulate: false }, inputs, [term])
      this.update({ kernel: 'blend', parameters: { size: target.size, a: 1, b: 1 }, targets: [target], inputs: [term] })
    } finally {
      this.release(term)
    }
  }

  /**
   * Run updates one after the other. First all memory is taken and all kernels are prepared, so a failure leaves every
   * target as it was. After that only a kernel with a fault of its own can fail.
   * @param ready  called after the preparation and before the first update; may refuse by throwing
   */
  commit(updates: readonly Update[], ready?: () => void): void {
    const spareBytes = this.aliases
      ? []
      : largest(updates.map(({ targets }) => targets.map(({ size }) => size * this.elementBytes)))
    const workspaceBytes = updates.map(({ kernel, parameters }) => this.workspaceBytes(kernel, parameters))
    this.#withBlocks([...spareBytes, ...largest(workspaceBytes)], (blocks) => {
      if (this.live) this.prepare(new Set(updates.map(({ kernel }) => kernel)))
      ready?.()
      for (const [j, { kernel, parameters, targets, inputs }] of updates.entries()) {
        const spare = ({ size }: Storage, i: number): Storage => new Storage(blocks[i], size, this.rehearsal)
        const outputs = this.aliases ? targets : targets.map(spare)
        const own = blocks.slice(spareBytes.length)
        const workspaces = workspaceBytes[j].map((requestedBytes, i) => ({ ...own[i], requestedBytes }))
        if (this.live) this.execute(kernel, parameters, [...targets, ...inputs], outputs, workspaces)
        if (!this.aliases) targets.forEach((target, i) => this.settle(target, outputs[i]))
      }
    })
  }

  /**
   * Do everything about these kernels that can fail, before a commit changes the first value.
   * @throws DeviceError  they cannot run
   */
  protected prepare(_kernels: ReadonlySet<KernelName>): void {}

  /**
   * Bring an updated value from the spare to its target. This one copies, so that standing tensors never move and every
   * micro-batch finds the same holes. A device whose blocks of one size are alike may exchange the blocks instead.
   */
  protected settle(target: Storage, spare: Storage): void {
    this.run('stridedCopy', { shape: [target.size], strides: [1], offset: 0 }, [spare], [target])
  }

  /** Copy host values in, `data[i] * scale`. */
  upload(storage: Storage, data: ArrayLike<number>, scale = 1): void {
    this.checkOpen()
    if (this.live) this.write(storage, data, scale)
  }

  /** @throws RehearsalError, DeviceError  a rehearsal, or a virtual device, has no values */
  read(storage: Storage): Promise<Floats> {
    this.checkOpen()
    if (this.rehearsal) {
      throw new RehearsalError('a value was read in a rehearsal, which has shapes only: read after the step instead')
    }
    if (!this.executes) throw new DeviceError('a virtual device has no values to read')
    return this.fetch(storage)
  }

  /**
   * Run `fn` on shapes alone and say what memory it would take. Leaves no trace, also when fn throws.
   * @throws RehearsalError  fn returned a Promise or read a value
   */
  rehearse<T>(fn: () => T, options: { timeline?: boolean } = {}): Rehearsal<T> {
    if (this.rehearsal) throw new RehearsalError('a rehearsal is running already: rehearsals do not nest')
    const real = this.#state
    const op = this.op
    this.#state = {
      allocator: real.allocator.fork(Infinity),
      slots: new Map(),
      step: { ...real.step },
      ops: [],
      expected: null,
      timeline: options.timeline ? [] : null,
      rehearsal: {},
    }
    try {
      const result = fn()
      if (isPromise(result)) {
        forget(result)
        throw new RehearsalError('the rehearsed function returned a Promise: it must be synchronous, without await')
      }
      const { allocator, ops, timeline } = this.#state
      const memory = allocator.stats()
      return { result, peakBytes: memory.peakBytes, memory, ops: ops ?? [], timeline: timeline ?? [] }
    } finally {
      for (const [slot, value] of this.#state.slots) slot.end?.(value)
      this.#state = real
      this.op = op
    }
  }

  /** Run `fn` without kernels: blocks are taken and freed as usual, and no value changes. */
  withoutKernels(fn: () => void): void {
    this.#withoutKernels = true
    try {
      fn()
    } finally {
      this.#withoutKernels = false
    }
  }

  /**
   * Run `fn` for real as it was rehearsed: its blocks go where they were arranged, and its ops must be the same.
   * @throws PlanMismatchError  at the first op that differs
   */
  follow<T>({ ops, placement }: Rehearsed, fn: () => T): T {
    const state = this.#state
    state.expected = { ops, next: 0 }
    try {
      const result = state.allocator.place(placement, fn)
      if (state.expected.next < ops.length) throw mismatch(ops[state.expected.next], 'nothing more')
      return result
    } finally {
      state.expected = null
    }
  }

  /** Called by every op before it does anything: its name, and the shapes of inputs and output. */
  announce(op: string, shapes: readonly (readonly number[])[]): void {
    this.op = op
    const { ops, expected } = this.#state
    if (!ops && !expected) return
    const signature = `${op} ${shapes.map((shape) => `[${shape}]`).join(' ')}`
    ops?.push(signature)
    if (expected && expected.ops[expected.next++] !== signature) {
      throw mismatch(expected.ops[expected.next - 1] ?? 'nothing more', signature)
    }
  }

  /**
   * Give memory, threads and textures back at once, even while tensors of the device are reachable. Such a tensor can
   * still be disposed; any other use of it, or of the device, throws DeviceError. A second call does nothing more.
   * @returns resolves when everything is given back, threads included; never rejects, and need not be awaited
   */
  close(): Promise<void> {
    this.#closing ??= this.shutDown()
    return this.#closing
  }

  get closed(): boolean {
    return this.#closing !== null
  }

  /** What `close` does, once. */
  protected async shutDown(): Promise<void> {}

  protected checkOpen(): void {
    if (this.closed) throw new DeviceError(`the ${this.kind} device is closed: open another`)
  }

  #sample(): void {
    const { timeline, allocator } = this.#state
    timeline?.push({ op: this.op, held: allocator.stats().held })
  }

  /** Run `use` with workspace blocks of these sizes. @throws BudgetExceededError  they do not all fit; `use` has not run */
  #withBlocks(sizes: readonly number[], use: (blocks: readonly Block[]) => void): void {
    this.checkOpen()
    const { allocator } = this.#state
    const blocks: Block[] = []
    try {
      for (const bytes of sizes) {
        blocks.push(allocator.alloc(bytes, 'workspace', this.op))
        this.#sample()
      }
      use(blocks)
    } finally {
      for (const block of blocks) {
        allocator.free(block)
        this.#sample()
      }
    }
  }
}

/** The largest number at each position of the lists. */
function largest(lists: readonly (readonly number[])[]): number[] {
  const most: number[] = []
  for (const list of lists) {
    list.forEach((number, i) => {
      most[i] = Math.max(most[i] ?? 0, number)
    })
  }
  return most
}
