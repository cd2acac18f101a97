/**
 * gpu.js, and all code that depends on its internals. gpu.js turns functions into shaders and draws them, here on
 * textures that are not its own.
 *
 * By itself gpu.js makes a texture for every output and decides when to free it. So the fields below, private to version
 * 2.24.1, are set from outside. A kernel is built with an output texture in place, so it makes no texture. All kernels
 * share one vertex buffer and one framebuffer, so that only the texture drawn to last stays attached, and alive. The
 * version is pinned in package.json, and a test counts what gpu.js itself makes on the context.
 */
import { type Four, type Gpu, type Program, type ProgramText, textOf } from '../../../kernels/gpu/index.js'
import { reasonOf } from '../../memory/errors.js'
import { DeviceError } from '../errors.js'
import { checkLost } from './context.js'
import { VERTEX_BYTES } from './gpu-kind.js'
import { improved, inverseBits } from './shader.js'

export const GPUJS_VERSION = '2.24.1'

/** The operand of a program. */
export interface Texture {
  readonly texture: WebGLTexture
  readonly width: number
  readonly height: number
  /** how many of its texels hold values */
  readonly texels: number
}

type ArgumentKind = ProgramText['kinds'][number]

const ARGUMENT_TYPES: { readonly [Kind in ArgumentKind]: string } = {
  texels: 'ArrayTexture(4)',
  number: 'Float',
  four: 'Array(4)',
}

/** The part of gpu.js that is used. */
export interface GpuJs {
  GPU: new (
    settings: object,
  ) => {
    addFunction(source: string, settings: object): void
    injectNative(source: string): void
    addNativeFunction(name: string, source: string, settings: object): void
    createKernel(source: string, settings: object): { kernel: Kernel }
  }
}

/** Private fields of gpu.js' WebGL2Kernel. */
interface Kernel {
  readonly program: WebGLProgram
  texture: LentOutput
  buffer: WebGLBuffer
  framebuffer: WebGLFramebuffer
  output: Int32Array
  threadDim: Int32Array
  texSize: Int32Array
  maxTexSize: Int32Array
  build(...args: unknown[]): void
  getFragmentShader(args: unknown): string
  run(...args: unknown[]): void
}

/** A texture as gpu.js takes it for an argument. */
class LentInput {
  readonly size: Int32Array
  readonly dimensions: Int32Array

  constructor(
    readonly context: WebGL2RenderingContext,
    readonly texture: WebGLTexture | null,
    width: number,
    height: number,
  ) {
    this.size = Int32Array.of(width, height)
    this.dimensions = Int32Array.of(inverseBits(width), inverseBits(height), 1)
  }
}

/** A texture as gpu.js takes it for its output. */
interface LentOutput {
  readonly texture: WebGLTexture | null
  beforeMutate(): boolean
}

const lentOutput = (texture: WebGLTexture | null): LentOutput => ({ texture, beforeMutate: () => false })

/** @throws DeviceError  gpu.js is not installed; says how to get it */
export async function loadGpuJs(): Promise<GpuJs> {
  try {
    const module: { GPU?: unknown; default?: unknown } = await import('gpu.js')
    const found = [module, module.default].find(hasGpu)
    if (found) return found
  } catch (cause) {
    throw new DeviceError(
      `the gpu device needs gpu.js, which is not installed or does not load: npm install gpu.js@${GPUJS_VERSION} ` +
        '--omit=optional. (In a page without a bundler, map the name to its gpu-browser.js in an import map.)',
      { cause },
    )
  }
  throw new DeviceError(`what is installed as gpu.js is not version ${GPUJS_VERSION}`)
}

/** In Node the module is an object; in browsers it is the class GPU itself, which has the same fields. */
const hasGpu = (module: unknown): module is GpuJs =>
  ((typeof module === 'object' && module !== null) || typeof module === 'function') &&
  'GPU' in module &&
  typeof module.GPU === 'function'

export class Runner implements Gpu<Texture> {
  readonly api = 'webgl2'
  readonly #kernels = new Map<string, Kernel>()
  readonly #framebuffer: WebGLFramebuffer
  readonly #vertices: WebGLBuffer
  /** Can a program draw to four textures at once? WebGL2 can, but not through the package gl of Node. */
  readonly #hasFourTargets: boolean

  constructor(
    readonly gpujs: GpuJs,
    readonly gl: WebGL2RenderingContext,
  ) {
    this.#framebuffer = gl.createFramebuffer()
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#framebuffer)
    gl.drawBuffers(targets(gl, 4))
    this.#hasFourTargets = gl.getError() === gl.NO_ERROR && gl.getParameter(gl.DRAW_BUFFER3) === gl.COLOR_ATTACHMENT3
    gl.drawBuffers(targets(gl, 1))
    this.#vertices = gl.createBuffer()
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#vertices)
    gl.bufferData(gl.ARRAY_BUFFER, VERTEX_BYTES, gl.STATIC_DRAW)
  }

  /** Programs compiled so far. */
  get compiled(): number {
    return this.#kernels.size
  }

  run(program: Program, args: readonly (Texture | number | Four)[], output: Texture): void {
    this.#draw(this.compile(program), args, output)
  }

