/**
 * The gpu device: tensors are textures that the allocator counts, and kernels are programs of kernels/gpu. Work is
 * queued; only a read of values waits for it.
 */
import { COPY, gpuKernels } from '../../../kernels/gpu/index.js'
import type { Floats, KernelName, KernelParameters } from '../../../kernels/kernels.js'
import type { Block } from '../../memory/allocator.js'
import { ArgumentError } from '../../memory/errors.js'
import { sidesOf, TextureAllocator } from '../../memory/texture-allocator.js'
import type { Storage } from '../storage.js'
import { checkLost, loseContext, openContext } from './context.js'
import { GpuKindDevice } from './gpu-kind.js'
import { loadGpuJs, Runner, type Texture } from './gpujs.js'
import { Staging } from './staging.js'
import { ContextTextures } from './textures.js'

export interface GpuOptions {
  seed?: number
  trackOrigins?: boolean
  /** a context that nothing else uses while the device is open; default a new one */
  context?: WebGL2RenderingContext
}

/** @throws ArgumentError, DeviceError  not a WebGL2 context; gpu.js or WebGL2 is missing: says how to get it */
export async function openGpu(budgetBytes: number, options: GpuOptions): Promise<GpuDevice> {
  const gl = await openContext(options.context)
  const runner = new Runner(await loadGpuJs(), gl)
  try {
    return new GpuDevice(runner, budgetBytes, options)
  } catch (error) {
    runner.close()
    if (!options.context) loseContext(gl)
    throw error
  }
}

export class GpuDevice extends GpuKindDevice {
  readonly executes = true
  readonly #runner: Runner
  readonly #textures: ContextTextures
  readonly #staging: Staging
  readonly #ownsContext: boolean

  constructor(runner: Runner, budgetBytes: number, options: GpuOptions) {
    const textures = new ContextTextures(runner.gl)
    super(new TextureAllocator(budgetBytes, textures), options)
    this.#textures = textures
    this.#runner = runner
    this.#staging = new Staging(runner.gl)
    this.#ownsContext = !options.context
  }

  /** The driver's own name. */
  get renderer(): string {
    const { gl } = this.#runner
    const unmasked = gl.getExtension('WEBGL_debug_renderer_info')?.UNMASKED_RENDERER_WEBGL
    return String(gl.getParameter(unmasked ?? gl.RENDERER))
  }

  /**
   * Compile all programs of these kernels now, instead of each at its first run.
   * @param names  default all kernels
   * @throws ArgumentError  there is no such kernel
   */
  warmup(names: readonly KernelName[] = Object.keys(gpuKernels) as KernelName[]): void {
    this.checkOpen()
    const unknown = names.find((name) => !Object.hasOwn(gpuKernels, name))
    if (unknown !== undefined) throw new ArgumentError(`warmup: there is no kernel '${unknown}'`)
    this.#compile(names)
  }

  /** Compiles the programs now, because a failure in the middle of the updates would come too late. */
  protected override prepare(kernels: ReadonlySet<KernelName>): void {
    checkLost(this.#runner.gl, 'committing')
    this.#compile(kernels)
    // `settle` copies with it where blocks cannot be exchanged
    this.#runner.compile(COPY)
  }

  #compile(names: Iterable<KernelName>): void {
    for (const name of names) for (const program of gpuKernels[name].programs) this.#runner.compile(program)
  }

  protected execute<Name extends KernelName>(
    name: Name,
    parameters: KernelParameters[Name],
    inputs: readonly Storage[],
    outputs: readonly Storage[],
    workspaces: readonly Storage[],
  ): void {
    const operand = ({ block, size }: Storage): Texture => this.#texture(block, size)
    gpuKernels[name].run(
      this.#runner,
      parameters,
      inputs.map(operand),
      outputs.map(operand),
      workspaces.map(({ block, bytes }) => this.#texture(block, bytes / this.elementBytes)),
    )
  }

  protected write({ block, size }: Storage, data: ArrayLike<number>, scale: number): void {
    // an upload begins each micro-batch, so that this check finds a lost context before the micro-batch runs
    checkLost(this.#runner.gl, 'uploading values')
    this.#staging.upload(this.#texture(block, size), data, scale)
  }

  protected fetch({ block, size }: Storage): Promise<Floats> {
    return this.#staging.read(this.#texture(block, size), size)
  }

  /**
   * Textures of the same size are interchangeable, so target and spare exchange their textures, and nothing is copied.
   */
  protected override settle(target: Storage, spare: Storage): void {
    if (target.block.bytes !== spare.block.bytes) super.settle(target, spare)
    else this.#textures.exchange(target.block.address, spare.block.address)
  }

  protected override async shutDown(): Promise<void> {
    this.#textures.close()
    this.#staging.close()
    this.#runner.close()
    if (this.#ownsContext) loseContext(this.#runner.gl)
  }

  #texture(block: Block, size: number): Texture {
    this.checkOpen()
    const [width, height] = sidesOf(block.bytes)
    return { texture: this.#textures.of(block.address), width, height, texels: Math.ceil(size / 4) }
  }
}
