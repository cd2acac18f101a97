/** The exercises of chapter 4. Try them: npm run learn -- 4 */
import { Module, nn } from 'sluice'

/**
 * A network with a skip connection: forward(x) = out(relu(inner(x)) + x), where `inner` is a linear layer from `features`
 * to `features`, and `out` one from `features` to `classes`.
 */
export class Skip extends Module {
  constructor(device, features, classes) {
    super(device)
    // the layers are properties: this.inner = new nn.Linear(device, ...)
  }

  forward(x) {
    throw new Error('TODO: the forward of the network')
  }
}

/**
 * One step of SGD with momentum and weight decay, as PyTorch does it:
 *   g = gradient + weightDecay w;  v = momentum v + g;  w = w - learningRate v
 * @param {number[]} w         changes in place
 * @param {number[]} gradient
 * @param {number[]} v         the running sums, zeros before the first step; changes in place
 */
export function momentumStep(w, gradient, v, { learningRate, momentum, weightDecay }) {
  throw new Error('TODO: the update of each element')
}
