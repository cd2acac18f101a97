/**
 * The kernel table: the name, parameters and operands of every primitive that a device must run.
 *
 * A kernel is a pure function over flat arrays: it reads `inputs`, writes `outputs`, and keeps
 * nothing. It never allocates device memory. All arrays are contiguous and row-major, and every
 * length follows from the parameters. Each output element can be computed on its own from the
 * inputs (no kernel needs a scatter), so that a GPU can run the same table.
 *
 * Three dialects implement it: `reference/` (plain loops, the definition), `simd/`, `gpu/`.
 *
 * Dimension letters: N C H W images, m k n matmul. `dy`, `dx`: gradients of output and input.
 * A trailing `?` on an operand means that it can be left out; the list is then shorter.
 * `accumulate: true` adds to the values of the output instead of replacing them.
 */
import type { Attention, AttentionRows } from './attention.js'
import type { Drawing, Dropout } from './dropout.js'
import type { BinaryFunction, BinaryWithGradient, MaskedFunction, UnaryFunction } from './functions.js'
import type { Offsets } from './strides.js'
import type { Convolution, Pooling } from './windows.js'

export type { Convolution, Pooling } from './windows.js'

export type ReduceFunction = 'sum' | 'max'

/**
 * An elementwise function and its two constants: leakyRelu (a = slope), clamp (a = low, b = high),
 * pow (a = exponent), affine (y = a x + b); the others use neither.
 */
export interface Unary {
  size: number
  function: UnaryFunction
  a: number
  b: number
}

/** Output shape and, for each input, the element stride of every output axis (0 where it is broadcast). */
export interface Broadcast {
  shape: readonly number[]
  stridesA: readonly number[]
  stridesB: readonly number[]
}

/** A tensor seen as [outer, size, inner] with the middle axis special. */
export interface Rows {
  outer: number
  size: number
  inner: number
}

/**
 * Normalisation. x is seen twice:
 * as [outer, groups, inner] with one mean and variance for each group (batch norm: N, C, HW;
 * layer norm: 1, rows, features; group norm: 1, N * G, (C / G) * HW), and, for the affine part,
 * with gamma index = floor(i / affineInner) mod affineSize.
 */
export interface Normalization {
  outer: number
  groups: number
  inner: number
  affineSize: number
  affineInner: number
  eps: number
  /** inputs end with gamma, beta (forward) or gamma (gradient) */
  affine: boolean
}

/** Class losses: logits [outer, classes, inner], targets [outer, inner], rows = outer * inner. */
export interface ClassRows {
  outer: number
  classes: number
  inner: number
  /** targets equal to this do not count */
  ignoreIndex: number
  /** in [0, 1): the target distribution is (1 - s) one-hot + s / classes */
  labelSmoothing: number
  /** inputs end with one weight for each sample (outer) */
  weighted: boolean
}

/** Hyperparameters that every optimizer kernel shares. */
export interface UpdateParameters {
  size: number
  learningRate: number
  weightDecay: number
  /** inputs end with the norm of all gradients; each is multiplied by min(1, maxNorm / (norm + 1e-6)) */
  clip: boolean
  maxNorm: number
}

/** Parameters of every kernel; the comment gives inputs -> outputs. */
export interface KernelParameters {
  /** -> y */
  fill: { size: number; value: number }
  /** y, x -> y = a y + b x; with a = 0, y is not read (it may be NaN). In place. */
  blend: { size: number; a: number; b: number }
  /**
   * x0, x1, ... -> norm: the root of the sum of all their squares, as [scale, ratio]. The norm is their product,
   * because it may be larger than an element can hold, and squares overflow much sooner. scale is at least 2^-126. At
   * least one x.
   */
  gradientNorm: { sizes: readonly number[] }
  /**
   * sum [2], x (a scalar) -> sum + factor x, as a number and the remainder of its rounding: together they have twice
   * the digits of one number. In place.
   */
  addExactly: { factor: number }

  /** x -> y[i] = x[offset + dot(index(i), strides)]: slices, permutes, broadcasts */
  stridedCopy: { shape: readonly number[]; strides: readonly number[]; offset: number }
  /** x -> y: x of `shape` placed at `before` in a tensor of `outShape`, `value` elsewhere */
  pad: { shape: readonly number[]; before: readonly number[]; outShape: readonly number[]; value: number }
  /** x0, x1, ... -> y: pieces [outer, sizes[j], inner] side by side along the middle axis */
  concat: { outer: number; sizes: readonly number[]; inner: number }

