/**
 * The memory that a whole job needs. Before a device is opened, each kind of mini-batch of the job is planned on a
 * virtual device without a limit.
 */
import { openVirtualDevice } from '../device/open.js'
import { BudgetExceededError } from '../memory/allocator.js'
import { DoesNotFitError } from '../stream/errors.js'

import { piecesOf } from '../stream/evaluate.js'

import { FIRST } from '../stream/growth.js'

import type { Plan } from '../stream/plan.js'
import type { PlanOptions } from '../stream/streamer.js'
import { build, type Job, shapesFor } from './job.js'
import type { Sets } from './sets.js'

export interface Needs {
  /** the smallest budget under which the job runs, as `--memory` takes it: whole pages */
  readonly minimumBudgetBytes: number
  /** the smallest budget under which no mini-batch is split */
  readonly wholeBatchBytes: number
  readonly parameterCount: number
}

/**
 * The mini-batches of a job: that of training, the smaller last one of an epoch, and the pieces of the evaluation. If the
 * mini-batch grows: its largest and its first size, because the last one of an epoch is not known.
 */
export function plannedBatches({ batch, grows, microBatch }: Job, sets: Sets): PlanOptions[] {
  const { train, test } = sets
  const ragged = batch < train.length && !grows ? train.length % batch : 0
  const sizes: PlanOptions[] = [
    { batch, microBatch },
    ...(grows ? [{ batch: Math.min(FIRST, batch), microBatch }] : []),
    ...(ragged > 0 ? [{ batch: ragged, microBatch }] : []),
    ...(test.length > 0 ? piecesOf(test) : []).map((size) => ({ mode: 'evaluate', batch: size, microBatch }) as const),
  ]
  return sizes.map((options) => ({ ...shapesFor(sets), ...options }))
}

/** The needs of a job with one kind of mini-batch, whose plan is known. */
export const needsOf = ({ minimumBudgetBytes, wholeBatchBytes }: Plan, parameterCount: number): Needs => ({
  minimumBudgetBytes,
  wholeBatchBytes: Math.max(minimumBudgetBytes, wholeBatchBytes),
  parameterCount,
})

/** @throws DoesNotFitError  the job, with its micro-batch if it forces one, needs more than `--memory` */
export function findNeeds(job: Job, sets: Sets): Needs {
  const { streamer, parameterCount } = build(job, sets, openVirtualDevice(job.device))
  const batches = plannedBatches(job, sets)
  const plans = batches.map((options) => streamer.plan({ ...options, microBatch: 'fit' }))
  const minimumBudgetBytes = Math.max(...plans.map((plan) => plan.minimumBudgetBytes))
  const wholeBatchBytes = Math.max(minimumBudgetBytes, plans[0].wholeBatchBytes)
  const forced = job.microBatch !== 'fit'
  if (job.memoryBytes < minimumBudgetBytes || forced) {
    // under a budget without a limit, no value would be dropped to make room
    const tight = forced
      ? streamer
      : build(job, sets, openVirtualDevice(job.device, { memory: minimumBudgetBytes })).streamer
    const worst = batches
      .map((options) => tight.plan({ ...options, microBatch: forced ? job.microBatch : 1 }))
      .reduce((a, b) => (b.neededBudgetBytes > a.neededBudgetBytes ? b : a))
    if (job.memoryBytes < worst.neededBudgetBytes && !isPlannable(job, sets, batches)) {
      throw doesNotFit(worst, minimumBudgetBytes, job.memoryBytes)
    }
  }
  return { minimumBudgetBytes, wholeBatchBytes, parameterCount }
}

/** Can the job be planned within the budget? With recompute it may fit where without it does not. */
function isPlannable(job: Job, sets: Sets, batches: readonly PlanOptions[]): boolean {
  try {
    const { streamer } = build(job, sets, openVirtualDevice(job.device, { memory: job.memoryBytes }))
    for (const options of batches) streamer.plan(options)
    return true
  } catch (error) {
    if (error instanceof DoesNotFitError || error instanceof BudgetExceededError) return false
    throw error
  }
}

function doesNotFit(plan: Plan, minimumBudgetBytes: number, budgetBytes: number): DoesNotFitError {
  const { microBatch, neededBudgetBytes, peakOp, heldAtPeak } = plan
  const needed = [neededBudgetBytes, minimumBudgetBytes, budgetBytes] as const
  return new DoesNotFitError(microBatch, microBatch, ...needed, peakOp, heldAtPeak)
}
