/**
 * AmoebaNet-D, with the names of torchgpipe: Real, Aggarwal, Huang, Le, "Regularized evolution for image classifier
 * architecture search" (2019). A cell is a table: each of its five new states is the sum of two operations on earlier states.
 * The first two states are made from the results of the two cells before.
 */
import type { Device } from '../device/device.js'
import { ANYTHING, door, NUMBER, options } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import type { Random } from '../nn/init.js'
import { Linear } from '../nn/layers.js'
import { Module } from '../nn/module.js'
import { add } from '../ops/binary.js'
import { concat, pad, slice } from '../ops/movement.js'
import { averagePool2d, maxPool2d } from '../ops/pool.js'
import { relu } from '../ops/unary.js'
import type { Sides } from '../ops/window.js'
import { ShapeError } from '../tensor/errors.js'
import { DEVICE } from '../tensor/kinds.js'
import { type Shape, showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { imageSides } from './classifier.js'
import { channelMeans, conv, FORM, type FormOptions, imageModel, type Making, norm } from './parts.js'

export interface AmoebaNetOptions extends Omit<FormOptions, 'width'> {
  /** normal cells, a multiple of 3; default 18 */
  layers?: number
  /** F of the paper, a multiple of 8: channels of each operation in the first normal cells; default 256 */
  filters?: number
}

/**
 * For each kernel: relu, a convolution without bias, and batch norm. The names count all three, so the first convolution is
 * `1`.
 */
class ReluConvNorm extends Module {
  readonly layers: Readonly<Record<string, Module>>

  constructor(making: Making, channels: readonly number[], kernels: readonly Sides[], strides: readonly Sides[] = []) {
    super(making.device)
    this.layers = Object.fromEntries(
      kernels.flatMap((kernel, i) => [
        [`${3 * i + 1}`, conv(making, channels[i], channels[i + 1], kernel, { stride: strides[i] ?? 1 })],
        [`${3 * i + 2}`, norm(making, channels[i + 1])],
      ]),
    )
  }

  forward(x: Tensor): Tensor {
    const isConvolution = (i: number): boolean => i % 2 === 0
    return Object.values(this.layers).reduce((h, layer, i) => layer.forward(isConvolution(i) ? relu(h) : h), x)
  }

  protected override members(): Iterable<readonly [string, unknown]> {
    return Object.entries(this.layers)
  }
}

/**
 * Halves the sides of an image. One convolution reads the pixels at even rows and columns, the other those at odd ones;
 * each makes half of the channels.
 */
class FactorizedReduce extends Module {
  readonly conv1
  readonly conv2
  readonly bn

  constructor(making: Making, from: number, to: number) {
    super(making.device)
    this.conv1 = conv(making, from, to / 2, 1, { stride: 2 })
    this.conv2 = conv(making, from, to / 2, 1, { stride: 2 })
    this.bn = norm(making, to)
  }

  forward(x: Tensor): Tensor {
    const h = relu(x)
    const [samples, channels, height, width] = h.shape
    const odd = pad(slice(h, [0, 0, 1, 1], [samples, channels, height, width]), [
      [0, 0],
      [0, 0],
      [0, 1],
      [0, 1],
    ])
    return this.bn.forward(concat([this.conv1.forward(h), this.conv2.forward(odd)], 1))
  }
}

/** One operation of a cell. `module` holds its weights; null: it has none. */
class Operation extends Module {
  constructor(
    device: Device,
    readonly run: (x: Tensor) => Tensor,
    readonly module: Module | null = null,
  ) {
    super(device)
  }

  forward(x: Tensor): Tensor {
    return this.run(x)
  }
}

type Make = (making: Making, channels: number, stride: number) => Operation

const of = ({ device }: Making, module: Module): Operation => new Operation(device, (x) => module.forward(x), module)

const none: Make = (making, channels, stride) =>
  stride === 1 ? new Operation(making.device, (x) => x) : of(making, new FactorizedReduce(making, channels, channels))
const maxPool2: Make = ({ device }, _, stride) => new Operation(device, (x) => maxPool2d(x, { kernel: 2, stride }))
const maxPool3: Make = ({ device }, _, stride) =>
  new Operation(device, (x) => maxPool2d(x, { kernel: 3, stride, padding: 1 }))
const averagePool3: Make = ({ device }, _, stride) =>
  new Operation(device, (x) => averagePool2d(x, { kernel: 3, stride, padding: 1, countPadding: false }))
const conv1: Make = (making, c, stride) => of(making, new ReluConvNorm(making, [c, c], [1], [stride]))
const conv3: Make = (making, c, stride) =>
  of(making, new ReluConvNorm(making, [c, c / 4, c / 4, c], [1, 3, 1], [1, stride]))
const conv7: Make = (making, c, stride) => {
  const kernels: Sides[] = [1, [1, 7], [7, 1], 1]
  return of(making, new ReluConvNorm(making, [c, c / 4, c / 4, c / 4, c], kernels, [1, [1, stride], [stride, 1]]))
}

interface Table {
  /** [state, operation, state, operation]: the two results are added */
  readonly rows: readonly (readonly [number, Make, number, Make])[]
  /** the states whose channels are concatenated to the result */
  readonly joined: readonly number[]
}

const NORMAL: Table = {
  rows: [
    [1, conv1, 1, maxPool3],
    [1, none, 0, conv7],
    [0, conv1, 0, conv7],
    [2, maxPool3, 2, none],
    [1, averagePool3, 5, conv1],
  ],
  joined: [0, 3, 4, 6],
}
const REDUCTION: Table = {
  rows: [
    [0, maxPool2, 0, maxPool3],
    [2, none, 1, conv3],
    [2, conv7, 2, maxPool3],
    [3, none, 1, maxPool2],
    [2, averagePool3, 3, conv1],
  ],
  joined: [4, 5, 6],
}

/**
 * Maps the results of the last two cells to `joined.length` * `channels` channels. A reduction cell halves the sides of the
 * image.
 */
class Cell extends Module {
  readonly reduce1: Module
  readonly reduce2: Module | null
  readonly operations: readonly Operation[]
  readonly #table: Table

  /** @param beforeIsLarger  has the result before the last twice the sides of the last? */
  constructor(making: Making, table: Table, last: number, before: number, beforeIsLarger: boolean, channels: number) {
    super(making.device)
    this.#table = table
    this.reduce1 = new ReluConvNorm(making, [last, channels], [1])
    this.reduce2 = beforeIsLarger
      ? new FactorizedReduce(making, before, channels)
      : before === channels
        ? null
        : new ReluConvNorm(making, [before, channels], [1])
    const strideOf = (state: number): number => (table === REDUCTION && state < 2 ? 2 : 1)
    this.operations = table.rows.flatMap(([i, left, j, right]) => [
      left(making, channels, strideOf(i)),
      right(making, channels, strideOf(j)),
    ])
  }

  forward(last: Tensor, before: Tensor = last): Tensor {
    const states = [this.reduce1.forward(last), this.reduce2?.forward(before) ?? before]
    const { rows, joined } = this.#table
    for (const [row, [i, , j]] of rows.entries()) {
      const [left, right] = [this.operations[2 * row], this.operations[2 * row + 1]]
      states.push(add(left.forward(states[i]), right.forward(states[j])))
    }
    const result = joined.map((state) => states[state])
    return concat(result, 1)
  }
}

/** relu, a 3x3 convolution, batch norm. */
class Stem extends Module {
  readonly conv
  readonly bn

  constructor(making: Making, from: number, to: number, stride: number) {
    super(making.device)
    this.conv = conv(making, from, to, 3, { stride })
    this.bn = norm(making, to)
  }

  forward(x: Tensor): Tensor {
    return this.bn.forward(this.conv.forward(relu(x)))
  }
}

/** Images [N, C, H, W] -> logits [N, classes]. */
export class AmoebaNet extends Module {
  readonly stem1: Stem
  readonly cells: Readonly<Record<string, Cell>>
  readonly classify: { readonly fc: Linear }

  constructor(
    making: Making,
    override readonly inputShape: Shape,
    readonly classes: number,
    { layers, filters, isSmall, random }: { layers: number; filters: number; isSmall: boolean; random: Random },
  ) {
    super(making.device)
    let channels = isSmall ? filters : filters / 4
    let [last, before] = [channels, channels]
    let lastReduces = false
    const cell = (table: Table): Cell => {
      if (table === REDUCTION) channels *= 2
      const made = new Cell(making, table, last, before, lastReduces, channels)
      ;[last, before, lastReduces] = [table.joined.length * channels, last, table === REDUCTION]
      return made
    }
    const normal = (stage: number): [string, Cell][] =>
      Array.from({ length: layers / 3 }, (_, i) => [`cell${stage}_normal${i + 1}`, cell(NORMAL)])
    this.stem1 = new Stem(making, inputShape[0], channels, isSmall ? 1 : 2)
    this.cells = Object.fromEntries([
      ...(isSmall ? [] : ['stem2', 'stem3'].map((name) => [name, cell(REDUCTION)] as const)),
      ...normal(1),
      ['cell2_reduction', cell(REDUCTION)],
      ...normal(3),
      ['cell4_reduction', cell(REDUCTION)],
      ...normal(5),
    ])
    this.classify = { fc: new Linear(making.device, last, classes, { random }) }
  }

  forward(x: Tensor): Tensor {
    let last = this.stem1.forward(x)
    let before = last
    for (const cell of Object.values(this.cells)) [last, before] = [cell.forward(last, before), last]
    return this.classify.fc.forward(channelMeans(last))
  }

  protected override *members(): Generator<readonly [string, unknown]> {
    for (const [name, member] of super.members()) {
      if (member === this.cells) yield* Object.entries(this.cells)
      else yield [name, member]
    }
  }
}

const check = door('amoebanet', {
  device: DEVICE,
  options: options<AmoebaNetOptions>({
    inputShape: ANYTHING,
    classes: NUMBER,
    batchNorm: ANYTHING,
    seed: ANYTHING,
    form: FORM,
    layers: NUMBER,
    filters: NUMBER,
  }),
})

/**
 * A stem, and three stages of layers / 3 normal cells with a reduction cell between them; each reduction doubles the
 * channels. The stem divides the sides of the image by 8: a convolution with stride 2, and two reduction cells. In the form
 * for CIFAR it is one convolution with stride 1. The 3x3 max pooling computes maxima, as in the paper; torchgpipe's
 * computes means.
 * @throws ShapeError           inputShape is not [C, H, W] with sides that are multiples of 32 (in the form for CIFAR: of
 *                              4)
 * @throws ArgumentError        layers is not a multiple of 3, or filters not of 8
 * @throws BudgetExceededError  the weights do not fit; nothing is left behind
 */
export function amoebanet(device: Device, given: AmoebaNetOptions = {}): AmoebaNet {
  check([device, given])
  const { layers = 18, filters = 256 } = given
  for (const [name, value, unit] of [
    ['layers', layers, 3],
    ['filters', filters, 8],
  ] as const) {
    if (Number.isInteger(value) && value > 0 && value % unit === 0) continue
    throw new ArgumentError(`amoebanet: ${name} is ${value}; it must be a multiple of ${unit}`)
  }
  return imageModel(device, given, (making, inputShape, classes, isSmall) => {
    const unit = isSmall ? 4 : 32
    const [, ...sides] = imageSides('amoebanet', inputShape, unit)
    if (sides.some((side) => side % unit !== 0)) {
      throw new ShapeError(`amoebanet: inputShape ${showShape(inputShape)}: the sides must be multiples of ${unit}`)
    }
    return new AmoebaNet(making, inputShape, classes, { layers, filters, isSmall, random: making.random })
  })
}
