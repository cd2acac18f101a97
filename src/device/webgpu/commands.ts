/**
 * The commands of a device: dispatches, and copies for reads, are collected in an encoder and submitted together. They are
 * submitted when the program that queued them lets other tasks run, and before something that does not wait in the encoder
 * touches one of their buffers: an upload, or the end of the buffer.
 *
 * Their arguments go to one buffer, which each submit fills from its beginning. A dispatch has the place of its own
 * arguments in there. So a bind group depends on the buffers alone, and is made once for each list of them.
 */
import type { Program, TileProgram } from '../../../kernels/gpu/index.js'
import { PARAMETER_BYTES } from '../gpu/gpu-kind.js'
import type { GpuJs } from '../gpu/gpujs.js'
import type { Adapter } from './adapter.js'
import type { Tensor } from './buffers.js'
import { GROUP_THREADS, moduleOf, tileModuleOf } from './wgsl.js'

/** Every device allows places that are multiples of it. */
const ALIGNMENT = 256
/** The largest arguments of a program. */
const LARGEST = 512
/** Bind groups that are kept. */
const MOST_BIND_GROUPS = 8192
const { UNIFORM, COPY_DST, COMPUTE } = { UNIFORM: 0x40, COPY_DST: 0x8, COMPUTE: 0x4 }

/** A compiled program. */
export interface Compiled {
  readonly pipeline: GPUComputePipeline
  readonly layout: GPUBindGroupLayout
}

export class Commands {
  readonly #programs = new Map<string, Compiled>()
  /** by the number of tensors that a program reads */
  readonly #layouts = new Map<number, GPUBindGroupLayout>()
  readonly #bindGroups = new Map<string, GPUBindGroup>()
  readonly #parameters: GPUBuffer
  readonly #numbers = new Float32Array(PARAMETER_BYTES / 4)
  /** bytes of #numbers that the open encoder uses */
  #used = 0
  #encoder: GPUCommandEncoder | null = null
  #pass: GPUComputePassEncoder | null = null
  /** called when the open encoder has been submitted */
  #waiting: (() => void)[] = []
  /** what the open encoder reads or writes */
  readonly #touched = new Set<Tensor>()

  constructor(
    readonly gpujs: GpuJs,
    readonly adapter: Adapter,
  ) {
    this.#parameters = adapter.device.createBuffer({ size: PARAMETER_BYTES, usage: UNIFORM | COPY_DST })
  }

  compile(program: Program | TileProgram): Compiled {
    const { name } = program
    let compiled = this.#programs.get(name)
    if (!compiled) {
      this.adapter.check(`compiling ${name}`)
      compiled = this.#build(program)
      this.#programs.set(name, compiled)
    }
    return compiled
  }

