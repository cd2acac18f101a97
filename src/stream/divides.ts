/** Can the gradient of a step be computed in ranges? Note [Ranges] in elsewhere.ts. */
import { NotSeparableError } from './errors.js'
import type { Program } from './program.js'

/** @throws NotSeparableError  what the last rehearsed forward does cannot be cut into ranges */
export function checkDivides({ model, isCoupled, totals }: Program): void {
  const refuse = (reason: string): never => {
    throw new NotSeparableError(`the gradient of this step cannot be computed in ranges of samples: ${reason}`)
  }
  const [moved] = [...model.namedBuffers()].find(([, buffer]) => buffer.moved) ?? []
  if (moved) refuse(`${moved} moves with each micro-batch. For a batch norm take the policy 'deferred' or 'frozen'`)
  if (isCoupled) refuse('its loss compares samples of all ranges')
  if (totals.coupleSamples) {
    refuse("batch norm (exact) needs all ranges in the middle of the step. Take the policy 'deferred' or 'frozen'")
  }
}
