/** A variational autoencoder of four numbers, and samples for it. */
import { Module, nn, randn, type Tensor } from '../src/index.js'

export class Autoencoder extends Module {
  readonly encoder = new nn.Linear(this.device, 4, 6, { random: nn.generator(1) })
  readonly decoder = new nn.Linear(this.device, 3, 4, { random: nn.generator(2) })

  forward(x: Tensor): Tensor {
    const [mean, logVariance] = this.encoder.forward(x).split(3, 1)
    return this.decoder.forward(mean.add(logVariance.mul(0.5).exp().mul(randn(x.device, mean.shape))))
  }
}

export const samples = 7
export const images = {
  data: Float64Array.from({ length: 4 * samples }, (_, i) => ((7 * i) % 9) / 8),
  shape: [samples, 4],
}
