/** LSTM and GRU from the layers, 20 steps, with the sizes of lstm.mjs. */
import { crossEntropy, Module, nn, reshape } from '../../../dist/src/index.js'
import { lstm } from './lstm.mjs'

const [STEPS, FEATURES] = lstm.inputShape
const WIDTH = 128

/** [N, steps, features] -> [N, classes], from the last state */
class Recurrent extends Module {
  constructor(device, Layer, classes) {
    super(device)
    this.layer = new Layer(device, FEATURES, WIDTH)
    this.head = new nn.Linear(device, WIDTH, classes)
  }

  forward(x) {
    const [, h] = this.layer.forward(x)
    return this.head.forward(reshape(h, [x.shape[0], WIDTH]))
  }
}

const net = (Layer) => ({
  make: (device) => new Recurrent(device, Layer, 10),
  inputShape: [STEPS, FEATURES],
  targetShape: [],
  loss: crossEntropy,
})

export const lstmLayer = net(nn.LSTM)
export const gruLayer = net(nn.GRU)
