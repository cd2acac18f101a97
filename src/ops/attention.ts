/**
 * Attention: y = p v with p = softmax(scale q k^T + mask) along the keys.
 *
 * Scores and probabilities are never held whole: kernels make them block by block. For each row the logarithm of the
 * softmax's denominator is saved, from which the gradient makes p again, p = exp(scale q k^T + mask - logSumExp). With dy:
 *
 *     dv = p^T dy,   dp = dy v^T,   ds = scale p (dp - sum of dy y),   dq = ds k,   dk = ds^T q
 *
 * because the sum of dp p over keys equals the sum of dy y. With dropout, p' = dropout(p) replaces p in y and dv, and dp =
 * dropout(dy v^T). The backward draws p' again, so it is not saved. Only the gradient of a mask needs all scores at once,
 * in workspace, and can be as large as they are.
 */

import type { Attention } from '../../kernels/attention.js'
import type { KernelParameters } from '../../kernels/kernels.js'
import type { Storage } from '../device/storage.js'
import { BOOLEAN, NUMBER, options } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import { MAYBE_TENSOR, TENSOR } from '../tensor/kinds.js'
import { broadcastStrides, offsetsOf, type Shape, sameShape, showShape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { checkRate, type DropoutKey, nextKey } from './dropout.js'
import { apply, type BackwardCall, define, type Gradient, type Op } from './op.js'
import { grid, sample } from './sample.js'
import { sendSum } from './send.js'

export interface AttentionOptions {
  /** does each query see only the keys up to its own position? default false */
  causal?: boolean
  /**
   * added to the scores, broadcast to [..., T, S]: 0 where a key is visible and -Infinity where it is hidden, or any
   * bias
   */
  mask?: Tensor | null
  /** a factor of the scores; default 1 / sqrt(D) */
  scale?: number
  /** rate of dropout on the probabilities; default 0 */
  dropout?: number
}

interface Settings {
  causal: boolean
  scale: number
  dropout: DropoutKey | null
}

const NAME = 'scaledDotProductAttention'

interface Sizes {
  batch: number
  queries: number
  keys: number
  depth: number
  width: number
}

function sizes([q, k, v, mask]: readonly Shape[]): Sizes {
  const fail = (why: string): never => {
    throw new ShapeError(`${NAME}: q ${showShape(q)}, k ${showShape(k)} and v ${showShape(v)}: ${why}`)
  }
  if (q.length < 2 || k.length < 2 || v.length < 2) fail('all must have at least two axes')
  const [queries, depth] = q.slice(-2)
  const [keys, width] = v.slice(-2)
  const lead = q.slice(0, -2)
  if (!sameShape(k.slice(0, -2), lead) || !sameShape(v.slice(0, -2), lead)) fail('their leading axes differ')
  if (k.at(-1) !== depth) fail(`queries are ${depth} wide and keys ${k.at(-1)}`)
  if (k.at(-2) !== keys) fail(`there are ${k.at(-2)} keys and ${keys} values`)
  const scores = [...lead, queries, keys]
  const fits = mask?.every((dim, i) => dim === 1 || dim === scores[i - mask.length + scores.length]) ?? true
  if (!fits || (mask?.length ?? 0) > scores.length) {
    throw new ShapeError(`${NAME}: the mask ${showShape(mask)} does not broadcast to the scores ${showShape(scores)}`)
  }
  return { batch: sizeOf(lead), queries, keys, depth, width }
}

/** For each matrix of the batch, a b^T. */
function products(batch: number, m: number, k: number, n: number): KernelParameters['matmul'] {
  const inOrder = offsetsOf([batch], [1])
  const transposes = { transposeA: false, transposeB: true }
  return { batch, offsetsA: inOrder, offsetsB: inOrder, m, k, n, ...transposes, bias: false, accumulate: false }
}

function attentionOf([q, k, v, mask]: readonly Shape[], { causal, scale, dropout }: Settings): Attention {
  const own = { ...sizes([q, k, v, mask]), causal, scale, dropout }
  if (!mask) return { mask: null, ...own }
  const strides = broadcastStrides(mask, [...q.slice(0, -1), own.keys])
  const [strideQuery, strideKey] = strides.slice(-2)
  const starts = offsetsOf(q.slice(0, -2), strides.slice(0, -2))
  return { mask: { starts, strideQuery, strideKey }, ...own }
}

const attentionOp: Op<Settings> = {
  name: NAME,
  shape: (shapes) => {
    const { width } = sizes(shapes)
    return [...shapes[0].slice(0, -1), width]
  },
  settings: ({ scale, dropout }) => ({ scale, dropout: dropout?.rate ?? 0 }),
  extras: ([q]) => [sizeOf(q.slice(0, -1))],
  extrasOnlyForGradients: true,
  forward: ({ device, shapes, options, inputs, output, extras, workspace }) => {
    const logSumExp = extras[0] ?? workspace(sizeOf(shapes[0].slice(0, -1)))
    device.run('attention', attentionOf(shapes, options), inputs, [output, logSumExp])
  },
  gradients: [
    ...[0, 1, 2].map(
      (index): Gradient<Settings> => ({
        saves: [0, 1, 2, 3, 'output', 'extras'],
        send: (call, target) => target.pass(operandGradients(call)[index]),
      }),
    ),
    {
      // the mask is added after the scale
      saves: [0, 1, 2, 3],
      send: (call, target) => {
        const { shapes, options } = call
        const scores = [...shapes[0].slice(0, -1), sizes(shapes).keys]
        sendSum(target, scoreGradient(call), scores, shapes[3], 1 / options.scale)
      },
    },
  ],
  linear: [2],
  samples: [
    sample({ causal: false, scale: 0.5, dropout: null }, [[2, 3, 4], grid], [[2, 5, 4], grid], [[2, 5, 2], grid]),
    sample(
      { causal: true, scale: 0.5, dropout: { rate: 0.5, seed: 1, step: 2, call: 3, first: 16 } },
      [[2, 2, 4, 3], grid],
      [[2, 2, 4, 3], grid],
      [[2, 2, 4, 3], grid],
      [[2, 1, 1, 4], grid],
    ),
    sample({ causal: true, scale: 2, dropout: null }, [[4, 3], grid], [[2, 3], grid], [[2, 1], grid], [[4, 2], grid]),
  ],
}

const operands = (call: BackwardCall<Settings>): Storage[] => call.shapes.map((_, index) => call.input(index))

/** The gradients of q, k and v of each call: a kernel makes all three together. */
const OPERAND_GRADIENTS = new WeakMap<BackwardCall<Settings>, readonly Storage[]>()

function operandGradients(call: BackwardCall<Settings>): readonly Storage[] {
  const made = OPERAND_GRADIENTS.get(call)
  if (made) return made
  const { device, shapes, options, dy } = call
  const inputs = [dy, ...operands(call).slice(0, 3), call.output(), call.extra(0), ...operands(call).slice(3)]
  const gradients = shapes.slice(0, 3).map((shape) => call.workspace(sizeOf(shape)))
  device.run('attentionGradient', attentionOf(shapes, options), inputs, gradients)
  OPERAND_GRADIENTS.set(call, gradients)
  return gradients
}

/** ds, in workspace memory. */
function scoreGradient(call: BackwardCall<Settings>): Storage {
  const { device, shapes, options, dy } = call
  const [q, k, v, mask] = operands(call)
  const attention = attentionOf(shapes, options)
  const { batch, queries, keys, depth, width } = attention
  const size = batch * queries * keys
  /** Runs a kernel that can overwrite its first input, and lets it do so if the device allows it. */
  const overwrite = <Name extends 'dropout' | 'attentionSoftmax' | 'attentionSoftmaxGradient'>(
    name: Name,
    parameters: KernelParameters[Name],
    [first, ...rest]: readonly Storage[],
  ): Storage => {
    const output = device.aliases ? first : call.workspace(size)
    device.run(name, parameters, [first, ...rest], [output])
    return output
  }
  const scores = call.workspace(size)
  device.run('matmul', products(batch, queries, depth, keys), [q, k], [scores])
  const p = overwrite('attentionSoftmax', attention, [scores, mask])
  let dp = call.workspace(size)
  device.run('matmul', products(batch, queries, width, keys), [dy, v], [dp])
  if (options.dropout) dp = overwrite('dropout', { size, ...options.dropout }, [dp])
  return overwrite('attentionSoftmaxGradient', { rows: batch * queries, size: keys, scale: options.scale }, [dp, p])
}

/**
 * y = softmax(scale q k^T + mask) v, the softmax along the keys; a query whose keys are all masked gives NaN.
 * @param q        [..., T, D]
 * @param k        [..., S, D], with the same leading axes
 * @param v        [..., S, E], with the same leading axes
 * @returns        [..., T, E]
 * @throws ShapeError     sizes that do not match
 * @throws ArgumentError  a scale that is 0 or not finite, a dropout outside [0, 1)
 * Saves q, k, v, the mask, y, and a number for each row of y. The gradient of a mask takes two workspaces of [..., T, S]; the
 * others take none of that size.
 */
export const scaledDotProductAttention = define(
  attentionOp,
  {
    q: TENSOR,
    k: TENSOR,
    v: TENSOR,
    options: options<AttentionOptions>({ causal: BOOLEAN, mask: MAYBE_TENSOR, scale: NUMBER, dropout: NUMBER }),
  },
  (q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor => {
    const { causal = false, mask = null, scale = 1 / Math.sqrt(q.shape.at(-1) ?? 1), dropout = 0 } = options
    if (!Number.isFinite(scale) || scale === 0) throw new ArgumentError(`${NAME}: scale ${scale} is 0 or not finite`)
    checkRate(NAME, dropout)
    const inputs = mask ? [q, k, v, mask] : [q, k, v]
    if (dropout === 0) return apply(attentionOp, inputs, { causal, scale, dropout: null })
    const samples = q.shape[0] ?? 1
    const sampleSize = (q.size / (q.shape.at(-1) ?? 1) / samples) * (k.shape.at(-2) ?? 1)
    return nextKey(NAME, q.device, samples, sampleSize, (key) =>
      apply(attentionOp, inputs, { causal, scale, dropout: { ...key, rate: dropout } }),
    )
  },
)