  /**
   * @param tensors  what the program reads, and last what it writes
   * @param args     its other arguments
   * @param threads  one for each texel or tile that it writes
   */
  dispatch(
    program: Compiled,
    tensors: readonly Tensor[],
    args: readonly (number | readonly number[])[],
    threads: number,
  ): void {
    if (this.#used + LARGEST > PARAMETER_BYTES) this.submit()
    const place = this.#used
    const groups = Math.ceil(threads / GROUP_THREADS)
    const rows = Math.ceil(groups / this.adapter.device.limits.maxComputeWorkgroupsPerDimension)
    const columns = Math.ceil(groups / rows)
    const numbers = this.#numbers
    let at = place / 4
    numbers[at] = threads
    numbers[at + 1] = columns * GROUP_THREADS
    for (const arg of args) {
      at += 4
      if (typeof arg === 'number') numbers[at] = arg
      else numbers.set(arg, at)
    }
    this.#used += Math.ceil((4 * at + 16 - place) / ALIGNMENT) * ALIGNMENT
    const pass = this.#open()
    pass.setPipeline(program.pipeline)
    pass.setBindGroup(0, this.#bindGroup(program.layout, tensors), [place])
    pass.dispatchWorkgroups(columns, rows)
    for (const tensor of tensors) this.#touched.add(tensor)
  }

  /** Copy bytes of a tensor, as they are now. @returns resolves when that has been submitted */
  copy(tensor: Tensor, from: number, target: GPUBuffer, bytes: number): Promise<void> {
    this.#open()
    this.#pass?.end()
    this.#pass = null
    this.#encoder?.copyBufferToBuffer(tensor.buffer, from, target, 0, bytes)
    this.#touched.add(tensor)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  upload(tensor: Tensor, place: number, data: Float32Array<ArrayBuffer>, size: number): void {
    this.submitUses(tensor)
    this.adapter.device.queue.writeBuffer(tensor.buffer, place, data, 0, size)
  }

  /** Submit if a command that waits uses the tensor. */
  submitUses(tensor: Tensor): void {
    if (this.#touched.has(tensor)) this.submit()
  }

  submit(): void {
    const encoder = this.#encoder
    if (!encoder) return
    this.#pass?.end()
    this.#pass = null
    this.#encoder = null
    const { queue } = this.adapter.device
    if (this.#used > 0) queue.writeBuffer(this.#parameters, 0, this.#numbers, 0, this.#used / 4)
    queue.submit([encoder.finish()])
    this.#used = 0
    this.#touched.clear()
    this.#tell()
  }

  close(): void {
    this.#encoder = null
    this.#pass = null
    this.#bindGroups.clear()
    this.#programs.clear()
    this.#parameters.destroy()
    this.#tell()
  }

  #tell(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const submitted of waiting) submitted()
  }

  #open(): GPUComputePassEncoder {
    if (!this.#encoder) {
      this.#encoder = this.adapter.device.createCommandEncoder()
      queueMicrotask(() => this.submit())
    }
    this.#pass ??= this.#encoder.beginComputePass()
    return this.#pass
  }

  #bindGroup(layout: GPUBindGroupLayout, tensors: readonly Tensor[]): GPUBindGroup {
    let key = ''
    for (const { id } of tensors) key += `${id},`
    const known = this.#bindGroups.get(key)
    if (known) return known
    // groups of buffers that are gone are not found again: forget them with all others, now and then
    if (this.#bindGroups.size >= MOST_BIND_GROUPS) this.#bindGroups.clear()
    const made = this.adapter.device.createBindGroup({
      layout,
      entries: [
        { binding: 0, resource: { buffer: this.#parameters, size: LARGEST } },
        ...tensors.map(({ buffer }, j) => ({ binding: j + 1, resource: { buffer } })),
      ],
    })
    this.#bindGroups.set(key, made)
    return made
  }

  #build(program: Program | TileProgram): Compiled {
    const { device, hasQuads } = this.adapter
    const layout = this.#layoutFor(program.kinds.filter((kind) => kind === 'texels').length)
    const code = 'wgsl' in program ? tileModuleOf(this.gpujs, program, hasQuads) : moduleOf(this.gpujs, program)
    const module = device.createShaderModule({ label: program.name, code })
    const pipeline = device.createComputePipeline({
      label: program.name,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: 'main' },
    })
    return { pipeline, layout }
  }

  #layoutFor(tensors: number): GPUBindGroupLayout {
    const known = this.#layouts.get(tensors)
    if (known) return known
    const entry = (binding: number, buffer: GPUBufferBindingLayout) => ({ binding, visibility: COMPUTE, buffer })
    const layout = this.adapter.device.createBindGroupLayout({
      entries: [
        entry(0, { type: 'uniform', hasDynamicOffset: true, minBindingSize: LARGEST }),
        ...Array.from({ length: tensors }, (_, j) => entry(j + 1, { type: 'read-only-storage' })),
        entry(tensors + 1, { type: 'storage' }),
      ],
    })
    this.#layouts.set(tensors, layout)
    return layout
  }
}
