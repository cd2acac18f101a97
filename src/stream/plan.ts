/**
 * A plan: how a mini-batch is split, what memory the split takes, and its text for a person. The search for a plan is
 * in search.ts.
 */
import type { Device } from '../device/device.js'
import { PlanMismatchError } from '../device/errors.js'
import { type BytesByCategory, CATEGORIES } from '../memory/allocator.js'
import { formatBytes, groupDigits } from '../memory/bytes.js'
import type { SluiceError } from '../memory/errors.js'
import type { ModuleBytes, Pass } from '../step/pass.js'
import type { StoreLayout } from '../step/store.js'
import type { Shapes, Structure } from '../tensor/structure.js'
import type { PlanFile } from './plan-format.js'

/** `count` micro-batches of `size` samples, one after the other. */
export interface Part {
  readonly size: number
  readonly count: number
}

/**
 * `samples` in as few micro-batches of at most `cap` samples as possible, balanced: 10 with cap 4 -> 1 x 4, 2 x 3.
 * Sizes differ by at most one, so there are at most two parts; the larger comes first.
 */
export function balanced(samples: number, cap: number): Part[] {
  const count = Math.ceil(samples / cap)
  const size = Math.floor(samples / count)
  const larger = samples % count
  return [
    { size: size + 1, count: larger },
    { size, count: count - larger },
  ].filter((part) => part.count > 0)
}

/** The number of micro-batches. */
export const countOf = (parts: readonly Part[]): number => parts.reduce((sum, { count }) => sum + count, 0)

/** The size of each micro-batch: 1 x 4, 2 x 3 -> 4, 3, 3. */
export function* sizesOf(parts: readonly Part[]): Generator<number, void, void> {
  for (const { size, count } of parts) for (let i = 0; i < count; i++) yield size
}

/** The passes of a step. The last three exist only if it learns. */
export interface Passes {
  /** before the micro-batches */
  readonly reset: Pass
  /** for each part of the plan, the passes of a micro-batch: one, or more if the step has levels; none if they run elsewhere */
  readonly parts: readonly (readonly Pass[])[]
  /** what waits between the passes; null: nothing */
  readonly store: PlannedStore | null
  /** the loss of all outputs together, after this pass over the micro-batches: Note [Joint loss] in joint.ts */
  readonly joint: PlannedJoint | null
  /** after the first micro-batch, if there are several, in one pass: for the gradient noise scale */
  readonly noise?: Pass
  /** after all of them */
  readonly norm?: Pass
  readonly commit?: Pass
}

export interface PlannedJoint {
  readonly pass: Pass
  readonly after: number
}

/** The store of a step in several passes: see step/store.ts. */
export interface PlannedStore {
  readonly layout: StoreLayout
  readonly bytes: number
  /** Does it lie outside the device? */
  readonly onHost: boolean
  /** the bytes that all passes read from it and write to it */
  readonly trafficBytes: number
}

/** A plan, and the passes that run it. */
export interface PlannedStep {
  readonly plan: Plan
  readonly passes: Passes
}

/** The measurements of a recorded step with micro-batches of equal size. */
export interface Measured {
  /**
   * For each size of micro-batch its passes: one pass of this size, or the several passes of the whole split.
   * Empty if the model or the device refuses the size.
   */
  readonly passes: readonly (readonly Pass[])[]
  readonly store: PlannedStore | null
  readonly joint: PlannedJoint | null
  /** the bytes that wait between passes, and those among them that count against the device's budget but lie elsewhere */
  readonly waitingBytes: number
  readonly besideBytes: number
  /** the peaks of the whole step */
  peakBytes: number
  peakHeldBytes: number
  peakOp: string
  heldAtPeak: BytesByCategory
  modulesAtPeak: readonly ModuleBytes[]
  /** the shape of the model's output, without its first axis; a list or a record where the model returns one */
  outputShape: Shapes
  /** rows on the first axis of the output, for each sample; likewise */
  outputRows: Structure<number>
  /** how the split changes the mathematics of this step, for the user */
  notes: readonly string[]
}

