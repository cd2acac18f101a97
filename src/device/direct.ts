/**
 * The sink that does everything at once: memory is taken when it is asked for, and freed when its last holder releases
 * it.
 */
import type { Floats } from '../../kernels/kernels.js'
import type { Allocator, Category } from '../memory/allocator.js'
import type { Instruction, Sink, Whereabouts } from './instruction.js'
import { Storage } from './storage.js'

export class Direct implements Sink {
  readonly list = null
  readonly hasValues = true

  constructor(readonly allocator: Allocator) {}

  alloc(size: number, bytes: number, category: Category, op: string): Storage {
    const storage = new Storage(size, bytes, category)
    storage.place(this.allocator.alloc(bytes, category, op))
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
