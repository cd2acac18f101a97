/**
 * The common part of both forms of the real gpu device: kernels are programs of kernels/gpu, which are compiled when they
 * are first used.
 */
import { COPY, gpuKernels, type Program, type TileProgram } from '../../../kernels/gpu/index.js'
import type { KernelName } from '../../../kernels/kernels.js'
import { ArgumentError } from '../../memory/errors.js'
import { GpuKindDevice } from './gpu-kind.js'

export interface GpuOptions {
  seed?: number
  trackOrigins?: boolean
  /** a context that nothing else uses while the device is open; default a new one */
  context?: WebGL2RenderingContext
}

export abstract class GpuDevice extends GpuKindDevice {
  readonly executes = true

  /** The driver's own name. */
  abstract readonly renderer: string

  /** Compile a program, unless it is compiled already or serves the other form alone. */
  protected abstract compile(program: Program | TileProgram): void

  /**
   * Compile all programs of these kernels now, instead of each at its first run.
   * @param names  default all kernels
   * @throws ArgumentError  there is no such kernel
   */
  warmup(names: readonly KernelName[] = Object.keys(gpuKernels) as KernelName[]): void {
    this.checkOpen()
    const unknown = names.find((name) => !Object.hasOwn(gpuKernels, name))
    if (unknown !== undefined) throw new ArgumentError(`warmup: there is no kernel '${unknown}'`)
    this.#compileAll(names)
  }

  /** Compiles the programs now, because a failure in the middle of the updates would come too late. */
  protected override prepare(kernels: ReadonlySet<KernelName>): void {
    this.#compileAll(kernels)
    // `settle` copies with it where blocks cannot be exchanged
    this.compile(COPY)
  }

  #compileAll(names: Iterable<KernelName>): void {
    for (const name of names) for (const program of gpuKernels[name].programs) this.compile(program)
  }
}
