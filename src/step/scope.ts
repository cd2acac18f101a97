/**
 * Scopes for loops by hand. The outermost scope of a device is a step as data: its actions are recorded, and run at its
 * end, so that every value lives from its first use to its last, even if JavaScript still refers to it.
 */
import type { Device } from '../device/device.js'
import { Slot } from '../device/slot.js'
import { door, FUNCTION } from '../memory/arguments.js'
import { DEVICE } from '../tensor/kinds.js'
import { scope as frame } from '../tensor/scope.js'
import { differenceOf } from './difference.js'
import { graphOf, type Pass, plan } from './pass.js'
import { type Recording, record } from './record.js'
import { run } from './run.js'

const check = door('scope', { device: DEVICE, fn: FUNCTION })

/**
 * Run `fn` and free every tensor made inside it, except those it returns (also inside arrays and plain objects) and those
 * given to `keep`. A nested scope hands the tensors that it returns to the outer scope.
 *
 * Kernels run when the outermost scope ends. This shows in three ways: an intermediate takes memory only while it is
 * needed, `data()` called inside resolves after the end, and a budget that is too small is refused before anything has
 * run.
 * @throws BudgetExceededError  it does not fit; nothing has run
 * @throws ScopeError  fn returned a Promise or a generator
 */
export function scope<T>(device: Device, fn: () => T): T {
  check([device, fn])
  if (device.list) return frame(device, fn)
  const made = record(device, () => frame(device, fn))
  return run(device, passFor(device, made), made)
}

/**
 * The last few plans of scopes: a loop by hand records the same step again and again, and need not plan it each time.
 */
const KNOWN = new Slot<{ signature: string; pass: Pass }[]>(() => [])
const REMEMBERED = 4

function passFor(device: Device, made: Recording): Pass {
  const known = device.slot(KNOWN)
  const signature = device.allocator.signature()
  const found = known.find((each) => each.signature === signature && differenceOf(each.pass, made) === null)
  if (found) return found.pass
  const pass = plan(device, graphOf(device, made))
  known.unshift({ signature, pass })
  known.splice(REMEMBERED)
  return pass
}
