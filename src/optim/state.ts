/**
 * Saved state of an optimizer.
 *
 * Note [Names in saved state]
 *   State is saved by parameter, so that it finds its own parameter whatever else is frozen and in whatever order groups
 *   are. The name is that of the model which `stateDict` is given; else of the module that the optimizer, or the group,
 *   was made from; else the parameter's place in the optimizer.
 */
import { ArgumentError, showValue } from '../memory/errors.js'
import { isRecord, type SavedState, type StateDict, shorten } from '../tensor/saved-state.js'
import type { Tensor } from '../tensor/tensor.js'

/** Whose names parameters have in saved state, such as a Module. */
export interface HasNames {
  namedParameters(): ReadonlyMap<string, Tensor>
}

/** Saved state: see Optimizer.stateDict. */
export interface OptimizerState {
  /** updates made */
  steps: number
  /** of each parameter, by its name: fewer where it was frozen for a while */
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

/**
 * Entries by name. Note [Names in saved state].
 * @throws ArgumentError  two have one name
 */
export function namesOf<Entry extends { readonly name: string | null; readonly parameter: Tensor }>(
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
        `${optimizer}: two of its parameters are called ${name} by their groups: give stateDict and loadStateDict the ` +
          'model whose names they have',
      )
    }
    named.set(name, entry)
  }
  return named
}

/** Is it a whole number, 0 or more? */
export const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0

/** What is wrong with the updates of each parameter. */
export function faultsOfCounts(updates: unknown, names: ReadonlySet<string>): string[] {
  if (!isRecord(updates)) return [`updates is ${showValue(updates)}, not an object`]
  const wrong = [...names].filter((name) => !Object.hasOwn(updates, name) || !isCount(updates[name]))
  const unexpected = Object.keys(updates).filter((name) => !names.has(name))
  return [
    ...wrong.map((name) => `updates of ${shorten(name)} is ${showValue(updates[name])}, not a whole number, 0 or more`),
    ...unexpected.map((name) => `updates of ${shorten(name)} is unexpected`),
  ]
}