/** The size of micro-batches. 'fit': the largest that fits. A number: at most this many samples. */
export type MicroBatchOption = 'fit' | number

/** A mini-batch cut into micro-batches, and the memory that it takes. */
export interface Split {
  readonly mode: string
  /** samples in the mini-batch */
  readonly batch: number
  /** the largest micro-batch that fits, or the size that was asked for; at most `batch` */
  readonly microBatch: number
  /** the micro-batches in order: all of equal size, or first those with one sample more */
  readonly parts: readonly Part[]
  readonly budgetBytes: number
  readonly heldBytes: BytesByCategory
  /** budget minus held: what is left for micro-batches */
  readonly remainingBytes: number
  /**
   * the bytes that one more sample adds to the peak, averaged up to the whole mini-batch or the largest part that can
   * run
   */
  readonly bytesPerSample: number
  /** the peak of the step; a step with another peak is not committed */
  readonly plannedPeakBytes: number
  /** the smallest budget under which this plan runs unchanged */
  readonly neededBudgetBytes: number
  /** the budget that the unsplit mini-batch needs; Infinity if its tensors are too large for the device */
  readonly wholeBatchBytes: number
  /** the smallest budget under which this mini-batch can run at all */
  readonly minimumBudgetBytes: number
  /** the op at the peak, and the bytes held there */
  readonly peakOp: string
  readonly heldAtPeak: BytesByCategory
  /**
   * the bytes that each module's values take at the peak, the largest first; '' is the model itself and code outside of
   * it
   */
  readonly modulesAtPeak: readonly ModuleBytes[]
  /** the time that making values again takes, as a share of the step without it, as predicted */
  readonly extraTime: number
  /** how many passes each micro-batch takes: more than 1 if the step uses values of the whole mini-batch */
  readonly passes: number
  /** the bytes that wait between the passes */
  readonly storeBytes: number
  /** the bytes that all passes read from the store and write to it */
  readonly storeTrafficBytes: number
  /** how the split changes the mathematics of this step, for the user */
  readonly notes: readonly string[]
  /** the shape of the model's output, without its first axis; a list or a record where the model returns one */
  readonly outputShape: Shapes
  /** rows on the first axis of the output, for each sample; likewise */
  readonly outputRows: Structure<number>
  toString(): string
}

/** What can be made larger with the model as it is: see Plan.largest. */
export type Knob = 'batch' | 'image'

/** The largest value that fits, with its proof. */
export interface Largest {
  readonly value: number
  /** what it takes */
  readonly plan: Plan
  /** the next value that the model takes, and why it does not fit; null where no larger value is looked at */
  readonly next: { readonly value: number; readonly error: SluiceError } | null
}

/** What a plan would be if certain values were made again for the backward. */
export interface FrontierPoint {
  /** as in the plan */
  readonly extraTime: number
  /** the peak of a step in the plan's micro-batches */
  readonly peakBytes: number
  /** the largest micro-batch that fits, at most the mini-batch; 0: not even one sample fits */
  readonly microBatch: number
}

export interface Plan extends Split {
  /** the plan as a file, for `verifyPlan` and other programs: see docs/step-as-data.md */
  toJSON(): PlanFile
  /**
   * What making values again would give, whatever `recompute` says. The first point makes nothing again and takes the least
   * time; the others take more time and fewer bytes. Empty for a plan that does not train. It records the model as it is at
   * the call.
   */
  frontier(): readonly FrontierPoint[]
  /**
   * The largest that fits the budget, with everything else as in this plan. It records the model as it is at the call;
   * `largestThatFits` is for a model that has to be made anew for each value.
   * - 'batch': the largest mini-batch that goes in one piece. (In micro-batches a mini-batch of any size goes.)
   * - 'image': the largest side of square images [C, side, side] with which the mini-batch can be streamed: one by one if
   *   need be, or in the micro-batch that the plan was asked for. A target whose last axes are the sides of the image grows
   *   with it
   * @throws ArgumentError  the device has no budget; the samples are no images, or the model refuses larger ones
   */
  largest(knob: Knob): Largest
}

