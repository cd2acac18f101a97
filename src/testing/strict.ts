/** A device and an allocator that find faults: what a kernel may not do on some device shows on this one. */
import type { KernelName, KernelParameters } from '../../kernels/kernels.js'
import { HeapDevice } from '../device/heap-device.js'
import type { Storage } from '../device/storage.js'
import { type Block, BudgetExceededError, type Category } from '../memory/allocator.js'
import { HeapAllocator } from '../memory/heap.js'
import { CheckError } from './check-error.js'

/**
 * No kernel may write to a block that it reads, as on a gpu, and outputs hold NaN until they are written, which exposes a
 * kernel that reads its output or leaves some of it as it was. A kernel that a user has defined runs twice.
 */
export class StrictDevice extends HeapDevice {
  override readonly aliases = false

  constructor(kind: 'cpu' | 'reference', allocator: HeapAllocator) {
    super(kind, allocator, { threads: 1 })
  }

  protected override execute<Name extends KernelName>(
    name: Name,
    parameters: KernelParameters[Name],
    inputs: readonly Storage[],
    outputs: readonly Storage[],
    workspaces: readonly Storage[],
  ): void {
    const fill = (): void => {
      for (const output of outputs) this.view(output).fill(Number.NaN)
    }
    if (outputs.some(({ block }) => inputs.some((input) => input.block === block)))
      throw new CheckError(`${this.op}: ${name} writes where it reads`)
    const before = name === 'defined' ? inputs.map((input) => this.view(input).slice()) : null
    fill()
    super.execute(name, parameters, inputs, outputs, workspaces)
    if (!before) return
    inputs.forEach((input, i) => {
      if (!same(this.view(input), before[i])) throw new CheckError(`${this.op}: its loop changes input ${i}`)
    })
    const once = outputs.map((output) => this.view(output).slice())
    fill()
    super.execute(name, parameters, inputs, outputs, workspaces)
    outputs.forEach((output, i) => {
      if (!same(this.view(output), once[i]))
        throw new CheckError(`${this.op}: its loop gives other values for the same inputs the second time`)
    })
  }
}

/** An allocator that fails one allocation, as if the budget were used up. */
export class FailingAllocator extends HeapAllocator {
  /** fails the allocation that brings this to 0; Infinity never fails */
  remaining = Infinity

  override alloc(bytes: number, category: Category, op: string, address?: number): Block {
    if (--this.remaining === 0) throw new BudgetExceededError(bytes, category, op, this.stats())
    return super.alloc(bytes, category, op, address)
  }
}

/** The same bits, NaN included. */
export const same = (a: ArrayLike<number>, b: ArrayLike<number>): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false
  return true
}
