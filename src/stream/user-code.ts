/** The code of users that a step calls: forwards, losses, schedules. */
import type { Device } from '../device/device.js'
import { forget, isPromise } from '../device/promise.js'
import { ArgumentError, reasonOf, SluiceError, showValue } from '../memory/errors.js'
import { isTensor, membersOf, pathOf, type Tensors } from '../tensor/structure.js'
import { Tensor } from '../tensor/tensor.js'
import { ModelError } from './errors.js'

/**
 * Run user code. Errors of Sluice pass; others are wrapped in a ModelError, which says whose code threw, and that
 * nothing was committed.
 * @param given  what the code was called with, if that may be why: it joins the message
 */
export function userCode<T>(who: string, fn: () => T, given = ''): T {
  try {
    return fn()
  } catch (cause) {
    if (cause instanceof ArgumentError && given) throw new ArgumentError(`${cause.message} (${given})`, { cause })
    if (cause instanceof SluiceError) throw cause
    throw new ModelError(
      `${who} threw: ${reasonOf(cause)}${given && ` (${given})`}. Nothing was committed; fix it and run the step again.`,
      {
        cause,
      },
    )
  }
}

/** @throws ModelError  the forward returned no tensors, whatever its type says */
export function checkTensors(output: unknown, device: Device): asserts output is Tensors {
  const members = membersOf(output as Tensors, isTensor)
  const expected = 'a tensor, or a list or a record of tensors'
  for (const [key, member] of members) checkTensor('the forward', member, device, expected, pathOf('', key))
  if (members.length === 0) throw new ModelError(`the forward returned ${showValue(output)} without a tensor in it`)
}

/** @throws ModelError  user code returned something other than a tensor, whatever its type says */
export function checkTensor(who: string, value: unknown, { op }: Device, expected: string, path = ''): void {
  if (value instanceof Tensor) return
  if (isPromise(value)) forget(value)
  const what = isPromise(value) ? `a Promise, after '${op}'` : showValue(value)
  const where = path && ` at ${path.replace(/^[.]/, '')}`
  throw new ModelError(`${who} returned ${what}${where}; it must return ${expected}, without waiting for anything`)
}
