/**
 * RMSprop, with the formulas of torch.optim.RMSprop: see `rmsprop` below. `update` returns the step as a kernel call. Its
 * arithmetic is `rmsprop` in kernels/reference/optimizer.ts.
 */
import type { UpdateParameters } from '../../kernels/kernels.js'
import type { Update } from '../device/instruction.js'
import type { Storage } from '../device/storage.js'
import { ArgumentError } from '../memory/errors.js'
import type { Clipping } from './clipping.js'
import type { Trainable } from './groups.js'
import { type GroupOptions, Optimizer } from './optimizer.js'
import { checkAtLeast, checkEps } from './schedule.js'

export interface RmspropGroupOptions extends GroupOptions {
  /** the decay of the averages; default 0.99 */
  alpha: number
  /** added to the root; above 0; default 1e-8 */
  eps: number
  /** the decay of the velocity; at 0 there is no velocity, and it takes no memory */
  momentum: number
  /** divide by the root of the variance of the gradient instead of that of its mean square; default false */
  centered: boolean
}

/** learningRate: default 1e-2 */
export type RmspropOptions = Partial<RmspropGroupOptions> & Clipping

const DEFAULTS: RmspropGroupOptions = {
  learningRate: 1e-2,
  weightDecay: 0,
  alpha: 0.99,
  eps: 1e-8,
  momentum: 0,
  centered: false,
}

/** See `rmsprop`, which makes one. */
export class Rmsprop extends Optimizer<RmspropGroupOptions> {
  constructor(model: Trainable<RmspropGroupOptions>, options: RmspropOptions = {}) {
    super('rmsprop', model, DEFAULTS, options)
  }

  protected check({ alpha, eps, momentum }: RmspropGroupOptions): void {
    checkEps('rmsprop', eps)
    checkAtLeast('rmsprop', 'momentum', momentum, 0)
    if (!(alpha >= 0 && alpha < 1)) throw new ArgumentError(`rmsprop: alpha is ${alpha}; it must be a number in [0, 1)`)
  }

  protected override derived({ alpha }: RmspropGroupOptions): Readonly<Record<string, number>> {
    if (this.device.elementBytes === 4 && Math.fround(alpha) === 1) {
      throw new ArgumentError(
        `rmsprop: alpha is ${alpha}, which is 1 in the float32 of the ${this.device.kind} device: the average would never move`,
      )
    }
    return {}
  }

  protected moments({ momentum, centered }: RmspropGroupOptions): readonly string[] {
    return ['square_avg', ...(centered ? ['grad_avg'] : []), ...(momentum === 0 ? [] : ['momentum_buffer'])]
  }

  protected update(
    { alpha, eps, momentum, centered }: RmspropGroupOptions,
    _step: number,
    values: UpdateParameters,
    targets: readonly Storage[],
    inputs: readonly Storage[],
  ): Update {
    return { kernel: 'rmsprop', parameters: { alpha, eps, momentum, centered, ...values }, targets, inputs }
  }
}

/**
 * A step of a parameter p:
 *
 *     g = gradient + weightDecay p
 *     s = alpha s + (1 - alpha) g^2
 *     m = alpha m + (1 - alpha) g, if centered; else m = 0
 *     v = momentum v + g / (sqrt(s - m^2) + eps)
 *     p -= learningRate v
 *
 * @param model    a Module, its `parameters()`, or groups `[{ parameters, learningRate?, ... }]`
 * @param options  learningRate 1e-2 (number or Schedule), alpha 0.99, eps 1e-8, momentum and weightDecay 0, centered false, no
 *   clipNorm or clipValue
 * @throws ArgumentError        a setting out of range, a parameter listed twice, nothing to train
 * @throws BudgetExceededError  gradients or moments do not fit; those that were made are freed
 * Holds 4 bytes of gradient and 4 of s for each element of a parameter, 4 more with momentum, and 4 more if centered.
 */
export const rmsprop = (model: Trainable<RmspropGroupOptions>, options?: RmspropOptions): Rmsprop =>
  new Rmsprop(model, options)
