/** Functions that must not wait: telling what they return, and what becomes of it when it is refused. */

/** Promise or anything else that would be awaited. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** A refused promise may still reject; nobody will be there to hear it. */
export function forget(promise: PromiseLike<unknown>): void {
  promise.then(undefined, () => {})
}
