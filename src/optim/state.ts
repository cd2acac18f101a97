/**
 * Saved state of an optimizer.
 *
 * Note [Names in saved state]
 *   State is saved under the name of its parameter. So it finds its parameter again, whichever others are frozen and in
 *   whatever order the groups are. The name comes from the model that is passed to `stateDict`; else from the module
 *   that the optimizer, or the group, was made from; else it is the parameter's index in the optimizer.
 */
import { ArgumentError, showValue } from '../memory/errors.js'
import {
  type Checked,
  checkState,
  isRecord,
  readState,
  type SavedState,
  type StateDict,
  shorten,
} from '../tensor/saved-state.js'
import type { Tensor } from '../tensor/tensor.js'

/** Gives parameters their names in saved state; a Module does. */
export interface HasNames {
  namedParameters(): ReadonlyMap<string, Tensor>
}

/** Saved state: see Optimizer.stateDict. */
export interface OptimizerState {
  /** the number of steps made */
  steps: number
  /** for each parameter by name: the number of its updates, fewer than `steps` if it was frozen for a while */
  updates: Record<string, number>
  /** 'fc1.weight.exp_avg': a moment of the parameter fc1.weight */
  moments: StateDict
}

/** What `loadStateDict` takes. */
export interface SavedOptimizerState {
  readonly steps: number
  readonly updates: Readonly<Record<string, number>>
  readonly moments: SavedState
}

/** A parameter with its saved state. */
export interface Stateful {
  /** the name that its module gives it, or null */
  readonly name: string | null
  readonly parameter: Tensor
  /** by PyTorch's names */
  readonly moments: ReadonlyMap<string, Tensor>
  /** the updates of this parameter so far */
  updates: number
}

/**
 * Entries by name. Note [Names in saved state].
 * @throws ArgumentError  two parameters have the same name
 */
export function entriesByName<Entry extends Stateful>(
  optimizer: string,
  entries: readonly Entry[],
  model?: HasNames,
): Map<string, Entry> {
  const names = new Map(Array.from(model?.namedParameters() ?? [], ([name, parameter]) => [parameter, name]))
  const named = new Map<string, Entry>()
  for (const [i, entry] of entries.entries()) {
    const name = names.get(entry.parameter) ?? entry.name ?? String(i)
    if (named.has(name)) {
      throw new ArgumentError(
        `${optimizer}: two of its parameters are called ${name} in their groups: give stateDict and loadStateDict the ` +
          'model that names them',
      )
    }
    named.set(name, entry)
  }
  return named
}

/** Copies of the moments on the host, and the numbers of updates. */
export async function saveState(named: ReadonlyMap<string, Stateful>, steps: number): Promise<OptimizerState> {
  const updates = Object.fromEntries(Array.from(named, ([name, entry]) => [name, entry.updates]))
  return { steps, updates, moments: await readState(momentsOf(named)) }
}

/** Check that `state` fits these parameters. @param setSteps  receives the number of steps when the state is written */
export function checkSaved(
  named: ReadonlyMap<string, Stateful>,
  state: unknown,
  setSteps: (steps: number) => void,
): Checked {
  const { steps, updates, moments } = isRecord(state) ? state : {}
  const values = checkState('moments', momentsOf(named), moments)
  const counts = new Map(Array.from(named, ([name, entry]) => [entry, isRecord(updates) ? updates[name] : undefined]))
  const faults = [
    ...(isCount(steps) ? [] : [`steps is ${showValue(steps)}; it must be a whole number, 0 or more`]),
    ...faultsOfCounts(updates, new Set(named.keys())),
    ...values.faults,
  ]
  const write = (): void => {
    values.write()
    for (const [entry, count] of counts) entry.updates = isCount(count) ? count : 0
    setSteps(isCount(steps) ? steps : 0)
  }
  return { faults, write }
}

/** All moments, by names such as 'fc1.weight.exp_avg'. */
function momentsOf(named: ReadonlyMap<string, Stateful>): Map<string, Tensor> {
  const all = Array.from(named, ([name, { moments }]) =>
    Array.from(moments, ([moment, tensor]) => [`${name}.${moment}`, tensor] as const),
  )
  return new Map(all.flat())
}

/** Is it a whole number, 0 or more? */
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

/** The faults of the saved update counts. */
function faultsOfCounts(updates: unknown, names: ReadonlySet<string>): string[] {
  if (!isRecord(updates)) return [`updates is ${showValue(updates)}, not an object`]
  const wrong = [...names].filter((name) => !Object.hasOwn(updates, name) || !isCount(updates[name]))
  const unexpected = Object.keys(updates).filter((name) => !names.has(name))
  return [
    ...wrong.map((name) => `updates of ${shorten(name)} is ${showValue(updates[name])}, not a whole number, 0 or more`),
    ...unexpected.map((name) => `updates of ${shorten(name)} is unexpected`),
  ]
}
