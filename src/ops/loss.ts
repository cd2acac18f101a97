/**
 * Losses: functions from (output, target) to one number, which is a mean over targets.
 *
 * Note [Weighted mean]
 *   Every row (a sample, or a target of it) has a loss l and a weight w; the result is
 *   sum(w l) / sum(w), and 0 where all weights are 0. So a mini-batch that is cut into micro-batches has
 *   the loss sum of (W_j / W) loss_j, with W_j what `Loss.weight` says on the host.
 */
import type { ClassRows, KernelParameters } from '../../kernels/kernels.js'
import type { Device } from '../device/device.js'
import type { Storage } from '../device/storage.js'
import { ArgumentError } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import type { HostArray } from '../tensor/host.js'
import { type Shape, sameShape, showShape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { apply, define, type ForwardCall, type Op, type OpFunction } from './op.js'
import { bits, grid, index, offGrid, positive } from './sample.js'
import { checkTargets, keptWeight, sumOf } from './targets.js'

export interface LossOptions {
  /** [N]: what each sample counts; default 1 */
  weights?: Tensor
}

/** What training minimises, and what streaming has to know about it. A plain function will do. */
export interface Loss {
  (output: Tensor, target: Tensor, options?: LossOptions): Tensor
  readonly name: string
  /** What these targets count in the mean over the mini-batch; default: those it does not ignore, or the samples, each with its weight. */
  weight?(targets: HostArray, weights?: HostArray): number
  /** Does a target of this value count nothing, neither in the mean nor in the accuracy? */
  ignores?(target: number): boolean
  /** @throws ShapeError, ArgumentError  naming the first target that an output of this shape cannot have */
  check?(targets: HostArray, outputShape: Shape): void
  /** Why the mean over a mini-batch is not the mean over its parts, where that is so. */
  readonly coupled?: string
}

/** A loss of ours: an op function with its host half. */
function lossFunction<F, Host extends Required<Pick<Loss, 'weight' | 'check'>>>(
  call: OpFunction<F>,
  host: Host,
): OpFunction<F> & Host {
  return Object.assign(call, host)
}

/** losses, weights -> output; the first extra is the total weight, which the gradient divides by. */
function weightedMean<Options>(
  { device, output, extras }: ForwardCall<Options>,
  losses: Storage,
  weights: Storage,
): void {
  device.run('weightedMean', { rows: losses.size }, [losses, weights], [output, extras[0]])
}

function checkWeights(op: string, weights: Shape | undefined, samples: number): void {
  if (!weights || sameShape(weights, [samples])) return
  throw new ShapeError(`${op}: the weights ${showShape(weights)} must be [${samples}], one for each sample`)
}

export interface CrossEntropyOptions {
  /** targets equal to this count nothing; default -100 */
  ignoreIndex?: number
  /** s in [0, 1]: the wanted distribution is (1 - s) one-hot + s / C; default 0 */
  labelSmoothing?: number
}

type Classes = Required<CrossEntropyOptions>

const CLASSES: Classes = { ignoreIndex: -100, labelSmoothing: 0 }

/** Logits without their class axis. */
const withoutClasses = (logits: Shape): Shape => [...logits.slice(0, 1), ...logits.slice(2)]

const classRows = ([logits]: readonly Shape[], options: Classes, weighted: boolean): ClassRows => ({
  weighted,
  outer: logits[0],
  classes: logits[1],
  inner: sizeOf(logits.slice(2)),
  ...options,
})

const crossEntropyOp: Op<Classes> = {
  name: 'crossEntropy',
  settings: ({ labelSmoothing }) => ({ labelSmoothing }),
  shape: ([logits, targets, weights]) => {
    if (logits.length < 2 || !sameShape(targets, withoutClasses(logits))) {
      const shapes = `logits ${showShape(logits)} and targets ${showShape(targets)}`
      throw new ShapeError(`crossEntropy: ${shapes} must be [N, C, ...] and [N, ...]`)
    }
    checkWeights('crossEntropy', weights, logits[0])
    return []
  },
  extras: () => [1],
  forward: (call) => {
    const { device, shapes, options, inputs, workspace } = call
    const losses = workspace(sizeOf(shapes[1]))
    const weights = workspace(sizeOf(shapes[1]))
    device.run('crossEntropyRows', classRows(shapes, options, inputs.length === 3), inputs, [losses, weights])
    weightedMean(call, losses, weights)
  },
  gradients: [
    {
      // dlogits = dy w / total (softmax - wanted distribution)
      saves: [0, 1, 2, 'extras'],
      send: ({ shapes, options, dy, input, extra }, target) => {
        const weighted = shapes.length === 3
        const inputs = [dy, extra(0), input(0), input(1), ...(weighted ? [input(2)] : [])]
        target.run('crossEntropyGradient', classRows(shapes, options, weighted), inputs)
      },
    },
    null,
  ],
  samples: [
    {
      inputs: [
        [[4, 3], grid],
        [[4], index(3)],
      ],
      options: CLASSES,
    },
    {
      inputs: [
        [[2, 3, 2], grid],
        [[2, 2], index(3)],
        [[2], positive],
      ],
      options: { ignoreIndex: 1, labelSmoothing: 0.25 },
    },
    {
      inputs: [
        [[3, 2], grid],
        [[3], index(1)],
      ],
      options: { ignoreIndex: 0, labelSmoothing: 0 },
    },
  ],
}

function classes({
  ignoreIndex = CLASSES.ignoreIndex,
  labelSmoothing = CLASSES.labelSmoothing,
}: CrossEntropyOptions): Classes {
  if (!Number.isInteger(ignoreIndex))
    throw new ArgumentError(`crossEntropy: ignoreIndex ${ignoreIndex} is not a whole number`)
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ArgumentError(`crossEntropy: labelSmoothing ${labelSmoothing} is outside [0, 1]`)
  }
  return { ignoreIndex, labelSmoothing }
}

