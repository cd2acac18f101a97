/**
 * A GPU program: a function that gpu.js turns into a fragment shader, once for all shapes.
 *
 * A tensor of n values is ceil(n / 4) texels of four. A program computes one texel of its output, number
 * `this.thread.x`, and returns its four values. After the last value of a tensor, its last texel holds garbage.
 *
 * gpu.js reads functions from their source, so they are flat: no closures and no arrow functions. They call only
 * builtins.ts and the helpers of their program. `declare function` stands for a helper that differs between programs.
 * Note [Dialect] in index.ts has the other rules.
 */

/** Four numbers: a texel, or an argument that is the same for all texels. */
export type Four = readonly [number, number, number, number]

/** The largest number of values in a tensor: indices are float32 in a program, and exact up to this number. */
export const LARGEST_TENSOR = 2 ** 24

/** A tensor that is read: its texels. */
export type Texels = readonly Four[]

/** `this` of a program. */
export interface Thread {
  readonly thread: { readonly x: number }
}

/** A function whose text gpu.js reads. Sluice never calls it on a GPU. */
export type Source = (this: Thread, ...args: never[]) => unknown

/** Names of at most four numbers that are one argument. A program reads them as `sizes.rows`. */
export type Names = readonly string[]

/** The argument of these names, as a program sees it. */
export type Named<N extends Names> = { readonly [Name in N[number]]: number }

/** The same argument as it is passed to a program: numbers in the order of their names, true as 1, filled up with 0. */
export function packed<Name extends string>(
  names: readonly Name[],
  values: { readonly [N in Name]: number | boolean },
): Four {
  const [a, b = 0, c = 0, d = 0] = names.map((name) => Number(values[name]))
  return [a, b, c, d]
}

/** A tensor, or a number or four of them that are the same for all texels; the four may have names. */
export type ArgumentKind = 'texels' | 'number' | 'four' | Names

/** A helper without details takes numbers and returns a number. */
export type Helper = Source | DetailedHelper

export interface DetailedHelper {
  /** a function, or the text of one, for which `kinds` lists all arguments */
  readonly source: Source | string
  /** the kind of each argument; arguments left out at the end are numbers */
  readonly kinds?: readonly ArgumentKind[]
  /** the kind of the result; default a number */
  readonly returns?: 'four'
  /** replace `source` on a GPU, if gpu.js cannot express it exactly */
  readonly glsl?: string
  readonly wgsl?: string
}

export type Helpers = Readonly<Record<string, Helper>>

export interface Program {
  /** its key: a program is compiled once for each name */
  readonly name: string
  readonly source: Source | string
  readonly kinds: readonly ArgumentKind[]
  /** the helpers, by the names that the program calls */
  readonly helpers?: Helpers
  /**
   * GLSL for a program that computes four outputs at once: `void planes(float i, out vec4 s0, ... s3)` gives texel i of
   * each. An argument x is `user_x` there. Without a GPU, `source` runs in its place; its first argument is `plane`,
   * the number of the output.
   */
  readonly planes?: string
}

/**
 * A program whose values do not come four at a time: `value(i, ...args)` gives value i.
 * @param kinds  of the arguments after i
 */
export function eachValue(
  name: string,
  value: Source | string,
  kinds: readonly ArgumentKind[],
  helpers: Helpers = {},
): Program {
  const args = kinds.map((_, j) => `a${j}`).join(', ')
  const calls = [0, 1, 2, 3].map((lane) => `value(i + ${lane}, ${args})`).join(', ')
  const source = `function texel(${args}) { const i = this.thread.x * 4; return [${calls}] }`
  return { name, source, kinds, helpers: { ...helpers, value: { source: value, kinds: ['number', ...kinds] } } }
}

function copy(this: Thread, x: Texels): Four {
  const v = x[this.thread.x]
  return [v[0], v[1], v[2], v[3]]
}

/** Copies a texture, such as an updated value from its spare to its target. */
export const COPY: Program = { name: 'copy', source: copy, kinds: ['texels'] }

/**
 * The two forms of a GPU: WebGL2 draws to textures, and a program writes one texel of each; on WebGPU it computes in
 * buffers, and can write anywhere.
 */
export type GpuApi = 'webgl2' | 'webgpu'

/**
 * A program of WebGPU alone, for products and convolutions: what gpu.js' language cannot express, because a thread writes
 * a whole tile of values, and exchanges values with its neighbours. The kernel says which of its programs is the
 * definition.
 */
export interface TileProgram {
  readonly name: string
  readonly kinds: readonly ArgumentKind[]
  /** the names of the arguments; tensors come first */
  readonly parameters: readonly string[]
  readonly helpers?: Helpers
  /**
   * The body of a function of `thread`, the number of the tile, and `lane`, its place in its quad. Tensors, and `output`,
   * are arrays of f32; the other arguments are whole numbers.
   * @param quads  can a thread get values from the other three of its quad?
   */
  readonly wgsl: (quads: boolean) => string
}

/** A machine that runs programs. `Operand` is the type of its tensors: a texture, or in a test an array. */
export interface Gpu<Operand> {
  readonly api: GpuApi
  /** @param args  of the kinds in `kinds`; none of them is the output */
  run(program: Program, args: readonly (Operand | number | Four)[], output: Operand): void
  /** Run a program that has `planes`. @param args  all except the first, `plane` */
  runPlanes(program: Program, args: readonly (Operand | number | Four)[], outputs: readonly Operand[]): void
  /** WebGPU only: run a program of tiles, with so many threads. */
  runTiles(program: TileProgram, args: readonly (Operand | Four)[], output: Operand, threads: number): void
}
