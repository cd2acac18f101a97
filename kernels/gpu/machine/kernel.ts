/** A GPU kernel: a kernel of the table as programs that run one after the other. */
import type { KernelName, KernelParameters } from '../../kernels.js'
import type { Gpu, Program } from './program.js'

export interface GpuKernel<Name extends KernelName> {
  /** The programs that it may run, to be compiled beforehand. */
  readonly programs: readonly Program[]
  /** Sizes, in values, of the workspaces that it needs while it runs. They are in the plan. */
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
