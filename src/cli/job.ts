/** The flags that `train` and `plan` share, and the model, optimizer and streamer that they describe. */
import { MAX_THREADS } from '../../kernels/simd/index.js'
import { type Dataset, type DatasetShape, digits, digitsShape, idxFolder, split } from '../data/index.js'
import type { Device } from '../device/device.js'
import { budgetOf, DEVICE_KINDS, type DeviceKind } from '../device/open.js'
import { LARGEST_SEED } from '../device/seed.js'
import { BUILDERS } from '../models/index.js'
import { crossEntropy } from '../ops/cross-entropy.js'
import { adam, adamw, constant, cosine, type Optimizer, type Schedule, sgd, stepDecay, warmUp } from '../optim/index.js'
import type { MicroBatchOption } from '../stream/plan.js'
import { LARGEST_BATCH } from '../stream/search.js'
import { type Recompute, Streamer } from '../stream/streamer.js'
import { sameShape, showShape } from '../tensor/shape.js'
import { choice, decimal, parseOptions, reading, UsageError, type Values, whole } from './options.js'

const MODELS = Object.keys(BUILDERS)
const OPTIMIZERS = ['sgd', 'adam', 'adamw'] as const
/** What `--largest` makes as large as can be. */
const KNOBS = ['batch', 'image', 'width'] as const
export type Knob = (typeof KNOBS)[number]
const SCHEDULES = ['cosine', 'constant', 'step'] as const
const TEST_FRACTION = 0.2

/** The defaults describe the main job: lenet on digits. */
export const JOB_OPTIONS = {
  model: { type: 'string', default: 'lenet', value: MODELS.join('|'), help: 'the network' },
  width: { type: 'string', value: 'N', help: 'features of its first layer (mlp 128, others 16)' },
  data: {
    type: 'string',
    default: 'digits',
    value: 'digits|idx:DIR',
    help: 'embedded digits, or a folder of IDX files',
  },
  batch: { type: 'string', default: '1024', value: 'N', help: 'samples in a mini-batch' },
  memory: {
    type: 'string',
    default: '2MiB',
    value: 'SIZE',
    help: 'the byte budget: 8MiB, 4096, or 60% of the container or machine',
  },
  epochs: { type: 'string', default: '60', value: 'N', help: 'passes over the training data' },
  seed: { type: 'string', default: '1', value: 'N', help: 'of weights, split and order' },
  'micro-batch': {
    type: 'string',
    default: 'fit',
    value: 'fit|fast|N',
    help: 'largest that fits, fastest (measured), or at most N',
  },
  recompute: {
    type: 'string',
    default: 'cheap',
    value: 'never|cheap|needed|SHARE',
    help: 'drop values and make them again: how much more time it may take',
  },
  device: { type: 'string', default: 'cpu', value: DEVICE_KINDS.join('|'), help: 'see sluice devices' },
  threads: { type: 'string', value: 'N', help: `of the cpu device, at most ${MAX_THREADS} (one for each core)` },
  optimizer: { type: 'string', default: 'adam', value: OPTIMIZERS.join('|'), help: 'how to step' },
  lr: { type: 'string', value: 'RATE', help: 'learning rate (adam and adamw 0.01, sgd 0.05)' },
  momentum: { type: 'string', value: 'M', help: 'of sgd (0.9)' },
  'weight-decay': { type: 'string', value: 'D', help: 'pull of weights to zero (adamw 0.01, others 0)' },
  'clip-norm': { type: 'string', value: 'NORM', help: "limit of the whole mini-batch's gradient norm (none)" },
  schedule: { type: 'string', default: 'cosine', value: SCHEDULES.join('|'), help: 'step: a tenth after each third' },
  'warm-up': { type: 'string', default: '10', value: 'STEPS', help: 'straight rise to the learning rate' },
  json: { type: 'boolean', help: 'one JSON object a line, for programs' },
  'memory-svg': { type: 'string', value: 'FILE', help: 'draw what one step holds over time' },
  help: { type: 'boolean', help: 'this text' },
} as const

