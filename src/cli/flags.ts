/** The flags of `train` and `plan`: their names, defaults and help. The job that they describe: job.ts. */
import { MAX_THREADS } from '../../kernels/simd/index.js'
import { DEVICE_KINDS } from '../device/open.js'
import { BUILDERS } from '../models/index.js'
import { BATCH_NORM_POLICIES } from '../nn/batch-norm.js'
import type { RateRule } from '../stream/streamer.js'
import { SCHEDULES } from './rate.js'

export const MODELS = Object.keys(BUILDERS)
export const OPTIMIZERS = ['sgd', 'adam', 'adamw', 'rmsprop'] as const
/** What `--largest` makes as large as can be. */
export const KNOBS = ['batch', 'image', 'width'] as const
export type Knob = (typeof KNOBS)[number]
export const RATE_RULES = ['none', 'linear', 'sqrt'] as const satisfies readonly RateRule[]

/** The defaults describe the main job: lenet on digits. */
export const JOB_OPTIONS = {
  model: { type: 'string', default: 'lenet', value: MODELS.join('|'), help: 'the network' },
  width: { type: 'string', value: 'N', help: 'features of its first layer (mlp 128, others 16)' },
  data: {
    type: 'string',
    default: 'digits',
    value: 'digits|FORM:PATH',
    help: 'embedded digits, or other data: see below',
  },
  image: { type: 'string', value: 'N', help: 'side of the images that are decoded (224) or drawn (32), in pixels' },
  target: { type: 'string', value: 'COLUMN', help: 'of csv: the column to predict' },
  context: { type: 'string', value: 'T', help: 'of text: tokens in a sequence (64)' },
  batch: { type: 'string', default: '1024', value: 'N|auto', help: 'samples in a mini-batch; auto: see --max-batch' },
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
  'batch-norm': {
    type: 'string',
    value: BATCH_NORM_POLICIES.join('|'),
    help: 'batch norm in hidden layers; exact: by the whole mini-batch (none)',
  },
  store: {
    type: 'string',
    value: 'SIZE',
    help: 'host memory for what exact keeps between passes (within --memory)',
  },
  device: { type: 'string', default: 'cpu', value: DEVICE_KINDS.join('|'), help: 'see sluice devices' },
  threads: { type: 'string', value: 'N', help: `of the cpu device, at most ${MAX_THREADS} (one for each core)` },
  optimizer: { type: 'string', default: 'adam', value: OPTIMIZERS.join('|'), help: 'how to step' },
  lr: { type: 'string', value: 'RATE', help: 'learning rate (sgd 0.05, others 0.01)' },
  momentum: { type: 'string', value: 'M', help: 'of sgd (0.9) and rmsprop (0)' },
  'weight-decay': { type: 'string', value: 'D', help: 'pull of weights to zero (adamw 0.01, others 0)' },
  'clip-norm': { type: 'string', value: 'NORM', help: "limit of the whole mini-batch's gradient norm (none)" },
  'clip-value': { type: 'string', value: 'LIMIT', help: "limit of each element of the mini-batch's gradient (none)" },
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

/** The flags of `train --batch auto`. */
export const GROWTH = {
  'max-batch': {
    type: 'string',
    value: 'N',
    help: 'with --batch auto the mini-batch grows with the gradient noise, up to N (all)',
  },
  'batch-lr': { type: 'string', value: RATE_RULES.join('|'), help: 'what the learning rate does then (none)' },
} as const

/** The other flags that only `train` takes. */
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
  ...([
    'model',
    'width',
    'data',
    'image',
    'target',
    'context',
    'batch',
    'memory',
    'epochs',
    'seed',
    'micro-batch',
    'recompute',
    'device',
  ] as const),
  ...([
    'threads',
    'optimizer',
    'lr',
    'momentum',
    'weight-decay',
    'clip-norm',
    'clip-value',
    'schedule',
    'warm-up',
  ] as const),
  ...(['max-batch', 'batch-lr', 'batch-norm', 'store'] as const),
] as const satisfies readonly (keyof typeof JOB_OPTIONS | keyof typeof GROWTH)[]
export type KeptFlag = (typeof KEPT_FLAGS)[number]
