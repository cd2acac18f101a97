/** Attention and the transformer's block, with the names of torch.nn.TransformerEncoderLayer. Sequences are [B, T, C]. */
import type { Device } from '../device/device.js'
import { ANYTHING, BOOLEAN, door, FUNCTION, NUMBER, options } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { scaledDotProductAttention } from '../ops/attention.js'
import { add } from '../ops/binary.js'
import { checkRate } from '../ops/dropout.js'
import { linear } from '../ops/matmul.js'
import { permute, reshape, slice } from '../ops/movement.js'
import { gelu, relu } from '../ops/unary.js'
import { ShapeError } from '../tensor/errors.js'
import { allOrNothing } from '../tensor/scope.js'
import { showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { defaultRandom, type Random, xavierUniform } from './init.js'
import { Dropout, Linear } from './layers.js'
import { Module, renamed } from './module.js'
import { LayerNorm } from './norms.js'
import { Parameter } from './parameter.js'

export interface SelfAttentionOptions {
  /** does each position see only itself and the positions before it? default false */
  causal?: boolean
  /** rate of dropout on the attention's probabilities, in training; default 0 */
  dropout?: number
  /** default true */
  bias?: boolean
  /** draws the initial values; default one generator for each device, with seed 0 */
  random?: Random
}

const checkAttention = door('MultiheadAttention', {
  width: NUMBER,
  heads: NUMBER,
  options: options<SelfAttentionOptions>({ causal: BOOLEAN, dropout: NUMBER, bias: BOOLEAN, random: FUNCTION }),
})

/**
 * Attention with several heads, each on its own C / heads features: [B, T, C] -> [B, T, C]. Keys and values are made from the
 * same sequence, or from others (cross-attention): forward(x, mask, key, value).
 * in_proj_weight [3 C, C] (the rows for queries, then keys, then values), in_proj_bias [3 C], out_proj.weight
 * [C, C], out_proj.bias [C].
 * @param width  C, a multiple of heads
 * @throws  the errors of `new Parameter`
 * @throws ArgumentError  heads that do not divide the width, a dropout outside [0, 1)
 */
export class MultiheadAttention extends Module {
  inProjWeight: Parameter
  inProjBias: Parameter | null
  readonly outProj: Linear
  readonly causal: boolean
  readonly dropout: number

  constructor(
    device: Device,
    readonly width: number,
    readonly heads: number,
    options: SelfAttentionOptions = {},
  ) {
    super(device)
    checkAttention([width, heads, options])
    const { causal = false, dropout = 0, bias = true, random = defaultRandom(device) } = options
    if (!Number.isInteger(heads) || heads < 1 || width % heads !== 0) {
      throw new ArgumentError(`MultiheadAttention: ${heads} heads do not divide the width ${width}`)
    }
    checkRate('MultiheadAttention', dropout)
    this.causal = causal
    this.dropout = dropout
    const shape = [3 * width, width]
    const made = allOrNothing(device, () => {
      const weight = new Parameter(device, shape, () => xavierUniform(shape, random))
      const inBias = bias ? new Parameter(device, [3 * width]) : null
      const out = new Linear(device, width, width, { bias, random })
      if (out.bias) device.run('fill', { size: width, value: 0 }, [], [out.bias.storage('MultiheadAttention')])
      return { weight, bias: inBias, out }
    })
    this.inProjWeight = made.weight
    this.inProjBias = made.bias
    this.outProj = made.out
  }

  /**
   * @param mask   added to the scores, broadcast to [B, heads, T, S]: 0 where a position is visible, -Infinity where it
   *               is hidden
   * @param key    [B, S, C], what the positions of x look at; default x
   * @param value  [B, S, C], what they see there; default key
   * @throws ShapeError  x, key or value has another shape
   */
  forward(x: Tensor, mask: Tensor | null = null, key: Tensor = x, value: Tensor = key): Tensor {
    const { width, causal } = this
    for (const [name, { shape }] of Object.entries({ input: x, key, value })) {
      const [samples, length] = shape
      const fits = shape.length === 3 && shape[2] === width && samples === x.shape[0]
      if (fits && (name !== 'value' || length === key.shape[1])) continue
      const wanted = name === 'input' ? `[B, T, ${width}]` : `[${x.shape[0]}, S, ${width}]`
      const both = name === 'value' ? `, with the S of the key ${showShape(key.shape)}` : ''
      throw new ShapeError(`MultiheadAttention: the ${name} ${showShape(shape)} must be ${wanted}${both}`)
    }
    const dropout = this.training ? this.dropout : 0
    const [q, k, v] = [x, key, value].map((from, part) => this.#project(from, part))
    const seen = scaledDotProductAttention(q, k, v, { causal, mask, dropout })
    return this.outProj.forward(reshape(permute(seen, [0, 2, 1, 3]), x.shape))
  }

  /**
   * Queries, keys or values by head: [B, T, C] -> [B, heads, T, C / heads]. It slices the weight rather than the
   * result, because the weight does not grow with the batch.
   */
  #project(x: Tensor, part: number): Tensor {
    const { width, heads, inProjWeight, inProjBias } = this
    const [from, to] = [[part * width], [(part + 1) * width]]
    const weight = slice(inProjWeight, from, to)
    const bias = inProjBias && slice(inProjBias, from, to)
    const features = reshape(linear(x, weight, bias), [x.shape[0], x.shape[1], heads, width / heads])
    return permute(features, [0, 2, 1, 3])
  }

  protected override members(): Iterable<readonly [string, unknown]> {
    return renamed(super.members(), PYTORCH_NAMES)
  }
}

export interface TransformerBlockOptions {
  /** width of the feed-forward's hidden layer; default 2048 */
  feedForward?: number
  /**
   * rate of every dropout: on the attention's probabilities, the hidden layer, and the result of each branch; default
   * 0.1
   */
  dropout?: number
  /** the activation of the hidden layer; default 'relu' */
  activation?: 'relu' | 'gelu'
  /** normalise the inputs of attention and feed-forward instead of the sums after them; default false */
  preNorm?: boolean
  /** does each position see only itself and the positions before it? default false */
  causal?: boolean
  /** added to the variance in both norms; default 1e-5 */
  eps?: number
  /** draws the initial values; default one generator for each device, with seed 0 */
  random?: Random
}

const checkBlock = door('TransformerBlock', {
  width: NUMBER,
  heads: NUMBER,
  options: options<TransformerBlockOptions>({
    feedForward: NUMBER,
    dropout: NUMBER,
    activation: ANYTHING,
    preNorm: BOOLEAN,
    causal: BOOLEAN,
    eps: NUMBER,
    random: FUNCTION,
  }),
})

/**
 * Attention and a feed-forward of two layers, each added to its input: [B, T, C] -> [B, T, C].
 *
 *     pre-norm:   h = x + attention(norm1(x));   y = h + feedForward(norm2(h))
 *     post-norm:  h = norm1(x + attention(x));   y = norm2(h + feedForward(h))
 *
 * Parameters and defaults are those of torch.nn.TransformerEncoderLayer: self_attn, linear1, linear2, norm1, norm2.
 * @param width  C, a multiple of heads
 * @throws  the errors of `new Parameter`
 * @throws ArgumentError  heads that do not divide the width, a dropout outside [0, 1), an unknown activation
 */
export class TransformerBlock extends Module {
  readonly selfAttention: MultiheadAttention
  readonly linear1: Linear
  readonly dropout: Dropout
  readonly linear2: Linear
  readonly norm1: LayerNorm
  readonly norm2: LayerNorm
  readonly dropout1: Dropout
  readonly dropout2: Dropout
  readonly preNorm: boolean
  readonly #activation: (x: Tensor) => Tensor

  constructor(device: Device, width: number, heads: number, options: TransformerBlockOptions = {}) {
    super(device)
    checkBlock([width, heads, options])
    const { feedForward = 2048, dropout = 0.1, activation = 'relu', preNorm = false, causal, eps, random } = options
    if (activation !== 'relu' && activation !== 'gelu') {
      throw new ArgumentError(`TransformerBlock: there is no activation '${activation}': use relu or gelu`)
    }
    this.dropout = new Dropout(device, dropout)
    this.dropout1 = new Dropout(device, dropout)
    this.dropout2 = new Dropout(device, dropout)
    this.preNorm = preNorm
    const made = allOrNothing(device, () => ({
      attention: new MultiheadAttention(device, width, heads, { causal, dropout, random }),
      linear1: new Linear(device, width, feedForward, { random }),
      linear2: new Linear(device, feedForward, width, { random }),
      norm1: new LayerNorm(device, width, { eps }),
      norm2: new LayerNorm(device, width, { eps }),
    }))
    this.selfAttention = made.attention
    this.linear1 = made.linear1
    this.linear2 = made.linear2
    this.norm1 = made.norm1
    this.norm2 = made.norm2
    this.#activation = activation === 'relu' ? relu : gelu
  }

  /**
   * @param mask  as MultiheadAttention takes it
   * @throws ShapeError  x is not [B, T, C]
   */
  forward(x: Tensor, mask: Tensor | null = null): Tensor {
    const { norm1, norm2, preNorm } = this
    const attention = (h: Tensor) => this.dropout1.forward(this.selfAttention.forward(h, mask))
    if (preNorm) {
      const h = add(x, attention(norm1.forward(x)))
      return add(h, this.#feedForward(norm2.forward(h)))
    }
    const h = norm1.forward(add(x, attention(x)))
    return norm2.forward(add(h, this.#feedForward(h)))
  }

  #feedForward(h: Tensor): Tensor {
    const hidden = this.dropout.forward(this.#activation(this.linear1.forward(h)))
    return this.dropout2.forward(this.linear2.forward(hidden))
  }

  protected override members(): Iterable<readonly [string, unknown]> {
    return renamed(super.members(), PYTORCH_NAMES)
  }
}

const PYTORCH_NAMES: Readonly<Record<string, string>> = {
  inProjWeight: 'in_proj_weight',
  inProjBias: 'in_proj_bias',
  outProj: 'out_proj',
  selfAttention: 'self_attn',
}