/** The flags that only `plan` takes. */
export const PLAN_OPTIONS = {
  largest: { type: 'string', value: KNOBS.join('|'), help: 'find the largest that fits, then plan with it' },
  out: { type: 'string', value: 'FILE', help: 'write the plan as JSON, for sluice verify' },
} as const

/** The flags that only `train` takes. */
export const KEEP = {
  checkpoint: {
    type: 'string',
    value: 'FILE',
    help: 'write the training to FILE after each epoch, at the end, on Ctrl-C',
  },
  every: { type: 'string', value: 'K', help: 'write it after every K steps too' },
  log: { type: 'string', value: 'FILE', help: 'a line of JSON for each step and epoch; --resume adds to it' },
  resume: { type: 'string', value: 'FILE', help: 'go on from FILE, with its flags and the given ones' },
} as const

/** The flags that a checkpoint keeps: those that describe the training and the machine. */
export const KEPT_FLAGS = [
  ...(['model', 'width', 'data', 'batch', 'memory', 'epochs', 'seed', 'micro-batch', 'recompute', 'device'] as const),
  ...(['threads', 'optimizer', 'lr', 'momentum', 'weight-decay', 'clip-norm', 'schedule', 'warm-up'] as const),
] as const satisfies readonly (keyof typeof JOB_OPTIONS)[]
export type KeptFlag = (typeof KEPT_FLAGS)[number]

