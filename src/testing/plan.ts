/** `checkPlan`: what is planned is measured, to the byte, and the plan is true. */
import { sampleShapes, samplesIn } from '../data/batch.js'
import type { Device } from '../device/device.js'
import { openDevice } from '../device/open.js'
import { ANYTHING, LIST, oneOf, options as optionsOf } from '../memory/arguments.js'
import { type ByteSize, formatBytes } from '../memory/bytes.js'
import type { Recompute } from '../stream/options.js'
import { verifyPlan } from '../verify/verify.js'
import { CheckError, checking, MEMORY } from './check-error.js'
import { type Fn, type Inputs, type Subject, subjectOf, type Training, trainer } from './subject.js'

export interface PlanCheckOptions {
  /** for a function: the numbers of the inputs that have gradients; default all */
  inputs?: readonly number[]
  /** the budget of the largest device; default '8MiB' */
  memory?: ByteSize
  /** default 'cpu' */
  device?: 'cpu' | 'reference'
}

/** The peaks that were planned and measured, in bytes. */
export interface PlanReport {
  readonly peaks: readonly { readonly microBatch: number; readonly recompute: Recompute; readonly peakBytes: number }[]
}

const OPTIONS = optionsOf<PlanCheckOptions>({ inputs: LIST, memory: ANYTHING, device: oneOf('cpu', 'reference') })
const NAME = 'checkPlan'
/** The second step can differ from the first, because a value was kept or counted. */
const STEPS = 2

/**
 * Are steps of a function or training as planned? In one piece and in two, and under the smallest budget that works, with values
 * made again: the verifier accepts each plan, each step peaks where it says, the bytes held are the same after every step, and
 * all of them come back when model and optimizer are disposed.
 * @throws CheckError     the first thing that differs
 * @throws ArgumentError  the arguments are wrong
 */
export function checkPlan(fn: Fn, inputs: Inputs, options?: PlanCheckOptions): Promise<PlanReport>
export function checkPlan<O, T>(training: Training<O, T>, options?: PlanCheckOptions): Promise<PlanReport>
export async function checkPlan(...given: readonly unknown[]): Promise<PlanReport> {
  const { subject, options } = subjectOf<PlanCheckOptions>(NAME, given, OPTIONS)
  const { device: kind = 'cpu', memory = MEMORY } = options
  const samples = samplesIn(subject.batch)
  const on = async (budget: ByteSize, sizes: readonly (number | 'fit')[], recompute: Recompute) => {
    const device = await openDevice(kind, { memory: budget, threads: 1 })
    return checking(NAME, device, async () => {
      const found = []
      for (const size of sizes) found.push(await steps(subject, device, size, recompute))
      return found
    })
  }
  const ample = await on(memory, samples > 1 ? [samples, Math.ceil(samples / 2)] : [1], 'cheap')
  const least = await on(ample[0].minimumBytes, ['fit'], 'needed')
  return {
    peaks: [...ample, ...least].map(({ microBatch, recompute, peakBytes }) => ({ microBatch, recompute, peakBytes })),
  }
}

async function steps(subject: Subject, device: Device, microBatch: number | 'fit', recompute: Recompute) {
  const { batch } = subject
  const before = device.memory.heldBytes
  const run = trainer(subject, device, recompute)
  const how = `in micro-batches of ${microBatch === 'fit' ? 'the size that fits' : microBatch} under ${formatBytes(device.memory.budgetBytes)}`
  const plan = run.streamer.plan({
    batch: samplesIn(batch),
    microBatch,
    inputShape: sampleShapes(batch.inputs),
    targetShape: sampleShapes(batch.targets),
    weighted: batch.weights !== undefined,
  })
  verifyPlan(plan.toJSON())
  const held = device.memory.heldBytes
  for (let step = 1; step <= STEPS; step++) {
    const { peakBytes, plannedPeakBytes } = await run.streamer.step(batch, { microBatch })
    if (peakBytes !== plan.plannedPeakBytes || plannedPeakBytes !== peakBytes)
      throw new CheckError(`step ${step} ${how} peaks at ${peakBytes} bytes, and ${plan.plannedPeakBytes} were planned`)
    const left = device.memory.heldBytes - held
    if (left !== 0)
      throw new CheckError(`${left} bytes more are held after step ${step} ${how}: something keeps a tensor`)
  }
  run.dispose()
  const left = device.memory.heldBytes - before
  if (left !== 0)
    throw new CheckError(
      `${left} bytes are held after the model was disposed: it has a tensor that is neither parameter nor buffer`,
    )
  return {
    microBatch: plan.microBatch,
    recompute,
    peakBytes: plan.plannedPeakBytes,
    minimumBytes: plan.minimumBudgetBytes,
  }
}
