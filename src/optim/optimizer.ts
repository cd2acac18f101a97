/**
 * The base of all optimizers: groups of parameters, standing gradients and moments, clipping by the norm of the whole
 * gradient, and a step in two halves. Formulas are in sgd.ts, adam.ts and rmsprop.ts, limits of gradients in clipping.ts,
 * saved state in state.ts.
 *
 * Note [Step as data]
 *   `updates()` returns the whole step as kernel calls and changes nothing. The caller runs them and then calls
 *   `committed()`. User code (schedules) runs in the first half, so that the second half cannot fail.
 */
import type { UpdateParameters } from '../../kernels/kernels.js'
import { zeroGrad } from '../autograd/backward.js'
import type { Device } from '../device/device.js'
import type { Update } from '../device/instruction.js'
import type { Storage } from '../device/storage.js'
import { checkArgument, options as settingsOf } from '../memory/arguments.js'
import { gradientOf, standingTensor } from '../tensor/create.js'
import { type Checked, refuse } from '../tensor/saved-state.js'
import { allOrNothing } from '../tensor/scope.js'
import { checkSetting } from '../tensor/setting.js'
import type { Shape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { CLIPPING, type Clipping, checkClipping, checkClippingOn, clippedByValue } from './clipping.js'
import { checkParameters, groupsOf, kindsOf, leavesOf, override, type Trainable } from './groups.js'
import { asSchedule, checkAtLeast, type Schedule } from './schedule.js'
import {
  checkSaved,
  entriesByName,
  type HasNames,
  type OptimizerState,
  type SavedOptimizerState,
  type Stateful,
  saveState,
} from './state.js'

/** The settings that each group of parameters can have of its own. */
export interface GroupOptions {
  /** a number, or a function of the updates made so far */
  learningRate: number | Schedule
  /** how strongly parameters decay: see the formula of the optimizer; default 0 in sgd and adam, 0.01 in adamw */
  weightDecay: number
}

/** A parameter, with everything that its update needs. */
interface Entry<Options> extends Stateful {
  readonly settings: Options
  readonly schedule: Schedule
}

/**
 * Note [Who is trained]
 *   Parameters that do not require a gradient when the optimizer is made are left out for good. A parameter that is frozen
 *   later (`requiresGrad = false`) does not change, nor do its moments, and its gradient is left out of the norm. When
 *   it is thawed, training goes on from there, as in PyTorch after `zero_grad(set_to_none=True)`. A parameter that
 *   requires a gradient but that the loss does not depend on has the gradient 0: it still decays and is moved by its
 *   momentum.
 */
export abstract class Optimizer<Options extends GroupOptions = GroupOptions> {
  readonly device: Device
  /** The parameters that this optimizer trains, in order. */
  readonly parameters: readonly Tensor[]
  /** The standing moments, in the order of the parameters: 4 * size bytes each, category `optimizer`. */
  readonly state: readonly Tensor[]
  readonly #entries: readonly Entry<Options>[]
  readonly #clipping: Clipping
  /** The last measured norm of the whole gradient, as [scale, ratio]: see kernels.ts. */
  readonly #norm: Tensor
  #steps = 0

  /**
   * @param name      named in errors
   * @param defaults  the settings that neither `options` nor a group gives
   */
  constructor(
    readonly name: string,
    model: Trainable<Options>,
    defaults: Options,
    given: Partial<Options> & Clipping,
  ) {
    const kinds = kindsOf(defaults)
    checkArgument(name, 'options', given, settingsOf({ ...kinds, ...CLIPPING }))
    const { clipNorm, clipValue, ...options } = given
    this.#clipping = { clipNorm, clipValue }
    checkClipping(name, this.#clipping)
    const trained = groupsOf(name, model, kinds).flatMap(({ parameters, own }) => {
      const settings = override(override(defaults, options), own)
      const { learningRate, weightDecay } = settings
      if (typeof learningRate === 'number') checkAtLeast(name, 'learningRate', learningRate, 0)
      checkAtLeast(name, 'weightDecay', weightDecay, 0)
      this.check(settings)
      const schedule = asSchedule(learningRate)
      return leavesOf(name, parameters).map((leaf) => ({ ...leaf, settings, schedule, updates: 0 }))
    })
    this.parameters = trained.map(({ parameter }) => parameter)
    checkParameters(name, this.parameters)
    this.device = this.parameters[0].device
    checkClippingOn(this.device, name, this.#clipping)
    for (const settings of new Set(trained.map((entry) => entry.settings))) {
      const numbers = Object.entries({ ...settings, ...this.derived(settings) })
      for (const [what, value] of numbers) if (typeof value === 'number') checkSetting(this.device, name, what, value)
    }
    const make = (shape: Shape): Tensor => standingTensor(this.device, shape, 'optimizer')
    const { entries, norm } = allOrNothing(this.device, () => {
      for (const { parameter } of trained) gradientOf(parameter)
      const entries = trained.map((entry) => ({
        ...entry,
        moments: new Map(this.moments(entry.settings).map((moment) => [moment, make(entry.parameter.shape)])),
      }))
      return { entries, norm: make([2]) }
    })
    this.#entries = entries
    this.#norm = norm
    this.state = this.#entries.flatMap(({ moments }) => [...moments.values()])
  }

  /** The number of steps made. */
  get steps(): number {
    return this.#steps
  }

  /**
   * The next step: one update for each parameter, clipped by the norm that `measureNorm()` found; before them the gradients
   * are clipped by value. Note [Step as data].
   * @param rateFactor  multiplies every learning rate
   * @throws ArgumentError  a schedule gave a rate that is negative or not finite
   * @throws DisposedError  a parameter or the state of the optimizer is disposed
   */
  updates(rateFactor = 1): Update[] {
    const entries = this.#trained()
    const { clipNorm } = this.#clipping
    const norm = clipNorm === undefined ? null : this.#norm.storage(this.name)
    const rates = new Map<Schedule, number>()
    for (const { schedule } of entries) if (!rates.has(schedule)) rates.set(schedule, this.#rate(schedule, rateFactor))
    const steps = entries.map((entry) => {
      const { parameter, moments, settings, schedule } = entry
      const values: UpdateParameters = {
        size: parameter.size,
        learningRate: rates.get(schedule) ?? 0,
        weightDecay: settings.weightDecay,
        clip: norm !== null,
        maxNorm: clipNorm ?? 0,
      }
      const targets = [parameter, ...moments.values()].map((tensor) => tensor.storage(this.name))
      const gradient = gradientOf(parameter).storage(this.name)
      return this.update(settings, entry.updates + 1, values, targets, norm ? [gradient, norm] : [gradient])
    })
    const trained = entries.map(({ parameter }) => parameter)
    return [...clippedByValue(this.name, trained, this.#clipping), ...steps]
  }

  /**
   * Measure the norm of the whole gradient, by which `updates()` clips. It neither overflows nor underflows if all
   * gradients are finite, and is not finite if one of them is not.
   * @param into  keeps this norm beside that of `updates()`: [2]
   * @throws BudgetExceededError  the workspace of the kernel does not fit
   * @throws DisposedError        a gradient or the state of the optimizer is disposed
   */
  measureNorm(into = this.#norm): void {
    const gradients = this.#trained().map(({ parameter }) => gradientOf(parameter))
    if (gradients.length === 0) {
      this.device.run('fill', { size: 2, value: 0 }, [], [into.storage(this.name)])
      return
    }
    this.device.run(
      'gradientNorm',
      { sizes: gradients.map(({ size }) => size) },
      gradients.map((gradient) => gradient.storage(this.name)),
      [into.storage(this.name)],
    )
  }

  /** The norm that `measureNorm(from)` found, in double precision: it may be larger than an element can hold. */
  async gradNorm(from = this.#norm): Promise<number> {
    const [scale, ratio] = await from.data()
    return scale * ratio
  }

  /**
   * Count the step, after its updates have run. A recorded step counts at once; if it is never run, the count is taken
   * back.
   */
  committed(): void {
    const trained = this.#trained()
    const count = (by: 1 | -1): void => {
      this.#steps += by
      for (const entry of trained) entry.updates += by
    }
    count(1)
    this.device.unlessDone(() => count(-1))
  }

  /**
   * Update all parameters by their gradients, for loops written by hand:
   *
   *     optimizer.zeroGrad()
   *     scope(device, () => backward(crossEntropy(model.forward(x), y)))
   *     optimizer.step()
   */
  step(): void {
    if (this.#clipping.clipNorm !== undefined) this.measureNorm()
    this.device.commit(this.updates())
    this.committed()
  }

  /** Set all gradients to zero. */
  zeroGrad(): void {
    zeroGrad(this.parameters)
  }

  /** The parameters by their names: Note [Names in saved state]. @throws ArgumentError  two have the same name */
  namedParameters(model?: HasNames): Map<string, Tensor> {
    const named = entriesByName(this.name, this.#entries, model)
    return new Map(Array.from(named, ([name, { parameter }]) => [name, parameter]))
  }

  /**
   * Copies of the moments on the host, and the number of updates. Note [Names in saved state].
   * @param model  gives the names, for an optimizer made from parts of it
   * @throws ArgumentError  two parameters have the same name
   */
  async stateDict(model?: HasNames): Promise<OptimizerState> {
    return saveState(entriesByName(this.name, this.#entries, model), this.#steps)
  }

  /**
   * Load the result of `stateDict`, by the names of the parameters.
   * @throws StateError     an entry is missing, unexpected, of another shape or not a number; nothing was written
   * @throws ArgumentError  two parameters have the same name
   * @throws DisposedError  the optimizer is disposed
   */
  loadStateDict(state: SavedOptimizerState, model?: HasNames): void {
    const { faults, write } = this.checkState(state, model)
    refuse(faults)
    write()
  }

  /**
   * Checks what `loadStateDict` checks, for a caller that loads several states or none of them.
   * @throws ArgumentError, DisposedError  as `loadStateDict`
   */
  checkState(state: SavedOptimizerState, model?: HasNames): Checked {
    return checkSaved(entriesByName(this.name, this.#entries, model), state, (steps) => {
      this.#steps = steps
    })
  }

  /** Free moments and norm. Gradients belong to the parameters and stay. */
  dispose(): void {
    for (const tensor of this.state) tensor.dispose()
    this.#norm.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** Throw an ArgumentError on settings that make no sense. Called by the constructor, like `moments`. */
  protected abstract check(settings: Options): void

  /**
   * Further numbers that kernels compute with, each with a description. Like settings, they must be in the range of the
   * device's element type.
   * @throws ArgumentError  a setting makes no sense for numbers as the device rounds them
   */
  protected derived(_settings: Options): Readonly<Record<string, number>> {
    return {}
  }

  /** The standing tensors that each parameter needs, by PyTorch's names. */
  protected abstract moments(settings: Options): readonly string[]

  /**
   * The update of one parameter.
   * @param step     the number of the update for this parameter, from 1
   * @param values   the kernel parameters that all optimizers have
   * @param targets  the parameter, then its moments
   * @param inputs   its gradient; then, if `values.clip`, the norm of the whole gradient
   */
  protected abstract update(
    settings: Options,
    step: number,
    values: UpdateParameters,
    targets: readonly Storage[],
    inputs: readonly Storage[],
  ): Update

  #rate(schedule: Schedule, factor: number): number {
    const rate = factor * schedule(this.#steps)
    const what = `the learning rate of step ${this.#steps}`
    checkAtLeast(this.name, what, rate, 0)
    // a rate that decays can become too small for the element type: then it is 0
    if (rate > 1) checkSetting(this.device, this.name, what, rate)
    return rate
  }

  /** Note [Who is trained]. */
  #trained(): Entry<Options>[] {
    return this.#entries.filter(({ parameter }) => parameter.requiresGrad)
  }
}
