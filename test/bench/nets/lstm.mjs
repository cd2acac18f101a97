/** An LSTM written out, 20 steps: Hochreiter, Schmidhuber, "Long short-term memory" (1997), with forget gates. */
import {
  add,
  crossEntropy,
  Module,
  matmul,
  mul,
  nn,
  Parameter,
  reshape,
  sigmoid,
  slice,
  tanh,
  zeros,
} from '../../../dist/src/index.js'

const STEPS = 20
const FEATURES = 32
const WIDTH = 128

/** [N, steps, features] -> [N, classes], from the last state */
class LSTM extends Module {
  constructor(device, classes) {
    super(device)
    const random = nn.generator(0)
    const weight = (shape) => new Parameter(device, shape, () => nn.xavierUniform(shape, random))
    this.input = weight([FEATURES, 4 * WIDTH])
    this.state = weight([WIDTH, 4 * WIDTH])
    this.bias = new Parameter(device, [4 * WIDTH])
    this.head = new nn.Linear(device, WIDTH, classes)
  }

  forward(x) {
    const [samples] = x.shape
    let h = zeros(this.device, [samples, WIDTH])
    let c = zeros(this.device, [samples, WIDTH])
    for (let t = 0; t < STEPS; t++) {
      const now = reshape(slice(x, [0, t], [samples, t + 1]), [samples, FEATURES])
      const gates = add(add(matmul(now, this.input), matmul(h, this.state)), this.bias)
      const part = (i) => slice(gates, [0, i * WIDTH], [samples, (i + 1) * WIDTH])
      const keep = sigmoid(part(0))
      const take = sigmoid(part(1))
      const show = sigmoid(part(2))
      c = add(mul(keep, c), mul(take, tanh(part(3))))
      h = mul(show, tanh(c))
    }
    return this.head.forward(h)
  }
}

export const lstm = {
  make: (device) => new LSTM(device, 10),
  inputShape: [STEPS, FEATURES],
  targetShape: [],
  loss: crossEntropy,
}
