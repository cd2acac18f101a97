/**
 * Every GPU kernel without a GPU: gpu.js runs its programs as JavaScript. This tests that gpu.js can read the compiled
 * sources, and that the results are right. test/gpu/*.gl.ts tests the programs on a GPU, in a page and with a display.
 */
import { GPU } from 'gpu.js'
import { test } from 'uvu'
import { type Four, type Gpu, gpuKernels, gpuWorkspaces, type Program, textOf } from '../kernels/gpu/index.js'
import type { KernelRunner } from './gpu/agreement.js'
import { testKernels } from './gpu/kernels.js'

const GARBAGE = new Float32Array(4).fill(Number.NaN)

/** A tensor as programs read it. Programs may read beyond its end, where they find garbage. */
class Texels {
  readonly texels: Float32Array[]
  readonly input: readonly Float32Array[]

  constructor(readonly values: Float32Array) {
    // like a texture: whole texels, garbage at the end
    const padded = new Float32Array(4 * Math.ceil(values.length / 4)).fill(Number.NaN)
    padded.set(values)
    this.texels = Array.from({ length: padded.length / 4 }, (_, i) => padded.subarray(4 * i, 4 * i + 4))
    const beyond = (key: string | symbol) => (typeof key === 'string' && /^-?\d/.test(key) ? GARBAGE : undefined)
    this.input = new Proxy(this.texels, { get: (texels, key) => Reflect.get(texels, key) ?? beyond(key) })
  }
}

const TYPES = { texels: 'ArrayTexture(4)', number: 'Number', four: 'Array(4)' } as const

/** The part of gpu.js that is used here. Its own types do not allow a source that is text. */
interface JavaScriptGpu {
  addFunction(source: string, settings: object): void
  createKernel(source: string, settings: object): { kernel: Compiled }
}
interface Compiled {
  output: number[]
  build(...args: unknown[]): void
  run(...args: unknown[]): ArrayLike<number>[]
}

class OnJavaScript implements Gpu<Texels> {
  readonly api = 'webgl2'
  readonly #kernels = new Map<string, Compiled>()

  run(program: Program, args: readonly (Texels | number | Four)[], output: Texels): void {
    const kernel = this.#kernels.get(program.name) ?? this.#compile(program)
    this.#kernels.set(program.name, kernel)
    const values = args.map((arg) => (arg instanceof Texels ? arg.input : arg))
    kernel.output = [output.texels.length]
    kernel.build(...values)
    const texels = kernel.run(...values)
    output.texels.forEach((texel, i) => {
      texel.set(texels[i])
    })
  }

  runPlanes(program: Program, args: readonly (Texels | number | Four)[], outputs: readonly Texels[]): void {
    outputs.forEach((output, plane) => {
      this.run(program, [plane, ...args], output)
    })
  }

  runTiles(): never {
    throw new Error('JavaScript runs the definitions')
  }

  #compile(program: Program): Compiled {
    const { source, kinds, helpers } = textOf(program)
    const gpu = new GPU({ mode: 'cpu' }) as unknown as JavaScriptGpu
    for (const helper of helpers) {
      const argumentTypes = helper.kinds.map((kind) => TYPES[kind])
      gpu.addFunction(helper.source, { name: helper.name, argumentTypes, returnType: TYPES[helper.returns] })
    }
    return gpu.createKernel(source, {
      output: [1],
      dynamicOutput: true,
      dynamicArguments: true,
      argumentTypes: kinds.map((kind) => TYPES[kind]),
      returnType: 'Array(4)',
      loopMaxIterations: 2 ** 24,
    }).kernel
  }
}

const javascript = new OnJavaScript()

const run: KernelRunner = async (name, parameters, inputs, sizes) => {
  const empty = (size: number) => new Texels(new Float32Array(size).fill(Number.NaN))
  const outputs = sizes.map(empty)
  const workspaces = gpuWorkspaces(name, parameters, 'webgl2').map(empty)
  const operands = inputs.map((values) => new Texels(values))
  gpuKernels[name].run(javascript, parameters, operands, outputs, workspaces)
  return outputs.map(({ texels }) => texels.flatMap((texel) => [...texel]))
}

testKernels(run)

test.run()
