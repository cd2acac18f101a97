/**
 * The sink that does everything at once: memory is taken when it is asked for, and freed when its last holder releases
 * it.
 */
import type { Floats } from '../../kernels/kernels.js'
import { type Allocator, BudgetExceededError, type Category } from '../memory/allocator.js'
import type { Instruction, Sink, Whereabouts } from './instruction.js'
import { Storage } from './storage.js'

/** What a forward by hand makes. Outside of scopes it stays until it is disposed. */
const TRANSIENT: ReadonlySet<Category> = new Set<Category>(['activation', 'workspace'])
const NO_SCOPE =
  ' Outside of a scope every tensor stays until it is disposed: scope(device, () => { ... }) frees all tensors ' +
  'made in it at its end.'

export class Direct implements Sink {
  readonly list = null
  readonly hasValues = true

  constructor(readonly allocator: Allocator) {}

  alloc(size: number, bytes: number, category: Category, op: string): Storage {
    const storage = new Storage(size, bytes, category)
    try {
      storage.place(this.allocator.alloc(bytes, category, op))
    } catch (error) {
      if (!(error instanceof BudgetExceededError) || !TRANSIENT.has(category)) throw error
      throw new BudgetExceededError(error.requestedBytes, category, op, error.memory, NO_SCOPE)
    }
    return storage
  }

  free(storage: Storage): void {
    this.allocator.free(storage.leave())
  }

  unlessDone(): void {}

  read(storage: Storage, _by: Whereabouts, fetch: (placed: Storage) => Promise<Floats>): Promise<Floats> {
    return fetch(storage)
  }

  perform({ perform, reads, writes, workspaces }: Instruction): void {
    perform(reads, writes, workspaces)
  }
}
