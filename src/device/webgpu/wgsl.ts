/**
 * Programs of kernels/gpu as WGSL. gpu.js translates their functions, the same that it turns into fragment shaders for
 * WebGL2; the frame around them, with our buffers and arguments, is written here.
 *
 * For gpu.js a tensor is a value of the type Boolean, which no program uses otherwise and which it hands on untouched: it
 * knows no tensors as arguments of functions. In its WGSL the type is then replaced by that of a pointer to a buffer.
 * Private methods of version 2.24.1 are called here, as in ../gpu/gpujs.ts.
 */
import {
  type HelperText,
  helpersOf,
  indexed,
  type Program,
  type ProgramText,
  type TileProgram,
  textOf,
} from '../../../kernels/gpu/index.js'
import type { GpuJs } from '../gpu/gpujs.js'

type Kind = ProgramText['kinds'][number]

const TYPES: { readonly [K in Kind]: string } = { texels: 'Boolean', number: 'Number', four: 'Array(4)' }
const ZERO: { readonly [K in Kind]: string } = { texels: 'false', number: '0', four: '[0, 0, 0, 0]' }

/** Programs run in groups of so many threads. Each thread computes one texel. */
export const GROUP_THREADS = 64

/** Private methods of gpu.js' WebGPUKernel. */
interface Translator {
  translatedFunctions: string
  setupConstants(): void
  setupArguments(args: readonly unknown[]): void
  translateSource(): void
}

const FRAME = `alias TEXELS = ptr<storage, array<vec4f>, read>;
const LOOP_MAX : i32 = 16777216;
var<private> threadGid : vec3u;
fn fn_texelOf(x: TEXELS, i: f32) -> vec4f { return (*x)[u32(i)]; }
fn _pow(x: f32, y: f32) -> f32 { return select(pow(x, y), 1.0, y == 0.0); }`

/**
 * Binding 0 has the arguments, four numbers each; before them the number of texels of the output and the number of
 * threads in a row of groups. Then come the tensors that are read, and the output.
 */
export function moduleOf(gpujs: GpuJs, program: Program): string {
  const text = textOf(program)
  let tensors = 0
  let numbers = 1
  const args = text.kinds.map((kind) => {
    if (kind === 'texels') return `&t${tensors++}`
    return kind === 'four' ? `params[${numbers++}]` : `params[${numbers++}].x`
  })
  return `${FRAME}
@group(0) @binding(0) var<uniform> params : array<vec4f, ${numbers}>;
${Array.from({ length: tensors }, (_, j) => `@group(0) @binding(${j + 1}) var<storage, read> t${j} : array<vec4f>;`).join('\n')}
@group(0) @binding(${tensors + 1}) var<storage, read_write> result : array<vec4f>;
${text.helpers.map(({ wgsl = '' }) => wgsl).join('\n')}
${translated(gpujs, text)}
@compute @workgroup_size(${GROUP_THREADS})
fn main(@builtin(global_invocation_id) id : vec3u) {
  threadGid = vec3u(id.x + id.y * u32(params[0].y), 0, 0);
  if (threadGid.x < u32(params[0].x)) { result[threadGid.x] = fn_program(${args.join(', ')}); }
}`
}