/** '1 x 4 + 2 x 3' */
export const describeParts = (parts: readonly Part[]): string =>
  parts.map(({ size, count }) => `${groupDigits(count)} x ${groupDigits(size)}`).join(' + ')

/** The modules whose values take the most at the peak, as shares of all bytes held there. */
function describeModules({ modulesAtPeak, heldAtPeak }: Split): string {
  const heldBytes = CATEGORIES.reduce((sum, category) => sum + heldAtPeak[category], 0)
  const share = (bytes: number): string => `${Math.round((100 * bytes) / heldBytes)} %`
  const largest = modulesAtPeak.slice(0, 3)
  return largest.map(({ module, bytes }) => `${module ? `'${module}'` : 'the model itself'} ${share(bytes)}`).join(', ')
}

/** The memory report: a table of the budget and its use. */
export function describePlan(plan: Split): string {
  const share = ((100 * plan.plannedPeakBytes) / plan.budgetBytes).toFixed(1)
  const times = plan.wholeBatchBytes / plan.budgetBytes
  const count = countOf(plan.parts)
  const steps = count === 1 ? '1 accumulation step' : `${groupDigits(count)} accumulation steps`
  const bytes = (label: string, count: number, more = ''): string =>
    `  ${label.padEnd(22)}${formatBytes(count).padStart(12)}  ${groupDigits(count).padStart(16)} B${more && `   ${more}`}`
  const lines = [
    `Memory plan (${plan.mode}): mini-batch ${groupDigits(plan.batch)}`,
    bytes('budget', plan.budgetBytes),
    ...CATEGORIES.filter((category) => plan.heldBytes[category] > 0).map((category) =>
      bytes(`- ${category}`, plan.heldBytes[category]),
    ),
    bytes('remaining', plan.remainingBytes),
    bytes('per sample', plan.bytesPerSample),
    bytes('planned peak', plan.plannedPeakBytes, `${share} % of the budget, at '${plan.peakOp}'`),
    ...(plan.modulesAtPeak.length > 0 ? [`  ${'modules at the peak'.padEnd(22)}${describeModules(plan)}`] : []),
    Number.isFinite(times)
      ? bytes(
          'whole batch needs',
          plan.wholeBatchBytes,
          times > 1 ? `${times.toFixed(1)} times the budget` : 'within the budget',
        )
      : `  ${'whole batch needs'.padEnd(22)}tensors larger than this device has, whatever the budget`,
    bytes('smallest budget', plan.minimumBudgetBytes),
    `  micro-batch ${groupDigits(plan.microBatch)}: ${steps}, ${describeParts(plan.parts)}`,
    ...(plan.passes > 1
      ? [
          `  ${groupDigits(plan.passes)} passes over the micro-batches, for values of the whole mini-batch:`,
          bytes('  store between them', plan.storeBytes, `${formatBytes(plan.storeTrafficBytes)} of traffic`),
        ]
      : []),
    ...(plan.extraTime > 0
      ? [
          `  values are made again ${plan.passes > 1 ? 'in later passes' : 'for the backward'}: ${(100 * plan.extraTime).toFixed(1)} % more time, as predicted`,
        ]
      : []),
    ...plan.notes.map((note) => `  note: ${note}`),
  ]
  return lines.join('\n')
}

/** @throws PlanMismatchError  the step has had another peak than its plan */
export function holdToPlan({ allocator }: Device, plan: Split): void {
  const { peakBytes } = allocator
  if (peakBytes === plan.plannedPeakBytes) return
  throw new PlanMismatchError(
    `the step peaked at ${peakBytes} bytes where its plan says ${plan.plannedPeakBytes}. Something allocated or ` +
      'freed tensors outside the recorded step: let the model make and free tensors only in its forward. ' +
      'Nothing was committed.',
  )
}