  /** x -> y = f(x) */
  unary: Unary
  /** dy, s -> dx = dy f', where s is x or y, as the derivative of the function requires */
  unaryGradient: Unary
  /** s -> mask: a bit for each element, set where the slope of the function is 1, 24 of them to a number: packing.ts */
  mask: { size: number; function: MaskedFunction; a: number; b: number }
  /** dy, mask -> dx = dy where the bit is set, slope dy elsewhere (0 where the slope is 0) */
  maskGradient: { size: number; slope: number }
  /** a, b -> y = f(a, b); comparisons give 1 or 0 */
  binary: Broadcast & { function: BinaryFunction }
  /** dy, a, b -> the gradient towards input `side`, in the output's shape (not yet un-broadcast) */
  binaryGradient: Broadcast & { function: BinaryWithGradient; side: 0 | 1 }
  /** condition, a, b -> y = condition != 0 ? a : b */
  select: Broadcast & { stridesCondition: readonly number[] }

  /** x -> y = scale * f over the axes where `reduced` is true (shape is x's) */
  reduce: { shape: readonly number[]; reduced: readonly boolean[]; function: ReduceFunction; scale: number; accumulate: boolean }
  /** dy, x, y -> dx = dy (x == y) / count of ties, dy and y of the reduced shape */
  maxGradient: { shape: readonly number[]; reduced: readonly boolean[] }
  /** x, mean -> y = scale * sum of (x - mean)^2 over the reduced axes */
  squaredDeviation: { shape: readonly number[]; reduced: readonly boolean[]; scale: number }
  /** dy, x, mean -> dx = scale * dy (x - mean); the factor 2 of the derivative is in scale */
  squaredDeviationGradient: { shape: readonly number[]; reduced: readonly boolean[]; scale: number }
  /** x -> y: the sums so far along the middle axis, from the end if `reverse` */
  cumulativeSum: Rows & { reverse: boolean }
  /** x -> y [outer, inner], the product along the middle axis */
  product: Rows
  /** dy, x -> dx, dy times the product of all other values */
  productGradient: Rows
  /** x, index [outer, count, inner] -> y: the values that the index names along the middle axis; NaN where it names none */
  gather: Rows & { count: number }
  /** dy, index -> dx */
  gatherGradient: Rows & { count: number }
  /** x -> the index, along the middle axis, of the first maximum (NaN counts as the maximum) */
  argmax: Rows

  /**
   * a, b, bias? -> y[i] = op(a[i]) op(b[i]) (+ bias along n), for i < batch. offsetsA and offsetsB give the
   * matrix of a and b (counted in whole matrices) that each of the batch uses.
   * op(a) is m x k; stored k x m when transposeA. op(b) is k x n; stored n x k when transposeB.
   */
  matmul: {
    batch: number; offsetsA: Offsets; offsetsB: Offsets
    m: number; k: number; n: number
    transposeA: boolean; transposeB: boolean; bias: boolean; accumulate: boolean
  }

  /** x, w, bias? -> y */
  convolution: Convolution & { bias: boolean }
  /** dy, w, bias? -> dx (+ bias [channels]: then this is the forward of a transposed convolution) */
  convolutionInputGradient: Convolution & { bias: boolean }
  /** dy, x -> dw */
  convolutionWeightGradient: Convolution & { accumulate: boolean }

  /** x -> y; a window holding NaN gives NaN */
  maxPool: Pooling
  /**
   * x -> for each window the place of its maximum in the part of the window that lies on the image, counted row by row; the
   * first of equal values. Several choices share a number, and each plane begins with a new number: packing.ts.
   */
  maxPoolChoices: Pooling
  /** dy, choices -> dx; the maximum of a window takes all of its dy */
  maxPoolGradient: Pooling
  /** x -> y; padding counts as zeros in the mean when countPadding */
  averagePool: Pooling & { countPadding: boolean }
  /** dy -> dx */
  averagePoolGradient: Pooling & { countPadding: boolean }

  /** x -> y along the middle axis: softmax, or its logarithm */
  softmax: Rows & { log: boolean }
  /** dy, y -> dx */
  softmaxGradient: Rows & { log: boolean }

  /**
   * q, k, v, mask? -> y [batch, queries, width] = dropout(p) v, with p = softmax(scale q k^T + mask) along the keys, 0 where
   * `causal` and key > query; and the logarithm of each softmax's denominator [batch, queries], log sum exp(scale q k^T + mask)
   */
  attention: Attention
  /**
   * dy, q, k, v, y, logSumExp, mask? -> dq, dk, dv: p = exp(scale q k^T + mask - logSumExp), ds = scale p (dropout(dy v^T) - sum of dy y),
   * dq = ds k, dk = ds^T q, dv = dropout(p)^T dy
   */
  attentionGradient: Attention
  /**
   * scores, mask? -> probabilities: softmax of scale * score + mask along the keys; 0 where `causal` and key > query.
   * The output may be the first input.
   */
  attentionSoftmax: AttentionRows
  /** dp, p -> the gradient of the scores, scale * p (dp - sum of dp p); the output may be the first input */
  attentionSoftmaxGradient: { rows: number; size: number; scale: number }

