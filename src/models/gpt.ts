/**
 * GPT-2, with the names and shapes of its published weights: wte.weight, h.0.attn.c_attn.weight, ln_f.weight. Radford, Wu,
 * Child, Luan, Amodei, Sutskever, "Language models are unsupervised multitask learners" (2019).
 */
import type { Device } from '../device/device.js'
import { ANYTHING, checkArgument, NUMBER, options as optionsOf } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { generator, normal, type Random } from '../nn/init.js'
import { Dropout } from '../nn/layers.js'
import { Module } from '../nn/module.js'
import { LayerNorm } from '../nn/norms.js'
import { Parameter } from '../nn/parameter.js'
import { scaledDotProductAttention } from '../ops/attention.js'
import { add } from '../ops/binary.js'
import { embedding } from '../ops/embedding.js'
import { linear, matmul } from '../ops/matmul.js'
import { permute, reshape, slice } from '../ops/movement.js'
import { gelu } from '../ops/unary.js'
import { ShapeError } from '../tensor/errors.js'
import { allOrNothing } from '../tensor/scope.js'
import { type Shape, showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'

export interface GptOptions {
  /** the number of different tokens; default 50257 */
  vocabulary?: number
  /** the longest sequence, in tokens; default 1024 */
  context?: number
  /** C, the features of a position; default 768 */
  width?: number
  /** heads of the attention; must divide the width; default 12 */
  heads?: number
  /** the number of blocks; default 12 */
  layers?: number
  /** rate of every dropout; default 0 */
  dropout?: number
  /** seed of the initial values, from 0 to 2^32 - 1; default 0 */
  seed?: number
}

const OPTIONS = optionsOf<GptOptions>({
  vocabulary: NUMBER,
  context: NUMBER,
  width: NUMBER,
  heads: NUMBER,
  layers: NUMBER,
  dropout: NUMBER,
  seed: ANYTHING,
})

/** What all layers of a GPT are made with. */
export interface GptMaking {
  readonly device: Device
  readonly random: Random
  readonly width: number
  readonly heads: number
  readonly layers: number
  readonly dropout: number
}

const drawn = ({ device, random }: Pick<GptMaking, 'device' | 'random'>, shape: Shape, deviation = 0.02): Parameter =>
  new Parameter(device, shape, () => normal(shape, random, 0, deviation))

/** y = x weight + bias: [N, T, in] -> [N, T, out]; weight [in, out], bias [out]. */
class Projection extends Module {
  readonly weight: Parameter
  readonly bias: Parameter

  constructor(making: GptMaking, from: number, to: number, deviation?: number) {
    super(making.device)
    this.weight = drawn(making, [from, to], deviation)
    this.bias = new Parameter(making.device, [to])
  }

  /** @param part  which of three equal parts of the columns; default all */
  forward(x: Tensor, part?: number): Tensor {
    let { weight, bias }: { weight: Tensor; bias: Tensor } = this
    if (part !== undefined) {
      // slice the weight: a slice of the result would grow with the batch
      const [rows, columns] = [weight.shape[0], weight.shape[1] / 3]
      weight = slice(weight, [0, part * columns], [rows, (part + 1) * columns])
      bias = slice(bias, [part * columns], [(part + 1) * columns])
    }
    const [samples, length, features] = x.shape
    const y = add(matmul(reshape(x, [samples * length, features]), weight), bias)
    return reshape(y, [samples, length, bias.size])
  }
}

/** Attention in `heads` heads, [N, T, C] -> [N, T, C]. A position sees itself and the positions before it. */
class Attention extends Module {
  readonly c_attn: Projection
  readonly c_proj: Projection
  readonly #heads: number
  readonly #dropout: number

  constructor(making: GptMaking) {
    super(making.device)
    const { width, heads, layers, dropout } = making
    this.c_attn = new Projection(making, width, 3 * width)
    this.c_proj = new Projection(making, width, width, 0.02 / Math.sqrt(2 * layers))
    this.#heads = heads
    this.#dropout = dropout
  }

  forward(x: Tensor): Tensor {
    const [samples, length, width] = x.shape
    const heads = this.#heads
    const [q, k, v] = [0, 1, 2].map((part) =>
      permute(reshape(this.c_attn.forward(x, part), [samples, length, heads, width / heads]), [0, 2, 1, 3]),
    )
    const seen = scaledDotProductAttention(q, k, v, { causal: true, dropout: this.training ? this.#dropout : 0 })
    return this.c_proj.forward(reshape(permute(seen, [0, 2, 1, 3]), x.shape))
  }
}

/** Two layers, C -> 4 C -> C, at each position. */
class FeedForward extends Module {
  readonly c_fc: Projection
  readonly c_proj: Projection

  constructor(making: GptMaking) {
    super(making.device)
    const { width, layers } = making
    this.c_fc = new Projection(making, width, 4 * width)
    this.c_proj = new Projection(making, 4 * width, width, 0.02 / Math.sqrt(2 * layers))
  }

  forward(x: Tensor): Tensor {
    return this.c_proj.forward(gelu(this.c_fc.forward(x), { approximate: 'tanh' }))
  }
}

class Block extends Module {
  readonly ln_1: LayerNorm
  readonly attn: Attention
  readonly ln_2: LayerNorm
  readonly mlp: FeedForward
  readonly dropout: Dropout

  constructor(making: GptMaking) {
    super(making.device)
    this.ln_1 = new LayerNorm(making.device, making.width)
    this.attn = new Attention(making)
    this.ln_2 = new LayerNorm(making.device, making.width)
    this.mlp = new FeedForward(making)
    this.dropout = new Dropout(making.device, making.dropout)
  }

  forward(x: Tensor): Tensor {
    const h = add(x, this.dropout.forward(this.attn.forward(this.ln_1.forward(x))))
    return add(h, this.dropout.forward(this.mlp.forward(this.ln_2.forward(h))))
  }
}

/**
 * Tokens [N, T] -> logits of the next token at each position [N, vocabulary, T], with the classes on axis 1, where
 * crossEntropy expects them. T is at most the context; a shorter sequence takes the first positions.
 */
export class Gpt extends Module {
  override readonly inputShape: Shape
  /** the embedding of the tokens, [vocabulary, C]; the last layer has the same weight */
  readonly wte: { readonly weight: Parameter }
  /** the embedding of the positions, [context, C] */
  readonly wpe: { readonly weight: Parameter }
  readonly h: readonly Block[]
  readonly ln_f: LayerNorm
  readonly dropout: Dropout

  constructor(making: GptMaking, vocabulary: number, context: number) {
    super(making.device)
    const { device, width, layers } = making
    this.inputShape = [context]
    this.wte = { weight: drawn(making, [vocabulary, width]) }
    this.wpe = { weight: drawn(making, [context, width]) }
    this.h = Array.from({ length: layers }, () => new Block(making))
    this.ln_f = new LayerNorm(device, width)
    this.dropout = new Dropout(device, making.dropout)
  }

  /** @throws ShapeError  x is not [N, T] with T from 1 to the context */
  forward(x: Tensor): Tensor {
    const [table, places] = [this.wte.weight, this.wpe.weight]
    const [context, width] = places.shape
    const length = x.shape[1]
    if (x.rank !== 2 || length > context) {
      throw new ShapeError(`gpt: the input ${showShape(x.shape)} must be [N, T], T up to the context ${context}`)
    }
    const first = length < context ? slice(places, [0, 0], [length, width]) : places
    let h = this.dropout.forward(add(embedding(table, x), first))
    for (const block of this.h) h = block.forward(h)
    return permute(linear(this.ln_f.forward(h), table), [0, 2, 1])
  }
}

/**
 * `layers` blocks of attention and feed-forward on C = `width` features, pre-norm. The defaults are those of the smallest
 * GPT-2. Weights are drawn from N(0, 0.02^2); in the last layer of each branch they are divided by sqrt(2 layers). Biases
 * begin at 0.
 * @throws ArgumentError        heads that do not divide the width, layers that are no whole number, a dropout outside [0, 1)
 * @throws BudgetExceededError  the weights do not fit; nothing is left behind
 */
export function gpt(device: Device, given: GptOptions = {}): Gpt {
  checkArgument('gpt', 'options', given, OPTIONS)
  const { vocabulary = 50257, context = 1024, width = 768, heads = 12, layers = 12, dropout = 0, seed = 0 } = given
  if (!(Number.isInteger(heads) && heads >= 1 && width % heads === 0)) {
    throw new ArgumentError(`gpt: ${heads} heads do not divide the width ${width}`)
  }
  if (!(Number.isInteger(layers) && layers >= 1)) {
    throw new ArgumentError(`gpt: layers is ${layers}; it must be a whole number, 1 or more`)
  }
  const making = { device, random: generator(seed), width, heads, layers, dropout }
  return allOrNothing(device, () => new Gpt(making, vocabulary, context))
}
