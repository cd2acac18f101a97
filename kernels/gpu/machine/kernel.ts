/** A GPU kernel: it runs a kernel of the table as one or more programs. */
import type { KernelName, KernelParameters } from '../../kernels.js'
import type { Gpu, GpuApi, Program, TileProgram } from './program.js'

export interface GpuKernel<Name extends KernelName> {
  /** The programs that it may run, to be compiled beforehand. */
  readonly programs: readonly (Program | TileProgram)[]
  /** The sizes, in values, of the workspaces that the kernel needs while it runs. The plan counts them. */
  workspaces?(parameters: KernelParameters[Name], api: GpuApi): readonly number[]
  run<Operand>(
    gpu: Gpu<Operand>,
    parameters: KernelParameters[Name],
    inputs: readonly Operand[],
    outputs: readonly Operand[],
    workspaces: readonly Operand[],
  ): void
}

/** A GPU kernel for every kernel of the table: a missing one does not compile. */
export type GpuKernels = { readonly [Name in KernelName]: GpuKernel<Name> }
