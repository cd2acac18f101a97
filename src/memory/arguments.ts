/**
 * The door of the public functions: what a caller gives is checked here, before anything changes. A function has a
 * signature, which names its arguments and the kind of each; its options are a kind too, made by `options`. Other rules,
 * such as the range of a number, are checked where they are used.
 */

import { ArgumentError, showValue } from './errors.js'
import { foreignName } from './foreign.js'

/** What a value may be. */
export interface Kind {
  /** 'a number': what the error says that it must be */
  readonly told: string
  fits(value: unknown): boolean
  /** For a value that does not fit: what is wrong with it, where more can be said. @param op  the function */
  refusal?(op: string, value: unknown): string | null
}

const typed = (type: string, told: string): Kind => ({ told, fits: (value) => typeof value === type })

export const NUMBER = typed('number', 'a number')
export const BOOLEAN = typed('boolean', 'true or false')
export const FUNCTION = typed('function', 'a function')
export const TEXT = typed('string', 'text')
export const OBJECT: Kind = { told: 'an object', fits: (value) => typeof value === 'object' && value !== null }
export const BYTES: Kind = { told: 'a Uint8Array', fits: (value) => value instanceof Uint8Array }
export const LIST: Kind = { told: 'a list, such as [2, 3]', fits: Array.isArray }
/** Checked by the function itself. */
export const ANYTHING: Kind = { told: 'anything', fits: () => true }

/** @param b  its refusal is told */
export const either = (a: Kind, b: Kind): Kind => ({
  told: `${a.told} or ${b.told}`,
  fits: (value) => a.fits(value) || b.fits(value),
  refusal: (op, value) => b.refusal?.(op, value) ?? null,
})

/** The kind, or undefined. */
export const optional = (kind: Kind): Kind => ({
  ...kind,
  fits: (value) => value === undefined || kind.fits(value),
})

/** The kind, or null, or undefined. */
export const orNothing = (kind: Kind): Kind => ({
  ...kind,
  fits: (value) => value === undefined || value === null || kind.fits(value),
})

/** One of these texts. */
export const oneOf = (...texts: readonly string[]): Kind => ({
  told: texts.map((text) => `'${text}'`).join(' or '),
  fits: (value) => texts.some((text) => text === value),
})

/** The kind of each option of `O`. An option that is undefined counts as left out. */
export type Known<O> = { readonly [Name in keyof O]-?: Kind }

/**
 * An object with these options and no others; undefined counts as no options.
 * @param needed  the options that must be there
 */
export function options<O extends object>(known: Known<O>, needed: readonly (keyof O & string)[] = []): Kind {
  const table = new Map<string, Kind>(Object.entries(known))
  const names = [...table.keys()].join(', ')
  return {
    told: `an object, { ${names} }`,
    fits: (value) => {
      if (value === undefined) return needed.length === 0
      if (!isRecord(value)) return false
      for (const name in value) {
        const kind = table.get(name)
        if (kind === undefined || !(value[name] === undefined || kind.fits(value[name]))) return false
      }
      return needed.every((name) => value[name] !== undefined)
    },
    refusal: (op, value) => {
      if (value === undefined || !isRecord(value) || showValue(value) !== 'an object') return null
      for (const name in value) {
        const kind = table.get(name)
        if (kind === undefined) {
          const meant = foreignName(name, [...table.keys()])
          const hint = meant === null ? '' : ` (do you mean ${meant}?)`
          return `there is no option ${showValue(name)}${hint}; the options are ${names}`
        }
        if (!(value[name] === undefined || kind.fits(value[name]))) return describe(op, name, value[name], kind)
      }
      return `the option ${needed.find((name) => value[name] === undefined)} is missing; the options are ${names}`
    },
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The arguments of a function, by name and in order. */
export type Signature = Readonly<Record<string, Kind>>

/** A check of the arguments of `op`, which throws an ArgumentError that names the first one that is wrong. */
export function door(op: string, signature: Signature): (given: readonly unknown[]) => void {
  const names = Object.keys(signature)
  const kinds = Object.values(signature)
  const refuse = (given: readonly unknown[]): never => {
    const wrong = kinds.findIndex((kind, i) => !kind.fits(given[i]))
    if (wrong >= 0) throw new ArgumentError(`${op}: ${describe(op, names[wrong], given[wrong], kinds[wrong])}`)
    throw new ArgumentError(`${op}: there are ${given.length} arguments, and it takes (${names.join(', ')})`)
  }
  return (given) => {
    if (given.length > kinds.length) refuse(given)
    for (let i = 0; i < kinds.length; i++) if (!kinds[i].fits(given[i])) refuse(given)
  }
}

/** Check one argument. @throws ArgumentError  naming it, and what it must be */
export function checkArgument(op: string, name: string, value: unknown, kind: Kind): void {
  if (!kind.fits(value)) throw new ArgumentError(`${op}: ${describe(op, name, value, kind)}`)
}

function describe(op: string, name: string, value: unknown, kind: Kind): string {
  const refusal = kind.refusal?.(op, value)
  if (refusal) return refusal
  const wait = isRecord(value) && typeof value.then === 'function' ? ': await it first' : ''
  return `${name} is ${showValue(value)}; it must be ${kind.told}${wait}`
}
