/**
 * A structure: one array, a list of arrays, or a record of arrays by name. The inputs and the targets of a batch are
 * structures of host arrays, what a model returns is a structure of tensors, and plans know structures of shapes.
 *
 * Structures do not nest. The members of a record come in the order of their names, so the order in which an object lists
 * them changes nothing. Values of a caller can be anything: what is neither a list nor a record counts as one array, and
 * the check of arrays refuses it.
 */
import { showValue } from '../memory/errors.js'
import { ShapeError } from './errors.js'
import type { HostArray } from './host.js'
import { type Shape, showShape } from './shape.js'
import { Tensor } from './tensor.js'

export type Structure<One> = One | readonly One[] | { readonly [name: string]: One }

/** The structure S of `One` with `Other` in place of each: Like<{ image: HostArray }, HostArray, Shape> = { image: Shape }. */
export type Like<S, One, Other> = S extends One ? Other : { [K in keyof S]: Other }

export type Arrays = Structure<HostArray>
export type Shapes = Structure<Shape>
export type Tensors = Structure<Tensor>

/** The place of a member: its index, its name, or null where the structure is one array. */
export type Key = number | string | null

type IsOne<One> = (value: unknown) => value is One

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Is it neither a list nor a record of host arrays? */
export const isArray = (value: unknown): value is HostArray =>
  isPlain(value) ? ArrayBuffer.isView(value.data) || Array.isArray(value.shape) : !Array.isArray(value)

/** Is it neither a list nor a record of shapes? A shape is a list of numbers, and [] is one. */
export const isShape = (value: unknown): value is Shape =>
  Array.isArray(value) ? !value.some((each) => typeof each === 'object') : !isPlain(value)

/** Is it neither a list nor a record of tensors? */
export const isTensor = (value: unknown): value is Tensor =>
  value instanceof Tensor || !(Array.isArray(value) || isPlain(value))

const isList = <One>(value: Structure<One>): value is readonly One[] => Array.isArray(value)

/** The members, each with its place. */
export function membersOf<One>(structure: Structure<One>, isOne: IsOne<One>): readonly (readonly [Key, One])[] {
  if (isOne(structure)) return [[null, structure]]
  // not entries(): a list may have holes
  if (isList(structure)) return Array.from(structure, (one, index) => [index, one] as const)
  return Object.keys(structure)
    .sort()
    .map((name) => [name, structure[name]] as const)
}

/** The structure of the results of `change`. */
export function mapMembers<One, Other>(
  structure: Structure<One>,
  isOne: IsOne<One>,
  change: (one: One, key: Key) => Other,
): Structure<Other> {
  if (isOne(structure)) return change(structure, null)
  const changed = membersOf(structure, isOne).map(([key, one]) => [key, change(one, key)] as const)
  return isList(structure) ? changed.map(([, other]) => other) : Object.fromEntries(changed)
}

/** The first member. */
export const firstOf = <One>(structure: Structure<One>, isOne: IsOne<One>): One => membersOf(structure, isOne)[0][1]

/** What stands at this place of a structure like the one that the place is of. */
export function memberAt<One>(structure: Structure<One>, key: Key): One {
  // the structure is one array where the place is null, and a list or a record elsewhere
  return key === null ? (structure as One) : (structure as Readonly<Record<Exclude<Key, null>, One>>)[key]
}

/** The name of a member in messages: `inputs`, `inputs[1]`, `inputs.image`. */
export function pathOf(structure: string, key: Key): string {
  if (key === null) return structure
  if (typeof key === 'string' && /^[\p{L}_$][\p{L}\p{N}_$]{0,39}$/u.test(key)) return `${structure}.${key}`
  return `${structure}[${showValue(key)}]`
}

/** [2, 3], or ([2, 3], [4]), or { image: [2, 3], text: [4] } */
export function showShapes(shapes: Shapes): string {
  if (isShape(shapes)) return showShape(shapes)
  const members = membersOf(shapes, isShape)
  if (isList(shapes)) return `(${members.map(([, shape]) => showShape(shape)).join(', ')})`
  return `{ ${members.map(([name, shape]) => `${name}: ${showShape(shape)}`).join(', ')} }`
}

/** The arguments of a forward: a list gives one each, and everything else is one argument. */
export const argumentsOf = (inputs: unknown): readonly unknown[] => (Array.isArray(inputs) ? inputs : [inputs])

/**
 * Refuses a structure with other members than expected.
 * @throws ShapeError  naming the first member that is missing or unknown
 */
export function checkLike(what: string, expected: Shapes, given: Shapes): void {
  const [wanted, had] = [expected, given].map((shapes) => new Set(membersOf(shapes, isShape).map(([key]) => key)))
  const [unknown] = [...had].filter((key) => !wanted.has(key))
  const [missing] = [...wanted].filter((key) => !had.has(key))
  if (unknown === undefined && missing === undefined) return
  const wrong =
    unknown === undefined ? `${pathOf(what, missing)} is missing` : `${pathOf(what, unknown)} is not expected`
  throw new ShapeError(`${wrong}: expected ${showShapes(expected)} for each sample, and got ${showShapes(given)}`)
}
