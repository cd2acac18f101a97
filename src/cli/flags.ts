/** The flags of `train` and `plan`: their names, defaults and help. The job that they describe: job.ts. */
import { MAX_THREADS } from '../../kernels/simd/index.js'
import { DEVICE_KINDS } from '../device/open.js'
import { MODELS as KINDS, type SizeOption } from '../models/index.js'
import { BATCH_NORM_POLICIES } from '../nn/batch-norm.js'
import type { RateRule } from '../stream/streamer.js'
import { SCHEDULES } from './rate.js'

export const MODELS = Object.keys(KINDS)
/** The flags of a model's sizes. */
export const SIZES = ['width', 'layers', 'filters', 'levels', 'heads'] as const satisfies readonly SizeOption[]
export const OPTIMIZERS = ['sgd', 'adam', 'adamw', 'rmsprop'] as const
/** The sizes that `--largest` can maximize. */
export const KNOBS = ['batch', 'image', 'context', 'width', 'layers', 'filters', 'levels'] as const
export type Knob = (typeof KNOBS)[number]
export const RATE_RULES = ['none', 'linear', 'sqrt'] as const satisfies readonly RateRule[]

/** The defaults describe the main job: lenet on digits. */
export const JOB_OPTIONS = {
  model: { type: 'string', default: 'lenet', value: 'NAME', help: 'the network; the names are below' },
  width: { type: 'string', value: 'N', help: 'features of the first layer, a position or a state (by model)' },
  layers: { type: 'string', value: 'N', help: 'cells of amoebanet (18), blocks of gpt (12), layers of lstm (1)' },
  filters: { type: 'string', value: 'N', help: 'channels in the first cells of amoebanet (256)' },
  levels: { type: 'string', value: 'N', help: 'how often unet halves the image (4)' },
  heads: { type: 'string', value: 'N', help: 'attention heads of gpt (12)' },
  data: {
    type: 'string',
    default: 'digits',
    value: 'digits|FORM:PATH',
    help: 'embedded digits, or other data: see below',
  },
  image: { type: 'string', value: 'N', help: 'side of the images that are decoded (224) or drawn (32), in pixels' },
  target: { type: 'string', value: 'COLUMN', help: 'for csv: the column to predict' },
  context: { type: 'string', value: 'T', help: 'for text: tokens in a sequence (64)' },
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
    help: "policy of batch norm; exact: by the whole mini-batch (the model's own)",
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
  classes: { type: 'string', value: 'N', help: 'without data: classes of images (1000), or masks of an image (1)' },
  vocabulary: { type: 'string', value: 'N', help: 'without data: the number of different tokens (50257)' },
  largest: { type: 'string', value: KNOBS.join('|'), help: 'find the largest that fits, then plan with it' },
  out: { type: 'string', value: 'FILE', help: 'write the plan as JSON, for sluice verify' },
  html: { type: 'string', value: 'FILE', help: 'write the report as a page with pictures, also if it does not fit' },
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
  ...(['model', ...SIZES, 'data', 'image', 'target', 'context', 'batch', 'memory', 'epochs', 'seed'] as const),
  ...(['micro-batch', 'recompute', 'device', 'threads', 'optimizer', 'lr', 'momentum', 'weight-decay'] as const),
  ...(['clip-norm', 'clip-value', 'schedule', 'warm-up'] as const),
  ...(['max-batch', 'batch-lr', 'batch-norm', 'store'] as const),
] as const satisfies readonly (keyof typeof JOB_OPTIONS | keyof typeof GROWTH)[]
export type KeptFlag = (typeof KEPT_FLAGS)[number]

/** The models, for the help: what each learns, and the flags of its sizes. */
export function describeModels(): string {
  const what = { class: 'images', mask: 'masks of images', tokens: 'tokens' } as const
  const rows = Object.entries(KINDS).map(([name, { samples, takes }]) => {
    const flags = takes.map((option) => (option === 'batchNorm' ? '--batch-norm' : `--${option}`)).join(' ')
    return `  ${name.padEnd(11)}${samples
      .map((sample) => what[sample])
      .join(', ')
      .padEnd(17)}${flags}`
  })
  return `Models, what they learn from, and their own flags:\n${rows.join('\n')}`
}
