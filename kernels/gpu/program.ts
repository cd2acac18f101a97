/**
 * What a GPU program is: a function that gpu.js turns into a fragment shader, once for all shapes.
 *
 * A tensor of n values is ceil(n / 4) texels of four. A program computes one texel of its output, number
 * `this.thread.x`, and returns its four values. Past a tensor's last value its texels hold garbage.
 *
 * gpu.js reads functions from their source, so they are flat: no closures, no arrow functions, and nothing from
 * outside but the helpers that the program lists, which TypeScript is told of with `declare function`. What else to
 * keep in mind is Note [Dialect] in index.ts.
 */

/** Four numbers: a texel, or a uniform value. */
export type Four = readonly [number, number, number, number]

/** An input read texel by texel. */
export type Texels = readonly Four[]

/** An input read value by value: the same texture, at more cost. */
export type Elements = readonly number[]

/** `this` of a program. */
export interface Thread {
  readonly thread: { readonly x: number }
}

/** A function that is not called here but read. */
export type Source = (this: Thread, ...args: never[]) => unknown

/** How an argument is read, or that it is a number or four of them, the same for all texels. */
export type ArgumentKind = 'texels' | 'elements' | 'number' | 'four'

/** A function from numbers to a number, with more to say about it where that is needed. */
export type Helper = Source | DetailedHelper

export interface DetailedHelper {
  readonly source: Source
  /** the places of those arguments that are fours */
  readonly fours?: readonly number[]
  /** takes its place on a GPU, where JavaScript cannot say it, or not as well */
  readonly glsl?: string
}

export type Helpers = Readonly<Record<string, Helper>>

export interface Program {
  /** it is compiled once by this name */
  readonly name: string
  readonly source: Source
  readonly kinds: readonly ArgumentKind[]
  /** by the name that they are called */
  readonly helpers?: Helpers
}

/** What a program runs on. `Operand` is a tensor there: a texture, or in a test an array. */
export interface Gpu<Operand> {
  /** @param args  as `kinds` has them; none is the output */
  run(program: Program, args: readonly (Operand | number | Four)[], output: Operand): void
}
