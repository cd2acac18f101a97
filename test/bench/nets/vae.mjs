/**
 * A variational autoencoder of digits, 784 - 400 - 20 - 400 - 784: Kingma, Welling, "Auto-encoding variational Bayes"
 * (2014).
 */
import {
  add,
  bceWithLogits,
  concat,
  exp,
  fromHost,
  Module,
  mean,
  mul,
  nn,
  relu,
  slice,
  square,
  sub,
} from '../../../dist/src/index.js'

const PIXELS = 784
const HIDDEN = 400
const LATENT = 20

class VAE extends Module {
  #random = nn.generator(1)

  constructor(device) {
    super(device)
    this.encoder = new nn.Linear(device, PIXELS, HIDDEN)
    this.mean = new nn.Linear(device, HIDDEN, LATENT)
    this.logVariance = new nn.Linear(device, HIDDEN, LATENT)
    this.decoder = new nn.Linear(device, LATENT, HIDDEN)
    this.out = new nn.Linear(device, HIDDEN, PIXELS)
  }

  /** [N, pixels] -> [N, pixels + 2 latent]: logits of the pixels, then mean and log variance, which the loss needs too */
  forward(x) {
    const h = relu(this.encoder.forward(x))
    const mu = this.mean.forward(h)
    const logVariance = this.logVariance.forward(h)
    const z = add(mu, mul(exp(mul(logVariance, 0.5)), this.noise(mu.shape)))
    const logits = this.out.forward(relu(this.decoder.forward(z)))
    return concat([logits, mu, logVariance], 1)
  }

  noise(shape) {
    return fromHost(this.device, { data: nn.normal(shape, this.#random), shape })
  }
}

/** -log p(x | z) + KL(q(z | x) || N(0, 1)), for each pixel */
function loss(output, x) {
  const part = (from, to) => slice(output, [0, from], [output.shape[0], to])
  const logits = part(0, PIXELS)
  const mu = part(PIXELS, PIXELS + LATENT)
  const logVariance = part(PIXELS + LATENT, PIXELS + 2 * LATENT)
  const terms = sub(sub(add(square(mu), exp(logVariance)), logVariance), 1)
  const divergence = mul(mean(terms), (0.5 * LATENT) / PIXELS)
  return add(bceWithLogits(logits, x), divergence)
}

export const vae = {
  make: (device) => new VAE(device),
  inputShape: [PIXELS],
  targetShape: [PIXELS],
  loss,
}
