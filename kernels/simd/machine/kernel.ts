/** A SIMD kernel: the TypeScript side of a function in assembly/. */
import type { KernelName, KernelParameters } from '../../kernels.js'
import type { Assembly } from './module.js'

/** Operands are addresses in the memory of a device. They hold float32 numbers and are multiples of 64. */
export interface SimdKernel<Name extends KernelName> {
  /**
   * The bytes that the kernel needs beside its operands while it runs. They are the same on every machine, because they
   * are in the plan. Kernels of a commit (optimizers, `blend`) need none, because a commit must not fail.
   */
  workspaceBytes?(parameters: KernelParameters[Name]): number
  /** Does the kernel take these parameters? Default: yes, all. Others run as plain loops. */
  covers?(parameters: KernelParameters[Name]): boolean
  run(
    assembly: Assembly,
    parameters: KernelParameters[Name],
    inputs: readonly number[],
    outputs: readonly number[],
    workspace: number,
  ): void
}

/** A kernel that is left out runs as plain loops over views of the same memory. */
export type SimdKernels = { readonly [Name in KernelName]?: SimdKernel<Name> }
