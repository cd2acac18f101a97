/**
 * Adam and AdamW, with the formulas of torch.optim: see `adam` and `adamw` below. `update` returns the step as a kernel
 * call. Its arithmetic is `adam` in kernels/reference/optimizer.ts.
 */
import type { UpdateParameters } from '../../kernels/kernels.js'
import type { Update } from '../device/instruction.js'
import type { Storage } from '../device/storage.js'
import { ArgumentError } from '../memory/errors.js'
import type { Clipping } from './clipping.js'
import type { Trainable } from './groups.js'
import { type GroupOptions, Optimizer } from './optimizer.js'
import { checkEps } from './schedule.js'

export interface AdamGroupOptions extends GroupOptions {
  /** beta1 and beta2, the decay of the averages of gradients and of their squares; default [0.9, 0.999] */
  betas: readonly [number, number]
  /** added to sqrt(v'); above 0; default 1e-8 */
  eps: number
}

/** learningRate: default 1e-3 */
export type AdamOptions = Partial<AdamGroupOptions> & Clipping

const DEFAULTS: AdamGroupOptions = { learningRate: 1e-3, weightDecay: 0, betas: [0.9, 0.999], eps: 1e-8 }
const DECOUPLED_DEFAULTS: AdamGroupOptions = { ...DEFAULTS, weightDecay: 1e-2 }

/** See `adam` and `adamw`, which make one. */
export class Adam extends Optimizer<AdamGroupOptions> {
  readonly #decoupled: boolean

  /** @param decoupled  true: AdamW, where weightDecay shrinks the parameter instead of entering the gradient */
  constructor(model: Trainable<AdamGroupOptions>, options: AdamOptions = {}, decoupled = false) {
    super(decoupled ? 'adamw' : 'adam', model, decoupled ? DECOUPLED_DEFAULTS : DEFAULTS, options)
    this.#decoupled = decoupled
  }

  protected check({ betas, eps }: AdamGroupOptions): void {
    checkEps(this.name, eps)
    if (betas.length === 2 && betas.every((beta) => beta >= 0 && beta < 1)) return
    throw new ArgumentError(`${this.name}: betas are [${betas.join(', ')}]; they must be two numbers in [0, 1)`)
  }

  protected override derived({ learningRate, betas, weightDecay }: AdamGroupOptions): Readonly<Record<string, number>> {
    const [beta1, beta2] = betas
    if (this.device.elementBytes === 4 && betas.some((beta) => Math.fround(beta) === 1)) {
      throw new ArgumentError(
        `${this.name}: betas are [${betas.join(', ')}], and the ${this.device.kind} device computes in float32, where the ` +
          'largest number below 1 is 0.99999994: one of them would be 1, and its average would never move',
      )
    }
    const constants = { 'the first of betas': beta1, 'the second of betas': beta2 }
    if (typeof learningRate !== 'number') return constants
    return {
      ...constants,
      'the first learning rate, learningRate / (1 - beta1),': learningRate / (1 - beta1),
      '1 - learningRate * weightDecay': 1 - learningRate * weightDecay,
    }
  }

  protected moments(): readonly string[] {
    return ['exp_avg', 'exp_avg_sq']
  }

  protected update(
    { betas: [beta1, beta2], eps }: AdamGroupOptions,
    step: number,
    values: UpdateParameters,
    targets: readonly Storage[],
    inputs: readonly Storage[],
  ): Update {
    const parameters = {
      beta1,
      beta2,
      eps,
      correction1: 1 - beta1 ** step,
      correction2: 1 - beta2 ** step,
      decoupled: this.#decoupled,
      ...values,
    }
    return { kernel: 'adam', parameters, targets, inputs }
  }
}

/**
 * Step t = 1, 2, ... of a parameter p:
 *
 *     g = gradient + weightDecay p
 *     m = beta1 m + (1 - beta1) g;   m' = m / (1 - beta1^t)
 *     v = beta2 v + (1 - beta2) g^2; v' = v / (1 - beta2^t)
 *     p -= learningRate m' / (sqrt(v') + eps)

 * @param model    a Module, its `parameters()`, or groups `[{ parameters, learningRate?, ... }]`
 * @param options  learningRate 1e-3 (number or Schedule), betas [0.9, 0.999], eps 1e-8, weightDecay 0, no clipNorm or clipValue
 * @throws ArgumentError        a setting out of range, a parameter listed twice, nothing to train
 * @throws BudgetExceededError  gradients or moments do not fit; those that were made are freed
 * Holds 4 bytes of gradient and 8 bytes of moments for each element of a parameter.
 */
export const adam = (model: Trainable<AdamGroupOptions>, options?: AdamOptions): Adam => new Adam(model, options)

/**
 * Adam with decoupled decay: p -= learningRate weightDecay p comes first, and g = gradient. The rest is as in `adam`,
 * except that weightDecay is 0.01 by default.
 */
export const adamw = (model: Trainable<AdamGroupOptions>, options?: AdamOptions): Adam => new Adam(model, options, true)
