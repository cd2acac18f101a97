/**
 * The gpu device on WebGL2: tensors are textures that the allocator counts, and kernels are programs of kernels/gpu.
 * Work is queued; only a read of values waits for it. The other form is ../webgpu/webgpu-device.ts.
 */
import { gpuKernels, type Program, type TileProgram } from '../../../kernels/gpu/index.js'
import type { Floats, KernelName, KernelParameters } from '../../../kernels/kernels.js'
import type { Block } from '../../memory/allocator.js'
import { sidesOf } from '../../memory/texture-allocator.js'
import type { Storage } from '../storage.js'
import { checkLost, loseContext, openContext } from './context.js'
import { GpuDevice, type GpuOptions } from './gpu-device.js'
import { loadGpuJs, Runner, type Texture } from './gpujs.js'
import { Staging } from './staging.js'
import { ContextTextures } from './textures.js'

/** @throws ArgumentError, DeviceError  not a WebGL2 context; gpu.js or WebGL2 is missing, and the message says how to get it */
export async function openWebGl2(budgetBytes: number, options: GpuOptions): Promise<WebGl2Device> {
  const gl = await openContext(options.context)
  const runner = new Runner(await loadGpuJs(), gl)
  try {
    return new WebGl2Device(runner, budgetBytes, options)
  } catch (error) {
    runner.close()
    if (!options.context) loseContext(gl)
    throw error
  }
}

export class WebGl2Device extends GpuDevice {
  readonly #runner: Runner
  readonly #textures: ContextTextures
  readonly #staging: Staging
  readonly #ownsContext: boolean

  constructor(runner: Runner, budgetBytes: number, options: GpuOptions) {
    const textures = new ContextTextures(runner.gl)
    super('webgl2', budgetBytes, textures, options)
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

  protected override prepare(kernels: ReadonlySet<KernelName>): void {
    checkLost(this.#runner.gl, 'committing')
    super.prepare(kernels)
  }

  protected compile(program: Program | TileProgram): void {
    if (!('wgsl' in program)) this.#runner.compile(program)
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
