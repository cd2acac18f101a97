/** The parameters that an optimizer trains: those of a model, or groups with settings of their own. */
import { ANYTHING, BOOLEAN, checkArgument, type Kind, type Known, LIST, NUMBER, options } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { DeviceMismatchError, twoDevices } from '../tensor/errors.js'
import { Tensor } from '../tensor/tensor.js'
import { RATE } from './schedule.js'

/** Anything that lists its parameters, such as a Module. Saved state uses the names that it gives them. */
export interface HasParameters {
  parameters(): Iterable<Tensor>
  namedParameters?(): ReadonlyMap<string, Tensor>
}

/** Parameters with settings of their own. A setting that is left out comes from the optimizer. */
export type Group<Options> = { parameters: HasParameters | Iterable<Tensor> } & Partial<Options>

/** What to train: a model, its parameters, or groups of parameters. */
export type Trainable<Options> = HasParameters | Iterable<Tensor> | readonly Group<Options>[]

type Listed = HasParameters | Iterable<Tensor>

/** @throws ArgumentError  not a model, nor tensors, nor groups; an unknown setting of a group, or one of a wrong type */
export function groupsOf<Options extends object>(
  optimizer: string,
  model: Trainable<Options>,
  settings: Known<Options>,
): { parameters: Listed; own: object }[] {
  const TRAINABLE: Kind = {
    told: 'a model, model.parameters(), or groups [{ parameters, learningRate }]',
    fits: (value) => isListed(value) && (hasParameters(value) || [...value].every((item) => isObject(item))),
  }
  checkArgument(optimizer, 'the model', model, TRAINABLE)
  if (hasParameters(model)) return [{ parameters: model, own: {} }]
  const items: readonly (Tensor | Group<Options>)[] = [...model]
  const tensors = items.flatMap((item) => (item instanceof Tensor ? item : []))
  if (tensors.length === items.length) return [{ parameters: tensors, own: {} }]
  const GROUP = options({ ...settings, parameters: LISTED }, ['parameters'])
  return items.map((item, i) => {
    checkArgument(optimizer, `group ${i}`, item, GROUP)
    const { parameters, ...own } = item as Group<Options>
    return { parameters, own }
  })
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const isListed = (value: unknown): value is Listed =>
  isObject(value) && (hasParameters(value) || Symbol.iterator in value)
const hasParameters = (value: object): value is HasParameters =>
  'parameters' in value && typeof value.parameters === 'function'

const LISTED: Kind = {
  told: 'a model or a list of tensors',
  fits: (value) => isListed(value) && (hasParameters(value) || [...value].every((item) => item instanceof Tensor)),
}

/** The kinds of the settings of an optimizer, from their defaults. A learning rate can be a schedule too. */
export function kindsOf<Options extends object>(defaults: Options): Known<Options> {
  const kinds = Object.entries(defaults).map(([name, value]): [string, Kind] => {
    if (name === 'learningRate') return [name, RATE]
    if (Array.isArray(value)) return [name, { ...LIST, told: `a list, such as [${value.join(', ')}]` }]
    return [name, typeof value === 'boolean' ? BOOLEAN : typeof value === 'number' ? NUMBER : ANYTHING]
  })
  return Object.fromEntries(kinds) as Known<Options>
}

/** `own` over `defaults`; a setting that is undefined counts as left out. Lists (betas) are copied: a caller may change them. */
export function override<Options extends object>(defaults: Options, own: object): Options {
  const given = Object.entries(own).filter(([, value]) => value !== undefined)
  const copied = given.map(([name, value]) => [name, Array.isArray(value) ? [...value] : value] as const)
  return { ...defaults, ...Object.fromEntries(copied) }
}

/**
 * The tensors that require a gradient, each with the name that its module gives it, or null.
 * @throws ArgumentError  one is not a leaf
 */
export function leavesOf(optimizer: string, listed: Listed): { name: string | null; parameter: Tensor }[] {
  const names = Symbol.iterator in listed ? undefined : listed.namedParameters?.()
  const nameOf = new Map(Array.from(names ?? [], ([name, parameter]) => [parameter, name]))
  const all = [...(Symbol.iterator in listed ? listed : listed.parameters())]
  if (all.some((parameter) => parameter.recorded)) {
    throw new ArgumentError(`${optimizer}: a tensor to train is the result of an op: train the leaves it was made from`)
  }
  const trained = all.filter((parameter) => parameter.requiresGrad)
  return trained.map((parameter) => ({ name: nameOf.get(parameter) ?? null, parameter }))
}

/** @throws ArgumentError, DeviceMismatchError  no parameter, one that is listed twice, or parameters on two devices */
export function checkParameters(name: string, parameters: readonly Tensor[]): void {
  if (parameters.length === 0)
    throw new ArgumentError(`${name}: there is no parameter to train; a module in a property named #... is not found`)
  if (new Set(parameters).size < parameters.length) {
    throw new ArgumentError(`${name}: a parameter is listed twice, in one group or in two`)
  }
  const other = parameters.find(({ device }) => device !== parameters[0].device)
  if (other) {
    throw new DeviceMismatchError(`${name}: ${twoDevices(parameters[0].device, other.device)}`)
  }
}
