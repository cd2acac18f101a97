/** Flags: one declaration serves to parse, check and print them. */
import { parseArgs } from 'node:util'
import { reasonOf, SluiceError } from '../memory/errors.js'
import { nearest } from '../memory/nearest.js'

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
