/** Devices for tests, which fail or are lost on command. One that forbids aliasing is in src/testing/strict.ts. */
import type { Floats, KernelName, KernelParameters } from '../kernels/kernels.js'
import { DeviceLostError } from '../src/device/errors.js'
import { HeapDevice } from '../src/device/heap-device.js'
import type { Storage } from '../src/device/storage.js'
import type { Block, Category } from '../src/memory/allocator.js'
import { HeapAllocator } from '../src/memory/heap.js'

export { FailingAllocator, StrictDevice } from '../src/testing/strict.js'

type Operands = [inputs: readonly Storage[], outputs: readonly Storage[], workspaces: readonly Storage[]]

/** A device that shows each kernel's operands before the kernel runs. */
abstract class KernelWatcher extends HeapDevice {
  /** @returns whether the kernel runs */
  protected abstract before(name: KernelName, ...operands: Operands): boolean

  protected override execute<N extends KernelName>(
    name: N,
    parameters: KernelParameters[N],
    ...operands: Operands
  ): void {
    if (this.before(name, ...operands)) super.execute(name, parameters, ...operands)
  }
}

/**
 * A device that records the highest byte of any operand or workspace of a kernel: the peak, measured without the code
 * of memory/.
 */
export class WatchedDevice extends KernelWatcher {
  highestByte = 0

  constructor(kind: 'cpu' | 'reference', budgetBytes: number) {
    super(kind, new HeapAllocator(budgetBytes))
  }

  protected override before(_: KernelName, ...[inputs, outputs, workspaces]: Operands): boolean {
    for (const operand of [...inputs, ...outputs]) {
      const view = this.view(operand)
      this.highestByte = Math.max(this.highestByte, view.byteOffset + view.byteLength)
    }
    for (const { block, bytes } of workspaces) this.highestByte = Math.max(this.highestByte, block.address + bytes)
    return true
  }
}

/** A device that is lost after `remaining` kernels, with all values on it: like a GPU whose context is taken away. */
export class LosingDevice extends KernelWatcher {
  override readonly volatile = true
  /** kernels until the device is lost */
  remaining = Infinity

  protected override before(_: KernelName, ...[, outputs]: Operands): boolean {
    if (--this.remaining > 0) return true
    // no error is thrown, and no kernel runs
    for (const output of outputs) this.view(output).fill(0)
    return false
  }

  protected override async fetch(storage: Storage): Promise<Floats> {
    if (this.remaining <= 0) throw new DeviceLostError('the device was lost')
    return super.fetch(storage)
  }
}

/** A failure from outside the library, such as one in a driver or a generator. */
export class Fault extends Error {}

/** Counts down the operations of a construction, and lets the last one fail. */
export class Countdown {
  /** operations up to the one that fails; Infinity never fails */
  remaining = Infinity

  /** @throws Fault  it is time */
  tick(): void {
    if (--this.remaining === 0) throw new Fault('it is time')
  }
}

/** A device whose n-th allocation, kernel or upload fails. */
export class FaultyDevice extends KernelWatcher {
  readonly countdown: Countdown

  constructor(kind: 'cpu' | 'reference', budgetBytes: number) {
    const countdown = new Countdown()
    super(kind, new FaultyAllocator(budgetBytes, countdown), { threads: 1 })
    this.countdown = countdown
  }

  protected override before(): boolean {
    this.countdown.tick()
    return true
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

  override alloc(bytes: number, category: Category, op: string, address?: number): Block {
    this.countdown.tick()
    return super.alloc(bytes, category, op, address)
  }
}
