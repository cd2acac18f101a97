/**
 * The cells of AmoebaNet-D, the network of GPipe, in a small CIFAR form: Real, Aggarwal, Huang, Le, "Regularized evolution
 * for image classifier architecture search" (2019). A cell is a table: each of its five new states is the sum of two
 * operations on earlier states. The first two states are the results of the two cells before.
 */
import {
  add,
  averagePool2d,
  concat,
  crossEntropy,
  flatten,
  Module,
  maxPool2d,
  nn,
  relu,
} from '../../../dist/src/index.js'
import { ConvNorm } from './conv-norm.mjs'

class ReluConvNorm extends Module {
  constructor(device, from, to, kernel, options) {
    super(device)
    this.conv = new ConvNorm(device, from, to, kernel, options)
  }

  forward(x) {
    return this.conv.forward(relu(x))
  }
}

/** ReluConvNorms one after the other, the middle ones at a quarter of the channels. */
class Stack extends Module {
  constructor(device, channels, stride, kernels) {
    super(device)
    const narrow = channels / 4
    this.layers = kernels.map((kernel, i) => {
      const from = i === 0 ? channels : narrow
      const to = i === kernels.length - 1 ? channels : narrow
      return new ReluConvNorm(device, from, to, kernel, { stride: i === 1 ? stride : 1 })
    })
  }

  forward(x) {
    return this.layers.reduce((h, layer) => layer.forward(h), x)
  }
}

const withoutWeights = (forward) => (_device, _channels, stride) => ({ forward: (x) => forward(x, stride) })

const none = withoutWeights((x) => x)
const maxPool2 = withoutWeights((x, stride) => maxPool2d(x, { kernel: 2, stride }))
const maxPool3 = withoutWeights((x, stride) => maxPool2d(x, { kernel: 3, stride, padding: 1 }))
const averagePool3 = withoutWeights((x, stride) =>
  averagePool2d(x, { kernel: 3, stride, padding: 1, countPadding: false }),
)
const conv1 = (device, channels, stride) => new ReluConvNorm(device, channels, channels, 1, { stride })
const conv3 = (device, channels, stride) => new Stack(device, channels, stride, [1, 3, 1])
const conv7 = (device, channels, stride) => new Stack(device, channels, stride, [1, [1, 7], [7, 1], 1])

/** Rows of [state, operation, state, operation]; `joined` lists the states that form the result. */
const NORMAL = {
  rows: [
    [1, conv1, 1, maxPool3],
    [1, none, 0, conv7],
    [0, conv1, 0, conv7],
    [2, maxPool3, 2, none],
    [1, averagePool3, 5, conv1],
  ],
  joined: [0, 3, 4, 6],
}
const REDUCTION = {
  rows: [
    [0, maxPool2, 0, maxPool3],
    [2, none, 1, conv3],
    [2, conv7, 2, maxPool3],
    [3, none, 1, maxPool2],
    [2, averagePool3, 3, conv1],
  ],
  joined: [4, 5, 6],
}

/** (last result, the one before) -> result of `joined` times `channels` channels; a reduction halves the image. */
class Cell extends Module {
  constructor(device, table, last, before, channels) {
    super(device)
    this.table = table
    this.outChannels = table.joined.length * channels
    this.outSide = table === REDUCTION ? last.side / 2 : last.side
    this.first = new ReluConvNorm(device, last.channels, channels, 1)
    this.second = new ReluConvNorm(device, before.channels, channels, 1, { stride: before.side / last.side })
    this.operations = table.rows.map(([i, left, j, right]) => {
      const strideOf = (state) => (table === REDUCTION && state < 2 ? 2 : 1)
      return [left(device, channels, strideOf(i)), right(device, channels, strideOf(j))]
    })
  }

  forward(last, before) {
    const states = [this.first.forward(last), this.second.forward(before)]
    this.table.rows.forEach(([i, , j], row) => {
      const [left, right] = this.operations[row]
      states.push(add(left.forward(states[i]), right.forward(states[j])))
    })
    return concat(
      this.table.joined.map((state) => states[state]),
      1,
    )
  }
}

class AmoebaNet extends Module {
  constructor(device, side, width, classes) {
    super(device)
    this.stem = new ConvNorm(device, 3, width, 3)
    this.cells = []
    let last = { channels: width, side }
    let before = last
    let channels = width
    for (const table of [NORMAL, NORMAL, REDUCTION, NORMAL, NORMAL, REDUCTION, NORMAL, NORMAL]) {
      if (table === REDUCTION) channels *= 2
      const cell = new Cell(device, table, last, before, channels)
      this.cells.push(cell)
      before = last
      last = { channels: cell.outChannels, side: cell.outSide }
    }
    this.head = new nn.Linear(device, last.channels, classes)
  }

  forward(x) {
    let last = this.stem.forward(x)
    let before = last
    for (const cell of this.cells) [last, before] = [cell.forward(last, before), last]
    const means = averagePool2d(relu(last), { kernel: last.shape.slice(2) })
    return this.head.forward(flatten(means))
  }
}

export const amoebanet = {
  make: (device) => new AmoebaNet(device, 32, 32, 10),
  inputShape: [3, 32, 32],
  targetShape: [],
  loss: crossEntropy,
}