/** The same for a program of tiles, whose own text is WGSL. Its arguments before the others: the number of threads in a row. */
export function tileModuleOf(gpujs: GpuJs, { kinds, parameters, helpers, wgsl }: TileProgram, quads: boolean): string {
  const tensors = parameters.filter((_, j) => kinds[j] === 'texels')
  const numbers = parameters.slice(tensors.length)
  const own = helpersOf(helpers)
  const names = own.filter(({ name, wgsl }) => !wgsl && name in (helpers ?? {}))
  // a root that calls the helpers, so that gpu.js translates them
  const calls = names.map(({ name, kinds }) => `${name}(${kinds.map((kind) => ZERO[kind])})`)
  const source = `function root() { return [${[...calls, '0', '0', '0', '0'].slice(0, 4)}] }`
  return `${quads ? 'enable subgroups;\n' : ''}${FRAME}
@group(0) @binding(0) var<uniform> params : array<vec4f, ${numbers.length + 1}>;
${tensors.map((x, j) => `@group(0) @binding(${j + 1}) var<storage, read> ${x} : array<f32>;`).join('\n')}
@group(0) @binding(${tensors.length + 1}) var<storage, read_write> output : array<f32>;
${own.map(({ wgsl = '' }) => wgsl).join('\n')}
${translated(gpujs, { source, kinds: [], helpers: own })}
fn tile(${['thread : i32', 'lane : i32', ...numbers.map((name) => `${name} : vec4i`)].join(', ')}) {
  ${indexed(wgsl(quads), parameters, kinds)}
}
@compute @workgroup_size(${GROUP_THREADS})
fn main(@builtin(global_invocation_id) id : vec3u) {
  tile(i32(id.x + id.y * u32(params[0].y)), i32(id.x & 3u), ${numbers.map((_, j) => `vec4i(params[${j + 1}])`).join(', ')});
}`
}

/** The functions of a program; the program itself is `fn_program`. */
function translated(gpujs: GpuJs, { source, kinds, helpers }: ProgramText): string {
  const gpu = new gpujs.GPU({ mode: 'webgpu' })
  gpu.addNativeFunction('texelOf', '', { argumentTypes: ['Boolean', 'Number'], returnType: 'Array(4)' })
  for (const helper of helpers) addHelper(gpu, helper)
  const types = kinds.map((kind) => TYPES[kind])
  const named = reading(source, kinds).replace(/^function\s+\w+/, 'function program')
  gpu.addFunction(named, { name: 'program', argumentTypes: types, returnType: 'Array(4)' })
  const { kernel } = gpu.createKernel(`function () { return program(${kinds.map((kind) => ZERO[kind])}) }`, {
    output: [1],
    returnType: 'Array(4)',
  })
  const translator = kernel as unknown as Translator
  translator.setupConstants()
  translator.setupArguments([])
  translator.translateSource()
  return (
    translator.translatedFunctions
      .replace(/: bool([,)])/g, ': TEXELS$1')
      // counters are floats; and a loop of ours ends
      .replace(/(\buser_\w+)\+\+/g, '$1 += 1')
      .replace(/for \(var (\w+) : i32 = 0;\1<LOOP_MAX;\1\+\+\)\{/g, 'loop {')
  )
}

function addHelper(gpu: InstanceType<GpuJs['GPU']>, { name, source, kinds, returns, wgsl }: HelperText): void {
  const argumentTypes = kinds.map((kind) => TYPES[kind])
  const returnType = returns === 'four' ? 'Array(4)' : 'Number'
  if (wgsl) gpu.addNativeFunction(name, '', { argumentTypes: { ...argumentTypes }, returnType })
  else gpu.addFunction(reading(source, kinds), { name, argumentTypes, returnType })
}

/** A tensor x is read by a call: `x[i]` becomes `texelOf(x, i)`. */
function reading(source: string, kinds: readonly Kind[]): string {
  const parameters = source.slice(source.indexOf('(') + 1, source.indexOf(')')).match(/\w+/g) ?? []
  const tensors = parameters.filter((_, j) => kinds[j] === 'texels')
  if (tensors.length === 0) return source
  const read = new RegExp(`\\b(${tensors.join('|')})\\[`)
  let text = source
  for (let found = read.exec(text); found; found = read.exec(text)) {
    const begin = found.index + found[0].length
    const end = closing(text, begin)
    text = `${text.slice(0, found.index)}texelOf(${found[1]}, ${text.slice(begin, end)})${text.slice(end + 1)}`
  }
  return text
}

/** The place of the bracket that closes the one before `begin`. */
function closing(text: string, begin: number): number {
  let open = 1
  let at = begin
  while (open > 0) {
    if (text[at] === '[') open++
    if (text[at] === ']') open--
    at++
  }
  return at - 1
}
