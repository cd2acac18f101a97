/** Programs as gpu.js reads them: the text of every function, with indices in place of the names in an argument. */
import { BUILTINS } from './builtins.js'
import type { ArgumentKind, DetailedHelper, Helpers, Program } from './program.js'

/** The kinds of arguments that gpu.js knows. */
type Kind = Exclude<ArgumentKind, readonly string[]>

interface FunctionText {
  readonly source: string
  readonly kinds: readonly Kind[]
}

export interface HelperText extends FunctionText {
  readonly name: string
  readonly returns: 'number' | 'four'
  /** replace `source` on a GPU */
  readonly glsl?: string
  readonly wgsl?: string
}

export interface ProgramText extends FunctionText {
  /** all functions that the program can call */
  readonly helpers: readonly HelperText[]
  /** as in Program */
  readonly planes?: string
}

/**
 * It reads the text of functions, so it must not be called before a program is compiled: kernels/keep.mjs changes that
 * text.
 */
export function textOf({ source, kinds, helpers, planes }: Program): ProgramText {
  const text = functionText({ source, kinds })
  const own = planes && indexed(planes, parametersOf(String(source)), kinds)
  return { ...text, helpers: helpersOf(helpers), planes: own }
}

/** The builtins, and a program's own helpers. */
export function helpersOf(helpers: Helpers = {}): readonly HelperText[] {
  return Object.entries({ ...BUILTINS, ...helpers }).map(([name, helper]): HelperText => {
    const details: DetailedHelper = typeof helper === 'function' ? { source: helper } : helper
    const { returns = 'number', glsl, wgsl } = details
    return { ...functionText(details), name, returns, glsl, wgsl }
  })
}

function functionText({ source, kinds = [] }: DetailedHelper): FunctionText {
  const text = String(source)
  const parameters = parametersOf(text)
  return {
    source: indexed(text, parameters, kinds),
    kinds: parameters.map((_, j) => {
      const kind = kinds[j] ?? 'number'
      return typeof kind === 'string' ? kind : 'four'
    }),
  }
}

const parametersOf = (text: string): string[] =>
  text.slice(text.indexOf('(') + 1, text.indexOf(')')).match(/\w+/g) ?? []

/** `sizes.rows` becomes `sizes[1]` where the second name of `sizes` is `rows`, and so does `user_sizes.rows`. */
export function indexed(text: string, parameters: readonly string[], kinds: readonly ArgumentKind[]): string {
  return kinds.reduce((before, kind, j) => {
    if (typeof kind === 'string') return before
    const field = new RegExp(`\\b((?:user_)?${parameters[j]})\\.(\\w+)`, 'g')
    return before.replace(field, (_, argument, name) => `${argument}[${kind.indexOf(name)}]`)
  }, text)
}
