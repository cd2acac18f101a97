/** The job that flags describe: its data, and its model, optimizer and streamer. */
import { MAX_THREADS } from '../../kernels/simd/index.js'
import type { Device } from '../device/device.js'
import { budgetOf, DEVICE_KINDS, type DeviceKind } from '../device/open.js'
import { LARGEST_SEED } from '../device/seed.js'
import { parseBytes } from '../memory/bytes.js'
import { MODELS as KINDS, type SizeOption } from '../models/index.js'
import { BATCH_NORM_POLICIES, type BatchNormPolicy } from '../nn/batch-norm.js'
import { adam, adamw, type Optimizer, rmsprop, type Schedule, sgd } from '../optim/index.js'
import { FIRST } from '../stream/growth.js'
import type { MicroBatchOption } from '../stream/plan.js'
import { LARGEST_BATCH } from '../stream/search.js'
import { type Cursor, type PlanOptions, type RateRule, type Recompute, Streamer } from '../stream/streamer.js'
import {
  GROWTH,
  JOB_OPTIONS,
  KEEP,
  KEPT_FLAGS,
  type KeptFlag,
  type Knob,
  MODELS,
  OPTIMIZERS,
  PLAN_OPTIONS,
  RATE_RULES,
} from './flags.js'
import { choice, decimal, parseOptions, reading, UsageError, type Values, whole } from './options.js'
import { SCHEDULES, scheduleOf } from './rate.js'
import { knobOf, type Made, madeFor, sizesOf } from './samples.js'
import { checkDataOptions, type DataFlag, type DataOptions, dataFlag, SAMPLES, type Sets } from './sets.js'
import { taskOf } from './task.js'

export interface Job {
  model: string
  /** those that are given */
  sizes: Readonly<Partial<Record<SizeOption, number>>>
  data: DataFlag
  dataOptions: DataOptions
  /** of `plan`: samples to plan for without data; null: those of --data */
  made: Made | null
  /** the size of a mini-batch; the largest, if it grows */
  batch: number
  /** if the mini-batch grows: what the learning rate does */
  grows: RateRule | undefined
  memoryBytes: number
  epochs: number
  seed: number
  microBatch: MicroBatchOption
  /** should microBatch be chosen by measuring, before the training? */
  fastest: boolean
  recompute: Recompute
  /** undefined: as the model has it */
  batchNorm: BatchNormPolicy | undefined
  /** bytes of the store; undefined: it is a part of the budget */
  storeBytes: number | undefined
  device: DeviceKind
  /** undefined: one for each core */
  threads: number | undefined
  optimizer: (typeof OPTIMIZERS)[number]
  learningRate: number
  /** of sgd and rmsprop */
  momentum: number
  /** undefined: the optimizer's own default */
  weightDecay: number | undefined
  clipNorm: number | undefined
  /** at most one of the two limits is given */
  clipValue: number | undefined
  schedule: (typeof SCHEDULES)[number]
  warmUpSteps: number
  json: boolean | undefined
  svg: string | undefined
  /** of `plan`: where to write it */
  out: string | undefined
  /** of `plan`: where to write its page */
  html: string | undefined
  /** of `plan` */
  largest: Knob | undefined
  /** only `train` has this and the next three */
  checkpoint: string | undefined
  log: string | undefined
  every: number | undefined
  resume: string | undefined
  /** the values as they were given, including defaults */
  flags: Readonly<Partial<Record<KeptFlag, string>>>
  help: boolean | undefined
}

