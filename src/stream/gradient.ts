/** `Streamer.gradient`: the sums of a range of samples. */
import type { AnyBatch } from '../data/batch.js'
import type { Place, RangeResult } from './elsewhere.js'
import type { Gatherer } from './gather.js'
import { holdToPlan } from './plan.js'
import type { Program } from './program.js'
import { readAll, tensorsIn } from './range.js'

/** See Streamer.gradient. */
export async function rangeOf(
  program: Program,
  gatherer: Gatherer,
  batch: AnyBatch,
  place: Place,
): Promise<RangeResult> {
  const { device } = program
  const started = performance.now()
  const { plan, weight } = await gatherer.gather('gradient', batch, { microBatch: place.microBatch }, undefined, place)
  holdToPlan(device, plan)
  const sums = await readAll(device, tensorsIn(program))
  const { plannedPeakBytes } = plan
  return { sums, weight, peakBytes: device.allocator.peakBytes, plannedPeakBytes, ms: performance.now() - started }
}
