/** The code of users that a step calls: forwards, losses, schedules. */
import type { Device } from '../device/device.js'
import { forget, isPromise } from '../device/promise.js'
import { reasonOf, SluiceError, showValue } from '../memory/errors.js'
import { Tensor } from '../tensor/tensor.js'
import { ModelError } from './errors.js'

/**
 * Run user code. Errors of Sluice pass; others are wrapped in a ModelError, which says whose code threw, and that
 * nothing was committed.
 */
export function userCode<T>(who: string, fn: () => T): T {
  try {
    return fn()
  } catch (cause) {
    if (cause instanceof SluiceError) throw cause
    throw new ModelError(`${who} threw: ${reasonOf(cause)}. Nothing was committed; fix it and run the step again.`, {
      cause,
    })
  }
}

/** @throws ModelError  user code returned something other than a tensor, whatever its type says */
export function checkTensor(who: string, value: unknown, { op }: Device): void {
  if (value instanceof Tensor) return
  if (isPromise(value)) forget(value)
  const what = isPromise(value) ? `a Promise, after '${op}'` : showValue(value)
  throw new ModelError(`${who} returned ${what}; it must return one tensor, without waiting for anything`)
}