/** What crossEntropy with these options has to say on the host. */
const classHost = ({ ignoreIndex }: Classes) => ({
  ignores: (target: number): boolean => target === ignoreIndex,
  weight: (targets: HostArray, weights?: HostArray): number =>
    keptWeight((target) => target === ignoreIndex, targets, weights),
  check: (targets: HostArray, outputShape: Shape): void => {
    const count = outputShape[1]
    const allowed = `a class, a whole number from 0 to ${count - 1}, nor ignoreIndex ${ignoreIndex}`
    checkTargets('crossEntropy', targets, withoutClasses(outputShape), allowed, (value) => {
      return value === ignoreIndex || (Number.isInteger(value) && value >= 0 && value < count)
    })
  },
})

/**
 * l = -log softmax(logits)[target], or with smoothing -sum over c of wanted[c] log softmax(logits)[c];
 * the mean over all targets that are not `ignoreIndex` (Note [Weighted mean]), 0 where none is left.
 * @param logits   [N, C] or [N, C, d...]: before softmax
 * @param targets  [N] or [N, d...]: whole numbers in [0, C), which is checked on the host (`crossEntropy.check`)
 * @returns        a scalar
 * @throws ShapeError     shapes that do not match
 * @throws ArgumentError  labelSmoothing outside [0, 1], an ignoreIndex that is no whole number
 * Saves logits, targets and weights, no probabilities. No gradient to targets and weights.
 */
export const crossEntropy = lossFunction(
  define(crossEntropyOp, (logits: Tensor, targets: Tensor, options: CrossEntropyOptions & LossOptions = {}) => {
    const { weights } = options
    return apply(crossEntropyOp, weights ? [logits, targets, weights] : [logits, targets], classes(options))
  }),
  classHost(CLASSES),
)

/** crossEntropy with options set, as a loss to train with. @throws ArgumentError  as there */
export function crossEntropyLoss(options: CrossEntropyOptions): Loss {
  const own = classes(options)
  const host = classHost(own)
  const call = (logits: Tensor, targets: Tensor, { weights }: LossOptions = {}): Tensor =>
    crossEntropy(logits, targets, { ...own, weights })
  Object.defineProperty(call, 'name', { value: 'crossEntropy' })
  return Object.assign(call, host)
}

