/** The actions of a device, as data. */
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

/** One action of a device on values: a kernel, an upload, or several updates that succeed or fail together. */
export interface Instruction {
  /** the op that it is a part of, for errors and reports */
  readonly op: string
  /**
   * the path of the module in whose forward it ran, or to whose gradient it belongs; '' for the model itself and
   * outside of it
   */
  readonly module: string
  /** the kernel, 'upload' or 'commit' */
  readonly name: string
  readonly parameters: unknown
  readonly reads: readonly Storage[]
  /** the values that it overwrites, or updates if `changes` is true */
  readonly writes: readonly Storage[]
  /** Does the result depend on the former values of `writes`? */
  readonly changes: boolean
  /** memory that it needs while it runs */
  readonly workspaces: readonly Storage[]
  /** Do it. The operands are those above, or others that stand in for them. */
  perform(reads: readonly Storage[], writes: readonly Storage[], workspaces: readonly Storage[]): void
}

/** An instruction as a plan keeps it. */
export type Planned = Omit<Instruction, 'perform'>

/** The place in a program, as op and module: see Device. */
export type Whereabouts = Pick<Instruction, 'op' | 'module'>

/** An op as errors name it: 'relu', or 'relu in layer2.0' while the forward of that module is recorded. */
export const placeOf = (op: string, { module }: Pick<Instruction, 'module'>): string =>
  module ? `${op} in ${module}` : op

/** The receiver of a program's actions: it does them at once, or records them. */
export interface Sink {
  /** the list that is recorded, or null if everything is done at once */
  readonly list: object | null
  /** Are there values to record? False for a plan, which has shapes only. */
  readonly hasValues: boolean
  /** @throws BudgetExceededError  it does not fit; nothing has changed */
  alloc(size: number, bytes: number, category: Category, op: string): Storage
  /** Free a storage, whose last holder has released it. */
  free(storage: Storage): void
  /** Call `undo` if the recorded actions are never done, or fail. */
  unlessDone(undo: () => void): void
  /**
   * The values that `fetch` finds in a storage: now, or when the recorded list reaches this read.
   * @param by  the op and module that read them
   * @throws RehearsalError  a plan has none
   */
  read(storage: Storage, by: Whereabouts, fetch: (placed: Storage) => Promise<Floats>): Promise<Floats>
  /** @throws BudgetExceededError  the workspaces do not fit; nothing has run */
  perform(instruction: Instruction): void
}