/** @throws UsageError  naming the flag */
export function parseJob(command: 'train' | 'plan', args: readonly string[]): Job {
  type Own = Partial<Record<keyof typeof PLAN_OPTIONS | keyof typeof KEEP | keyof typeof GROWTH, string>>
  const { values }: { values: Values<typeof JOB_OPTIONS> & Own } =
    command === 'plan'
      ? parseOptions(command, args, { ...JOB_OPTIONS, ...PLAN_OPTIONS })
      : parseOptions(command, args, { ...JOB_OPTIONS, ...GROWTH, ...KEEP })
  const ifGiven = <T>(text: string | undefined, read: (text: string) => T): T | undefined =>
    text === undefined ? undefined : read(text)
  const device = choice('--device', values.device, DEVICE_KINDS)
  const optimizer = choice('--optimizer', values.optimizer, OPTIMIZERS)
  if (values.momentum !== undefined && optimizer !== 'sgd' && optimizer !== 'rmsprop') {
    throw new UsageError(
      `--momentum is for sgd and rmsprop, and the optimizer is ${optimizer}: leave it out, or say --optimizer sgd`,
    )
  }
  if (values['clip-norm'] !== undefined && values['clip-value'] !== undefined) {
    throw new UsageError('--clip-norm and --clip-value are both given: leave one out')
  }
  const model = choice('--model', values.model, MODELS)
  const sizes = sizesOf(model, values)
  const size = values['micro-batch']
  if (size === 'fast' && command === 'plan') {
    throw new UsageError('--micro-batch fast measures by training, and plan trains nothing: say fit or a number')
  }
  if (values.every !== undefined && values.checkpoint === undefined) {
    throw new UsageError('--every sets how often the file of --checkpoint is written: give --checkpoint FILE too')
  }
  if (values.log !== undefined && values.log === values.checkpoint) {
    throw new UsageError(`--log and --checkpoint are the same file '${values.log}': give two`)
  }
  const batchNorm = ifGiven(values['batch-norm'], (text) => choice('--batch-norm', text, BATCH_NORM_POLICIES))
  if (batchNorm !== undefined && !KINDS[model].takes.includes('batchNorm')) {
    throw new UsageError(`--batch-norm: ${model} has no batch norm; leave it out`)
  }
  if (values.store !== undefined && batchNorm === undefined) {
    throw new UsageError('--store is for what batch norm keeps between passes: leave it out, or say --batch-norm exact')
  }
  const auto = values.batch === 'auto'
  if (auto && command === 'plan') {
    throw new UsageError('--batch auto grows while it trains, and plan trains nothing: say a number')
  }
  if (auto && batchNorm === 'exact') {
    throw new UsageError(
      '--batch auto follows the noise of the gradient, which is not measured with --batch-norm exact: say a number, or deferred',
    )
  }
  for (const flag of ['max-batch', 'batch-lr'] as const) {
    if (values[flag] === undefined || auto) continue
    throw new UsageError(`--${flag} is for a mini-batch that grows: leave it out, or say --batch auto`)
  }
  const largest = auto ? (values['max-batch'] ?? String(LARGEST_BATCH)) : values.batch
  const dataOptions = {
    image: ifGiven(values.image, (text) => whole('--image', text, 1)),
    target: values.target,
    context: ifGiven(values.context, (text) => whole('--context', text, 1)),
  }
  const data = dataFlag(values.data)
  const made = command === 'plan' ? madeFor(model, values, data.form) : null
  if (made === null) checkDataOptions(data, dataOptions)
  return {
    model,
    sizes,
    data,
    dataOptions,
    made,
    batch: whole(auto ? '--max-batch' : '--batch', largest, 1, LARGEST_BATCH),
    grows: auto ? choice('--batch-lr', values['batch-lr'] ?? 'none', RATE_RULES) : undefined,
    memoryBytes: reading('--memory', () => budgetOf(device, values.memory)),
    epochs: whole('--epochs', values.epochs, 1),
    seed: whole('--seed', values.seed, 0, LARGEST_SEED),
    microBatch: size === 'fit' || size === 'fast' ? 'fit' : whole('--micro-batch', size, 1),
    fastest: size === 'fast',
    recompute: recomputeOf(values.recompute),
    batchNorm,
    storeBytes: ifGiven(values.store, (text) => reading('--store', () => parseBytes(text))),
    device,
    threads: ifGiven(values.threads, (text) => whole('--threads', text, 1, MAX_THREADS)),
    optimizer,
    learningRate: ifGiven(values.lr, (text) => decimal('--lr', text, 0)) ?? (optimizer === 'sgd' ? 0.05 : 0.01),
    momentum: decimal('--momentum', values.momentum ?? (optimizer === 'sgd' ? '0.9' : '0'), 0),
    weightDecay: ifGiven(values['weight-decay'], (text) => decimal('--weight-decay', text, 0)),
    clipNorm: ifGiven(values['clip-norm'], (text) => decimal('--clip-norm', text, 0, true)),
    clipValue: ifGiven(values['clip-value'], (text) => decimal('--clip-value', text, 0, true)),
    schedule: choice('--schedule', values.schedule, SCHEDULES),
    warmUpSteps: whole('--warm-up', values['warm-up'], 0),
    json: values.json,
    svg: values['memory-svg'],
    out: values.out,
    html: values.html,
    largest: ifGiven(values.largest, (text) => knobOf(text, model, made?.sample ?? SAMPLES[data.form])),
    checkpoint: values.checkpoint,
    log: values.log,
    every: ifGiven(values.every, (text) => whole('--every', text, 1)),
    resume: values.resume,
    flags: Object.fromEntries(KEPT_FLAGS.map((name) => [name, values[name]])),
    help: values.help,
  }
}

