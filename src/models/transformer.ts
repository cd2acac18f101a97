/** A small language model: a decoder-only transformer, pre-norm, with learned positions. */
import type { Device } from '../device/device.js'
import { ANYTHING, checkArgument, NUMBER, options as optionsOf } from '../memory/arguments.js'
import { generator, normal } from '../nn/init.js'
import { Embedding, Linear } from '../nn/layers.js'
import { Module } from '../nn/module.js'
import { LayerNorm } from '../nn/norms.js'
import { Parameter } from '../nn/parameter.js'
import { Sequential } from '../nn/sequential.js'
import { TransformerBlock } from '../nn/transformer.js'
import { add } from '../ops/binary.js'
import { permute, slice } from '../ops/movement.js'
import { ShapeError } from '../tensor/errors.js'
import { allOrNothing } from '../tensor/scope.js'
import { type Shape, showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'

export interface TransformerOptions {
  /** the number of different tokens */
  vocabulary: number
  /** the longest sequence, in tokens */
  context: number
  /** C, the features of a position; default 64 */
  width?: number
  /** heads of the attention; must divide the width; default 4 */
  heads?: number
  /** the number of blocks; default 2 */
  layers?: number
  /** rate of every dropout; default 0 */
  dropout?: number
  /** seed of the initial values, from 0 to 2^32 - 1; default 0 */
  seed?: number
}

const OPTIONS = optionsOf<TransformerOptions>(
  {
    vocabulary: NUMBER,
    context: NUMBER,
    width: NUMBER,
    heads: NUMBER,
    layers: NUMBER,
    dropout: NUMBER,
    seed: ANYTHING,
  },
  ['vocabulary', 'context'],
)

/**
 * Tokens [N, T] -> logits of the next token at each position [N, vocabulary, T], with the classes on axis 1, where
 * crossEntropy expects them. T is at most the context; a shorter sequence takes the first positions.
 */
export class Transformer extends Module {
  override readonly inputShape: Shape
  readonly tokens: Embedding
  places: Parameter
  readonly body: Sequential

  constructor(device: Device, options: TransformerOptions) {
    super(device)
    checkArgument('transformer', 'options', options, OPTIONS)
    const { vocabulary, context, width = 64, heads = 4, layers = 2, dropout = 0, seed = 0 } = options
    const random = generator(seed)
    const block = { feedForward: 4 * width, dropout, activation: 'gelu', preNorm: true, causal: true, random } as const
    const placesShape = [context, width]
    const made = allOrNothing(device, () => ({
      tokens: new Embedding(device, vocabulary, width, { random }),
      places: new Parameter(device, placesShape, () => normal(placesShape, random, 0, 0.02)),
      body: new Sequential(
        ...Array.from({ length: layers }, () => new TransformerBlock(device, width, heads, block)),
        new LayerNorm(device, width),
        new Linear(device, width, vocabulary, { random }),
      ),
    }))
    this.inputShape = [context]
    this.tokens = made.tokens
    this.places = made.places
    this.body = made.body
  }

  /** @throws ShapeError  x is not [N, T] with T from 1 to the context */
  forward(x: Tensor): Tensor {
    const [context, width] = this.places.shape
    const length = x.shape[1]
    if (x.rank !== 2 || length > context) {
      throw new ShapeError(
        `transformer: the input ${showShape(x.shape)} must be [N, T], T up to the context ${context}`,
      )
    }
    const places = length < context ? slice(this.places, [0, 0], [length, width]) : this.places
    return permute(this.body.forward(add(this.tokens.forward(x), places)), [0, 2, 1])
  }
}

/**
 * @throws ArgumentError        heads that do not divide the width
 * @throws BudgetExceededError  the weights do not fit; nothing is left behind
 */
export const transformer = (device: Device, options: TransformerOptions): Transformer =>
  new Transformer(device, options)
