/** Flags: one declaration serves to parse, check and print them. */
import { parseArgs } from 'node:util'
import { reasonOf, SluiceError } from '../memory/errors.js'

/** Wrong arguments. The message names the mistake and a correct form. */
export class UsageError extends SluiceError {}

export interface Option {
  readonly type: 'string' | 'boolean'
  readonly default?: string
  /** the placeholder of its value in the help, such as 'N' */
  readonly value?: string
  readonly help: string
}

export type Options = Readonly<Record<string, Option>>

/** The values of flags. One that is not given and has no default is undefined. */
export type Values<T extends Options> = {
  readonly [Name in keyof T]: T[Name]['type'] extends 'boolean'
    ? boolean | undefined
    : T[Name] extends { readonly default: string }
      ? string
      : string | undefined
}

/**
 * @throws UsageError  an unknown flag (says the nearest one), a value that is missing or not allowed, an argument that is
 *                     not a flag where no positionals are allowed
 */
export function parseOptions<T extends Options>(
  command: string,
  args: readonly string[],
  options: T,
  { positionals: allowPositionals = false }: { positionals?: boolean } = {},
): { values: Values<T>; positionals: string[] } {
  const config = { args: [...args], options, allowPositionals }
  const { tokens } = parseArgs({ ...config, strict: false, allowPositionals: true, tokens: true })
  for (const token of tokens) {
    if (token.kind !== 'option' || token.name in options) continue
    const best = nearest(
      token.rawName,
      Object.keys(options).map((name) => `--${name}`),
    )
    throw new UsageError(`${command} has no option ${token.rawName}; the nearest is ${best}`)
  }
  try {
    const { values, positionals }: { values: object; positionals: string[] } = parseArgs({ ...config, strict: true })
    return { values: values as Values<T>, positionals }
  } catch (error) {
    throw new UsageError(`${command}: ${reasonOf(error).replaceAll('\n', ' ')}`)
  }
}

/** '  --batch N   samples in a mini-batch (1024)', one line each. */
export function describeOptions(options: Options): string {
  const rows = Object.entries(options).map(([name, { value, help, default: preset }]) => ({
    flag: `  --${name}${value ? ` ${value}` : ''}`,
    help: preset === undefined ? help : `${help} (${preset})`,
  }))
  const width = Math.max(...rows.map(({ flag }) => flag.length)) + 2
  return rows.map(({ flag, help }) => flag.padEnd(width) + help).join('\n')
}

/** Commands to type, and what each is for, under 'Examples:'. */
export function describeExamples(examples: Readonly<Record<string, string>>): string {
  const width = Math.max(...Object.keys(examples).map((command) => command.length)) + 2
  const rows = Object.entries(examples).map(([command, what]) => `  ${command.padEnd(width)}${what}`)
  return `Examples:\n${rows.join('\n')}`
}

/** @throws UsageError  not one of `choices`; says the nearest */
export function choice<T extends string>(what: string, text: string, choices: readonly T[]): T {
  const found = choices.find((one) => one === text)
  if (found !== undefined) return found
  throw new UsageError(
    `${what} '${text}' is not one of ${choices.join(', ')}; the nearest is ${nearest(text, choices)}`,
  )
}

/** @throws UsageError  not a whole number in [least, most] */
export function whole(what: string, text: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `from ${least} to ${most}`
  throw new UsageError(`${what} '${text}' is not a whole number, ${range}`)
}

/** @throws UsageError  not a finite number, or below `least`; with `above`, also `least` itself */
export function decimal(what: string, text: string, least: number, above = false): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isFinite(value) && (above ? value > least : value >= least)) return value
  throw new UsageError(`${what} '${text}' is not a number ${above ? `above ${least}` : `of at least ${least}`}`)
}

/** @throws UsageError  the error of `read`, with the name of the flag */
export function reading<T>(flag: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new UsageError(`${flag}: ${reasonOf(error)}`)
  }
}

/** The candidate that takes the fewest edits; the first among equals. */
export function nearest(text: string, candidates: readonly string[]): string {
  const ranked = candidates.map((candidate) => ({ candidate, edits: editsBetween(text, candidate) }))
  return ranked.reduce((a, b) => (b.edits < a.edits ? b : a)).candidate
}

/** The smallest number of insertions, deletions, replacements and swaps of neighbours that turn `from` into `to`. */
function editsBetween(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= from.length; i++) {
    rows.push([i])
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1]
      // before the first letter there is undefined, which no letter equals
      const swapped = from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      rows[i][j] = Math.min(
        rows[i - 1][j] + 1,
        rows[i][j - 1] + 1,
        rows[i - 1][j - 1] + (same ? 0 : 1),
        swapped ? rows[i - 2][j - 2] + 1 : Infinity,
      )
    }
  }
  return rows[from.length][to.length]
}
