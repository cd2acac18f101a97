/** Cross-entropy of a linear layer over many classes, as a function and as a loss to train with. The op is in chunked-cross-entropy.ts. */
import { door, type Kind, LIST, options } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import { MAYBE_TENSOR, TENSOR } from '../tensor/kinds.js'
import { checkIndices } from '../tensor/range.js'
import { showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { mul } from './binary.js'
import { linearCrossEntropyOp, NAME, sizesOf } from './chunked-cross-entropy.js'
import {
  byClassOf,
  type Classes,
  type CrossEntropyOptions,
  classes,
  classHost,
  OPTIONS,
  sharesOf,
} from './class-options.js'
import { type CrossEntropyLossOptions, crossEntropy } from './cross-entropy.js'
import { checkConstant, checkWeights, type Loss, type LossOptions } from './loss.js'
import { linear } from './matmul.js'
import { broadcastTo, reshape } from './movement.js'
import { apply, define } from './op.js'
import { isRecording } from './tape.js'

export interface LinearCrossEntropyOptions extends CrossEntropyOptions, LossOptions {
  /** [V]; default none */
  bias?: Tensor | null
}

/**
 * Rows in a chunk. Products on `cpu` sum this many terms at a time, so whole chunks give the dw of the plain form, bit for
 * bit. Half the rows take 1.06 times as long, a quarter 1.2 times, because each chunk reads and writes all of dw.
 */
const CHUNK = 256

/** The weight of each row: that of its sample, times that of its class if `shares` is given. */
function weightsOf(targets: Tensor, own: Classes, weights: Tensor | undefined, shares: readonly number[] | undefined) {
  const ofClass = shares && reshape(byClassOf(reshape(targets, [-1]), shares, own), targets.shape)
  const ofSample = weights && reshape(weights, [targets.shape[0], ...targets.shape.slice(1).map(() => 1)])
  const each =
    ofClass && ofSample ? mul(ofClass, ofSample) : (ofClass ?? (ofSample && broadcastTo(ofSample, targets.shape)))
  return each && reshape(each, [targets.size])
}

/** The op, or the plain form where that holds fewer numbers. */
function run(
  x: Tensor,
  weight: Tensor,
  targets: Tensor,
  { bias, weights }: LinearCrossEntropyOptions,
  own: Classes,
  shares?: readonly number[],
): Tensor {
  checkConstant(NAME, { targets, weights })
  const { rows, width, classes: count } = sizesOf([x.shape, weight.shape, targets.shape, bias?.shape])
  checkWeights(NAME, weights?.shape, x.shape[0])
  checkIndices(NAME, 'targets', targets, count, own.ignoreIndex)
  const each = weightsOf(targets, own, weights, shares)
  const recording = isRecording(x.device)
  const wants = (tensor: Tensor | null | undefined) => recording && tensor?.requiresGrad === true
  const features = reshape(x, [rows, width])
  const wanted = reshape(targets, [rows])
  if (rows <= CHUNK + (wants(weight) ? width : 0)) {
    return crossEntropy(linear(features, weight, bias), wanted, { ...own, weights: each })
  }
  const inputs = [features, weight, wanted, ...(bias ? [bias] : []), ...(each ? [each] : [])]
  return apply(linearCrossEntropyOp, inputs, {
    ...own,
    biased: Boolean(bias),
    weighted: Boolean(each),
    chunk: CHUNK,
    wanted: [wants(x), wants(weight), wants(bias)],
  })
}

/**
 * crossEntropy(linear(x, weight, bias), targets) for many classes: only the logits of one chunk of rows are held at a time
 * (Note [Rows in chunks]). Mean, ignored targets, smoothing and weights are those of crossEntropy; sums over rows are
 * rounded in another order.
 *
 * A chunk has 256 rows. With up to 256 rows (256 + D if the weight learns), all logits are no larger than the tensors that
 * would replace them, so the plain form runs.
 * @param x        [N, ..., D], features
 * @param weight   [V, D]
 * @param targets  [N, ...]: whole numbers in [0, V), or ignoreIndex
 * @returns        a scalar
 * @throws ShapeError     shapes that do not match
 * @throws ArgumentError  as crossEntropy
 * Saves the gradients of x, weight and bias, as far as they are wanted, and neither x nor logits.
 */
export const linearCrossEntropy = define(
  linearCrossEntropyOp,
  {
    x: TENSOR,
    weight: TENSOR,
    targets: TENSOR,
    options: options<LinearCrossEntropyOptions>({ ...OPTIONS, bias: MAYBE_TENSOR, weights: TENSOR }),
  },
  (x: Tensor, weight: Tensor, targets: Tensor, options: LinearCrossEntropyOptions = {}): Tensor =>
    run(x, weight, targets, options, classes(NAME, options)),
)

/** The layer that makes the logits: `nn.Linear`, or an `nn.Embedding` whose table serves for the logits too. */
export interface Head {
  /** [V, D] */
  readonly weight: Tensor
  /** [V] */
  readonly bias?: Tensor | null
}

const HEAD: Kind = {
  told: 'the layer that makes the logits, such as model.head (nn.Linear), with its weight [V, D]',
  fits: (value) => typeof value === 'object' && value !== null && 'weight' in value && TENSOR.fits(value.weight),
}

const check = door('linearCrossEntropyLoss', {
  head: HEAD,
  options: options<CrossEntropyLossOptions>({ ...OPTIONS, classWeights: LIST }),
})

/**
 * linearCrossEntropy as a loss to train with. The model returns the features [N, ..., D] that it would give to `head`, and keeps
 * `head` as its property, so that its parameters are found. Targets are [N, ...]. An evaluation has no accuracy, because the
 * logits are not the output of the model; they are head.forward(features).
 * @throws ArgumentError  as crossEntropyLoss; classWeights and labelSmoothing together
 */
export function linearCrossEntropyLoss(head: Head, options: CrossEntropyLossOptions = {}): Loss {
  check([head, options])
  const own = classes('linearCrossEntropyLoss', options)
  const shares = sharesOf('linearCrossEntropyLoss', options.classWeights)
  if (shares && own.labelSmoothing > 0) {
    throw new ArgumentError('linearCrossEntropyLoss: classWeights and labelSmoothing cannot be given together')
  }
  const call = (features: Tensor, targets: Tensor, { weights }: LossOptions = {}): Tensor => {
    const { weight, bias } = head
    if (shares && weight.shape[0] !== shares.length) {
      throw new ShapeError(`${NAME}: there are ${shares.length} classWeights for a weight ${showShape(weight.shape)}`)
    }
    return run(features, weight, targets, { bias, weights }, own, shares)
  }
  Object.defineProperty(call, 'name', { value: NAME })
  const host = classHost(
    NAME,
    own,
    shares,
    () => head.weight.shape[0],
    (features) => features.slice(0, -1),
  )
  // a mean over targets, as crossEntropy is, so it can be split without a trial
  return Object.assign(call, { ...host, coupled: false as const, scores: false as const })
}