type PointLoss = KernelParameters['lossRows']['function']

/** Axis 0 is the sample; a scalar is one. */
const rowsOf = ([prediction]: readonly Shape[]) => {
  const rows = prediction[0] ?? 1
  return { rows, size: sizeOf(prediction) / rows }
}

/** A loss of one prediction and one target: averaged over a sample's elements, then over samples. */
function pointLoss(name: string, kernel: PointLoss, targets: typeof grid): Op<Record<never, never>> {
  return {
    name,
    shape: ([prediction, target, weights]) => {
      if (!sameShape(prediction, target)) {
        throw new ShapeError(
          `${name}: prediction ${showShape(prediction)} and target ${showShape(target)} must be alike`,
        )
      }
      checkWeights(name, weights, prediction[0] ?? 1)
      return []
    },
    // without weights, ones
    extras: (shapes) => (shapes.length === 3 ? [1] : [1, rowsOf(shapes).rows]),
    forward: (call) => {
      const { device, shapes, inputs, extras, workspace } = call
      const { rows, size } = rowsOf(shapes)
      const losses = workspace(rows)
      device.run('lossRows', { rows, size, function: kernel }, inputs.slice(0, 2), [losses])
      weightedMean(call, losses, inputs[2] ?? ones(device, extras[1]))
    },
    gradients: [
      {
        // dprediction = dy w / total / size times the derivative of the pointwise loss
        saves: [0, 1, 2, 'extras'],
        send: ({ shapes, dy, input, extra }, target) => {
          const weights = shapes.length === 3 ? input(2) : extra(1)
          const inputs = [dy, extra(0), input(0), input(1), weights]
          target.run('lossRowsGradient', { function: kernel, ...rowsOf(shapes) }, inputs)
        },
      },
      null,
    ],
    samples: [
      {
        inputs: [
          [[3, 4], grid],
          [[3, 4], targets],
        ],
        options: {},
      },
      {
        inputs: [
          [[2, 3, 2], grid],
          [[2, 3, 2], targets],
          [[2], positive],
        ],
        options: {},
      },
      {
        inputs: [
          [[], grid],
          [[], targets],
        ],
        options: {},
      },
    ],
  }
}

function ones(device: Device, storage: Storage): Storage {
  device.run('fill', { size: storage.size, value: 1 }, [], [storage])
  return storage
}

const pointHost = (op: string) => ({
  weight: (targets: HostArray, weights?: HostArray): number => (weights ? sumOf(weights) : (targets.shape[0] ?? 1)),
  check: (targets: HostArray, outputShape: Shape): void =>
    checkTargets(op, targets, outputShape, 'a finite number', Number.isFinite),
})

const mseOp = pointLoss('mse', 'squaredError', offGrid)
/**
 * Mean of (prediction - target)^2: over a sample's elements, then over samples (Note [Weighted mean]).
 * @param prediction  any shape, axis 0 the sample; a scalar is one sample
 * @param target      of the same shape
 * @throws ShapeError  shapes that do not match
 * Saves both and the weights. No gradient to target and weights.
 */
export const mse = lossFunction(
  define(mseOp, (prediction: Tensor, target: Tensor, { weights }: LossOptions = {}) =>
    apply(mseOp, weights ? [prediction, target, weights] : [prediction, target], {}),
  ),
  pointHost('mse'),
)

const bceOp = pointLoss('bceWithLogits', 'binaryCrossEntropyWithLogits', bits)
/**
 * Mean of -t log s - (1 - t) log(1 - s), s = sigmoid(logit), without overflow: log(1 + e^x) - x t.
 * Shapes, weights, errors and what it saves as in mse.
 */
export const bceWithLogits = lossFunction(
  define(bceOp, (logits: Tensor, target: Tensor, { weights }: LossOptions = {}) =>
    apply(bceOp, weights ? [logits, target, weights] : [logits, target], {}),
  ),
  pointHost('bceWithLogits'),
)
