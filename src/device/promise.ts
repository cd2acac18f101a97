/** Promises where a function must be synchronous. */

/** Is it a Promise, or another object with `then`, which `await` would wait for? */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** Ignore what becomes of a promise, so that a rejection of it is not reported as unhandled. */
export function forget(promise: PromiseLike<unknown>): void {
  promise.then(undefined, () => {})
}
