/** Every tolerance of the tests, with its reason. */
import { UNARY } from '../kernels/functions.js'

/**
 * float64 gradients of a split mini-batch against those of the whole one, relative to max(1, largest gradient). Only
 * the order of some hundred additions differs, and each rounds by 2^-53 = 1.1e-16 of its terms.
 */
export const SPLIT_GRADIENT = 1e-12

/**
 * randn in float32: a radius of at most 5.8, with a relative error of some 2^-23, times the cosine of an angle below 2 pi that is
 * rounded to 2^-22: 5.8 (2^-22 + 2^-22) and the rounding of the result.
 */
export const BOX_MULLER_FLOAT32 = 3e-6

/**
 * Losses, gradients and parameters of up to three float64 steps with exact batch norm: mini-batches in pieces against the
 * same in one piece. Statistics are merged in another order, which costs some 2^-53 of a value, and each batch norm divides
 * by its deviation, in tests down to 1e-2: over several in series the error grows.
 */
export const EXACT_NORM = 1e-10

/**
 * Losses and parameters of a few float64 steps against the same loop by hand. Sums of some hundred terms up to 10 are
 * in another order, which costs 2^-53 for each term. Adam divides by 1e-3 or more.
 */
export const BY_HAND = 1e-12

/**
 * The error of a right gradient along one direction, against central differences of step 1e-4: see
 * autograd/gradcheck.ts.
 */
export const GRADIENT_CHECK = 1e-6

/**
 * <Ax, y> and <x, A'y> are sums of some hundred float64 terms of size 10 in two orders: 1e2 * 10 * 2^-53 with a margin.
 */
export const ADJOINT = 1e-12

/** PyTorch's float64 results against Sluice's: a few roundings of 2^-53, on values up to 10. */
export const LITERAL = 1e-13

/** One rounding of a float32 number, relative to it. */
const FLOAT32_ROUNDING = 2 ** -24

/**
 * float32 against float64 where inputs are multiples of 1/32 up to 2 (src/ops/sample.ts): how many roundings
 * of the largest value. Sums and products of such numbers, and shares of a power of two, are exact in any order.
 */
const ROUNDINGS: readonly (readonly [reason: string, roundings: number, ops: string])[] = [
  [
    'only moves, compares or chooses',
    0,
    `reshape permute slice concat pad broadcastTo where embedding max argmax
    min argmin detach gather
    less lessEqual greater greaterEqual equal notEqual maximum minimum maxPool2d`,
  ],
  ['exact sums and products', 0, 'add sub mul matmul linear conv2d convTranspose2d sum cumsum'],
  ['kept values times 2', 0, 'dropout'],
  ['a power of JavaScript, and two products and a logarithm in the gradient', 8, 'power'],
  ['one constant or division that is not exact', 4, 'leakyRelu div mean averagePool2d mse'],
  ['a product of at most five values, and one more product in the gradient', 8, 'prod'],
  ['IEEE square root, once more in the gradient', 4, 'sqrt'],
  ['a mean that is not exact, taken from every value, and a square', 8, 'variance'],
  ['a sum of squares, its root, and two quotients by it that are at most 16 times the result', 128, 'std norm'],
  [
    'one function of at most 8 ulp and a few products',
    32,
    'softmax logSoftmax logSumExp scaledDotProductAttention crossEntropy bceWithLogits',
  ],
  ['cross-entropy, and sums of at most five products with its gradient', 64, 'linearCrossEntropy'],
  ['one reciprocal root and a product', 16, 'frozenBatchNorm2d'],
  [
    // samples are 1/8 apart, so deviations are at least 1/16; values are at most 4
    'values up to 4, divided by deviations down to 1/16, with some 8 roundings each',
    4 * 16 * 8,
    'layerNorm groupNorm batchNorm2d',
  ],
]

/**
 * @param largest  the largest magnitude among the results; it counts as 1 at least, because small results are
 *   differences of larger terms
 */
export function float32Tolerance(op: string, largest: number): number {
  const entry = ROUNDINGS.find(([, , ops]) => ops.split(/\s+/).includes(op))
  const roundings = entry ? entry[1] : roundingsOf(op)
  if (roundings === undefined) throw new Error(`test/tolerances.ts does not say how exact '${op}' is in float32`)
  return roundings * FLOAT32_ROUNDING * Math.max(1, largest)
}

/** The roundings of a function of one number: at most 8 ulp and a few products, or none if it is exact. */
function roundingsOf(name: string): number | undefined {
  const definition = Object.entries(UNARY).find(([known]) => known === name)?.[1]
  return definition && (definition.ulps === undefined ? 0 : 32)
}

/** cpu against PyTorch's float64 on values up to 40 that are not all binary fractions: 16 roundings of 2^-24. */
export const CONVENTION_FLOAT32 = 16 * FLOAT32_ROUNDING

/**
 * A float32 sum of products against the same in float64: each of `terms` products and additions rounds by at most
 * 2^-24 of a partial sum, none of which is larger than the sum of the products' magnitudes; one more rounding stores it.
 */
