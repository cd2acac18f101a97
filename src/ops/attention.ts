/**
 * Attention: y = p v with p = softmax(scale q k^T + mask) along the keys.
 *
 * The probabilities overwrite the scores, and are saved: [T, S] for each head. With dy:
 *
 *     dv = p^T dy,   dp = dy v^T,   ds = scale p (dp - sum of dp p),   dq = ds k,   dk = ds^T q
 *
 * where ds overwrites dp. With dropout, p' = dropout(p) replaces p in y and dv, and dp = dropout(dy v^T). The backward
 * draws p' again, so it is not saved.
 */

import type { AttentionRows, KernelParameters } from '../../kernels/kernels.js'
import type { Storage } from '../device/storage.js'
import { BOOLEAN, NUMBER, options } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import { MAYBE_TENSOR, TENSOR } from '../tensor/kinds.js'
import { broadcastStrides, offsetsOf, type Shape, sameShape, showShape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { checkRate, type DropoutKey, nextKey } from './dropout.js'
import { apply, type BackwardCall, type Call, define, type Op } from './op.js'
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

/** One matrix product for each matrix of the batch. */
function products(batch: number, m: number, k: number, n: number, transposed: 'a' | 'b' | null) {
  const inOrder = offsetsOf([batch], [1])
  const transposes = { transposeA: transposed === 'a', transposeB: transposed === 'b' }
  const offsets = { offsetsA: inOrder, offsetsB: inOrder }
  return { batch, ...offsets, m, k, n, ...transposes, bias: false, accumulate: false } as const
}

function rows([q, k, v, mask]: readonly Shape[], { causal, scale }: Settings): AttentionRows {
  const { batch, queries, keys } = sizes([q, k, v, mask])
  if (!mask) return { batch, queries, keys, causal, scale, mask: null }
  const strides = broadcastStrides(mask, [...q.slice(0, -1), keys])
  const [strideQuery, strideKey] = strides.slice(-2)
  const starts = offsetsOf(q.slice(0, -2), strides.slice(0, -2))
  return { batch, queries, keys, causal, scale, mask: { starts, strideQuery, strideKey } }
}

const attentionOp: Op<Settings> = {
  name: NAME,
  shape: (shapes) => {
    const { width } = sizes(shapes)
    return [...shapes[0].slice(0, -1), width]
  },
  settings: ({ scale, dropout }) => ({ scale, dropout: dropout?.rate ?? 0 }),
  extras: (shapes) => {
    const { batch, queries, keys } = sizes(shapes)
    return [batch * queries * keys]
  },
  forward: (call) => {
    const { device, shapes, options, inputs, output, extras } = call
    const [q, k, v, ...mask] = inputs
    const [p] = extras
    const { batch, queries, keys, depth, width } = sizes(shapes)
    const scores = device.aliases ? p : call.workspace(p.size)
    device.run('matmul', products(batch, queries, depth, keys, 'b'), [q, k], [scores])
    device.run('attentionSoftmax', rows(shapes, options), [scores, ...mask], [p])
    device.run('matmul', products(batch, queries, keys, width, null), [dropped(call, p), v], [output])
  },
  gradients: [
    {
      saves: [1, 2, 'extras'],
      send: (call, target) => {
        const { batch, queries, keys, depth } = sizes(call.shapes)
        target.run('matmul', products(batch, queries, keys, depth, null), [scoreGradient(call), call.input(1)])
      },
    },
    {
      saves: [0, 2, 'extras'],
      send: (call, target) => {
        const { batch, queries, keys, depth } = sizes(call.shapes)
        target.run('matmul', products(batch, keys, queries, depth, 'a'), [scoreGradient(call), call.input(0)])
      },
    },
    {
      saves: ['extras'],
      send: (call, target) => {
        const { batch, queries, keys, width } = sizes(call.shapes)
        target.run('matmul', products(batch, keys, queries, width, 'a'), [dropped(call, call.extra(0)), call.dy])
      },
    },
    {
      // the mask is added after the scale
      saves: [2, 'extras'],
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

/** dropout(p), or p itself at rate 0. */
function dropped({ device, options, workspace }: Call<Settings>, p: Storage): Storage {
  if (!options.dropout) return p
  const kept = workspace(p.size)
  device.run('dropout', { size: p.size, ...options.dropout }, [p], [kept])
  return kept
}

/** ds of each call: three gradients need it, so it is kept after the first has computed it. */
const SCORE_GRADIENTS = new WeakMap<BackwardCall<Settings>, Storage>()

/** ds of a call, in workspace memory. */
function scoreGradient(call: BackwardCall<Settings>): Storage {
  const made = SCORE_GRADIENTS.get(call)
  if (made) return made
  const { device, shapes, options, dy } = call
  const { batch, queries, keys, width } = sizes(shapes)
  const p = call.extra(0)
  /** Runs a kernel that can overwrite its first input, and lets it do so if the device allows it. */
  const overwrite = <Name extends 'dropout' | 'attentionSoftmaxGradient'>(
    name: Name,
    parameters: KernelParameters[Name],
    [first, ...rest]: readonly Storage[],
  ): Storage => {
    const output = device.aliases ? first : call.workspace(p.size)
    device.run(name, parameters, [first, ...rest], [output])
    return output
  }
  let dp = call.workspace(p.size)
  device.run('matmul', products(batch, queries, width, keys, 'b'), [dy, call.input(2)], [dp])
  if (options.dropout) dp = overwrite('dropout', { size: p.size, ...options.dropout }, [dp])
  const softmax = { rows: batch * queries, size: keys, scale: options.scale }
  const ds = overwrite('attentionSoftmaxGradient', softmax, [dp, p])
  SCORE_GRADIENTS.set(call, ds)
  return ds
}

/**
 * y = softmax(scale q k^T + mask) v, the softmax along the keys; a query whose keys are all masked gives NaN.
 * @param q        [..., T, D]
 * @param k        [..., S, D], with the same leading axes
 * @param v        [..., S, E], with the same leading axes
 * @returns        [..., T, E]
 * @throws ShapeError     sizes that do not match
 * @throws ArgumentError  a scale that is 0 or not finite, a dropout outside [0, 1)
 * Saves the probabilities, 4 bytes for each element of [..., T, S]; q where k needs a gradient, k where q does, and v where
 * q, k or the mask does.
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
    const call = (key: DropoutKey): Tensor => apply(attentionOp, inputs, { causal, scale, dropout: key })
    return nextKey(q.device, dropout, samples, sampleSize, call)
  },
)
