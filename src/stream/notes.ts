/** Notes of a plan, for a person who trains in micro-batches. */
import type { AnyModule } from '../nn/module.js'
import type { Optimizer } from '../optim/optimizer.js'

/**
 * The ways in which a split changes the mathematics of a step. Call it right after a recording, which marks the buffers
 * that move.
 */
export function notesOf(model: AnyModule, optimizer: Optimizer): string[] {
  const noted = model.modules().filter(({ streamingNote }) => streamingNote !== undefined)
  const known = new Set(noted.flatMap((module) => module.buffers()))
  const moving = [...model.namedBuffers()].filter(([, buffer]) => buffer.moved && !known.has(buffer))
  const trained = new Set(optimizer.parameters)
  const untrained = [...model.namedParameters()].filter(([, leaf]) => leaf.requiresGrad && !trained.has(leaf))
  return [
    ...new Set(noted.flatMap(({ streamingNote }) => streamingNote ?? [])),
    ...(moving.length > 0
      ? [`${namesOf(moving)}: moved once for each micro-batch, so the micro-batch's size matters`]
      : []),
    ...(untrained.length > 0 ? [`${namesOf(untrained)}: has a gradient, and the optimizer does not train it`] : []),
  ]
}

/** The first few names. */
function namesOf(entries: readonly (readonly [string, unknown])[]): string {
  const names = entries.slice(0, 3).map(([name]) => name)
  return entries.length > 3 ? `${names.join(', ')} and ${entries.length - 3} more` : names.join(', ')
}
