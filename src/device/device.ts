/**
 * The device interface: the layers above use this class only, and know no particular device.
 *
 * A device owns an allocator and runs kernels on opaque operands. Devices differ only in the abstract members:
 * `execute`, `write`, `fetch`, and whether a kernel may write where it reads (`aliases`).
 *
 * Note [One door]
 *   Everything that a program does passes through here as an `alloc`, a `release` or an instruction, and goes on to a
 *   sink. The sink `Direct` does it at once. A recording (step/record.ts) only notes it, so that a step is data before
 *   it runs.
 */
import type { Floats, KernelName, KernelParameters } from '../../kernels/kernels.js'
import type { Allocator, Category, MemoryStats } from '../memory/allocator.js'
import { Direct } from './direct.js'
import { DeviceError, TensorTooLargeError } from './errors.js'
import type { Instruction, Sink, Update } from './instruction.js'
import { checkSeed, type StepContext } from './seed.js'
import type { Slot } from './slot.js'
import type { Storage } from './storage.js'
import { largest, part } from './workspace.js'

/** Memory with a hard byte budget, and the kernels that run on it. `openDevice` gives one. */
export abstract class Device {
  /** 'cpu', 'reference', ... */
  abstract readonly kind: string
  /** bytes of one tensor element */
  abstract readonly elementBytes: 4 | 8
  /** false on a virtual device, which has sizes but no values */
  abstract readonly executes: boolean
  /** May a kernel write to a block that it reads? If not, updates write to spare blocks, which count as held. */
  readonly aliases: boolean = true
  /** Can the platform take all values away at any time? Then training keeps checkpoints. */
  readonly volatile: boolean = false
  /** the op that is running, for errors and reports */
  op = 'upload'
  /** the path of the module whose forward runs, while a streamer records a step; '' for the model itself and outside of it */
  module = ''
  /** record where every tensor was made, so that leaks and misuse can be traced; slow */
  readonly trackOrigins: boolean

  readonly #allocator: Allocator
  #slots = new Map<Slot<unknown>, unknown>()
  #step: StepContext
  #sink: Sink
  /** the result of `close`, once it has been called */
  #closing: Promise<void> | null = null

  /** @throws ArgumentError  the seed is not a whole number from 0 to 2^32 - 1 */
  constructor(
    allocator: Allocator,
    { seed = 0, trackOrigins = false }: { seed?: number; trackOrigins?: boolean } = {},
  ) {
    checkSeed('openDevice', seed)
    this.trackOrigins = trackOrigins
    this.#allocator = allocator
    this.#step = { seed, step: 0, firstSample: 0, call: 0 }
    this.#sink = new Direct(allocator)
  }

  /** Start kernel `name`. Inputs and outputs overlap only where `aliases`; `workspaces` have the sizes of `workspaceBytes`. */
  protected abstract execute<Name extends KernelName>(
    name: Name,
    parameters: KernelParameters[Name],
    inputs: readonly Storage[],
    outputs: readonly Storage[],
    workspaces: readonly Storage[],
  ): void
  /** The sizes of the blocks that a kernel needs while it runs, beside its operands. */
  protected abstract workspaceBytes<Name extends KernelName>(
    name: Name,
    parameters: KernelParameters[Name],
  ): readonly number[]
  protected abstract write(storage: Storage, data: ArrayLike<number>, scale: number): void
  protected abstract fetch(storage: Storage): Promise<Floats>

  get step(): StepContext {
    return this.#step
  }

  get allocator(): Allocator {
    return this.#allocator
  }

  /** The bytes held now, and the peaks since `resetPeak`. */
  get memory(): MemoryStats {
    return this.#allocator.stats()
  }

  /** The list that is being recorded, or null. */
  get list(): object | null {
    return this.#sink.list
  }

  /** Are there values to compute? Not on a virtual device, nor while a plan is recorded. */
  get live(): boolean {
    return this.executes && this.#sink.hasValues
  }

