/**
 * The gpu device on WebGPU: tensors are buffers that the allocator counts, and kernels are programs of kernels/gpu as
 * compute shaders. Work is queued; only a read of values waits for it.
 */
import { type Four, type Gpu, gpuKernels, type Program, type TileProgram } from '../../../kernels/gpu/index.js'
import type { Floats, KernelName, KernelParameters } from '../../../kernels/kernels.js'
import type { Textures } from '../../memory/texture-allocator.js'
import { GpuDevice, type GpuOptions } from '../gpu/gpu-device.js'
import { loadGpuJs } from '../gpu/gpujs.js'
import type { Storage } from '../storage.js'
import { Adapter } from './adapter.js'
import { DeviceBuffers, type Tensor } from './buffers.js'
import { Commands } from './commands.js'
import { Line, Reads } from './reads.js'

/** Values of other types are converted so many at a time. */
const BAND = new Float32Array(16384)

/** @throws DeviceError  gpu.js or WebGPU is missing: says how to get it */
export async function openWebGpu(budgetBytes: number, options: GpuOptions): Promise<WebGpuDevice> {
  const gpujs = await loadGpuJs()
  const adapter = await Adapter.open()
  const commands = new Commands(gpujs, adapter)
  try {
    return new WebGpuDevice(commands, budgetBytes, options)
  } catch (error) {
    commands.close()
    adapter.close()
    throw error
  }
}

/** The operand of a program. */
interface Operand {
  readonly tensor: Tensor
  /** how many of its texels hold values */
  readonly texels: number
}

const isOperand = (arg: Operand | number | Four): arg is Operand => typeof arg === 'object' && 'tensor' in arg

/** Runs programs, each as one dispatch. */
class Runner implements Gpu<Operand> {
  readonly api = 'webgpu'

  constructor(readonly commands: Commands) {}

  run(program: Program, args: readonly (Operand | number | Four)[], output: Operand): void {
    this.#dispatch(program, args, output, output.texels)
  }

  runTiles(program: TileProgram, args: readonly (Operand | Four)[], output: Operand, threads: number): void {
    this.#dispatch(program, args, output, threads)
  }

  #dispatch(
    program: Program | TileProgram,
    args: readonly (Operand | number | Four)[],
    output: Operand,
    threads: number,
  ): void {
    const tensors: Tensor[] = []
    const numbers: (number | Four)[] = []
    for (const arg of args) {
      if (isOperand(arg)) tensors.push(arg.tensor)
      else numbers.push(arg)
    }
    tensors.push(output.tensor)
    this.commands.dispatch(this.commands.compile(program), tensors, numbers, threads)
  }

  runPlanes(program: Program, args: readonly (Operand | number | Four)[], outputs: readonly Operand[]): void {
    for (const [plane, output] of outputs.entries()) this.run(program, [plane, ...args], output)
  }
}

export class WebGpuDevice extends GpuDevice {
  readonly renderer: string
  readonly #adapter: Adapter
  readonly #commands: Commands
  readonly #runner: Runner
  readonly #buffers: DeviceBuffers
  readonly #line: Line
  readonly #reads: Reads

  constructor(commands: Commands, budgetBytes: number, options: GpuOptions) {
    const { adapter } = commands
    const line = new Line()
    const buffers = new DeviceBuffers(adapter, (tensor) => commands.submitUses(tensor))
    const inOrder: Textures = {
      create: (address, bytes) => line.do(() => buffers.create(address, bytes)),
      delete: (address) => line.do(() => buffers.delete(address)),
    }
    super('webgpu', budgetBytes, inOrder, options)
    buffers.onBroken = (address) => this.discard(address)
    const { vendor, architecture, description } = adapter.info
    this.renderer = [description || vendor, architecture].filter(Boolean).join(', ') || 'an adapter without a name'
    this.#adapter = adapter
    this.#commands = commands
    this.#runner = new Runner(commands)
    this.#buffers = buffers
    this.#line = line
    this.#reads = new Reads(adapter, commands, buffers, line, budgetBytes - this.memory.held.runtime)
  }

  protected compile(program: Program | TileProgram): void {
    if (!('planes' in program)) this.#commands.compile(program)
  }

  protected override prepare(kernels: ReadonlySet<KernelName>): void {
    this.#adapter.check('committing')
    super.prepare(kernels)
    this.#buffers.commit()
  }

  protected execute<Name extends KernelName>(
    name: Name,
    parameters: KernelParameters[Name],
    inputs: readonly Storage[],
    outputs: readonly Storage[],
    workspaces: readonly Storage[],
  ): void {
    this.checkOpen()
    const placed = ({ block: { address }, size }: Storage) => ({ address, texels: Math.ceil(size / 4) })
    const taken = ({ block: { address }, bytes }: Storage) => ({ address, texels: Math.ceil(bytes / 16) })
    const places = [inputs.map(placed), outputs.map(placed), workspaces.map(taken)] as const
    this.#line.do(() => {
      const [from, to, spaces] = places.map((list) =>
        list.map(({ address, texels }): Operand => ({ tensor: this.#buffers.of(address), texels })),
      )
      gpuKernels[name].run(this.#runner, parameters, from, to, spaces)
    })
  }

  protected write({ block: { address }, size }: Storage, data: ArrayLike<number>, scale: number): void {
    // an upload begins each micro-batch, so that this check finds a lost device before the micro-batch runs
    this.#adapter.check('uploading values')
    const values = this.#line.isHeld ? Float32Array.from(data) : data
    this.#line.do(() => this.#upload(this.#buffers.of(address), size, values, scale))
  }

  #upload(tensor: Tensor, size: number, data: ArrayLike<number>, scale: number): void {
    if (data instanceof Float32Array && data.buffer instanceof ArrayBuffer && scale === 1) {
      this.#commands.upload(tensor, 0, data as Float32Array<ArrayBuffer>, size)
      return
    }
    for (let from = 0; from < size; from += BAND.length) {
      const count = Math.min(BAND.length, size - from)
      for (let i = 0; i < count; i++) BAND[i] = data[from + i] * scale
      this.#commands.upload(tensor, 4 * from, BAND, count)
    }
  }

  protected fetch({ block: { address }, size }: Storage): Promise<Floats> {
    return new Promise((resolve, reject) => {
      this.#line.do(() => this.#reads.read(this.#buffers.of(address), size).then(resolve, reject))
    })
  }

  /** Buffers of the same size are interchangeable, so target and spare exchange them, and nothing is copied. */
  protected override settle(target: Storage, spare: Storage): void {
    const [a, b] = [target.block, spare.block]
    if (a.bytes !== b.bytes) super.settle(target, spare)
    else this.#line.do(() => this.#buffers.exchange(a.address, b.address))
  }

  protected override async shutDown(): Promise<void> {
    this.#buffers.close()
    this.#commands.close()
    this.#adapter.close()
  }
}
