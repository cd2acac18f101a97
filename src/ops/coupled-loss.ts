/**
 * Losses that compare the samples of a mini-batch with each other. They are composed from ops. A streamer computes them
 * over the whole mini-batch, however it is split: Note [Joint loss] in stream/joint.ts.
 */
import { ANYTHING, BOOLEAN, checkArgument, NUMBER, options } from '../memory/arguments.js'
import { ArgumentError, showValue } from '../memory/errors.js'
import { tensor } from '../tensor/create.js'
import { ShapeError } from '../tensor/errors.js'
import { showShape } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import { add, div, equal, mul, notEqual, sub } from './binary.js'
import { crossEntropy } from './cross-entropy.js'
import { max } from './extremes.js'
import type { Loss } from './loss.js'
import { matmul } from './matmul.js'
import { permute, reshape, slice } from './movement.js'
import { mean, sum } from './reduce.js'
import { clamp, neg, relu, sqrt, square } from './unary.js'
import { where } from './where.js'

export interface ContrastiveOptions {
  /** divides the similarities; a Parameter learns with them, if the optimizer has it. Default 0.07 */
  temperature?: number | Tensor
  /** compare directions: divide every row by sqrt(its square + 1e-12); default true */
  normalize?: boolean
}

const CONTRASTIVE = options<ContrastiveOptions>({ temperature: ANYTHING, normalize: BOOLEAN })

/** Keeps roots away from 0, where their slope is infinite. */
const TINY = 1e-12

const scaled = (x: Tensor): Tensor => div(x, sqrt(add(sum(square(x), [1], { keepDims: true }), TINY)))

const counted = (from: Tensor, count: number, numberOf: (i: number) => number): Tensor =>
  tensor(
    from.device,
    Float32Array.from({ length: count }, (_, i) => numberOf(i)),
    [count],
  )

/** a b^T of [M, D] and [N, D]: [M, N] */
const products = (a: Tensor, b: Tensor): Tensor => matmul(a, b, { transposeB: true })

/** A square matrix without its diagonal: [M, M] -> [M, M - 1]. */
function withoutDiagonal(x: Tensor): Tensor {
  const [size] = x.shape
  const flat = slice(reshape(x, [size * size]), [1], [size * size])
  return reshape(slice(reshape(flat, [size - 1, size + 1]), [0, 0], [size - 1, size]), [size, size - 1])
}

function checkRows(op: string, x: unknown): asserts x is Tensor {
  if (!(x instanceof Tensor)) throw new ArgumentError(`${op}: the output ${showValue(x)} is not a tensor`)
  if (x.shape.length !== 2) throw new ShapeError(`${op}: the output ${showShape(x.shape)} must be [N, D]`)
}

/**
 * InfoNCE over all pairs of a mini-batch, from similarities s = a . b / temperature (van den Oord et al., arXiv:1807.03748).
 * - Two towers: the model returns [a, b], [N, D] each, and row i of a belongs to row i of b. The loss is the mean of
 *   -log softmax over b of s[i, i], and of the same over a (CLIP, arXiv:2103.00020).
 * - One tower: the model returns y [2 N, D], in which rows 2 i and 2 i + 1 belong together. The loss is the mean over all
 *   rows of -log softmax of the partner's s among all other rows (NT-Xent, arXiv:2002.05709).
 * Targets are not looked at.
 * @throws ArgumentError  a temperature that is not above 0
 */
export function contrastive(own: ContrastiveOptions = {}): Loss<Tensor | readonly [Tensor, Tensor]> {
  checkArgument('contrastive', 'options', own, CONTRASTIVE)
  const { temperature = 0.07, normalize = true } = own
  if (!(temperature instanceof Tensor) && !(typeof temperature === 'number' && temperature > 0)) {
    throw new ArgumentError(`contrastive: temperature ${showValue(temperature)} must be above 0`)
  }
  const similarities = (a: Tensor, b: Tensor): Tensor => div(products(a, b), temperature)
  const call = (output: Tensor | readonly [Tensor, Tensor]): Tensor => {
    const towers = output instanceof Tensor ? [output] : [...output]
    for (const y of towers) checkRows('contrastive', y)
    const [a, b] = normalize ? towers.map(scaled) : towers
    if (b) {
      if (a.shape[0] !== b.shape[0]) {
        throw new ShapeError(`contrastive: the towers have ${a.shape[0]} and ${b.shape[0]} rows, which must be pairs`)
      }
      const s = similarities(a, b)
      const partners = counted(a, a.shape[0], (i) => i)
      return mul(add(crossEntropy(s, partners), crossEntropy(permute(s, [1, 0]), partners)), 0.5)
    }
    const [rows] = a.shape
    if (rows % 2 === 1) throw new ShapeError(`contrastive: ${rows} rows are not pairs`)
    // the row 2 i has its partner one later, and its own column is left out before it
    const partners = counted(a, rows, (i) => (i % 2 === 0 ? i : i - 1))
    return crossEntropy(withoutDiagonal(similarities(a, a)), partners)
  }
  return Object.assign(call, { coupled: 'every sample is compared with all others' })
}

export interface TripletOptions {
  /** how much further than the hardest positive the hardest negative has to be; default 0.2 */
  margin?: number
}

const TRIPLET = options<TripletOptions>({ margin: NUMBER })

/**
 * Batch-hard triplets (Hermans et al., arXiv:1703.07737): the mean over anchors of max(0, margin + d+ - d-), where d+ is
 * the Euclidean distance, sqrt(|a - b|^2 + 1e-12), to the furthest other sample of the same class, and d- that to the nearest
 * of another class. An anchor without one of them counts 0.
 * The model returns [N, D]; targets [N] are classes.
 * @throws ArgumentError  a margin that is not a number, 0 or more
 */
export function triplet(own: TripletOptions = {}): Loss {
  checkArgument('triplet', 'options', own, TRIPLET)
  const { margin = 0.2 } = own
  if (!(margin >= 0 && margin < Infinity)) throw new ArgumentError(`triplet: margin ${margin} must be 0 or more`)
  const call = (y: Tensor, classes: Tensor): Tensor => {
    checkRows('triplet', y)
    const [samples] = y.shape
    if (classes.shape.length !== 1 || classes.shape[0] !== samples) {
      throw new ShapeError(
        `triplet: the targets ${showShape(classes.shape)} must be [${samples}], a class for each sample`,
      )
    }
    const lengths = sum(square(y), [1], { keepDims: true })
    const squares = sub(add(lengths, reshape(lengths, [1, samples])), mul(products(y, y), 2))
    const distances = sqrt(add(clamp(squares, 0, Infinity), TINY))
    const column = reshape(classes, [samples, 1])
    const row = reshape(classes, [1, samples])
    const index = counted(y, samples, (i) => i)
    const isOther = notEqual(reshape(index, [samples, 1]), reshape(index, [1, samples]))
    const positives = mul(equal(column, row), isOther)
    const furthest = max(where(positives, distances, -Infinity), [1])
    const nearest = neg(max(where(notEqual(column, row), neg(distances), -Infinity), [1]))
    return mean(relu(add(sub(furthest, nearest), margin)))
  }
  return Object.assign(call, { coupled: 'every sample is compared with the hardest of the others' })
}