const RECOMPUTE = ['never', 'cheap', 'needed'] as const

function recomputeOf(text: string): Recompute {
  const named = RECOMPUTE.find((name) => name === text)
  if (named) return named
  const share = Number(text)
  if (text.trim() !== '' && share >= 0 && share < Infinity) return share
  throw new UsageError(`--recompute '${text}' is not one of ${RECOMPUTE.join(', ')}, nor a share of time such as 0.15`)
}

/** The outputs of a model for these data: one for each class, or one number. */
export const classesOf = ({ train, test }: Sets): number => Math.max(train.classes ?? 1, test.classes ?? 1)

/** What a model learns from, in words. */
const LEARNS = { class: 'images with classes', mask: 'images with masks', tokens: 'text' } as const

/** The steps of all epochs, as if the mini-batch did not grow. */
export const totalSteps = ({ batch, grows, epochs }: Job, { train }: Sets): number =>
  epochs * Math.ceil(train.length / (grows ? Math.min(FIRST, batch) : batch))

/** What a plan has to know of the data, besides the size of a mini-batch. */
export const shapesFor = ({
  train: { inputShape, targetShape },
}: Sets): Pick<PlanOptions, 'inputShape' | 'targetShape'> => ({
  inputShape,
  targetShape,
})

/** What a job says of its model. */
export const modelOf = ({ sizes, batchNorm }: Job) => ({ ...sizes, ...(batchNorm && { batchNorm }) })

/** Model and loss of a job, on any device. */
export function modelFor(job: Job, sets: Sets, device: Device) {
  const { seed } = job
  const classes = classesOf(sets)
  const { sample, loss, needs } = taskOf(sets.train)
  if (!KINDS[job.model].samples.includes(sample)) {
    const others = MODELS.filter((name) => KINDS[name].samples.includes(sample)).join(', ')
    const learns = KINDS[job.model].samples.map((each) => LEARNS[each]).join(' or ')
    throw new UsageError(
      `--model ${job.model} learns from ${learns}, and --data has ${needs}: say --model ${others}, or other data`,
    )
  }
  const options = { ...modelOf(job), inputShape: sets.train.inputShape, classes, seed }
  return { model: KINDS[job.model].build(device, options, sample), loss }
}

/** Model, optimizer and streamer of a job, likewise. */
export function build(job: Job, sets: Sets, device: Device): { streamer: Streamer; parameterCount: number } {
  const { seed, recompute, storeBytes: store } = job
  const { model, loss } = modelFor(job, sets, device)
  const { weightDecay, clipNorm, clipValue, momentum } = job
  const ofStep = scheduleOf(job, totalSteps(job, sets))
  // a mini-batch that grows makes fewer steps: count what is learned, in mini-batches of the first size
  const learned = ({ epoch, samples }: Cursor): number =>
    Math.floor((epoch * sets.train.length + samples) / Math.min(FIRST, job.batch))
  const learningRate: Schedule = job.grows ? () => ofStep(learned(streamer.cursor)) : ofStep
  const common = { learningRate, weightDecay, clipNorm, clipValue }
  const makers: Record<Job['optimizer'], () => Optimizer> = {
    sgd: () => sgd(model, { ...common, momentum }),
    adam: () => adam(model, common),
    adamw: () => adamw(model, common),
    rmsprop: () => rmsprop(model, { ...common, momentum }),
  }
  const streamer: Streamer = new Streamer({
    model,
    loss,
    optimizer: makers[job.optimizer](),
    seed,
    recompute,
    store,
  })
  return { streamer, parameterCount: model.parameters().reduce((sum, { size }) => sum + size, 0) }
}
