/**
 * Stochastic gradient descent, with the formulas of torch.optim.SGD: see `sgd` below. `update` returns the step as a
 * kernel call. Its arithmetic is `sgd` in kernels/reference/optimizer.ts.
 */
import type { UpdateParameters } from '../../kernels/kernels.js'
import type { Update } from '../device/instruction.js'
import type { Storage } from '../device/storage.js'
import { ArgumentError } from '../memory/errors.js'
import type { Clipping } from './clipping.js'
import type { Trainable } from './groups.js'
import { type GroupOptions, Optimizer } from './optimizer.js'
import { checkAtLeast } from './schedule.js'

export interface SgdGroupOptions extends GroupOptions {
  /** the decay of the velocity; at 0 there is no velocity, and it takes no memory */
  momentum: number
  /** the share of the gradient that is kept out of the velocity */
  dampening: number
  /** step by g + momentum v instead of v; needs momentum and no dampening */
  nesterov: boolean
}

/** learningRate: default 1e-3 */
export type SgdOptions = Partial<SgdGroupOptions> & Clipping

const DEFAULTS: SgdGroupOptions = { learningRate: 1e-3, weightDecay: 0, momentum: 0, dampening: 0, nesterov: false }

/** See `sgd`, which makes one. */
export class Sgd extends Optimizer<SgdGroupOptions> {
  constructor(model: Trainable<SgdGroupOptions>, options: SgdOptions = {}) {
    super('sgd', model, DEFAULTS, options)
  }

  protected check({ momentum, dampening, nesterov }: SgdGroupOptions): void {
    checkAtLeast('sgd', 'momentum', momentum, 0)
    if (!Number.isFinite(dampening))
      throw new ArgumentError(`sgd: dampening is ${dampening}; it must be a finite number`)
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new ArgumentError(`sgd: nesterov needs momentum above 0 and dampening 0, not ${momentum} and ${dampening}`)
    }
  }

  protected moments({ momentum }: SgdGroupOptions): readonly string[] {
    return momentum === 0 ? [] : ['momentum_buffer']
  }

  protected update(
    { momentum, dampening, nesterov }: SgdGroupOptions,
    step: number,
    values: UpdateParameters,
    targets: readonly Storage[],
    inputs: readonly Storage[],
  ): Update {
    const parameters = { momentum, dampening, nesterov, first: step === 1, ...values }
    return { kernel: 'sgd', parameters, targets, inputs }
  }
}

/**
 * A step of a parameter p:
 *
 *     g = gradient + weightDecay p
 *     v = momentum v + (1 - dampening) g; in the first step v = g
 *     p -= learningRate v, or with nesterov p -= learningRate (g + momentum v)

 * @param model    a Module, its `parameters()`, or groups `[{ parameters, learningRate?, ... }]`
 * @param options  learningRate 1e-3 (number or Schedule), momentum, dampening and weightDecay 0, nesterov false, no clipNorm or clipValue
 * @throws ArgumentError        a setting out of range, a parameter listed twice, nothing to train
 * @throws BudgetExceededError  gradients or velocities do not fit; those that were made are freed
 * Holds 4 bytes of gradient for each element of a parameter, and with momentum 4 bytes of velocity.
 */
export const sgd = (model: Trainable<SgdGroupOptions>, options?: SgdOptions): Sgd => new Sgd(model, options)
