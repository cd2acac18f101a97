/** What a device does, as data. */
import type { Floats, KernelName, KernelParameters } from '../../kernels/kernels.js'
import type { Category } from '../memory/allocator.js'
import type { Storage } from './storage.js'

/** A kernel call that updates its targets in place, as data. */
export type Update = {
  [Name in KernelName]: {
    kernel: Name
    parameters: KernelParameters[Name]
    targets: readonly Storage[]
    inputs: readonly Storage[]
  }
}[KernelName]

/** One action of a device on values: a kernel, an upload, or several updates that happen all or not at all. */
export interface Instruction {
  /** the op that it is a part of, for errors and reports */
  readonly op: string
  /** the path of the module whose forward it ran in, or whose gradient it is; '' for the model itself and outside of it */
  readonly module: string
  /** the kernel, 'upload' or 'commit' */
  readonly name: string
  readonly parameters: unknown
  readonly reads: readonly Storage[]
  /** what it writes: anew, unless it `changes` them */
  readonly writes: readonly Storage[]
  /** Does the result depend on what was in `writes` before? */
  readonly changes: boolean
  /** memory that it needs while it runs */
  readonly workspaces: readonly Storage[]
  /** Do it. The operands are those above, or others in their places. */
  perform(reads: readonly Storage[], writes: readonly Storage[], workspaces: readonly Storage[]): void
}

/** An instruction as a plan keeps it. */
export type Planned = Omit<Instruction, 'perform'>

/** Where a program is: see Device. */
export type Whereabouts = Pick<Instruction, 'op' | 'module'>

/** An op as errors name it: 'relu', or 'relu in layer2.0' while the forward of that module is recorded. */
export const placeOf = (op: string, { module }: Pick<Instruction, 'module'>): string =>
  module ? `${op} in ${module}` : op

/** Where the actions of a program go: they are done at once, or recorded. */
export interface Sink {
  /** the list that is recorded, or null where everything is done at once */
  readonly list: object | null
  /** Are there values to record? False for a plan, which has shapes only. */
  readonly hasValues: boolean
  /** @throws BudgetExceededError  it does not fit; nothing has changed */
  alloc(size: number, bytes: number, category: Category, op: string): Storage
  /** The last holder has gone. */
  free(storage: Storage): void
  /** Have `undo` called if what the program does is never done, or fails. */
  unlessDone(undo: () => void): void
  /**
   * The values that `fetch` finds in a storage: now, or when the list comes to it.
   * @param by  the op and module that read them
   * @throws RehearsalError  a plan has none
   */
  read(storage: Storage, by: Whereabouts, fetch: (placed: Storage) => Promise<Floats>): Promise<Floats>
  /** @throws BudgetExceededError  the workspaces do not fit; nothing has run */
  perform(instruction: Instruction): void
}