export interface Job {
  model: string
  /** undefined: the model's own */
  width: number | undefined
  /** null: the embedded digits */
  folder: string | null
  batch: number
  memoryBytes: number
  epochs: number
  seed: number
  microBatch: MicroBatchOption
  /** should microBatch be chosen by measuring, before the training? */
  fastest: boolean
  recompute: Recompute
  device: DeviceKind
  /** undefined: one for each core */
  threads: number | undefined
  optimizer: (typeof OPTIMIZERS)[number]
  learningRate: number
  /** of sgd */
  momentum: number
  /** undefined: the optimizer's own default */
  weightDecay: number | undefined
  clipNorm: number | undefined
  schedule: (typeof SCHEDULES)[number]
  warmUpSteps: number
  json: boolean | undefined
  svg: string | undefined
  /** of `plan`: where to write it */
  out: string | undefined
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
  type Own = Partial<Record<keyof typeof PLAN_OPTIONS | keyof typeof KEEP, string>>
  const { values }: { values: Values<typeof JOB_OPTIONS> & Own } =
    command === 'plan'
      ? parseOptions(command, args, { ...JOB_OPTIONS, ...PLAN_OPTIONS })
      : parseOptions(command, args, { ...JOB_OPTIONS, ...KEEP })
  const ifGiven = <T>(text: string | undefined, read: (text: string) => T): T | undefined =>
    text === undefined ? undefined : read(text)
  const device = choice('--device', values.device, DEVICE_KINDS)
  const optimizer = choice('--optimizer', values.optimizer, OPTIMIZERS)
  if (values.momentum !== undefined && optimizer !== 'sgd') {
    throw new UsageError(
      `--momentum is for sgd, and the optimizer is ${optimizer}: leave it out, or say --optimizer sgd`,
    )
  }
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
  const folder = /^idx:(.+)/s.exec(values.data)?.[1] ?? null
  if (folder === null && values.data !== 'digits') {
    throw new UsageError(`--data '${values.data}' is neither 'digits' nor 'idx:' and a folder`)
  }
  return {
    model: choice('--model', values.model, MODELS),
    width: ifGiven(values.width, (text) => whole('--width', text, 1)),
    folder,
    batch: whole('--batch', values.batch, 1, LARGEST_BATCH),
    memoryBytes: reading('--memory', () => budgetOf(device, values.memory)),
    epochs: whole('--epochs', values.epochs, 1),
    seed: whole('--seed', values.seed, 0, LARGEST_SEED),
    microBatch: size === 'fit' || size === 'fast' ? 'fit' : whole('--micro-batch', size, 1),
    fastest: size === 'fast',
    recompute: recomputeOf(values.recompute),
    device,
    threads: ifGiven(values.threads, (text) => whole('--threads', text, 1, MAX_THREADS)),
    optimizer,
    learningRate: ifGiven(values.lr, (text) => decimal('--lr', text, 0)) ?? (optimizer === 'sgd' ? 0.05 : 0.01),
    momentum: decimal('--momentum', values.momentum ?? '0.9', 0),
    weightDecay: ifGiven(values['weight-decay'], (text) => decimal('--weight-decay', text, 0)),
    clipNorm: ifGiven(values['clip-norm'], (text) => decimal('--clip-norm', text, 0, true)),
    schedule: choice('--schedule', values.schedule, SCHEDULES),
    warmUpSteps: whole('--warm-up', values['warm-up'], 0),
    json: values.json,
    svg: values['memory-svg'],
    out: values.out,
    largest: ifGiven(values.largest, (text) => choice('--largest', text, KNOBS)),
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

/** Training and test data, or only their shapes. */
export interface Sets<T extends DatasetShape = DatasetShape> {
  train: T
  test: T
}

/**
 * The data. Digits are split by the seed, and so is a folder without test files.
 * @throws UsageError  training and test images differ in size
 */
export async function loadSets({ folder, seed }: Job): Promise<Sets<Dataset>> {
  if (folder === null) return split(digits(), { testFraction: TEST_FRACTION, seed })
  const { train, test } = await idxFolder(folder)
  if (test && !sameShape(train.inputShape, test.inputShape)) {
    const [own, other] = [train, test].map(({ inputShape }) => showShape(inputShape))
    throw new UsageError(`--data: in ${folder} the training images are ${own}, and the test images ${other}`)
  }
  return test ? { train, test } : split(train, { testFraction: TEST_FRACTION, seed })
}

/** The shapes alone; the digits need not be decoded for them. */
export async function shapesOf(job: Job): Promise<Sets> {
  if (job.folder !== null) return loadSets(job)
  const test = Math.round(digitsShape.length * TEST_FRACTION)
  return {
    train: { ...digitsShape, name: 'digits/train', length: digitsShape.length - test },
    test: { ...digitsShape, name: 'digits/test', length: test },
  }
}

export const classesOf = ({ train, test }: Sets): number => Math.max(train.classes ?? 1, test.classes ?? 1)

export const totalSteps = ({ batch, epochs }: Job, { train }: Sets): number => epochs * Math.ceil(train.length / batch)

/** Model, optimizer and streamer of a job, on any device. */
export function build(job: Job, sets: Sets, device: Device): { streamer: Streamer; parameterCount: number } {
  const { seed, recompute, width } = job
  const classes = classesOf(sets)
  const model = BUILDERS[job.model](device, { inputShape: sets.train.inputShape, classes, width, seed })
  const { weightDecay, clipNorm, momentum } = job
  const learningRate = scheduleOf(job, totalSteps(job, sets))
  const makers: Record<Job['optimizer'], () => Optimizer> = {
    sgd: () => sgd(model, { learningRate, weightDecay, clipNorm, momentum }),
    adam: () => adam(model, { learningRate, weightDecay, clipNorm }),
    adamw: () => adamw(model, { learningRate, weightDecay, clipNorm }),
  }
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: makers[job.optimizer](), seed, recompute })
  return { streamer, parameterCount: model.parameters().reduce((sum, { size }) => sum + size, 0) }
}

/** The learning rate of the whole run: warm-up, then the `--schedule` over the steps that remain. */
function scheduleOf({ learningRate, schedule, warmUpSteps }: Job, total: number): Schedule {
  const steps = Math.max(1, total - warmUpSteps)
  const schedules = {
    cosine: () => cosine({ learningRate, steps }),
    constant: () => constant(learningRate),
    step: () => stepDecay({ learningRate, every: Math.ceil(steps / 3) }),
  }
  const after = schedules[schedule]()
  return warmUpSteps > 0 ? warmUp(warmUpSteps, after) : after
}
