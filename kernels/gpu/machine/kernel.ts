/** What a GPU kernel is: a kernel of the table as one program after the other. */
import type { KernelName, KernelParameters } from '../../kernels.js'
import type { Gpu, Program } from './program.js'

export interface GpuKernel<Name extends KernelName> {
  /** Every program that it may run, for those who compile beforehand. */
  readonly programs: readonly Program[]
  /**
   * Sizes, in values, of what it needs beside its operands while it runs: in the plan.
   */
  workspaces?(parameters: KernelParameters[Name]): readonly number[]
  run<Operand>(
    gpu: Gpu<Operand>,
    parameters: KernelParameters[Name],
    inputs: readonly Operand[],
    outputs: readonly Operand[],
    workspaces: readonly Operand[],
  ): void
}

/** All of the table: a missing one does not compile. */
export type GpuKernels = { readonly [Name in KernelName]: GpuKernel<Name> }
