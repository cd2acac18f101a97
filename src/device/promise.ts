/** Helpers for promises that turn up where a function must be synchronous. */

/** Is it a Promise, or another object with `then`, which `await` would wait for? */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** Ignore the outcome of a promise, so that its rejection is not reported as unhandled. */
export function forget(promise: PromiseLike<unknown>): void {
  promise.then(undefined, () => {})
}