  slot<T>(slot: Slot<T>): T {
    if (!this.#slots.has(slot)) this.#slots.set(slot, slot.create())
    return this.#slots.get(slot) as T
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
    return this.#sink.alloc(size, bytes, category, this.op)
  }

  /** Add a holder. */
  retain(storage: Storage): void {
    storage.references++
  }

  /** Drop a holder. With the last one the storage is freed. */
  release(storage: Storage): void {
    if (--storage.references === 0) this.#sink.free(storage)
  }

  /**
   * Run a kernel that overwrites its outputs, or adds to them with the parameter `accumulate`.
   * @throws BudgetExceededError  the kernel's workspace does not fit; nothing has run
   */
  run<Name extends KernelName>(
    name: Name,
    parameters: KernelParameters[Name],
    inputs: readonly Storage[],
    outputs: readonly Storage[],
  ): void {
    this.checkOpen()
    this.#withWorkspaces(this.workspaceBytes(name, parameters), (workspaces) => ({
      op: this.op,
      module: this.module,
      name,
      parameters,
      reads: inputs,
      writes: outputs,
      changes: 'accumulate' in parameters && parameters.accumulate === true,
      workspaces,
      perform: (reads, writes, taken) => {
        if (this.executes) this.execute(name, parameters, reads, writes, taken)
      },
    }))
  }

  /** Run a kernel whose outputs are its first inputs: optimizers, `blend`. */
  update(update: Update): void {
    this.commit([update])
  }

  /**
   * Run updates one after the other. First all memory is taken and all kernels are prepared, so a failure leaves every
   * target as it was. After that only a faulty kernel can fail.
   * @param ready  called after the preparation and before the first update; may refuse by throwing
   */
  commit(updates: readonly Update[], ready?: () => void): void {
    this.checkOpen()
    const spareBytes = this.aliases
      ? []
      : largest(updates.map(({ targets }) => targets.map(({ size }) => size * this.elementBytes)))
    const workspaceBytes = updates.map(({ kernel, parameters }) => this.workspaceBytes(kernel, parameters))
    this.#withWorkspaces([...spareBytes, ...largest(workspaceBytes)], (workspaces) => ({
      op: this.op,
      module: this.module,
      name: 'commit',
      parameters: updates,
      reads: updates.flatMap(({ inputs }) => inputs),
      writes: updates.flatMap(({ targets }) => targets),
      changes: true,
      workspaces,
      perform: (reads, writes, blocks) => {
        if (this.executes) this.prepare(new Set(updates.map(({ kernel }) => kernel)))
        ready?.()
        const [nextReads, nextWrites] = [[...reads], [...writes]]
        for (const [j, { kernel, parameters, targets, inputs }] of updates.entries()) {
          const own = nextReads.splice(0, inputs.length)
          const changed = nextWrites.splice(0, targets.length)
          const outputs = this.aliases ? changed : changed.map(({ size }, i) => part(blocks[i], size, blocks[i].bytes))
          const taken = workspaceBytes[j].map((bytes, i) => part(blocks[spareBytes.length + i], 0, bytes))
          if (this.executes) this.execute(kernel, parameters, [...changed, ...own], outputs, taken)
          if (!this.aliases) changed.forEach((target, i) => this.settle(target, outputs[i]))
        }
      },
    }))
  }

  /** Do what can fail for these kernels, before a commit changes the first value. @throws DeviceError  they cannot run */
  protected prepare(_kernels: ReadonlySet<KernelName>): void {}

  /**
   * Bring an updated value from its spare block to its target, where `aliases` is false: by a copy, so that standing
   * tensors never move. A device that can swap blocks of the same size does that instead.
   */
  protected settle(target: Storage, spare: Storage): void {
    if (!this.executes) return
    this.execute('stridedCopy', { shape: [target.size], strides: [1], offset: 0 }, [spare], [target], [])
  }

  /** Copy host values in, `data[i] * scale`. */
  upload(storage: Storage, data: ArrayLike<number>, scale = 1): void {
    this.checkOpen()
    // a forward may overwrite its buffer before the recording runs
    const own = this.list && this.live ? copyOf(data) : data
    this.#sink.perform({
      op: this.op,
      module: this.module,
      name: 'upload',
      parameters: { scale },
      reads: [],
      writes: [storage],
      changes: false,
      workspaces: [],
      perform: (_, [target]) => {
        if (this.executes) this.write(target, own, scale)
      },
    })
  }

  /**
   * The values of a storage at this point of the program. Within a recording the promise resolves when the recording
   * has run.
   * @throws RehearsalError, DeviceError  a plan, or a virtual device, has no values
   */
  read(storage: Storage): Promise<Floats> {
    this.checkOpen()
    if (!this.executes && this.#sink.hasValues) throw new DeviceError('a virtual device has no values to read')
    return this.#sink.read(storage, this, (placed) => this.fetch(placed))
  }

  /** Copy the present values of a placed storage into `target`. @returns a promise where that takes time */
  copyOut(storage: Storage, target: Floats): Promise<void> | null {
    return this.fetch(storage).then((values) => target.set(values))
  }

  /** Call `undo` if the current recording is never run, or fails. */
  unlessDone(undo: () => void): void {
    this.#sink.unlessDone(undo)
  }

  /** Send what `fn` does to `sink`. Afterwards, even if fn throws, the former sink is back. */
  through<T>(sink: Sink, fn: () => T): T {
    const before = { sink: this.#sink, slots: this.#slots, step: this.#step, op: this.op, module: this.module }
    this.#sink = sink
    if (!sink.hasValues) {
      this.#slots = new Map()
      this.#step = { ...this.#step }
    }
    try {
      return fn()
    } finally {
      if (!sink.hasValues) for (const [slot, value] of this.#slots) slot.end?.(value)
      this.#sink = before.sink
      this.#slots = before.slots
      this.#step = before.step
      Object.assign(this, { op: before.op, module: before.module })
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

  /** Take workspaces of these sizes, perform the instruction with them, and free them. */
  #withWorkspaces(sizes: readonly number[], make: (workspaces: readonly Storage[]) => Instruction): void {
    const workspaces: Storage[] = []
    try {
      const { op, elementBytes } = this
      for (const bytes of sizes) workspaces.push(this.#sink.alloc(bytes / elementBytes, bytes, 'workspace', op))
      this.#sink.perform(make(workspaces))
    } finally {
      for (const workspace of workspaces) this.release(workspace)
    }
  }
}

const copyOf = (data: ArrayLike<number>): ArrayLike<number> =>
  ArrayBuffer.isView(data) ? (data as Float32Array).slice() : Array.from(data)
