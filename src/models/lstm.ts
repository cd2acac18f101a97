/**
 * A classifier of sequences and a language model, both with nn.LSTM: Hochreiter, Schmidhuber, "Long short-term memory"
 * (1997).
 */
import type { Device } from '../device/device.js'
import { ANYTHING, door, NUMBER, options as optionsOf } from '../memory/arguments.js'
import { generator } from '../nn/init.js'
import { Embedding, Linear } from '../nn/layers.js'
import { Module } from '../nn/module.js'
import { LSTM } from '../nn/recurrent.js'
import { permute, reshape, slice } from '../ops/movement.js'
import { ShapeError } from '../tensor/errors.js'
import { DEVICE } from '../tensor/kinds.js'
import { allOrNothing } from '../tensor/scope.js'
import { ownShape, type Shape, showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'

export interface LstmSizes {
  /** features of a state; default 128 */
  width?: number
  /** the number of LSTM layers; each reads the outputs of the one before; default 1 */
  layers?: number
  /** rate of the dropout between layers; default 0 */
  dropout?: number
  /** seed of the initial values, from 0 to 2^32 - 1; default 0 */
  seed?: number
}

export interface LstmOptions extends LstmSizes {
  /** [T, features], or an image [channels, height, width], whose rows are read one after the other; default [1, 8, 8] */
  inputShape?: Shape
  /** default 10 */
  classes?: number
}

export interface LstmLanguageOptions extends LstmSizes {
  /** the number of different tokens */
  vocabulary: number
  /** the length of a sequence, in tokens; default 128 */
  context?: number
}

/** Sequences [N, T, features], or images [N, C, H, W] -> logits [N, classes], from the last state. */
export class LstmClassifier extends Module {
  readonly lstm: LSTM
  readonly head: Linear

  constructor(
    device: Device,
    override readonly inputShape: Shape,
    readonly classes: number,
    { width = 128, layers, dropout, seed = 0 }: LstmSizes,
  ) {
    super(device)
    const random = generator(seed)
    const [, , columns = 1] = inputShape
    const features = inputShape.length === 2 ? inputShape[1] : inputShape[0] * columns
    this.lstm = new LSTM(device, features, width, { layers, dropout, random })
    this.head = new Linear(device, width, classes, { random })
  }

  forward(x: Tensor): Tensor {
    const [samples, channels, height, width] = x.shape
    // a sequence of the rows of the image, each with all its channels
    const sequence = x.rank === 4 ? reshape(permute(x, [0, 2, 1, 3]), [samples, height, channels * width]) : x
    const [, h] = this.lstm.forward(sequence)
    const [, layers, features] = h.shape
    return this.head.forward(reshape(slice(h, [0, layers - 1], [samples, layers]), [samples, features]))
  }
}

/** Tokens [N, T] -> logits of the next token at each position [N, vocabulary, T]. */
export class LstmLanguageModel extends Module {
  override readonly inputShape: Shape
  readonly tokens: Embedding
  readonly lstm: LSTM
  readonly head: Linear

  constructor(
    device: Device,
    { vocabulary, context = 128, width = 128, layers, dropout, seed = 0 }: LstmLanguageOptions,
  ) {
    super(device)
    const random = generator(seed)
    this.inputShape = [context]
    this.tokens = new Embedding(device, vocabulary, width, { random })
    this.lstm = new LSTM(device, width, width, { layers, dropout, random })
    this.head = new Linear(device, width, vocabulary, { random })
  }

  forward(x: Tensor): Tensor {
    const [y] = this.lstm.forward(this.tokens.forward(x))
    return permute(this.head.forward(y), [0, 2, 1])
  }
}

const check = door('lstm', {
  device: DEVICE,
  options: optionsOf<LstmOptions & Partial<LstmLanguageOptions>>({
    inputShape: ANYTHING,
    classes: NUMBER,
    width: NUMBER,
    layers: NUMBER,
    dropout: NUMBER,
    seed: ANYTHING,
    vocabulary: NUMBER,
    context: NUMBER,
  }),
})

/**
 * LSTM layers and a linear layer. With a `vocabulary` the model embeds tokens and predicts the next one; else it is a
 * classifier.
 * @throws ShapeError           inputShape is neither [T, features] nor [C, H, W], or a size is no positive integer
 * @throws ArgumentError        layers below 1, a dropout outside [0, 1)
 * @throws BudgetExceededError  the weights do not fit; nothing is left behind
 */
export function lstm(device: Device, given?: LstmOptions): LstmClassifier
export function lstm(device: Device, given: LstmLanguageOptions): LstmLanguageModel
export function lstm(device: Device, given: LstmOptions & Partial<LstmLanguageOptions> = {}): Module {
  check([device, given])
  const { vocabulary, context, inputShape = [1, 8, 8], classes = 10, ...sizes } = given
  if (vocabulary !== undefined) {
    return allOrNothing(device, () => new LstmLanguageModel(device, { vocabulary, context, ...sizes }))
  }
  const shape = ownShape('inputShape', inputShape)
  if (shape.length !== 2 && shape.length !== 3) {
    throw new ShapeError(`lstm: inputShape ${showShape(shape)} must be [T, features] or [channels, height, width]`)
  }
  return allOrNothing(device, () => new LstmClassifier(device, shape, classes, sizes))
}
