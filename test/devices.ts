/** Devices that only tests want: one that forbids aliasing, one whose allocations fail on command. */
import type { Floats, KernelName, KernelParameters } from '../kernels/kernels.js'
import { DeviceLostError } from '../src/device/errors.js'
import { HeapDevice } from '../src/device/heap-device.js'
import type { Storage } from '../src/device/storage.js'
import { type Block, BudgetExceededError, type Category } from '../src/memory/allocator.js'
import { HeapAllocator } from '../src/memory/heap.js'

/**
 * A device like a GPU: no kernel may write where it reads, and outputs hold garbage until written.
 * Here the garbage is NaN, so that a kernel that reads its output is found out.
 */
export class NoAliasDevice extends HeapDevice {
  override readonly aliases = false

  constructor(kind: 'cpu' | 'reference', allocator: HeapAllocator) {
    super(kind, allocator)
  }

  protected override execute<Name extends KernelName>(
    name: Name,
    parameters: KernelParameters[Name],
    inputs: readonly Storage[],
    outputs: readonly Storage[],
    workspaces: readonly Block[],
  ): void {
    for (const output of outputs) {
      if (inputs.some(({ block }) => block === output.block)) throw new Error(`${name} writes where it reads`)
      this.view(output).fill(Number.NaN)
    }
    super.execute(name, parameters, inputs, outputs, workspaces)
  }
}

/** An allocator whose n-th allocation from `failAt = n` on fails, as if the budget were used up. */
export class FailingAllocator extends HeapAllocator {
  /** fails the allocation that brings this to 0; Infinity never fails */
  remaining = Infinity

  override alloc(bytes: number, category: Category, op: string): Block {
    if (--this.remaining === 0) throw new BudgetExceededError(bytes, category, op, this.stats())
    return super.alloc(bytes, category, op)
  }
}

/** A device that notes the highest byte any kernel operand or workspace reaches: a measure of the peak from outside memory/. */
export class WatchedDevice extends HeapDevice {
  highestByte = 0

  constructor(kind: 'cpu' | 'reference', budgetBytes: number) {
    super(kind, new HeapAllocator(budgetBytes))
  }

  protected override execute<Name extends KernelName>(
    name: Name,
    parameters: KernelParameters[Name],
    inputs: readonly Storage[],
    outputs: readonly Storage[],
    workspaces: readonly Block[],
  ): void {
    for (const operand of [...inputs, ...outputs]) {
      const view = this.view(operand)
      this.highestByte = Math.max(this.highestByte, view.byteOffset + view.byteLength)
    }
    for (const workspace of workspaces)
      this.highestByte = Math.max(this.highestByte, workspace.address + workspace.requestedBytes)
    super.execute(name, parameters, inputs, outputs, workspaces)
  }
}

/** A device that is lost after so many kernels, with all values on it: like a GPU whose context is taken away. */
export class LosingDevice extends HeapDevice {
  override readonly volatile = true
  /** kernels until then */
  remaining = Infinity

  protected override execute<Name extends KernelName>(
    name: Name,
    parameters: KernelParameters[Name],
    inputs: readonly Storage[],
    outputs: readonly Storage[],
    workspaces: readonly Block[],
  ): void {
    // nothing is said, and nothing happens
    if (--this.remaining > 0) super.execute(name, parameters, inputs, outputs, workspaces)
    else for (const output of outputs) this.view(output).fill(0)
  }

  protected override async fetch(storage: Storage): Promise<Floats> {
    if (this.remaining <= 0) throw new DeviceLostError('the device was lost')
    return super.fetch(storage)
  }
}

/** A failure that is not ours: a driver's, or a generator's. */
export class Fault extends Error {}

/** Counts down what a construction asks for, and lets the last fail. */
export class Countdown {
  /** until the one that fails; Infinity never fails */
  remaining = Infinity

  /** @throws Fault  it is time */
  tick(): void {
    if (--this.remaining === 0) throw new Fault('it is time')
  }
}

/** A device whose n-th allocation, kernel or upload fails. */
export class FaultyDevice extends HeapDevice {
  readonly countdown: Countdown

  constructor(kind: 'cpu' | 'reference', budgetBytes: number) {
    const countdown = new Countdown()
    super(kind, new FaultyAllocator(budgetBytes, countdown), { threads: 1 })
    this.countdown = countdown
  }

  protected override execute<Name extends KernelName>(
    name: Name,
    parameters: KernelParameters[Name],
    inputs: readonly Storage[],
    outputs: readonly Storage[],
    workspaces: readonly Block[],
  ): void {
    this.countdown.tick()
    super.execute(name, parameters, inputs, outputs, workspaces)
  }

  protected override write(storage: Storage, data: ArrayLike<number>, scale: number): void {
    this.countdown.tick()
    super.write(storage, data, scale)
  }
}

class FaultyAllocator extends HeapAllocator {
  constructor(
    budgetBytes: number,
    readonly countdown: Countdown,
  ) {
    super(budgetBytes)
  }

  override alloc(bytes: number, category: Category, op: string): Block {
    this.countdown.tick()
    return super.alloc(bytes, category, op)
  }
}
