/** The format of a plan file, as docs/step-as-data.md describes it. */
import type { BytesByCategory, Category } from '../memory/allocator.js'

/** A piece of memory that is held before, during and after the step. */
export interface StandingBlock {
  /** null on a device whose blocks have no addresses */
  readonly address: number | null
  readonly bytes: number
  readonly category: Category
}

/** A piece of memory that a pass takes. */
export interface PlannedBlock extends StandingBlock {
  /** the first turn that touches it */
  readonly birth: number
  /** the last turn that touches it; null: the block is still held when the pass ends */
  readonly death: number | null
  /** the op for which it is born, and the path of that op's module */
  readonly op: string
  readonly module: string
}

/** An instruction in its turn. */
export interface PlannedTurn {
  readonly op: string
  readonly kernel: string
  /** '' for the model itself, and for code outside of it */
  readonly module: string
  /** the earlier turn that this one repeats for the backward, or null */
  readonly again: number | null
  /** the numbers of the blocks that it reads, writes and works in; null for standing memory */
  readonly operands: readonly (number | null)[]
}

export interface PlannedPass {
  readonly name: 'reset' | 'micro-batch' | 'joint' | 'noise' | 'norm' | 'commit'
  /** how many times the pass runs, one after the other */
  readonly count: number
  /** in the micro-batch; 0 in other passes */
  readonly samples: number
  /** its place among the passes over the micro-batches, from 0: docs/whole-mini-batch.md */
  readonly level: number
  /** Note [Peak] in memory/allocator.ts */
  readonly peakBytes: number
  readonly turns: readonly PlannedTurn[]
  readonly blocks: readonly PlannedBlock[]
}

export interface PlanFile {
  readonly format: 'sluice plan'
  readonly version: 1
  /** the kind of device */
  readonly device: string
  /** false if blocks have no addresses: then only the sum of the live bytes counts */
  readonly addressed: boolean
  readonly mode: string
  /** samples in the mini-batch */
  readonly batch: number
  /** in the largest micro-batch that fits, or the number that was asked for */
  readonly microBatch: number
  /** the time that making values again takes, as a share of the step without it, as predicted */
  readonly extraTime: number
  /** is the noise of the gradient measured? Then there is a pass `noise` */
  readonly noise: boolean
  /** null: no limit */
  readonly budgetBytes: number | null
  readonly standing: { readonly bytes: BytesByCategory; readonly blocks: readonly StandingBlock[] }
  /** the memory that holds values between passes over the micro-batches, and that all of them have; null: none */
  readonly store: { readonly address: number | null; readonly bytes: number; readonly onDevice: boolean } | null
  /**
   * those of each size of micro-batch in the order in which they run; `noise` runs after the first micro-batch of several
   */
  readonly passes: readonly PlannedPass[]
  /** of the whole step */
  readonly peakBytes: number
}