  runPlanes(program: Program, args: readonly (Texture | number | Four)[], outputs: readonly Texture[]): void {
    const { gl } = this
    const kernel = this.compile(program)
    if (!this.#hasFourTargets) {
      for (const [plane, output] of outputs.entries()) this.#draw(kernel, [plane, ...args], output)
      return
    }
    const points = targets(gl, outputs.length)
    const attach = (i: number, texture: WebGLTexture | null): void =>
      gl.framebufferTexture2D(gl.FRAMEBUFFER, points[i], gl.TEXTURE_2D, texture, 0)
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#framebuffer)
    outputs.forEach(({ texture }, i) => {
      attach(i, texture)
    })
    gl.drawBuffers(points)
    this.#draw(kernel, [0, ...args], outputs[0])
    // an attached texture would outlive its deletion
    for (let i = 1; i < points.length; i++) attach(i, null)
    gl.drawBuffers(targets(gl, 1))
  }

  runTiles(): never {
    throw new DeviceError('WebGL2 has no programs of tiles')
  }

  #draw(kernel: Kernel, args: readonly (Texture | number | Four)[], output: Texture): void {
    const { gl } = this
    // only the rows that hold values: a spare may be larger than its tensor
    const height = Math.ceil(output.texels / output.width)
    kernel.texture = lentOutput(output.texture)
    kernel.texSize = kernel.maxTexSize = Int32Array.of(output.width, height)
    kernel.output = kernel.threadDim = Int32Array.of(output.width * height, 1, 1)
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#framebuffer)
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, output.texture, 0)
    gl.viewport(0, 0, output.width, height)
    kernel.run(...args.map((arg) => (isTexture(arg) ? new LentInput(gl, arg.texture, arg.width, arg.height) : arg)))
  }

  compile(program: Program): Kernel {
    let kernel = this.#kernels.get(program.name)
    if (!kernel) {
      try {
        kernel = this.#build(program)
      } catch (cause) {
        if (cause instanceof DeviceError) throw cause
        throw new DeviceError(`gpu.js cannot compile this program: ${reasonOf(cause)} (${program.name})`, { cause })
      } finally {
        // on a lost context gpu.js throws an error of its own, or makes a kernel that does nothing
        checkLost(this.gl, `compiling ${program.name}`)
      }
      this.#kernels.set(program.name, kernel)
    }
    return kernel
  }

  close(): void {
    for (const { program } of this.#kernels.values()) this.gl.deleteProgram(program)
    this.#kernels.clear()
    this.gl.deleteBuffer(this.#vertices)
    this.gl.deleteFramebuffer(this.#framebuffer)
  }

  #build(program: Program): Kernel {
    const { gl } = this
    const gpu = new this.gpujs.GPU({ mode: 'webgl2' })
    const text = textOf(program)
    gpu.injectNative(text.helpers.map(({ glsl = '' }) => glsl).join('\n'))
    for (const { name, source, kinds, returns, glsl } of text.helpers) {
      const types = kinds.map((kind) => ARGUMENT_TYPES[kind])
      const returnType = returns === 'four' ? 'Array(4)' : 'Number'
      // gpu.js gets the types alone: it mistakes the order of functions in GLSL
      if (glsl) gpu.addNativeFunction(name, '', { argumentTypes: { ...types }, returnType })
      else gpu.addFunction(source, { name, argumentTypes: types, returnType })
    }
    const { kernel } = gpu.createKernel(text.source, {
      // given to the kernel, because the class GPU takes every context of Node for one of WebGL1
      context: gl,
      canvas: { width: 1, height: 1 },
      output: [1],
      argumentTypes: text.kinds.map((kind) => ARGUMENT_TYPES[kind]),
      returnType: 'Array(4)',
      precision: 'single',
      // without it a kernel whose output grows past 2^15 texels keeps its old size
      tactic: 'precision',
      pipeline: true,
      immutable: false,
      dynamicOutput: true,
      dynamicArguments: true,
      fixIntegerDivisionAccuracy: false,
      loopMaxIterations: LONGEST_LOOP,
    })
    const generated = kernel.getFragmentShader.bind(kernel)
    kernel.getFragmentShader = (args) => improved(generated(args), text, this.#hasFourTargets)
    kernel.texture = lentOutput(null)
    kernel.buffer = this.#vertices
    kernel.build(...text.kinds.map((kind) => placeholder(gl, kind)))
    gl.deleteFramebuffer(kernel.framebuffer)
    kernel.framebuffer = this.#framebuffer
    return kernel
  }
}

/**
 * The largest number of rounds of a loop: the number of elements of the largest tensor. By default gpu.js silently ends
 * a loop after 1000.
 */
const LONGEST_LOOP = 2 ** 24

/** The first `count` attachment points of a framebuffer. */
const targets = (gl: WebGL2RenderingContext, count: number): number[] =>
  Array.from({ length: count }, (_, i) => gl.COLOR_ATTACHMENT0 + i)

const isTexture = (arg: Texture | number | Four): arg is Texture => typeof arg === 'object' && 'texture' in arg

function placeholder(gl: WebGL2RenderingContext, kind: ArgumentKind): unknown {
  if (kind === 'number') return 0
  if (kind === 'four') return [0, 0, 0, 0]
  return new LentInput(gl, null, 1, 1)
}
