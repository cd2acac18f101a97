/** The parameters that an optimizer trains: those of a model, or groups with settings of their own. */
import { ArgumentError } from '../memory/errors.js'
import { DeviceMismatchError } from '../tensor/errors.js'
import type { Tensor } from '../tensor/tensor.js'

/** Anything that lists its parameters, such as a Module. Saved state uses the names that it gives them. */
export interface HasParameters {
  parameters(): Iterable<Tensor>
  namedParameters?(): ReadonlyMap<string, Tensor>
}

/** Parameters with settings of their own. A setting that is left out comes from the optimizer. */
export type Group<Options> = { parameters: HasParameters | Iterable<Tensor> } & Partial<Options>

/** What to train: a model, or groups of parameters. */
export type Trainable<Options> = HasParameters | readonly Group<Options>[]

type Listed = HasParameters | Iterable<Tensor>

export function groupsOf<Options>(model: Trainable<Options>): { parameters: Listed; own: object }[] {
  if ('parameters' in model) return [{ parameters: model, own: {} }]
  return model.map(({ parameters, ...own }) => ({ parameters, own }))
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
    const kinds = `${parameters[0].device.kind} and ${other.device.kind}`
    throw new DeviceMismatchError(`${name}: the parameters are on two devices, ${kinds}`)
  }
}