  /**
   * logits, targets, weights? -> losses [rows], weights [rows]: 0 and 0 where ignored; the loss is not multiplied
   * by its weight; NaN where the target is not a class
   */
  crossEntropyRows: ClassRows
  /** dy (scalar), total (scalar), logits, targets, weights? -> dlogits = dy w / total (softmax - target distribution); 0 when total is 0 */
  crossEntropyGradient: ClassRows
  /** prediction, target -> for each row the mean over `size` elements of the pointwise loss */
  lossRows: { rows: number; size: number; function: 'squaredError' | 'binaryCrossEntropyWithLogits' }
  /** dy (scalar), total (scalar), prediction, target, weights -> dprediction; weights [rows] */
  lossRowsGradient: { rows: number; size: number; function: 'squaredError' | 'binaryCrossEntropyWithLogits' }
  /** losses, weights -> mean = sum(w l) / sum(w), or 0 when sum(w) is 0; total = sum(w) */
  weightedMean: { rows: number }

  /** table, indices -> y [rows, width]; NaN where an index is outside [0, entries) */
  embedding: { rows: number; width: number; entries: number }
  /** dy, indices -> dtable */
  embeddingGradient: { rows: number; width: number; entries: number; accumulate: boolean }

  /** x -> mean, variance (biased) for each group */
  moments: { outer: number; groups: number; inner: number }
  /**
   * mean, variance, then mean, variance of more values -> mean, variance of all values. In place. `share`: the new values
   * as a share of all; if it is 1, the former moments are not read (they may be NaN).
   */
  mergeMoments: { size: number; share: number }
  /** x, mean, variance, gamma?, beta? -> y = (x - mean) / sqrt(variance + eps) gamma + beta */
  normalize: Normalization
  /** dy, x, mean, variance, gamma? -> dx, for the moments of x; `fixed`: mean and variance are constants, and x is not read */
  normalizeGradient: Normalization & { fixed: boolean }
  /**
   * dy, x, mean, variance, sum, lean, gamma? -> dx, where x is a part of the values whose moments these are. sum and lean
   * [groups] are the sums of dy and of dy h over all `count` values of a group, and gamma is the same for a whole group.
   */
  normalizePartGradient: Normalization & { count: number }
  /** dy, x, mean, variance -> dgamma [affineSize] = sum of dy (x - mean) / sqrt(variance + eps) */
  normalizeScaleGradient: Normalization & { accumulate: boolean }

  /** x -> y = x kept / (1 - rate); its own gradient (applied to dy) */
  dropout: Dropout
  /** -> y: uniform in [0, 1), whole multiples of 2^-24 */
  uniform: Drawing

  /**
   * parameter, velocity?, gradient, norm? -> parameter, velocity?. In place.
   * g = gradient + weightDecay p; v = momentum v + (1 - dampening) g (v = g when `first`); g = nesterov ? g + momentum v : v;
   * p -= learningRate g. Without momentum there is no velocity.
   */
  sgd: UpdateParameters & { momentum: number; dampening: number; nesterov: boolean; first: boolean }
  /**
   * parameter, m, v, gradient, norm? -> parameter, m, v. In place.
   * Decoupled: p -= learningRate weightDecay p first; otherwise g += weightDecay p. m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
   * p -= learningRate / correction1 * m / (sqrt(v) / sqrt(correction2) + eps).
   */
  adam: UpdateParameters & { beta1: number; beta2: number; eps: number; correction1: number; correction2: number; decoupled: boolean }
  /**
   * parameter, square, mean?, velocity?, gradient, norm? -> parameter, square, mean?, velocity?. In place.
   * g and p as in sgd, with g / (sqrt(square - mean^2) + eps) for g. The averages decay by alpha; the mean is 0 unless `centered`.
   */
  rmsprop: UpdateParameters & { alpha: number; eps: number; momentum: number; centered: boolean }

  /** x0, x1, ... -> y, by a kernel that a user has written: src/ops/define.ts */
  defined: Defined
}

/** A call of a kernel that a user has written. */
export interface Defined {
  readonly kernel: UserKernel
  readonly numbers: Numbers
}

/** The numbers of a call, by name. */
export type Numbers = Readonly<Record<string, number>>

export interface UserKernel {
  /** writes all of y */
  loop(inputs: readonly Floats[], y: Floats, numbers: Numbers): void
  /** the text of value(i, x0, x1, ..., numbers) in the words of Note [Dialect] in kernels/gpu/index.ts; null: there is none */
  readonly gpu: string | null
}

export type KernelName = keyof KernelParameters

/** The arrays a kernel works on: float32 on the cpu device, float64 on the reference device. */
export type Floats = Float32Array | Float64Array

export type Kernel<Parameters> = (parameters: Parameters, inputs: readonly Floats[], outputs: readonly Floats[]) => void

/** A dialect: every kernel, by name. A missing one does not compile. */
export type Kernels = { readonly [Name in KernelName]: Kernel<KernelParameters[Name]> }
