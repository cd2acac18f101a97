/** What the functions of a Streamer take: see memory/arguments.ts. */
import {
  ANYTHING,
  BOOLEAN,
  checkArgument,
  FUNCTION,
  type Kind,
  type Known,
  NUMBER,
  OBJECT,
  oneOf,
  options,
} from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { AnyModule } from '../nn/module.js'
import { Optimizer } from '../optim/optimizer.js'
import type { Place } from './elsewhere.js'
import type { EvaluateOptions, FitOptions, PredictOptions, StepOptions, StreamerOptions } from './options.js'
import type { PlanOptions } from './planner.js'

const MODEL: Kind = {
  told: 'a Module, such as new nn.Linear(device, 4, 2)',
  fits: (value) => value instanceof AnyModule,
}
const OPTIMIZER: Kind = { told: 'an optimizer, such as optim.adam(model)', fits: (value) => value instanceof Optimizer }
const SIGNAL: Kind = {
  told: 'an AbortSignal, such as new AbortController().signal',
  fits: (value) => typeof value === 'object' && value !== null && 'aborted' in value,
}

const STREAMER_OPTIONS = options<StreamerOptions<unknown, unknown>>(
  {
    model: MODEL,
    loss: { ...FUNCTION, told: 'a function (output, target) => loss, such as crossEntropy' },
    optimizer: OPTIMIZER,
    seed: ANYTHING,
    recompute: ANYTHING,
    store: ANYTHING,
    checkFinite: BOOLEAN,
    noise: BOOLEAN,
    onGradients: FUNCTION,
    checkpointEvery: ANYTHING,
  },
  ['model', 'loss', 'optimizer'],
)

const STEP: Known<PredictOptions> = { microBatch: ANYTHING, signal: SIGNAL, onMicroBatch: FUNCTION }
export const PREDICT_OPTIONS = options(STEP)
export const STEP_OPTIONS = options<StepOptions>({ ...STEP, elsewhere: FUNCTION })
export const PLACE = options<Place>(
  { seed: NUMBER, step: NUMBER, firstSample: NUMBER, weight: NUMBER, microBatch: NUMBER },
  ['seed', 'step', 'firstSample', 'weight', 'microBatch'],
)
export const RACE_OPTIONS = options<Pick<StepOptions, 'signal'>>({ signal: SIGNAL })
export const EVALUATE_OPTIONS = options<EvaluateOptions>({ ...STEP, batch: ANYTHING, metrics: OBJECT })

const SKIP: Kind = {
  told: "a list of 'empty' and 'nonFinite'",
  fits: (value) => Array.isArray(value) && value.every((reason) => reason === 'empty' || reason === 'nonFinite'),
}
export const FIT_OPTIONS = options<FitOptions>(
  {
    ...STEP,
    elsewhere: FUNCTION,
    batch: ANYTHING,
    epochs: NUMBER,
    dropLast: BOOLEAN,
    shuffle: BOOLEAN,
    evaluate: ANYTHING,
    metrics: OBJECT,
    skip: SKIP,
    onEpoch: FUNCTION,
    from: ANYTHING,
  },
  ['batch'],
)
export const PLAN_OPTIONS = options<PlanOptions>(
  {
    batch: ANYTHING,
    microBatch: ANYTHING,
    mode: oneOf('train', 'evaluate', 'predict', 'gradient', 'sum'),
    inputShape: ANYTHING,
    targetShape: ANYTHING,
    weighted: BOOLEAN,
  },
  ['batch'],
)

/** @throws ArgumentError  an option is unknown, missing or wrong, or the optimizer belongs to another model */
export function checkStreamer(given: StreamerOptions<unknown, unknown>): void {
  checkArgument('Streamer', 'options', given, STREAMER_OPTIONS)
  const { model, optimizer } = given
  const trained = new Set(optimizer.parameters)
  const own = model.parameters().filter(({ requiresGrad }) => requiresGrad)
  if (own.length === 0 || own.some((parameter) => trained.has(parameter))) return
  throw new ArgumentError(
    'Streamer: the optimizer trains no parameter of this model, so its steps would change nothing: make it of this ' +
      `model, such as optim.${optimizer.name}(model)`,
  )
}
