/** Every tolerance of the tests, with its reason. */
import { UNARY } from '../kernels/functions.js'

/**
 * float64 gradients of a split against those of the whole mini-batch, relative to max(1, largest gradient):
 * only the order of some hundred sums differs, each worth 2^-53 = 1.1e-16 of its terms.
 */
export const SPLIT_GRADIENT = 1e-12

/**
 * Losses and parameters of a few float64 steps against the same loop by hand: sums of at most some hundred terms up to 10
 * in another order, 2^-53 each, and a division by no less than 1e-3 in adam.
 */
export const BY_HAND = 1e-12

/** A right gradient's directional error against central differences of step 1e-4: see autograd/gradcheck.ts. */
export const GRADIENT_CHECK = 1e-6

/** <Ax, y> and <x, A'y> are sums of some hundred float64 terms of size 10 in two orders: 1e2 * 10 * 2^-53 and some room. */
export const ADJOINT = 1e-12

/** PyTorch's float64 and ours: a few roundings of 2^-53, on values up to 10. */
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
    less lessEqual greater greaterEqual equal notEqual maximum minimum maxPool2d`,
  ],
  ['exact sums and products', 0, 'add sub mul matmul linear conv2d convTranspose2d sum'],
  ['kept values times 2', 0, 'dropout'],
  ['one constant or division that is not exact', 4, 'leakyRelu div mean averagePool2d mse'],
  ['IEEE square root, once more in the gradient', 4, 'sqrt'],
  ['a mean that is not exact, taken from every value, and a square', 8, 'variance'],
  [
    'one function of at most 8 ulp and a few products',
    32,
    'softmax logSoftmax scaledDotProductAttention crossEntropy bceWithLogits',
  ],
  ['one reciprocal root and a product', 16, 'frozenBatchNorm2d'],
  [
    // samples are 1/8 apart, so deviations are at least 1/16; values are at most 4
    'values up to 4, their deviation down to 1/16 dividing them, some 8 roundings each',
    4 * 16 * 8,
    'layerNorm groupNorm batchNorm2d',
  ],
]

/** @param largest  magnitude among the results; below 1, differences cancelled and their terms count */
export function float32Tolerance(op: string, largest: number): number {
  const entry = ROUNDINGS.find(([, , ops]) => ops.split(/\s+/).includes(op))
  const roundings = entry ? entry[1] : roundingsOf(op)
  if (roundings === undefined) throw new Error(`test/tolerances.ts does not say how exact '${op}' is in float32`)
  return roundings * FLOAT32_ROUNDING * Math.max(1, largest)
}

/** A function of one number of at most 8 ulp and a few products, or one that is exact. */
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
 * The relative error of a float32 sum of `terms` numbers of one sign in blocks: as float32Sum, of the longest chains of
 * additions that there are, those of a block and those of the blocks. Note [Long sums] in kernels/simd/assembly/machine/sums.ts.
 */
export const blockSum = (terms: number, block: number): number => float32Sum(block + Math.ceil(terms / block), 1)

/**
 * The same where blocks, of at most 64 numbers, are added in double precision: whatever the number of terms, it is that of
 * a block, and some roundings for what is added and for what is done with the sum.
 */
export const longSum = (): number => float32Sum(64 + 16, 1)

/** A float32 sum that keeps what its roundings leave out (`addExactly`), relative: some thousand roundings of 2^-48. */
export const EXACT_SUM = 1e-10

/** `count` roundings in float32 of numbers no larger than `magnitude`, and one where the result is subnormal. */
export const roundings = (count: number, magnitude: number): number => count * FLOAT32_ROUNDING * magnitude + 2 ** -149

/** A sum taken in double precision in another order than the expected one, `terms` of them, and stored in float32. */
export const doubleSum = (terms: number, result: number, magnitude: number): number =>
  roundings(1, Math.abs(result)) + 2 * terms * 2 ** -53 * magnitude

/**
 * The share of one of `size` exponentials in their sum, in float32 against float64, relative to it: x - max is rounded,
 * which the exponential multiplies by `range`, the largest |x - max|; 1 ulp of the exponential; the same of every term of
 * the sum, `size` additions, one division.
 */
export const float32Share = (size: number, range: number): number => (2 * range + size + 8) * FLOAT32_ROUNDING

/**
 * The share where the exponential's argument is scale x + mask, of numbers up to `magnitude`: of both it and the maximum
 * the scale, the product and the sum are rounded, and each absolute error is one of the share relative to it; so are
 * those of the sum it is divided by.
 */
export const float32AttentionShare = (size: number, magnitude: number): number =>
  float32Share(size, 2 * magnitude) + 2 * 2 * 3 * magnitude * FLOAT32_ROUNDING

/**
 * Its logarithm x - max - log(sum), absolute: of three roundings of numbers up to range + log(size), 1 ulp of the
 * logarithm, and what the sum is wrong by, which the logarithm makes absolute.
 */
export const float32LogShare = (size: number, range: number): number =>
  float32Share(size, range) + 4 * (range + Math.log(size) + 1) * FLOAT32_ROUNDING

/** A float32 sum of `terms` numbers of this magnitude, each with 2 roundings of an exponential, 3 of log(1 + x), 3 more. */
export const float32Loss = (terms: number, magnitude: number): number => roundings(terms + 8, magnitude)

/** A float32 result within `count` of the steps between the float32 numbers there. */
export const unitsInLastPlace = (count: number, result: number): number =>
  count * 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(result)))) - 23)

/**
 * A function of one number on a GPU, whose exp, log and tanh may be off by some ulp and by an absolute error where they
 * cancel: relative 2^-18, absolute 2^-20.
 */
export const gpuFunction = (result: number): number => 2 ** -18 * Math.abs(result) + 2 ** -20