export const float32Sum = (terms: number, magnitude: number): number => (2 * terms + 1) * FLOAT32_ROUNDING * magnitude

/**
 * A convolution by Winograd's F(2 x 2, 3 x 3) against float64: a pixel and a weight are rounded 4 times each when they are
 * transformed, a sum of products 6 times and a bias once when it is transformed back. `magnitude` is what the
 * transforms make of the magnitudes of weights and pixels.
 */
export const winogradSum = (channels: number, magnitude: number): number => float32Sum(channels + 8, magnitude)

/**
 * The relative error of a float32 sum of `terms` numbers of one sign that are added in blocks. It is the error of
 * float32Sum for the longest chain of additions: first within a block, then over the blocks. Note [Long sums] in
 * kernels/simd/assembly/machine/sums.ts.
 */
export const blockSum = (terms: number, block: number): number => float32Sum(block + Math.ceil(terms / block), 1)

/**
 * The same if blocks of at most 64 numbers are added in double precision. For any number of blocks it is the error
 * of one block, with 16 roundings for the operations before and after the sum.
 */
export const longSum = (): number => float32Sum(64 + 16, 1)

/** The relative error of a sum in two float32 numbers (`addExactly`): some thousand roundings of 2^-48. */
export const EXACT_SUM = 1e-10

/** `count` roundings in float32 of numbers no larger than `magnitude`, and one where the result is subnormal. */
export const roundings = (count: number, magnitude: number): number => count * FLOAT32_ROUNDING * magnitude + 2 ** -149

/** A sum of `terms` numbers in double precision, in another order than the expected sum, and stored in float32. */
export const doubleSum = (terms: number, result: number, magnitude: number): number =>
  roundings(1, Math.abs(result)) + 2 * terms * 2 ** -53 * magnitude

/**
 * The relative error of a share in float32: one of `size` exponentials divided by their sum. The rounding of x - max
 * becomes `range` roundings of the exponential, where `range` is the largest |x - max|. The exponential adds 1 ulp.
 * Every term of the sum has the same errors. `size` additions and one division follow.
 */
export const float32Share = (size: number, range: number): number => (2 * range + size + 8) * FLOAT32_ROUNDING

/**
 * The same if the argument of the exponential is scale x + mask, of numbers up to `magnitude`. Scale, product and
 * sum are rounded, in the argument and in the maximum. Their absolute errors are relative errors of the exponential,
 * and of each term of the sum that divides it.
 */
export const float32AttentionShare = (size: number, magnitude: number): number =>
  float32Share(size, 2 * magnitude) + 2 * 2 * 3 * magnitude * FLOAT32_ROUNDING

/**
 * The absolute error of attention in float32 where q, k, v and the mask are in [-1, 1] and |scale| is at most 1. The score is a
 * sum of `depth` products, of magnitude depth + 1 with the mask; its error is a relative error of a share
 * (float32AttentionShare), and the shares of a row, which dropout makes larger by 4 / 3, add up to 1. The output is a sum
 * of `keys` products of a share and a value. The log-sum-exp and the scores of a gradient, which uses it, are rounded once more.
 * In a gradient each term is a product of a share and two numbers of at most 2 width, and there are as many terms as rows.
 */
export const attentionError = (p: { keys: number; depth: number; width: number }): number =>
  2 * (4 / 3) * (float32AttentionShare(p.keys, p.depth + 1) + float32Sum(p.keys + p.depth, 1)) * 2 * (p.width + 1)

/**
 * The absolute error of the logarithm of a share, x - max - log(sum): three roundings of numbers up to range +
 * log(size), 1 ulp of the logarithm, and the relative error of the sum, which the logarithm makes absolute.
 */
export const float32LogShare = (size: number, range: number): number =>
  float32Share(size, range) + 4 * (range + Math.log(size) + 1) * FLOAT32_ROUNDING

/**
 * A float32 sum of `terms` numbers of this magnitude. Each has 2 roundings of an exponential, 3 of log(1 + x), and 3
 * more.
 */
export const float32Loss = (terms: number, magnitude: number): number => roundings(terms + 8, magnitude)

/** `count` steps between neighbouring float32 numbers near `result`. */
export const unitsInLastPlace = (count: number, result: number): number =>
  count * 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(result)))) - 23)

/**
 * A function of one number on a GPU. Its exp, log and tanh may be off by some ulp, for which 2^-18 of the result is
 * allowed, and by an absolute error where terms cancel, for which 2^-20 is allowed.
 */
export const gpuFunction = (result: number): number => 2 ** -18 * Math.abs(result) + 2 ** -20

/** Losses and gradients of whole networks in float64 against PyTorch's, which are recorded with 11 digits. */
export const MODEL_FLOAT64 = 1e-8

/**
 * The same in float32, relative to the gradient's norm. If the layers of a network amplify rounding, PyTorch's own float32
 * is further from its float64; then the limit is four times that distance.
 */
export const MODEL_FLOAT32 = 1e-3
